"""Rooms: messages of other programs. They have no envelope, so each room has a connection of its own: on the client's, one
could pass for a reply or for the bridge's answer."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection

from ._feed import Queue
from ._link import Link
from ._types import CluError, RoomMessage, loads


class Room(Link):
    """The messages of a room: an asynchronous iterator, for ``async with``, which waits for the connection.

    They have no numbers, and the bridge keeps none: after a lost connection, or if the program reads too slowly, the next
    message says that others may be ``missed``.
    """

    subprotocols = None
    pings = True

    def __init__(self, url: str, path: str, queue: int, **options: Any) -> None:
        super().__init__(url, **options)
        parts = urlsplit(url)
        self.path = path
        self._url = urlunsplit((parts.scheme, parts.netloc, parts.path.rpartition("/")[0] + path, "", ""))
        self._queue: Queue[RoomMessage] = Queue(queue)
        self._missed = False

    async def __aenter__(self) -> Room:
        self.start()
        try:
            await self.ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Room:
        return self

    async def __anext__(self) -> RoomMessage:
        return await self._queue.get()

    async def close(self) -> None:
        """Leaves the room."""
        try:
            await self.stop()
        finally:
            self._queue.end(None)

    async def _greeted(self, ws: ClientConnection, token: str | None) -> None:
        self.hello = {"path": self.path}  # a room has none
        self._open()

    def _received(self, text: str | bytes) -> None:
        try:
            body = loads(text)
        except (ValueError, RecursionError):
            body = text
        message, self._missed = RoomMessage(body, text, self._missed), False
        if self._queue.put(message):
            self._queue.items[0] = dataclasses.replace(self._queue.items[0], missed=True)

    async def _watches(self, ws: ClientConnection) -> None:
        """Leaves it to the pings of WebSocket."""

    def _disconnected(self, reason: str, too_slow: bool) -> None:
        self._missed = True

    def _refused_for_good(self, error: CluError) -> None:
        self._queue.end(error)
