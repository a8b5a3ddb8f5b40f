"""What a client hands out: replies, values, gaps and errors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ._command import Command

State = Literal["sent", "running", "done", "failed", "unknown", "rejected"]
"""The states of a command. In doubt is ``unknown``; ``rejected`` was not sent."""


@dataclass(frozen=True)
class Gap:
    """Replies may be missing here."""

    reason: str
    start: str | None = None  # ISO time, None if it is not known
    end: str | None = None
    seconds: float | None = None
    count: int | None = None  # how many are missing, if that is known


@dataclass(frozen=True)
class Reply:
    """One reply of an actor."""

    sender: str | None
    code: str  # > i d w e : f !
    body: Any
    command_id: str | None
    commander_id: str | None
    internal: bool
    routing_key: str
    epoch: str | None
    seq: int
    heard: float | None  # when the bridge heard it: seconds since 1970 by its clock; None if that is not known
    envelope: dict[str, Any] = field(repr=False)  # as it was sent
    gap: Gap | None = None  # replies may be missing right before this one
    size: int = field(default=0, repr=False, compare=False)  # bytes or characters of the message

    @property
    def keywords(self) -> dict[str, Any]:
        """The body, if it is an object."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def final(self) -> bool:
        """Whether it ends its command."""
        return self.code in (":", "f", "!")

    @property
    def text(self) -> str | None:
        """What it says to people: the error or text of the body, or else its first text."""
        if isinstance(self.body, str):
            return self.body
        for name in ("error", "text", "alert", "warning", "message", "info"):
            if name in self.keywords:
                said = self.keywords[name]
                return said if isinstance(said, str) else json.dumps(said)
        return next((value for value in self.keywords.values() if isinstance(value, str)), None)


@dataclass(frozen=True)
class Value:
    """The last value of a keyword, and how old it is."""

    value: Any
    heard: float | None  # when the bridge heard it: seconds since 1970 by its clock; None if that is not known
    code: str
    epoch: str | None
    seq: int | None
    internal: bool = False
    too_large: int | None = None  # bytes of a value that the bridge does not keep; then value is None
    stale: bool = False  # a newer value may have been missed


@dataclass(frozen=True)
class RoomMessage:
    """A message of a room."""

    body: Any  # as JSON, or else as it came
    data: str | bytes = field(repr=False)  # as it came
    missed: bool = False  # others may be missing right before this one

    @property
    def size(self) -> int:
        """Its bytes or characters."""
        return len(self.data)


@dataclass(frozen=True)
class Event:
    """Something that is neither a reply nor an answer."""

    kind: Literal["open", "closed", "gap", "dropped", "broker", "access", "unauthorized", "error", "command", "refused"]
    data: dict[str, Any]
    gap: Gap | None = None
    command: Command | None = None


class CluError(Exception):
    """Base of all errors of this package."""


class NotConnected(CluError):
    """There is no connection. What was asked was not sent, or its answer is lost."""


class Unauthorized(CluError):
    """The bridge does not let this program in. ``code`` is the HTTP status or the close code."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class RequestError(CluError):
    """The bridge refuses a request. ``code`` is one of its error codes, or ``unsupported``."""

    def __init__(self, code: str, message: str, answer: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.answer = answer or {}


class CommandError(CluError):
    """A command was not done. ``state`` says what is known of it."""

    def __init__(self, command: Command) -> None:
        super().__init__(command.message or command.state)
        self.command = command
        self.state: State = command.state
        self.code = command.code
        self.reply = command.final_reply
        self.message = command.message


def loads(text: str | bytes) -> Any:
    """Reads JSON. An integer keeps all digits: one that is beyond Python's own limit becomes text."""
    try:
        return json.loads(text)
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def parse_reply(envelope: dict[str, Any], size: int = 0) -> Reply:
    """Reads an envelope. An actor may send anything, so nothing here fails."""
    headers = envelope.get("headers")
    if not isinstance(headers, dict):
        headers = {}

    def text(value: Any) -> str | None:
        return value if isinstance(value, str) and value else None

    heard, seq = envelope.get("heard"), envelope.get("seq")
    return Reply(
        sender=text(headers.get("sender")), code=text(headers.get("message_code")) or "", body=envelope.get("body"),
        command_id=text(headers.get("command_id")), commander_id=text(headers.get("commander_id")),
        internal=headers.get("internal") is True, routing_key=text(envelope.get("routing_key")) or "",
        epoch=text(envelope.get("epoch")), seq=seq if isinstance(seq, int) else -1,
        heard=heard / 1e6 if isinstance(heard, int) and heard else None, envelope=envelope, size=size,
    )


def parse_time(text: Any) -> float | None:
    """Returns the seconds since 1970 of a time as the bridge writes it."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return None


def parse_values(snapshot: dict[str, Any]) -> dict[str, dict[str, Value]]:
    """Reads the actors of a snapshot."""
    epoch, gap_after = snapshot.get("epoch"), snapshot.get("gap_after") or 0
    return {
        actor: {
            name: Value(
                value=known.get("value"), heard=parse_time(known.get("time")), code=known.get("code") or "", epoch=epoch,
                seq=known.get("seq"), internal=known.get("internal") is True, too_large=known.get("too_large"),
                stale=0 < (known.get("seq") or 0) <= gap_after,
            )
            for name, known in (of.get("keywords") or {}).items()
        }
        for actor, of in (snapshot.get("actors") or {}).items()
    }
