"""A real CLU actor with a schema, and with commands that take what click has: dome.py <AMQP URL> <name>.

It writes "ready" once it takes commands. Each command answers with what click has read, as the keyword "got".
"""

import asyncio
import json
import sys
import tempfile

import click
from clu import AMQPActor, command_parser

SCHEMA = {
    "type": "object",
    "properties": {
        "humidity": {"type": "number", "description": "Relative humidity inside the dome", "unit": "%", "minimum": 0, "maximum": 100},
        "dome_status": {"type": "string", "description": "Status bits of the dome, as hex"},
        "dome_status_labels": {"type": "string"},
        "axis": {"type": "object", "properties": {"alt": {"type": "number", "unit": "deg"}}},
        "got": {"type": "object"},
    },
    "additionalProperties": True,
}


@command_parser.command()
@click.argument("SIDE", type=click.Choice(["north", "south", "both"]))
@click.argument("ANGLE", type=click.FloatRange(0, 90), required=False)
@click.option("--speed", "-s", type=float, default=1.5, help="Degrees a second.")
@click.option("--force", is_flag=True, help="Move although the wind is high.")
@click.option("--filter", "-f", "filters", multiple=True, help="May be repeated.")
async def move(command, side, angle, speed, force, filters):
    """Moves a shutter."""
    return command.finish(got=dict(side=side, angle=angle, speed=speed, force=force, filters=list(filters)))


@command_parser.command()
@click.argument("RADEC", type=float, nargs=2)
@click.option("--at", type=click.DateTime(), help="When.")
@click.option("--track/--no-track", default=True, help="Follow the sky afterwards.")
async def point(command, radec, at, track):
    """Points at a place."""
    return command.finish(got=dict(radec=list(radec), at=str(at), track=track))


@command_parser.command()
@click.argument("WORDS", nargs=-1)
async def note(command, words):
    """Writes a note into the log."""
    return command.finish(got=dict(words=list(words)))


@command_parser.command(deprecated=True)
async def unfold(command):
    """Opens the dome, as it was called before."""
    return command.finish(got=dict(unfold=True))


@command_parser.group()
def report(*args):
    """Reports something."""


@report.command()
@click.option("-v", "--verbose", count=True)
async def weather(command, verbose):
    """Reports the weather."""
    command.info(humidity=33.2, dome_status="0x10", dome_status_labels="POSITION_UNKNOWN", axis={"alt": 30.5, "az": 12.5})
    return command.finish(got=dict(verbose=verbose))


async def main(url, name):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as schema:
        json.dump(SCHEMA, schema)
        schema.flush()
        actor = AMQPActor(name, url=url, version="1.2.3", schema=schema.name)
        await actor.start()
    print("ready", flush=True)
    await asyncio.Future()


asyncio.run(main(*sys.argv[1:]))
