"""The connection of a client, over all attempts to have one."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Optional, Union
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as dial
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from ._command import Command
from ._types import CluError, Event, NotConnected, Unauthorized, loads, parse_time

log = logging.getLogger("clu_ws")

Token = Union[str, Callable[[], Union[Optional[str], Awaitable[Optional[str]]]], None]

HELLO = 10.0  # s within which a bridge greets
TURN = 64  # messages after which other tasks may run
GOOD_FOR = 5.0  # s after which a connection counts as a good one
NO_BRIDGE = (400, 404, 405, 426)  # HTTP statuses of a server that is no bridge, unless one was there before: a proxy may say so for a while


class Clock:
    """Estimates the bridge's clock. A time arrives late by its way here, so the estimate is behind and not ahead, and a
    command expires early and not late. Ages are by ``latest``, so that nothing seems newer than it is."""

    def __init__(self) -> None:
        self._offset: float | None = None  # the bridge's clock minus the monotonic one
        self._wall = 0.0  # the wall clock minus the monotonic one, when the offset was set

    def now(self) -> float:
        """The bridge's time, or a moment earlier."""
        return time.time() if self._offset is None else time.monotonic() + self._offset

    def latest(self) -> float:
        """The latest that it may be: the monotonic clock stands while the computer sleeps, the other one goes on."""
        slept = 0.0 if self._offset is None else time.time() - time.monotonic() - self._wall
        return self.now() + (slept if slept > 2 else 0)

    def start(self, told: float | None) -> None:
        """Starts from the time in a hello."""
        self._offset = None
        if told is not None:
            self._set(told - time.monotonic())

    def answered(self, told: float | None, asked: Any) -> None:
        """Handles the bridge's answer to a question that was asked then, by the monotonic clock here; None if that is not
        known. Its time now is between the one told and that plus the way of both."""
        if told is None or self._offset is None:
            return
        least = told - time.monotonic()
        most = told - asked if isinstance(asked, float) else max(least, self._offset)
        self._set(min(max(self._offset, least), most))

    def _set(self, offset: float) -> None:
        self._offset, self._wall = offset, time.time() - time.monotonic()


