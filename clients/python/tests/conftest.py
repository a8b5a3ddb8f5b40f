"""A bridge that a test plays: it answers what every client asks for, and the test does the rest."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timezone
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

import clu_ws

CAPABILITIES = ["resume", "gap", "snapshot", "notices", "log", "commands", "model", "problems", "site", "history", "rooms"]


def stamp(seconds: float = 0.0) -> str:
    """The bridge's clock now."""
    return datetime.fromtimestamp(datetime.now().timestamp() + seconds, timezone.utc).isoformat()


class Bridge:
    """Accepts one client after another. ``received`` has the messages that it does not answer by itself."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.socket: ServerConnection | None = None
        self.connected = asyncio.Event()
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.epoch, self.seq = "e1", 10
        self.broker = "up"
        self.answers = True  # subscriptions and pings
        self.hello: dict[str, Any] | None = None  # instead of the usual one
        self.connections = 0
        self.headers: list[Any] = []
        self.rooms: list[ServerConnection] = []  # connections to rooms

    async def start(self) -> None:
        def select(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
            return offered[0] if offered else None

        self.server = await serve(self.serve, "127.0.0.1", 0, select_subprotocol=select)

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"ws://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/"

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        if socket.request.path.startswith("/live"):
            self.rooms.append(socket)
            await socket.wait_closed()
            return
        self.socket = socket
        self.connections += 1
        self.headers.append(socket.request.headers)
        await self.send(self.hello or {"op": "hello", "name": "bridge", "time": stamp(), "epoch": self.epoch, "seq": self.seq,
                                       "broker": self.broker, "capabilities": CAPABILITIES})
        self.connected.set()
        with contextlib.suppress(ConnectionClosed):  # the client's, or by cut
            async for text in socket:
                await self.handle(json.loads(text))

    async def handle(self, message: dict[str, Any]) -> None:
        op, number = message.get("op"), message.get("id")
        if op == "ping" and self.answers:
            await self.send({"op": "pong", "id": number, "time": stamp(), "epoch": self.epoch, "seq": self.seq})
        elif op == "subscribe" and self.answers and (number == "own" or "since" not in message and "snapshot" not in message):
            await self.send({"op": "ok", "id": number})
            if number != "own":
                await self.received.put(message)
        else:
            await self.received.put(message)

    async def send(self, message: dict[str, Any] | str) -> None:
        assert self.socket is not None
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def get(self, op: str) -> dict[str, Any]:
        """The next message with an op."""
        while True:
            message = await asyncio.wait_for(self.received.get(), 20)
            if message.get("op") == op:
                return message

    async def takes(self) -> dict[str, Any]:
        """The next command, which the broker confirms."""
        command = await self.get("command")
        await self.send({"op": "ok", "id": command["id"], "command_id": command["command_id"]})
        return command

    def envelope(self, code: str = "i", body: Any = None, sender: str = "dome", command: dict[str, Any] | None = None,
                 seq: int | None = None) -> dict[str, Any]:
        """A reply with the next number, or with a given one."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        headers = {"sender": sender, "message_code": code, "internal": False, "command_id": None, "commander_id": None}
        if command is not None:
            headers.update(command_id=command["command_id"], commander_id=f"bridge.{command['consumer']}")
        return {"headers": headers, "exchange": "x", "message_id": None, "routing_key": "reply.bridge", "timestamp": None,
                "body": {} if body is None else body, "seq": seq, "epoch": self.epoch, "heard": 1_795_232_320_123_456}

    async def reply(self, *args: Any, **options: Any) -> None:
        await self.send(self.envelope(*args, **options))

    async def cut(self) -> None:
        """Breaks the connection, without a close frame."""
        assert self.socket is not None
        self.connected.clear()
        self.socket.transport.abort()

    async def close(self, code: int, reason: str) -> None:
        assert self.socket is not None
        self.connected.clear()
        await self.socket.close(code, reason)

    async def back(self) -> None:
        """Waits until the client is there again."""
        await asyncio.wait_for(self.connected.wait(), 20)


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    one = Bridge()
    await one.start()
    yield one
    assert one.server is not None
    one.server.close(close_connections=True)
    await one.server.wait_closed()


def client(bridge: Bridge, **options: Any) -> clu_ws.Clu:
    """A client of it that is fast to connect again."""
    return clu_ws.connect(bridge.url, min_delay=0.01, max_delay=0.05, proxy=None, **options)


async def until(condition: Any) -> None:
    """Waits for a condition."""
    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.005)
    await asyncio.wait_for(wait(), 20)
