"""Subscriptions over all connections of a client: what came, what is resumed from where, and what a program reads of it."""

from __future__ import annotations

import asyncio
import dataclasses
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ._types import CluError, Gap, Reply, RoomMessage, Value, parse_values

T = TypeVar("T")
Cursor = tuple[str, int]
"""Everything up to this reply has come: its epoch and seq."""


class Sink:
    """Takes what a subscription brings, in order, and ignores it: the base of those that need some of it."""

    def reply(self, reply: Reply) -> None:
        """Takes a reply."""

    def gap(self, gap: Gap) -> None:
        """Takes a gap."""

    def snapshot(self, message: dict[str, Any]) -> None:
        """Takes the last values."""

    def notice(self, message: dict[str, Any]) -> None:
        """Takes a notice."""

    def fresh(self, fresh: bool) -> None:
        """Handles that what came is up to date, or no longer."""

    def end(self, error: CluError | None) -> None:
        """Handles the end of the subscription."""


class Feed:
    """One subscription.

    The bridge sends what each subscription missed one after the other. So what comes while a feed resumes is collected,
    and handed on in order once the bridge has answered a ping that was sent after the answer.
    """

    def __init__(self, request: dict[str, Any], selects: Callable[[Reply], bool], sink: Sink, since: Cursor | None = None) -> None:
        self.id = ""
        self.request = request
        self.selects = selects
        self.sink = sink
        self.cursor = since
        # A throttled reply may come after replies with higher numbers, so there is no place to resume from.
        self._resumes = "filter" in request and "throttle_ms" not in request
        self._latest: dict[str | None, int] = {}  # with a throttle: the last number of each sender
        self._lacks_values = "snapshot" in request  # the last values were not handed on yet
        self.served = False  # the bridge has accepted it on this connection
        self.begun = False  # on any connection
        self._listens = False
        self._missed: list[tuple[int, int, Any]] | None = None  # while it resumes: seq, rank, and what came
        self._until = self._mark = -1  # while it resumes: what the bridge sends it up to, and what has come of that
        self._place = -1  # seq of the last reply that came, for a gap that comes next
        self._gaps: set[tuple[Any, Any]] = set()  # those told since the last reply

    @property
    def resuming(self) -> bool:
        """Whether it waits for what it missed."""
        return self._missed is not None

    def subscribe(self) -> dict[str, Any]:
        """Returns the request for this connection."""
        request = {"op": "subscribe", "id": self.id, **self.request}
        if self.cursor is not None and self._resumes:
            if not self._lacks_values:
                request.pop("snapshot", None)
            request["since"] = {"epoch": self.cursor[0], "seq": self.cursor[1]}
            self.catch_up()
        return request

    def catch_up(self) -> None:
        """Collects what comes from now on."""
        self._listens, self._missed, self._place = True, [], -1
        self._until = self._mark = -1

    def accepted(self, answer: dict[str, Any], position: Cursor | None, live: bool) -> Gap | None:
        """Handles the bridge's answer. Returns the gap if it does not have what was missed. It is live if the bridge hears
        replies."""
        self.served = self._listens = True
        gap = None
        if answer.get("resumed") is False:
            self._lacks_values = "snapshot" in self.request
            gap = Gap(f"the bridge no longer has what was missed: {answer.get('reason')}")
        elif self.begun and self.cursor is None and "filter" in self.request:
            gap = Gap("this client did not ask for what was missed, or could not")
        if answer.get("resumed") is True and isinstance(answer.get("seq"), int):
            self._until = answer["seq"]
        if gap is not None:
            self._gap(gap, first=True)
        if isinstance(answer.get("epoch"), str) and isinstance(answer.get("seq"), int) and answer.get("resumed") is False:
            self.cursor = (answer["epoch"], answer["seq"])
        elif self.cursor is None and self._resumes:
            self.cursor = position
        self.begun = True
        if not self.resuming:
            self.sink.fresh(live)
        return gap

    def restarts(self) -> None:
        """Handles an answer of the bridge: what a feed missed begins to come, from the first reply on. What one missed that
        was answered before has come."""
        self._place = -1
        self._passed()

    def _passed(self) -> None:
        if self.served and self.resuming:
            self._mark = max(self._mark, self._until)

    def caught_up(self, position: Cursor | None, live: bool) -> None:
        """Hands on what came while it resumed."""
        self._hand_on()
        self.advance(position)
        self.sink.fresh(live)

    def _hand_on(self) -> None:
        missed, self._missed = self._missed or [], None
        for _, rank, item in sorted(missed, key=lambda entry: entry[:2]):
            if rank == 0:
                self.offer(item)
            elif rank == 1:
                self.snapshot(item)
            else:
                self._gap(item)

    def advance(self, position: Cursor | None) -> None:
        """Notes that everything up to here has come."""
        if position is not None and self.served and self._resumes and not self.resuming and self._is_new(*position):
            self.cursor = position

    def disconnected(self, forget: bool) -> None:
        """Handles a lost connection. If it is to forget, it does not ask for what it missed. Otherwise it goes on from what
        has come without a hole: it may have missed more than one connection brings."""
        if self._missed is not None and self.served:
            self._missed = [entry for entry in self._missed if entry[0] <= self._mark]
            self._hand_on()
            if self.cursor is not None and self.cursor[1] < self._mark:
                self.cursor = (self.cursor[0], self._mark)
        self.served = self._listens = False
        self._missed = None  # the bridge sends all of it again
        self._latest.clear()
        if forget:
            self.cursor = None
        self.sink.fresh(False)

    def offer(self, reply: Reply) -> None:
        """Takes a reply that came over the connection."""
        self._place = reply.seq
        if not self._listens or not self.selects(reply):
            return
        if self._missed is not None:
            self._missed.append((reply.seq, 0, reply))
            if reply.seq <= self._until:
                self._mark = max(self._mark, reply.seq)
            else:
                self._passed()
        elif reply.epoch is None or self._is_new(reply.epoch, reply.seq):
            if not self._resumes:
                if reply.seq <= self._latest.get(reply.sender, -1):
                    return
                self._latest[reply.sender] = reply.seq
            elif reply.epoch is not None:
                self.cursor = (reply.epoch, reply.seq)
            self._gaps.clear()
            self.sink.reply(reply)

    def snapshot(self, message: dict[str, Any]) -> None:
        """Takes the last values."""
        if self._missed is not None:
            self._missed.append((message.get("seq") or 0, 1, message))
        else:
            self._lacks_values = False
            self.sink.snapshot(message)

    def gap(self, gap: Gap) -> None:
        """Takes a gap that the bridge tells."""
        if not self._listens:
            return
        if self._missed is None:
            self._gap(gap)
        else:  # it comes once for each feed that resumes: the last place is the best one
            place = max([self._place, *(at for at, _, item in self._missed if item == gap)])
            self._missed = [entry for entry in self._missed if entry[2] != gap] + [(place, 2, gap)]

    def _gap(self, gap: Gap, first: bool = False) -> None:
        if first and self._missed is not None:
            self._missed.append((-1, 2, gap))
        elif (gap.start, gap.end) not in self._gaps or gap.start is None:
            self._gaps.add((gap.start, gap.end))
            self.sink.gap(gap)

    def _is_new(self, epoch: str, seq: int) -> bool:
        return self.cursor is None or self.cursor[0] != epoch or seq > self.cursor[1]


