"""Reads the lines of forms with click, as CLU does, and prints those that it reads as something else than was filled in."""

import json
import shlex
import sys

import click


def command(level, place, rest, got):
    """Makes the click command of one level of a path; it keeps what it was called with."""

    def keep(**values):
        for param in level["params"]:
            value = values[param["name"]]
            if isinstance(value, tuple):
                value = [list(item) if isinstance(item, tuple) else item for item in value]
            unset = value is None or value == [] or (param.get("count") and value == 0)
            if not unset and not (value is False and not param.get("off_opts")):
                got[f"{place}/{param['name']}"] = value

    params = []
    for param in level["params"]:
        name, nargs = param["name"], param.get("nargs", 1)
        if param["kind"] == "argument":
            params.append(click.Argument([name], nargs=nargs, required=False))
        elif param["flag"]:
            on, off = param["opts"], param.get("off_opts") or []
            params.append(click.Option(["/".join(on[:1] + off), *on[1:], name], is_flag=True, default=None if off else False))
        elif param["count"]:
            params.append(click.Option([*param["opts"], name], count=True))
        else:
            params.append(click.Option([*param["opts"], name], nargs=nargs, multiple=param["multiple"]))
    settings = {"ignore_unknown_options": True}
    if not level["group"]:
        return click.Command(level["name"], params=params, callback=keep, context_settings=settings)
    group = click.Group(level["name"], params=params, callback=keep)
    group.add_command(command(rest[0], f"{place}/{rest[0]['name']}", rest[1:], got))
    return group


wrong = []
for form in json.load(sys.stdin):
    got = {}
    path = form["path"]
    root = click.Group("root")
    root.add_command(command(path[0], path[0]["name"], path[1:], got))
    try:
        root.main(shlex.split(form["line"]), standalone_mode=False)
    except click.ClickException as error:
        got = {"error": error.format_message()}
    if got != form["values"]:
        wrong.append({**form, "got": got})
print(json.dumps(wrong[:5]))
