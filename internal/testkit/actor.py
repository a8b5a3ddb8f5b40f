"""A real CLU actor for the tests: actor.py <AMQP URL> <name>.

It writes "ready" to standard output once it takes commands. What status, odd and broadcast reply
was recorded from CLU 2.6.1, and other tests replay it: do not change it.
"""

import asyncio
import sys

import click
from clu import AMQPActor, command_parser


@command_parser.command()
async def status(command):
    """An ordinary status: two replies, and a last one that ends the command."""
    command.info(dome_status="0x10", dome_status_labels="POSITION_UNKNOWN")
    command.debug(position=12.5, moving=False, target=None)
    return command.finish(safe=True)


@command_parser.command()
async def odd(command):
    """Values that are legal in Python and trouble elsewhere, then an error and a failure."""
    command.info(
        text="ünï ☃ \U0001d11e \x01 </b>&\x7f",
        big=12345678901234567890,
        small=1e-7,
        large=1e22,
        z=1.0,
        neg=-0.0,
        nested={"a": [1, 2.5, None, True, {"b": []}]},
    )
    command.warning(
        nan=float("nan"),
        inf=float("inf"),
        ninf=float("-inf"),
        text="NaN and Infinity inside a string stay",
    )
    command.error(error="division by zero")
    return command.fail(error="Gave up.")


@command_parser.command()
async def empty(command):
    """Replies with nothing in them."""
    command.info({})
    command.info(text="", list=[], object={}, null=None)
    return command.finish()


@command_parser.command()
async def fail(command):
    """Fails."""
    return command.fail(error="The dome is stuck.")


@command_parser.command()
@click.argument("SECONDS", type=float, default=2)
async def slow(command, seconds):
    """Takes its time between its first and its last reply."""
    command.info(step="waiting", seconds=seconds)
    await asyncio.sleep(seconds)
    return command.finish(step="done")


@command_parser.command()
@click.argument("COUNT", type=int)
async def burst(command, count):
    """Replies as fast as it can, numbered from 0."""
    for n in range(count):
        command.info(n=n)
    return command.finish(count=count)


@command_parser.command()
async def broadcast(command):
    """Tells everyone something that belongs to no command."""
    command.actor.write(
        "i", dome_status="0x10", text="broadcast with no command"
    )
    return command.finish()


async def main(url, name):
    # Without a schema of its own CLU knows only its common keywords, and would refuse the rest.
    actor = AMQPActor(name, url=url, version="1.2.3", validate=False)
    await actor.start()
    print("ready", flush=True)
    await asyncio.Future()


asyncio.run(main(*sys.argv[1:]))
