"""The connection of a client, over all attempts to have one."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Optional, Union
from urllib.parse import urlsplit, urlunsplit

import json

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as dial
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from ._command import Command
from ._types import CluError, Event, NotConnected, Unauthorized, loads, parse_time

log = logging.getLogger("clu_ws")

Token = Union[str, Callable[[], Union[Optional[str], Awaitable[Optional[str]]]], None]

HELLO = 10.0  # s within which a bridge greets
TURN = 64  # messages after which other tasks may run
FINAL_CLOSES = (1002, 1007, 1009, 3003)  # to connect again would not help


class Link:
    """Connects, logs in, reads and writes, and connects again. The class that inherits it handles what is read."""

    def __init__(self, url: str, *, token: Token = None, min_delay: float = 0.2, max_delay: float = 10.0, ping: float = 5.0,
                 silence: float = 19.0, **options: Any) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss"):
            raise ValueError(f"the URL of a bridge begins with ws:// or wss://, and not with {parts.scheme!r}")
        query = f"{parts.query}&silent=1" if parts.query else "silent=1"
        self._url = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))
        self.shown_url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        self._token = token
        self._delays = (min_delay, max_delay)
        self._ping, self._silence = ping, silence
        self._options = options
        self.connected = False
        self.hello: dict[str, Any] = {}  # the bridge's greeting on the last connection
        self.access: dict[str, Any] | None = None  # who this client is: name, expires, grants
        self.broker = "unknown"  # up, blocked, no_replies, down; unknown without a connection
        self.problem: str | None = None  # why there is no connection
        self._refusal: CluError | None = None
        self._clock = 0.0  # the bridge's clock minus the monotonic one
        self._task: asyncio.Task[None] | None = None
        self._state = asyncio.Event()  # connected, refused or closed
        self._out: deque[tuple[dict[str, Any], Command | None]] = deque()
        self._wake = asyncio.Event()
        self._heard = 0.0

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
        return time.monotonic() + self._clock if self._clock else time.time()

    def start(self) -> None:
        """Begins to connect, without waiting for it."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def ready(self) -> None:
        """Waits until there is a connection. Raises Unauthorized (or another error) if there will be none."""
        while not self.connected:
            if self._refusal is not None:
                raise self._refusal
            if self._task is None or self._task.done():
                raise NotConnected("the client is closed")
            self._state.clear()
            await self._state.wait()

    async def stop(self) -> None:
        """Closes the connection, and makes no other."""
        task, self._task = self._task, None
        # Until Python 3.12, wait_for may return what it waited for instead of being cancelled.
        while task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.2)
        self._state.set()

    # What the class that inherits this handles.

    def _opened(self) -> None: ...
    def _message(self, message: dict[str, Any]) -> None: ...
    def _unreadable(self, why: str) -> None: ...
    def _disconnected(self, reason: str, too_slow: bool) -> None: ...
    def _refused_for_good(self, error: CluError) -> None: ...
    def _tell(self, event: Event) -> None: ...

    # The connection.

    async def _run(self) -> None:
        failures = 0
        expired = False  # the last credential had expired: one more is asked for
        while True:
            wait = None
            try:
                greeted = await self._connection()
                failures = 0 if greeted else failures + 1
            except (OSError, InvalidHandshake, InvalidURI, asyncio.TimeoutError, CluError) as error:
                failures += 1
                greeted, wait = False, _retry_after(error)
                self.problem = str(error) or type(error).__name__
                final = self._final(error, expired)
                if final is not None:
                    self._refuse(final)
                    return
                expired = isinstance(error, Unauthorized)
            if greeted:
                expired = False
            least, most = self._delays
            delay = min(most, least * 2 ** min(failures, 20)) * random.uniform(0.5, 1)
            await asyncio.sleep(max(delay, wait or 0))

    def _final(self, error: Exception, again: bool) -> CluError | None:
        """Returns the error to end with, if another attempt would not help."""
        if isinstance(error, Unauthorized):
            # A login that has expired is renewed once, if there is somebody to ask.
            return None if error.code == 3000 and callable(self._token) and not again else error
        if isinstance(error, InvalidStatus) and error.response.status_code in (400, 401, 403, 404, 405, 426):
            body = (error.response.body or b"").decode(errors="replace").strip()
            return Unauthorized(f"the bridge does not let this program in: {body or error}", error.response.status_code)
        return error if isinstance(error, CluError) else None

    def _refuse(self, error: CluError) -> None:
        self._refusal = error
        self._refused_for_good(error)
        self._state.set()

    async def _credential(self) -> str | None:
        token = self._token() if callable(self._token) else self._token
        return await token if inspect.isawaitable(token) else token

    async def _connection(self) -> bool:
        """Has one connection, to its end. Returns whether the bridge has greeted."""
        token = await self._credential()
        headers = {"Authorization": f"Bearer {token}"} if token else None
        options = {"open_timeout": HELLO, "close_timeout": 1, "max_size": None, **self._options, "ping_interval": None}
        ws = await dial(self._url, subprotocols=[Subprotocol("clu-ws.v1")], additional_headers=headers, **options)
        helpers: list[asyncio.Task[None]] = []
        reason = "this client was closed"
        try:
            await self._greeted(ws)
            helpers = [asyncio.create_task(self._writes(ws)), asyncio.create_task(self._watches(ws))]
            await self._reads(ws)
        except ConnectionClosed as error:
            received = error.rcvd
            reason = self.problem = f"{received.code} {received.reason}".strip() if received else "it broke"
            self._judge_close(received.code if received else 1006, reason)
        finally:
            for helper in helpers:
                helper.cancel()
            greeted, self.connected = self.connected, False
            self.broker = "unknown"
            if greeted:
                self._disconnected(reason, too_slow=reason.startswith("1008"))
            self._out.clear()
            await ws.close()
        return greeted

    def _judge_close(self, code: int, reason: str) -> None:
        if code in (3000, 3003, 3008):
            raise Unauthorized(f"the bridge has closed the connection: {reason}", code)
        if code in FINAL_CLOSES:
            raise CluError(f"the bridge has closed the connection: {reason}")

    async def _greeted(self, ws: ClientConnection) -> None:
        try:
            first = loads(await asyncio.wait_for(ws.recv(), HELLO))
        except (asyncio.TimeoutError, ValueError):
            first = None
        if not isinstance(first, dict) or first.get("op") != "hello":
            raise CluError(f"what answers at {self.shown_url} is no clu-ws")
        if first.get("auth") == "required":
            raise Unauthorized("the bridge asks for a credential: give connect() a token")
        self.hello, self.access = first, first.get("access")
        self.broker = str(first.get("broker"))
        self._synchronize(first, anew=True)
        self._heard = time.monotonic()
        self.connected, self.problem = True, None
        self._opened()
        if self.access is not None:
            self._tell(Event("access", self.access))
        self._state.set()

    async def _reads(self, ws: ClientConnection) -> None:
        count = 0
        while True:
            text = await ws.recv()
            self._heard = time.monotonic()
            try:
                message = loads(text)
            except (ValueError, RecursionError) as error:
                self._unreadable(f"a message of the bridge cannot be read: {error}")
                continue
            if isinstance(message, dict):
                if message.get("op") == "pong":
                    self._synchronize(message)
                elif message.get("op") == "access":
                    self._access(message)
                self._message(message)
            count += 1
            if count % TURN == 0:
                await asyncio.sleep(0)

    def _synchronize(self, message: dict[str, Any], anew: bool = False) -> None:
        """Sets the bridge's clock. A message that was under way for long shows too early a time, so the latest counts,
        unless the two clocks have drifted apart."""
        told = parse_time(message.get("time"))
        if told is not None:
            offset = told - time.monotonic()
            self._clock = offset if anew or offset > self._clock or self._clock - offset > 1 else self._clock

    def _access(self, message: dict[str, Any]) -> None:
        if "grants" in message:
            self.access = {**(self.access or {}), **{k: message[k] for k in ("name", "expires", "grants") if k in message}}
        self._tell(Event("access", message))
        if "expires_in" in message and callable(self._token):
            self._renewal = asyncio.ensure_future(self._renews())

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
        self._out.append((message, command))
        self._wake.set()

    async def _writes(self, ws: ClientConnection) -> None:
        try:
            while True:
                while self._out:
                    message, command = self._out.popleft()
                    if command is not None:
                        if self.now() >= command._expires_at:
                            command._reject("The command was not sent and will not be sent later: it waited here too long.")
                        if not command.active and command.state != "unknown":
                            continue
                        command._written = True
                    await ws.send(json.dumps(message))
                self._wake.clear()
                await self._wake.wait()
        except ConnectionClosed:
            pass  # the reader tells

    async def _watches(self, ws: ClientConnection) -> None:
        """Asks for signs of life, and breaks a connection without any."""
        while True:
            await asyncio.sleep(self._ping)
            if time.monotonic() - self._heard > self._silence:
                log.warning("nothing was heard of the bridge for %.0f s", time.monotonic() - self._heard)
                ws.transport.abort()
                return
            self._write({"op": "ping"})


def _retry_after(error: Exception) -> float | None:
    """Returns how long the bridge asks to wait, if it does."""
    try:
        return min(60.0, float(error.response.headers["Retry-After"])) if isinstance(error, InvalidStatus) else None
    except (KeyError, ValueError):
        return None