MAX_WAITING = 64 << 20  # bytes of replies that wait for a program, as they came over the connection


class Queue(Generic[T]):
    """What waits for a program to read it."""

    def __init__(self, limit: int) -> None:
        self.items: deque[T] = deque()
        self.limit = limit
        self.bytes = 0
        self.error: CluError | None = None
        self.ended = False
        self._wake = asyncio.Event()

    def put(self, item: T) -> list[T]:
        """Adds an item. Returns the oldest ones if there were too many, or too much: they are lost."""
        self.items.append(item)
        self.bytes += _size(item)
        self._wake.set()
        lost = []
        while len(self.items) > self.limit or self.bytes > MAX_WAITING and len(self.items) > 1:
            lost.append(self.pop())
        return lost

    def pop(self) -> T:
        """Removes the oldest item."""
        item = self.items.popleft()
        self.bytes -= _size(item)
        return item

    def end(self, error: CluError | None) -> None:
        """Ends it after what waits."""
        self.ended, self.error = True, error
        self._wake.set()

    async def get(self) -> T:
        """Returns the next item."""
        while not self.items:
            if self.ended:
                raise self.error or StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self.pop()


def _size(item: object) -> int:
    return item.size if isinstance(item, (Reply, RoomMessage)) else 0


class Stream(Generic[T]):
    """An asynchronous iterator over what a subscription brings. It has begun when it is made, and ends with its block
    (``async with``), with :meth:`close`, or when nothing refers to it any more."""

    def __init__(self, queue: Queue[T], close: Callable[[], None]) -> None:
        self._queue = queue
        self._close = close
        # Python collects garbage at any place and in any thread.
        weakref.finalize(self, _later, asyncio.get_running_loop(), close).atexit = False

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        return await self._queue.get()

    async def __aenter__(self) -> Stream[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it."""
        self._close()


def _later(loop: asyncio.AbstractEventLoop, close: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(close)


class ReplySink(Sink):
    """Replies for a program. What it reads too slowly is left out, which the next reply tells."""

    def __init__(self, queue: Queue[Reply]) -> None:
        self.queue = queue
        self._before: Gap | None = None

    def reply(self, reply: Reply) -> None:
        if self._before is not None:
            reply, self._before = dataclasses.replace(reply, gap=self._before), None
        for lost in self.queue.put(reply):
            count = 1 + (lost.gap.count or 0 if lost.gap else 0)
            gap = dataclasses.replace(lost.gap or Gap("this program reads its replies too slowly"), count=count)
            following = self.queue.items[0]
            if following.gap is not None:
                gap = dataclasses.replace(following.gap, start=gap.start or following.gap.start, count=count + (following.gap.count or 0))
            self.queue.items[0] = dataclasses.replace(following, gap=gap)

    def gap(self, gap: Gap) -> None:
        before = self._before
        # Two gaps in a row are one, from the beginning of the first.
        self._before = gap if before is None else dataclasses.replace(gap, start=before.start, seconds=None)

    def end(self, error: CluError | None) -> None:
        self.queue.end(error)


class NoticeSink(Sink):
    """Notices for a program. After a lost connection one with the op ``missed`` says that others may be missing."""

    def __init__(self, queue: Queue[dict[str, Any]]) -> None:
        self.queue = queue
        self._fresh = True

    def notice(self, message: dict[str, Any]) -> None:
        if self.queue.put(message):
            self.queue.items[0] = {"op": "missed"}

    def fresh(self, fresh: bool) -> None:
        if fresh and not self._fresh:
            self.notice({"op": "missed"})
        self._fresh = fresh

    def end(self, error: CluError | None) -> None:
        self.queue.end(error)


class ValueSink(Sink):
    """The last value of one keyword."""

    def __init__(self, actor: str, keyword: str, told: Callable[[Value], object], ended: Callable[[CluError | None], None]) -> None:
        self.actor, self.keyword = actor, keyword
        self.last: Value | None = None
        self._told, self._ended = told, ended
        self._fresh = True
        self._gap = False  # since the last value

    def reply(self, reply: Reply) -> None:
        if self.keyword in reply.keywords and reply.sender == self.actor:
            self._gap = False
            value = reply.keywords[self.keyword]
            self._tell(Value(value, reply.heard, reply.code, reply.epoch, reply.seq, reply.internal))

    def snapshot(self, message: dict[str, Any]) -> None:
        value = parse_values(message).get(self.actor, {}).get(self.keyword)
        if value is not None:  # what the bridge has now is the last value, unless the bridge itself has missed some
            self._gap = value.stale
            self._tell(value)

    def gap(self, gap: Gap) -> None:
        self._gap = True
        self._tell(self.last)

    def fresh(self, fresh: bool) -> None:
        self._fresh = fresh
        self._tell(self.last)

    def end(self, error: CluError | None) -> None:
        self._ended(error)

    def _tell(self, value: Value | None) -> None:
        if value is None:
            return
        value = dataclasses.replace(value, stale=self._gap or not self._fresh)
        if value != self.last:
            self.last = value
            self._told(value)