class Link:
    """Connects, logs in, reads and writes, and connects again. The class that inherits it handles what is read."""

    subprotocols: list[Subprotocol] | None = [Subprotocol("clu-ws.v1")]
    pings = False  # whether WebSocket's own show that the bridge is alive, instead of the protocol's

    def __init__(self, url: str, *, token: Token = None, min_delay: float = 0.2, max_delay: float = 10.0, ping: float = 5.0,
                 silence: float = 19.0, **options: Any) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss"):
            raise ValueError(f"the URL of a bridge begins with ws:// or wss://, and not with {parts.scheme!r}")
        if not parts.hostname or parts.port == 0:  # a port that is no number is an error by itself
            raise ValueError("the URL of a bridge has a host, as in ws://localhost:9876")
        query = f"{parts.query}&silent=1" if parts.query else "silent=1"
        self._url = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))
        self.shown_url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        self._token = token
        self._delays = (min_delay, max_delay)
        self._failures = 0  # in a row
        self._ping, self._silence = ping, silence
        self._options = options
        self.connected = False
        self.hello: dict[str, Any] = {}  # the bridge's greeting on the last connection
        self.access: dict[str, Any] | None = None  # who this client is: name, expires, grants
        self.broker = "unknown"  # up, blocked, no_replies, down; unknown without a connection
        self.problem: str | None = None  # why there is no connection
        self._over: CluError | None = None  # why there will be no connection any more
        self._clock = Clock()
        self._task: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._state = asyncio.Event()  # connected or over
        self._out: deque[tuple[str, Command | None]] = deque()
        self._wake = asyncio.Event()
        self._heard = 0.0
        self._greeted_at: float | None = None  # when the bridge greeted on this connection

    @property
    def capabilities(self) -> list[str]:
        """What the bridge can do."""
        return list(self.hello.get("capabilities") or [])

    @property
    def live(self) -> bool:
        """Whether replies arrive: there is a connection, and the bridge has one to the broker."""
        return self.connected and self.broker in ("up", "blocked")

    def now(self) -> float:
        """The bridge's clock, in seconds since 1970. It may be behind, and is never ahead."""
        return self._clock.now()

    def start(self) -> None:
        """Begins to connect, without waiting for it."""
        if self._over is not None:
            raise self._over
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def ready(self) -> None:
        """Waits until there is a connection. Raises Unauthorized (or another error) if there will be none."""
        while not self.connected:
            if self._over is not None:
                raise self._over
            self._state.clear()
            await self._state.wait()

    async def stop(self) -> None:
        """Closes the connection, and makes no other."""
        self._over = self._over or NotConnected("the client is closed")
        self._state.set()
        for task in (self._renewal, self._task):
            # Until Python 3.12, wait_for may return what it waited for instead of being cancelled.
            while task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=0.2)

    # What the class that inherits this handles.

    def _opened(self) -> None: ...
    def _message(self, message: dict[str, Any], size: int) -> None: ...
    def _unreadable(self, why: str) -> None: ...
    def _disconnected(self, reason: str, too_slow: bool) -> None: ...
    def _refused_for_good(self, error: CluError) -> None: ...
    def _tell(self, event: Event) -> None: ...

    # The connection.

    async def _run(self) -> None:
        expired = False  # the last credential had expired: one more is asked for
        while True:
            wait = None
            self._greeted_at = None
            try:
                await self._connection()
            except Exception as error:
                if not isinstance(error, (OSError, InvalidHandshake, asyncio.TimeoutError, CluError)):
                    log.warning("the connection has failed", exc_info=error)
                    if not self.hello:  # such as a wrong option
                        return self._refuse(CluError(f"the connection has failed: {error!r}"))
                wait = _retry_after(error)
                self.problem = str(error) or type(error).__name__
                final = self._final(error, expired and not self._was_good())
                if final is not None:
                    return self._refuse(final)
                expired = isinstance(error, Unauthorized)
            else:
                expired = expired and not self._was_good()
            # A bridge that greets and closes is not asked again at once, again and again.
            self._failures = 0 if self._was_good() else self._failures + 1
            least, most = self._delays
            delay = min(most, least * 2 ** min(max(self._failures - 1, 0), 20)) * random.uniform(0.5, 1)
            await asyncio.sleep(max(delay, wait or 0))

    def _was_good(self) -> bool:
        """Reports whether the last connection has lasted for a while."""
        return self._greeted_at is not None and time.monotonic() - self._greeted_at >= GOOD_FOR

    def _final(self, error: Exception, again: bool) -> CluError | None:
        """Returns the error to end with, if another attempt would not help."""
        if isinstance(error, Unauthorized):
            # A login that has expired is renewed once, if there is somebody to ask.
            return None if error.code == 3000 and callable(self._token) and not again else error
        if isinstance(error, InvalidStatus) and error.response.status_code in ((401, 403) if self.hello else (401, 403, *NO_BRIDGE)):
            body = (error.response.body or b"").decode(errors="replace").strip()
            return Unauthorized(f"the bridge does not let this program in: {body or error}", error.response.status_code)
        return error if isinstance(error, CluError) else None

    def _refuse(self, error: CluError) -> None:
        self._over = error
        self._refused_for_good(error)
        self._state.set()

    async def _credential(self) -> str | None:
        try:
            token = self._token() if callable(self._token) else self._token
            token = await token if inspect.isawaitable(token) else token
        except Exception as error:  # what it asks may answer later
            log.warning("the function that returns the token has failed: %r", error)
            raise ConnectionError(f"the function that returns the token has failed: {error!r}") from error
        return token.strip() if token else None  # from a file, it often ends with a newline

    async def _connection(self) -> None:
        """Has one connection, to its end."""
        token = await self._credential()
        options = {"open_timeout": HELLO, "close_timeout": 1, "max_size": None, **self._options,
                   "ping_interval": self._ping if self.pings else None, "ping_timeout": self._silence}
        headers = Headers(options.pop("additional_headers", None) or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        ws = await dial(self._url, subprotocols=self.subprotocols, additional_headers=headers, **options)
        helpers: list[asyncio.Task[None]] = []
        reason = "this client was closed"
        try:
            await self._greeted(ws, token)
            helpers = [asyncio.create_task(self._writes(ws)), asyncio.create_task(self._watches(ws))]
            await self._reads(ws)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd is not None and error.rcvd_then_sent is not False else 1006
            reason = self.problem = f"{code} {error.rcvd.reason}".strip() if error.rcvd and code != 1006 else str(error)
            self._judge_close(code, reason)
        finally:
            for helper in helpers:
                helper.cancel()
            greeted, self.connected = self.connected, False
            self.broker = "unknown"
            if greeted:
                self._disconnected(reason, too_slow=reason.startswith("1008 too slow"))
            self._out.clear()
            await ws.close()

    def _judge_close(self, code: int, reason: str) -> None:
        if code in (3000, 3003, 3008):
            raise Unauthorized(f"the bridge has closed the connection: {reason}", code)

    async def _greeted(self, ws: ClientConnection, token: str | None) -> None:
        first = await self._hello(ws)
        if first.get("auth") == "required" and token:  # a proxy has kept the header to itself
            await ws.send(json.dumps({"op": "auth", "id": "auth", "token": token}))
            first = await self._hello(ws)
        if first.get("auth") == "required":
            raise Unauthorized("the bridge asks for a credential: give connect() a token")
        if first.get("op") == "error":
            raise Unauthorized(f"the bridge does not let this program in: {first.get('message')}")
        if first.get("op") != "hello":
            if self.hello:  # there was a bridge before: it may be replaced just now
                raise OSError(f"what answers at {self.shown_url} has said no hello")
            raise CluError(f"what answers at {self.shown_url} is no clu-ws")
        self.hello, self.access = first, first.get("access")
        self.broker = str(first.get("broker"))
        self._clock.start(parse_time(first.get("time")))
        self._open()
        self._ask_time()  # the hello may have been read late
        if self.access is not None:
            self._tell(Event("access", self.access))

    def _open(self) -> None:
        self._greeted_at = self._heard = time.monotonic()
        self.connected, self.problem = True, None
        self._state.set()
        self._opened()

    async def _hello(self, ws: ClientConnection) -> dict[str, Any]:
        try:
            first = loads(await asyncio.wait_for(ws.recv(), HELLO))
        except asyncio.TimeoutError:
            raise ConnectionError(f"what answers at {self.shown_url} did not greet within {HELLO:g} s") from None
        except ValueError:
            first = None
        return first if isinstance(first, dict) else {}

    async def _reads(self, ws: ClientConnection) -> None:
        count = 0
        while True:
            parts: list[Any] = []  # all texts, or all bytes
            async for part in ws.recv_streaming():  # a long message may take longer than the bridge may be silent
                self._heard = time.monotonic()
                parts.append(part)
            self._received(parts[0][:0].join(parts))
            count += 1
            if count % TURN == 0:
                await asyncio.sleep(0)

    def _received(self, text: str | bytes) -> None:
        try:
            message = loads(text)
        except (ValueError, RecursionError) as error:
            self._unreadable(f"a message of the bridge cannot be read: {error}")
            return
        if isinstance(message, dict):
            if message.get("op") == "pong":
                self._clock.answered(parse_time(message.get("time")), message.get("data"))
            elif message.get("op") == "access":
                self._access(message)
            self._message(message, len(text))

    def _ask_time(self) -> None:
        """Asks for a sign of life, and the bridge's time."""
        self._write({"op": "ping", "data": time.monotonic()})

    def _access(self, message: dict[str, Any]) -> None:
        if "grants" in message:
            self.access = {**(self.access or {}), **{k: message[k] for k in ("name", "expires", "grants") if k in message}}
        self._tell(Event("access", message))
        if "expires_in" in message and callable(self._token) and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._renews())

    async def _renews(self) -> None:
        try:
            await self.renew()
        except Exception as error:  # the bridge ends the connection in the end, and says why
            log.warning("the login could not be renewed: %s", error)

    async def renew(self) -> None:
        """Asks for a new token, and shows it on the open connection."""
        token = await self._credential()
        if token is None:
            raise CluError("there is no new token")
        answer = await self.request("auth", token=token)
        self.access = answer.get("access") or self.access

    async def request(self, op: str, **members: Any) -> dict[str, Any]:
        """Sends a request, and returns its answer."""
        raise NotImplementedError

    def _write(self, message: dict[str, Any], command: Command | None = None) -> None:
        self._out.append((json.dumps(message, allow_nan=False), command))
        self._wake.set()

    async def _writes(self, ws: ClientConnection) -> None:
        try:
            while True:
                while self._out:
                    text, command = self._out.popleft()
                    if command is not None:
                        if self.now() >= command._expires_at:
                            command._reject("The command was not sent and will not be sent later: it waited here too long.", "expired")
                        if not command.active:
                            continue
                        command._written = True
                    await ws.send(text)
                self._wake.clear()
                await self._wake.wait()
        except ConnectionClosed:
            pass  # the reader tells

    async def _watches(self, ws: ClientConnection) -> None:
        """Asks for signs of life, and breaks a connection without any."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(self._ping)
            # While this program stood still, it could not have heard anything.
            self._heard += max(0.0, time.monotonic() - asked - self._ping)
            silence = time.monotonic() - self._heard
            if silence > self._silence:
                log.warning("nothing was heard of the bridge for %.0f s", silence)
                ws.transport.abort()
                return
            self._ask_time()


def _retry_after(error: Exception) -> float | None:
    """Returns how long the bridge asks to wait, if it does."""
    try:
        return min(60.0, float(error.response.headers["Retry-After"])) if isinstance(error, InvalidStatus) else None
    except (KeyError, ValueError):
        return None
