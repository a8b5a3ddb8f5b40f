"""Reads a JSON list of command strings, and prints the list of commands that CLU's parser runs for them; null is none."""

import json
import sys

import click
from clu.command import CommandStatus
from clu.parsers.click import ClickParser, command_parser


class Ran(Exception):
    pass


for name in ["status", "open", "shutdown", "a.b", "a_b", "op-en", "9"]:
    command_parser.command(name=name)(lambda *args: None)


def resolve(ctx, args, resolve=command_parser.resolve_command):
    name, _, _ = resolve(ctx, args)
    raise Ran(name)


command_parser.resolve_command = resolve


class Command:
    """What the parser needs of a command of CLU."""

    status = CommandStatus.READY
    ctx = None

    def __init__(self, body):
        self.body = body

    def set_status(self, *args, **kwargs):
        pass

    def done(self):
        pass


class Parser(ClickParser):
    name, log, parser_args = "verbs", None, []

    def _handle_command_exception(self, command, exception):
        raise exception


def ran(text):
    try:
        Parser().parse_command(Command(text))
    except Ran as command:
        return str(command)
    except (click.ClickException, click.exceptions.Exit, ValueError):
        pass
    return None


print(json.dumps([ran(text) for text in json.load(sys.stdin)]))
