"""Client of clu-ws, a WebSocket bridge to the actors of SDSS (CLU on RabbitMQ).

    async with clu_ws.connect("ws://localhost:9876") as clu:
        result = await clu.send("dome", "open", timeout=60)

See the README of this package, and docs/clients.md of clu-ws.
"""

from importlib.metadata import version as _version

from ._client import Clu, connect
from ._command import Command, CommandResult
from ._feed import Stream
from ._room import Room
from ._types import CluError, CommandError, Event, Gap, NotConnected, Reply, RequestError, RoomMessage, Unauthorized, Value

__all__ = ["Clu", "CluError", "Command", "CommandError", "CommandResult", "Event", "Gap", "NotConnected", "Reply",
           "RequestError", "Room", "RoomMessage", "Stream", "Unauthorized", "Value", "connect"]
__version__ = _version("clu-ws")
