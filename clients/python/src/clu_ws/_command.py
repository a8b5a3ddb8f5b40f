"""One command and its states.

    sent --> running --> done | failed
      |         |
      +----+----+
           v
        unknown --> done | failed     (when its last reply arrives after all)
                --> rejected          (when the bridge then says that it was not sent)

    rejected: no actor has it, because it was not sent
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from ._types import CommandError, Reply, State

NOT_SENT = frozenset(
    "bad_request forbidden in_use away blocked full expired gone invalid leaving rate undecided no_record unauthorized".split()
)
"""The bridge's error codes for a command that was not sent. After others but ``returned`` an actor may have it."""

KEPT = 10_000  # replies that a command keeps


@dataclass(frozen=True)
class CommandResult:
    """A command that is done."""

    command: Command
    reply: Reply | None  # the last one; None if this client may not hear it
    replies: list[Reply] = field(repr=False)

    @property
    def keywords(self) -> dict[str, Any]:
        """The keywords of all replies, with the latest values."""
        return {name: value for reply in self.replies for name, value in reply.keywords.items()}


class Command:
    """A command. Await it for its :class:`CommandResult` (or a :class:`CommandError`), iterate over it for its replies.

    To cancel a task that waits for it stops the waiting, and not the actor: the command is still followed.
    """

    def __init__(self, command_id: str, consumer: str, command_string: str, on_change: Callable[[Command], None]) -> None:
        self.command_id = command_id
        self.consumer = consumer
        self.command_string = command_string
        self.state: State = "sent"
        self.code: str | None = None  # the bridge's error code, if one ended it
        self.message: str | None = None  # the latest text about it
        self.final_reply: Reply | None = None
        self.reply_count = 0
        self._replies: deque[Reply] = deque(maxlen=KEPT)
        self._on_change = on_change
        self._changed = asyncio.Event()
        self._written = False
        self._doubted = False  # another one may have had its id until now
        self._commander: str | None = None
        self._expires_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Command {self.consumer} {self.command_string!r} {self.state}>"

    @property
    def replies(self) -> list[Reply]:
        """Its replies so far, the last 10,000."""
        return list(self._replies)

    @property
    def active(self) -> bool:
        """Whether it is sent or running."""
        return self.state in ("sent", "running")

    @property
    def ended(self) -> bool:
        """Whether its true end is known. One that is unknown may still be done, failed or rejected."""
        return self.state in ("done", "failed", "rejected")

    def __await__(self) -> Generator[Any, None, CommandResult]:
        return self._until(lambda: not self.active).__await__()

    async def outcome(self) -> CommandResult:
        """Waits for its true end, also while its state is unknown. That may never come: use a timeout."""
        return await self._until(lambda: self.ended)

    async def _until(self, ended: Callable[[], bool]) -> CommandResult:
        while not ended():
            await self._changed.wait()
        if self.state != "done":
            raise CommandError(self)
        return CommandResult(self, self.final_reply, self.replies)

    async def __aiter__(self) -> AsyncIterator[Reply]:
        """Yields its replies, from the first one, until it is no longer sent or running."""
        given = 0
        while True:
            first = self.reply_count - len(self._replies)
            if given < self.reply_count:
                given = max(given, first) + 1
                yield self._replies[given - first - 1]
            elif not self.active:
                return
            else:
                await self._changed.wait()

    # What follows is for the client.

    def _answered_by(self, reply: Reply) -> bool:
        sender = reply.sender or ""
        return reply.commander_id == self._commander and (sender == self.consumer or self.consumer.startswith(f"{sender}."))

    def _receive(self, reply: Reply) -> None:
        self._replies.append(reply)
        self.reply_count += 1
        self.message = reply.text or (None if self.state == "unknown" else self.message)
        if reply.final:
            self.final_reply = reply
        if not reply.final or self._doubted:  # the bridge's result says if this was its end, or that of an earlier one with its id
            self._set("unknown" if self.state == "unknown" else "running")
            return
        self._end(reply)

    def _end(self, reply: Reply) -> None:
        self.code = None
        if reply.code != ":":
            self.message = reply.text or f"{self.consumer} failed without giving a reason"
        self._set("done" if reply.code == ":" else "failed")

    def _undoubted(self) -> None:
        """Handles that the connection is lost: nothing will tell any more whose end has come."""
        doubted, self._doubted = self._doubted, False
        if doubted and self.final_reply is not None and not self.ended:
            self._end(self.final_reply)

    def _result(self, answer: dict[str, Any]) -> None:
        """Handles the bridge's report of its end, which matters only if its last reply is not for this client."""
        status = str(answer.get("status"))
        if self.ended:
            return
        if self.final_reply is not None and (self.final_reply.code == ":") != (status == "done"):
            self.final_reply = None
        if status in ("done", "failed"):
            self.code, self.message = None, answer.get("message") or self.message
            self._set("done" if status == "done" else "failed")
        else:
            self._unknown(answer.get("message") or f"the bridge says of its end only {status!r}", status)

    def _error(self, code: str, message: str) -> None:
        if self.ended:
            return
        if code in NOT_SENT:
            self._reject(message, code)
        elif code == "returned":
            self.code, self.message = code, message
            self._set("failed")
        else:
            self._unknown(message, code)

    def _reject(self, why: str, code: str | None = None) -> None:
        self.code, self.message = code, why
        self._set("rejected")

    def _doubt(self, reply_count: int) -> None:
        if self.reply_count == reply_count:
            self._unknown("the bridge may have missed its last reply")

    def _late(self, why: str) -> None:
        """Handles that its time is over. One that has not left yet does not leave any more."""
        if self._written:
            self._unknown(why, "timeout")
        elif self.active:
            self._reject("The command was not sent and will not be sent later: it waited here too long.", "expired")

    def _unknown(self, why: str, code: str | None = None) -> None:
        if self.active:
            self.code, self.message = code, f"{why}; {self.consumer} may still be executing it: ask for its status"
            self._set("unknown")

    def _set(self, state: State) -> None:
        changed, self.state = self.state != state, state
        if not self.active and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        woken, self._changed = self._changed, asyncio.Event()
        woken.set()
        if changed:
            self._on_change(self)
