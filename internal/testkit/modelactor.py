"""A CLU actor with a schema and commands of all kinds: modelactor.py <AMQP URL> <name> [changed].

It writes "ready" to standard output once it takes commands. What it tells of itself was recorded from
CLU 2.6.1, and tests compare with that. With "changed" it has another command and another keyword.
"""

import asyncio
import json
import pathlib
import sys

import click
from clu import AMQPActor, command_parser

SCHEMA = {
    "type": "object",
    "properties": {
        "humidity": {
            "type": "number",
            "description": "Relative humidity inside the dome",
            "units": "%",
            "unit": "%",
            "minimum": 0,
            "maximum": 100,
        },
        "dome_status": {"type": "string", "pattern": "^0x[0-9a-f]+$", "description": "Status bits of the dome, as hex"},
        "dome_status_labels": {"type": "string", "description": "Names of the bits, comma separated"},
        "filters": {"type": "array", "items": {"type": "string"}, "title": "Filters mounted"},
        "axis": {
            "type": "object",
            "properties": {"alt": {"type": "number", "unit": "deg"}, "az": {"type": "number", "unit": "deg"}},
        },
        "enabled": {"type": "boolean"},
    },
    "additionalProperties": True,
}


@command_parser.command()
@click.argument("SIDE", type=click.Choice(["north", "south", "both"]))
@click.argument("ANGLE", type=click.FloatRange(0, 90), required=False)
@click.option("--speed", "-s", type=float, default=1.5, show_default=True, help="Degrees a second.")
@click.option("--force", is_flag=True, help="Move although the wind is high.")
@click.option("--filter", "-f", "filters", multiple=True, help="May be repeated.")
async def move(command, side, angle, speed, force, filters):
    """Moves a shutter.

    SIDE is the shutter, ANGLE where to."""
    return command.finish(text="moved")


@command_parser.command()
@click.option("--stop", is_flag=True, help="Stops the execution of the command.")
async def long(command, stop):
    """Takes a minute."""
    return command.finish()


@command_parser.command(hidden=True)
async def secret(command):
    """Not in the help."""
    return command.finish(nan=float("nan"))


@command_parser.group()
def status(*args):
    """Statuses."""


@status.command()
@click.option("-v", "--verbose", count=True)
async def weather(command, verbose):
    """Reports the weather."""
    command.info(humidity=33.2, dome_status="0x10", dome_status_labels="POSITION_UNKNOWN", enabled=True)
    return command.finish()


async def main(url, name, changed=None):
    if changed:
        del command_parser.commands["move"]
        command_parser.commands["shift"] = click.Command("shift", callback=None, help="Moves a shutter.")
        SCHEMA["properties"]["shift_deg"] = {"type": "number"}
    file = pathlib.Path("schema.json")
    file.write_text(json.dumps(SCHEMA))
    actor = AMQPActor(name, url=url, version="1.2.3", schema=str(file.resolve()))
    await actor.start()
    print("ready", flush=True)
    await asyncio.Future()


asyncio.run(main(*sys.argv[1:]))
