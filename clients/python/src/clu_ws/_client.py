"""The client: requests, commands and subscriptions of a program."""

from __future__ import annotations

import asyncio
import uuid
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from ._command import Command
from ._feed import Cursor, Feed, NoticeSink, Queue, ReplySink, Sink, Stream, ValueSink
from ._filter import Filter, compile_filter, escape
from ._link import Token
from ._room import Room
from ._session import Session
from ._types import CluError, Event, NotConnected, Reply, RequestError, Value, parse_values


def connect(url: str, *, token: Token = None, **options: Any) -> Clu:
    """Returns a client of the bridge at a URL (``ws://`` or ``wss://``), to be used with ``async with``.

    ``token`` is the credential, or a function (it may be async) that is asked for one before each attempt to connect and
    when the login is about to expire. For the other options, see :class:`Clu`.
    """
    return Clu(url, token=token, **options)


class Clu(Session):
    """A client of a bridge, which connects again by itself.

    It belongs to one event loop. Nothing is kept to be sent later: without a connection, a command is rejected, and a
    request fails with :class:`NotConnected`. Subscriptions begin when there is a connection, and go on over all of them.

    ``expires`` is how long a command may take to reach the bridge (s), ``queue`` how many replies wait for a program that
    is slow to read them. ``connect_timeout`` is how long ``async with`` waits for the first connection; None is for ever.
    ``min_delay`` and ``max_delay`` bound the wait between attempts, ``ping`` is how often the bridge is asked for a sign of
    life, and ``silence`` after how long without any the connection counts as lost. Further options are those of
    ``websockets.connect``, such as ``ssl`` and ``proxy``.
    """

    def __init__(self, url: str, *, token: Token = None, expires: float = 5.0, queue: int = 10_000,
                 connect_timeout: float | None = 30.0, **options: Any) -> None:
        if queue < 1:
            raise ValueError("a queue holds one reply at least")
        super().__init__(url, token=token, **options)
        self._made = {"url": url, "queue": queue, "token": token, **options}
        self._rooms: weakref.WeakSet[Room] = weakref.WeakSet()
        self.expires = expires
        self.queue = queue
        self._connect_timeout = connect_timeout

    async def __aenter__(self) -> Clu:
        self.start()
        try:
            await asyncio.wait_for(self.ready(), self._connect_timeout)
        except asyncio.TimeoutError:
            await self.close()
            raise NotConnected(f"no connection to {self.shown_url} within {self._connect_timeout} s: {self.problem}") from None
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the client. Commands that run become unknown, and all streams end."""
        try:
            await self.stop()
            for room in list(self._rooms):
                await room.close()
        finally:
            for feed in list(self._feeds.values()):
                self._drop(feed, None)
            for queue in self._events:
                queue.end(None)

    # Commands.

    def send(self, consumer: str, command_string: str, *, timeout: float | None = None, command_id: str | None = None,
             expires: float | None = None, extra: Mapping[str, Any] | None = None) -> Command:
        """Sends a command, and returns it at once: await it for its result, iterate over it for its replies.

        It is sent once and at once, or rejected. ``timeout`` is how long to wait for its end (s, at most an hour, which is
        also the default), after the ``expires`` that it may take to reach the bridge.
        """
        expires = self.expires if expires is None else expires
        if not consumer or not 0 < expires <= 3600 or not (timeout is None or 0 < timeout <= 3600):
            raise ValueError("a command needs a consumer, and times above 0 and up to an hour")
        command = Command(command_id or str(uuid.uuid4()), consumer, command_string, self._changed)
        if not self.connected:
            command._reject(f"The command was not sent and will not be sent later: there is no connection ({self._over or self.problem}).")
        elif command.command_id in self._commands:
            command._reject(f"The command was not sent: another one has the id {command.command_id}, and may still run.")
        else:
            command._commander = f"{self.hello.get('name')}.{consumer}"
            command._expires_at = self.now() + expires
            command._doubted = command_id is not None
            request: dict[str, Any] = {"op": "command", "id": f"c{self._number()}", "consumer": consumer, "command_string": command_string,
                       "command_id": command.command_id, "expires_at": round(command._expires_at, 3)}
            if timeout is not None:
                request["timeout_ms"] = max(1, round(timeout * 1000))
            if extra is not None:
                request["extra"] = extra
            self._write(request, command)  # what is no JSON raises here
            self._commands[command.command_id] = self._sent[str(request["id"])] = command
            if timeout is not None:
                late = f"no final reply within {timeout:g} s"
                command._timer = asyncio.get_running_loop().call_later(timeout + expires, command._late, late)
        return command

    # Subscriptions.

    def replies(self, filter: Filter | None = None, *, since: Cursor | None = None, throttle: float | None = None,
                ordered: bool = False) -> Stream[Reply]:
        """Returns the replies that a filter selects, from now on or after a reply (``since``: its epoch and seq).

        None is missing and none comes twice, over lost connections too; if the bridge cannot keep that, the next reply has
        a ``gap``. ``throttle`` asks for the latest reply of each sender only, once in so many seconds: a lost connection is
        then a gap. ``ordered`` leaves out replies that are older than one that came, by their header ``order``. Other
        streams of this client that select the same replies may bring more.
        """
        queue: Queue[Reply] = Queue(self.queue)
        request: dict[str, Any] = {"filter": dict(filter or {})}
        if throttle:
            request["throttle_ms"] = round(throttle * 1000)
        if ordered:
            request["ordered"] = True
        return self._stream(Feed(request, compile_filter(filter or {}, self._is_own), ReplySink(queue), since), queue)

    def notices(self, *kinds: str) -> Stream[dict[str, Any]]:
        """Returns the bridge's notices of these kinds (``actors problems commands models site``). After one with the op
        ``missed``, ask for the current state again."""
        queue: Queue[dict[str, Any]] = Queue(self.queue)
        return self._stream(Feed({"notices": list(kinds)}, lambda _: False, NoticeSink(queue)), queue)

    def keyword(self, actor: str, keyword: str) -> Stream[Value]:
        """Returns the values of a keyword: the last one, if there is any, and then each change. A program that reads slowly
        gets the newest one. While it is not known whether a value is the last one, it is ``stale``."""
        queue: Queue[Value] = Queue(1)
        sink = ValueSink(actor, keyword, queue.put, queue.end)
        return self._stream(self._keyword_feed(actor, keyword, sink), queue)

    async def wait_for(self, actor: str, keyword: str, predicate: Callable[[Any], bool], *, timeout: float | None = None,
                       max_age: float | None = None) -> Value:
        """Waits until the value of a keyword fulfils a predicate, and returns it. A value that may be outdated, or was heard
        more than ``max_age`` seconds ago, does not count. Raises TimeoutError after ``timeout``."""
        found: asyncio.Future[Value] = asyncio.get_running_loop().create_future()

        def told(value: Value) -> None:
            old = max_age is not None and (value.heard is None or self._clock.latest() - value.heard > max_age)
            if found.done() or value.stale or old or value.too_large is not None:
                return
            try:
                if predicate(value.value):
                    found.set_result(value)
            except Exception as error:  # the program's own
                found.set_exception(error)

        def ended(error: CluError | None) -> None:
            if not found.done():
                found.set_exception(error or NotConnected("the client was closed"))

        feed = self._keyword_feed(actor, keyword, ValueSink(actor, keyword, told, ended))
        self._begin(feed)
        try:
            return await asyncio.wait_for(found, timeout)
        except asyncio.TimeoutError:
            raise TimeoutError(f"{actor}.{keyword} was not as wanted within {timeout} s") from None
        finally:
            self._drop(feed, None)

    def _keyword_feed(self, actor: str, keyword: str, sink: Sink) -> Feed:
        chosen = {"sender": [escape(actor)], "keyword": [escape(keyword)]}
        return Feed({"filter": chosen, "snapshot": True}, compile_filter(chosen, self._is_own), sink)

    def events(self) -> Stream[Event]:
        """Returns what happens to the connection and to the commands: see :class:`Event`."""
        queue: Queue[Event] = Queue(self.queue)
        self._events.append(queue)

        def close() -> None:
            queue.end(None)
            if queue in self._events:
                self._events.remove(queue)

        return Stream(queue, close)

    def room(self, path: str) -> Room:
        """Returns the messages of a room (``"/live/x"``), for ``async with``."""
        if self._over is not None:
            raise self._over
        if not path.startswith("/") or path == "/":
            raise ValueError("the path of a room begins with / and names something: /live/x")
        if self.connected and "rooms" not in self.capabilities:
            raise RequestError("unsupported", "this bridge has no rooms")
        room = Room(path=path, **self._made)
        self._rooms.add(room)
        return room

    def _stream(self, feed: Feed, queue: Queue[Any]) -> Stream[Any]:
        self._begin(feed)
        return Stream(queue, lambda: self._drop(feed, None))

    # Requests.

    async def _ask(self, op: str, **members: Any) -> dict[str, Any]:
        return await self.request(op, **{name: value for name, value in members.items() if value is not None})

    async def values(self, filter: Filter | None = None) -> dict[str, dict[str, Value]]:
        """Returns the last value of each keyword that a filter selects, by actor and name."""
        return parse_values(await self._ask("snapshot", filter=filter))

    async def value(self, actor: str, keyword: str, *, max_age: float | None = None) -> Value | None:
        """Returns the last value of a keyword; None if there is none, or if it was heard more than ``max_age`` s ago."""
        found = (await self.values({"sender": escape(actor), "keyword": escape(keyword)})).get(actor, {}).get(keyword)
        age = None if found is None else self.age(found)
        return None if max_age is not None and (age is None or age > max_age) else found

    def age(self, of: Reply | Value) -> float | None:
        """Returns how many seconds ago the bridge heard something; None if that is not known."""
        return None if of.heard is None else max(0.0, self._clock.latest() - of.heard)

    async def history(self, keywords: list[str], start: str | int = "-1h", end: str | int | None = None,
                      points: int | None = None) -> dict[str, Any]:
        """Returns what keywords (``"weather.wind_speed_ms"``) were."""
        return await self._ask("history", keywords=keywords, **{"from": start}, to=end, points=points)

    async def model(self, actor: str, *, refresh: bool | None = None) -> dict[str, Any]:
        """Returns what an actor tells of its commands and keywords."""
        return await self._ask("model", actor=actor, refresh=refresh)

    async def problems(self) -> list[dict[str, Any]]:
        """Returns what is wrong with the actors, the most urgent first."""
        return list((await self._ask("problems"))["problems"])

    async def acknowledge(self, actor: str, *, key: str | None = None, seq: int | None = None, epoch: str | None = None) -> None:
        """Acknowledges the problems of an actor, for everybody: one (``key``), or those up to a reply."""
        await self._ask("ack", actor=actor, key=key, seq=seq, epoch=epoch or (self.hello.get("epoch") if seq is not None else None))

    async def log(self, *, before: int | None = None, after: int | None = None, limit: int | None = None,
                  filter: Filter | None = None, epoch: str | None = None) -> dict[str, Any]:
        """Returns a page of the replies that the bridge keeps: ``entries``, and ``next`` for the next page while there is
        ``more``."""
        return await self._ask("log", before=before, after=after, limit=limit, filter=filter, epoch=epoch)

    async def commands(self) -> list[dict[str, Any]]:
        """Returns the commands of everybody: those that run, and the last ones that have ended."""
        return list((await self._ask("commands"))["commands"])

    async def site(self) -> dict[str, Any]:
        """Returns what the operator configured about the observatory."""
        return await self._ask("site")

    async def actors(self) -> list[dict[str, Any]]:
        """Returns the actors that have been heard."""
        return list((await self._ask("actors"))["actors"])

    async def publish(self, path: str, body: Any, **members: Any) -> None:
        """Publishes a message to a room; it returns once the broker has it."""
        await self.request("publish", path=path, body=body, **members)
