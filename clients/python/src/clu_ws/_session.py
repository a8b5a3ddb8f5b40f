"""What a client has asked a bridge for, over all its connections: commands, subscriptions and requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ._command import Command
from ._feed import Cursor, Feed, Queue, Sink
from ._filter import escape
from ._link import Link
from ._types import CluError, Event, Gap, NotConnected, Reply, RequestError, parse_reply

log = logging.getLogger("clu_ws")

MAX_FEEDS = 60  # a bridge allows 64 subscriptions, and some are the client's own
MAX_UNKNOWN = 200  # unknown commands whose replies are followed
AT_ONCE = 32  # requests that wait for answers; a bridge closes a connection with more than 64
ANSWER = 30.0  # s within which the bridge answers
DOUBT = 5.0  # s after a gap within which a command that still runs is heard of
OWN, UNKNOWN = "own", "unknown"  # the subscriptions to the replies to this client's commands

NEEDS = {"problems": "problems", "ack": "problems", "history": "history", "model": "model", "log": "log",
         "commands": "commands", "site": "site", "clients": "clients"}
NOTICES = {"actor": "actors", "problem": "problems", "command_state": "commands", "model": "models", "site": "site"}


class Session(Link):
    """Keeps what a client has asked for, and hands what the bridge sends to those who asked."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._commands: dict[str, Command] = {}  # those in flight and the unknown ones, oldest first
        self._sent: dict[str, Command] = {}  # by the id of the request on this connection
        self._own = Feed({"filter": {"commander": "me"}}, self._is_own, _OwnSink(self._deliver))
        self._results: list[Callable[[], None]] = []  # ends of commands, while earlier replies may be missing
        self._feeds: dict[str, Feed] = {}
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._position: Cursor | None = None  # of the connection
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._events: list[Queue[Event]] = []
        self._numbers = 0
        self._gaps: set[Gap] = set()  # those told

    def _changed(self, command: Command) -> None:
        if command.ended and self._commands.get(command.command_id) is command:
            del self._commands[command.command_id]
        unknown = [one for one in self._commands.values() if one.state == "unknown"]
        for forgotten in unknown[:-MAX_UNKNOWN]:
            del self._commands[forgotten.command_id]
        self._tell(Event("command", {"state": command.state, "code": command.code}, command=command))

    def _is_own(self, reply: Reply) -> bool:
        command = self._commands.get(reply.command_id or "")
        return command is not None and command._answered_by(reply)

    def _deliver(self, reply: Reply) -> None:
        self._commands[reply.command_id or ""]._receive(reply)

    def _begin(self, feed: Feed) -> None:
        if self._over is not None:
            raise self._over
        if len(self._feeds) >= MAX_FEEDS:
            raise RequestError("full", f"a client has at most {MAX_FEEDS} streams; close some")
        feed.id = f"f{self._number()}"
        if self.connected:
            self._write(feed.subscribe())
        self._feeds[feed.id] = feed

    def _drop(self, feed: Feed, error: CluError | None) -> None:
        if self._feeds.pop(feed.id, None) is not None:
            feed.sink.end(error)
            if self.connected and error is None:
                self._write({"op": "unsubscribe", "id": feed.id})

    async def request(self, op: str, **members: Any) -> dict[str, Any]:
        """Sends any request of the protocol, and returns its answer. Raises RequestError or NotConnected."""
        self._need_connection()
        needed = NEEDS.get(op)
        if needed is not None and needed not in self.capabilities:
            raise RequestError("unsupported", f"this bridge has no {op}")
        async with self._at_once:
            self._need_connection()
            number = f"r{self._number()}"
            self._write({**members, "op": op, "id": number})
            answer = self._answers[number] = asyncio.get_running_loop().create_future()
            try:
                return await asyncio.wait_for(answer, ANSWER)
            except asyncio.TimeoutError:
                raise NotConnected(f"the bridge has not answered within {ANSWER:g} s") from None
            finally:
                del self._answers[number]

    def _need_connection(self) -> None:
        if not self.connected:
            raise self._over or NotConnected(f"there is no connection: {self.problem or 'it is being made'}")

    # What the link brings.

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _tell(self, event: Event) -> None:
        for queue in self._events:
            queue.put(event)

    def _opened(self) -> None:
        epoch, seq = self.hello.get("epoch"), self.hello.get("seq")
        self._position = (epoch, seq) if isinstance(epoch, str) and isinstance(seq, int) else None
        self._tell(Event("open", self.hello))
        self._own.id = OWN
        own = {"op": "subscribe", "id": OWN, **self._own.request}
        unknown = [escape(command_id) for command_id in self._commands if len(escape(command_id).encode()) <= 255]
        if unknown:
            self._own.id = UNKNOWN
            self._own.request = {"filter": {"command_id": unknown[-MAX_UNKNOWN:]}}
            self._write(self._own.subscribe())
            self._own.request = {"filter": {"commander": "me"}}
        else:
            self._own.cursor = None  # nothing is missing
            self._own.begun = False
        self._write(own)
        for feed in self._feeds.values():
            self._write(feed.subscribe())

    def _disconnected(self, reason: str, too_slow: bool) -> None:
        self._sent.clear()
        self._results.clear()
        self._gaps = {gap for gap in self._gaps if gap.start is not None} if len(self._gaps) < 1000 else set()
        self._position = None
        for command in list(self._commands.values()):
            command._undoubted()
            if command.ended:
                continue
            if command.state == "sent" and not command._written:
                command._reject(f"The command was not sent and will not be sent later: the connection was lost before ({reason}).")
            else:
                command._unknown(f"the connection was lost ({reason})")
        for feed in (self._own, *self._feeds.values()):
            feed.disconnected(too_slow and feed is not self._own)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NotConnected(f"the connection was lost ({reason})"))
        self._tell(Event("closed", {"reason": reason}))

    def _refused_for_good(self, error: CluError) -> None:
        self._tell(Event("unauthorized", {"code": getattr(error, "code", None), "message": str(error)}))
        for feed in list(self._feeds.values()):
            self._drop(feed, error)

    def _unreadable(self, why: str) -> None:
        self._gap(Gap(why))

    def _message(self, message: dict[str, Any], size: int) -> None:
        op = message.get("op")
        number = message.get("id")
        feed = self._own if number == self._own.id else self._feeds.get(number or "")
        if op is None:
            self._reply(parse_reply(message, size))
        elif op == "pong":
            self._pong(message)
            if number in self._answers:
                self._answer(self._answers[number], op, message)
        elif op == "gap":
            self._doubt()
            self._gap(Gap("the bridge may have missed replies", message.get("from"), message.get("to"), message.get("seconds")))
        elif op == "dropped":
            self._tell(Event("dropped", {"count": message.get("count")}))
            self._gap(Gap("the bridge left replies out, because this client reads too slowly", count=message.get("count")), dropped=True)
        elif op == "broker":
            self.broker = str(message.get("state"))
            self._tell(Event("broker", message))
            for one in self._feeds.values():
                if one.served and not one.resuming:
                    one.sink.fresh(self.live)
        elif number in self._sent and op in ("ok", "result", "error"):
            self._command_answer(str(number), op, message)
        elif number in self._answers:
            self._answer(self._answers[number], op, message)
        elif feed is not None and op == "snapshot":
            feed.snapshot(message)
        elif feed is not None and op == "ok":
            for one in (self._own, *self._feeds.values()):
                one.restarts()
            gap = feed.accepted(message, self._position, self.live)
            if gap is not None and feed is not self._own:
                self._tell_gap(gap)
            if feed.resuming:
                self._write({"op": "ping", "id": f"p{feed.id}"})
        elif feed is not None and op in ("error", "unsubscribed"):
            self._refused(feed, message)
        elif op == "error":
            log.warning("the bridge refuses a message: %s", message.get("message"))
            self._tell(Event("error", message))
        elif op in NOTICES:
            self._notice(op, message)
        # Others are of a later version.

    def _doubt(self) -> None:
        """The ends of commands may be among what was missed: those of which nothing more is heard are unknown."""
        for command in self._commands.values():
            if command._written and command.active:
                asyncio.get_running_loop().call_later(DOUBT, command._doubt, command.reply_count)

    def _reply(self, reply: Reply) -> None:
        if reply.epoch is not None and not any(one.resuming for one in (self._own, *self._feeds.values())):
            self._reach((reply.epoch, reply.seq))
        self._own.offer(reply)
        for feed in list(self._feeds.values()):
            feed.offer(reply)

    def _reach(self, position: Cursor) -> None:
        """Notes that everything up to here has come. A pong may come after replies with a higher number."""
        if self._position is None or self._position[0] != position[0] or self._position[1] < position[1]:
            self._position = position

    def _gap(self, gap: Gap, dropped: bool = False) -> None:
        if not dropped:
            self._tell_gap(gap)
        for feed in list(self._feeds.values()):
            feed.gap(gap)

    def _tell_gap(self, gap: Gap) -> None:
        if gap not in self._gaps or gap.start is None and self.settled:
            self._gaps.add(gap)
            log.warning("replies may be missing: %s", gap)
            self._tell(Event("gap", {"seconds": gap.seconds, "reason": gap.reason}, gap=gap))

    @property
    def settled(self) -> bool:
        """Whether there is a connection on which nothing that was missed is still to come."""
        return self.connected and not any(feed.resuming or not feed.served for feed in self._feeds.values())

    def _pong(self, message: dict[str, Any]) -> None:
        epoch, seq = message.get("epoch"), message.get("seq")
        position = (epoch, seq) if isinstance(epoch, str) and isinstance(seq, int) else None
        number = message.get("id")
        if position is not None:
            self._reach(position)
        for feed in (self._own, *self._feeds.values()):
            if number == f"p{feed.id}" and feed.resuming:
                feed.caught_up(position, self.live)
            elif position is not None:
                feed.advance(position)
        if not self._own.resuming:
            results, self._results = self._results, []
            for result in results:
                result()

    def _command_answer(self, number: str, op: str, message: dict[str, Any]) -> None:
        command = self._sent[number]
        if op != "result":
            command._doubted = False  # the bridge keeps its id for it from now on
        if op == "ok":
            return
        del self._sent[number]

        def end() -> None:
            if op == "result":
                command._result(message)
            else:
                command._error(str(message.get("code")), str(message.get("message")))

        # Its replies come before its result, also if they are still collected.
        if self._own.resuming:
            self._results.append(end)
        else:
            end()

    def _answer(self, answer: asyncio.Future[dict[str, Any]], op: str, message: dict[str, Any]) -> None:
        if answer.done():
            return
        if op == "error":
            answer.set_exception(RequestError(str(message.get("code")), str(message.get("message")), message))
        else:
            answer.set_result({name: value for name, value in message.items() if name not in ("op", "id")})

    def _refused(self, feed: Feed, message: dict[str, Any]) -> None:
        error = RequestError(str(message.get("code")), str(message.get("message") or "the right to it was withdrawn"), message)
        self._tell(Event("refused", {**message, "id": feed.id}))
        if feed is self._own:
            log.warning("the bridge does not tell the replies to this client's commands: %s", error)
            feed.caught_up(None, self.live)
            return
        self._drop(feed, error)

    def _notice(self, op: str, message: dict[str, Any]) -> None:
        kind = NOTICES[op]
        for feed in list(self._feeds.values()):
            if kind in feed.request.get("notices", ()):
                feed.sink.notice(message)


class _OwnSink(Sink):
    """The replies to the client's commands."""

    def __init__(self, deliver: Callable[[Reply], None]) -> None:
        self._deliver = deliver

    def reply(self, reply: Reply) -> None:
        self._deliver(reply)
