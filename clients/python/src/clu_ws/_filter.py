"""The filters of the protocol. The bridge applies them, too; a client with several subscriptions gets a reply once, and
has to find out which of them select it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ._types import Reply

Filter = Mapping[str, Any]
Test = Callable[[str], bool]

FIELDS = ("sender", "routing_key", "message_code", "keyword", "command_id", "commander", "internal")
CODES = frozenset(">idwe:f!")


def escape(text: str) -> str:
    """Returns a glob that matches this text only."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text)


def compile_filter(given: Filter, own: Callable[[Reply], bool]) -> Callable[[Reply], bool]:
    """Returns what reports whether a filter selects a reply. ``own`` reports whether a reply answers a command of this
    client. Raises ValueError for a malformed filter."""
    if not isinstance(given, Mapping):
        raise ValueError('a filter is a mapping, such as {"sender": ["dome"], "keyword": "dome_*"}')
    tests: list[Callable[[Reply], bool]] = []
    for field, value in given.items():
        if field not in FIELDS:
            raise ValueError(f"a filter has no field {field!r}; it has {', '.join(FIELDS)}")
        if value is not None:
            values = list(value) if isinstance(value, (list, tuple)) else [value]
            kind = bool if field == "internal" else str
            if not values or not all(isinstance(one, kind) for one in values):
                raise ValueError(f"the filter field {field!r} takes one value or a list of them")
            if not _selects_all(field, values):
                tests.append(_field(field, values, own))
    return lambda reply: all(test(reply) for test in tests)


def _field(field: str, values: list[Any], own: Callable[[Reply], bool]) -> Callable[[Reply], bool]:
    if field == "internal":
        return lambda reply: reply.internal in values
    if field == "message_code":
        if not CODES.issuperset(values):
            raise ValueError(f"the filter field 'message_code' takes some of {' '.join(CODES)}")
        return lambda reply: reply.code in values
    if field == "routing_key":
        routed = _any([_topic(pattern) for pattern in values])
        return lambda reply: routed(reply.routing_key)
    # A class of one character is that character.
    own_names = [pattern for pattern in values if field == "commander" and re.sub(r"\[([^\]^])\]", r"\1", pattern) == "me"]
    matches = _any([_glob(pattern) for pattern in values if pattern not in own_names])
    if field == "keyword":
        return lambda reply: any(matches(name) for name in reply.keywords)
    if field == "commander":
        me = bool(own_names)
        return lambda reply: me and own(reply) or matches(reply.commander_id or "")
    if field == "sender":
        return lambda reply: matches(reply.sender or "")
    return lambda reply: matches(reply.command_id or "")


def _selects_all(field: str, values: list[Any]) -> bool:
    """Whether a pattern matches everything: then a reply without the field passes, too. The patterns are still checked."""
    if field in ("internal", "message_code"):
        return False
    for pattern in values:
        _topic(pattern) if field == "routing_key" else _glob(pattern)
    if field == "routing_key":
        return any(pattern and set(pattern.split(".")) == {"#"} for pattern in values)
    return any(pattern and set(pattern) == {"*"} for pattern in values)


def _any(tests: list[Test]) -> Test:
    return lambda text: any(test(text) for test in tests)


def _glob(pattern: str) -> Test:
    expression, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == "[":
            end = pattern.find("]", at)
            if end < 0:
                raise ValueError(f"the pattern {pattern!r} has a [ without ]; for the character [ itself write [[]")
            expression += _class(pattern[at + 1:end], pattern)
            at = end
        else:
            expression += ".*" if char == "*" else "." if char == "?" else re.escape(char)
        at += 1
    compiled = re.compile(expression, re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def _class(inner: str, pattern: str) -> str:
    negated = inner.startswith("^")
    rest = inner[negated:]
    if not rest:
        raise ValueError(f"the pattern {pattern!r} has brackets that name no character")
    ranges = ""
    while rest:
        last = rest[2] if len(rest) > 2 and rest[1] == "-" else rest[0]
        if last < rest[0]:
            raise ValueError(f"the range {rest[0]}-{last} in the pattern {pattern!r} runs backwards")
        ranges += f"{re.escape(rest[0])}-{re.escape(last)}"
        rest = rest[3 if len(rest) > 2 and rest[1] == "-" else 1:]
    return f"[{'^' * negated}{ranges}]"


def _topic(pattern: str) -> Test:
    words = pattern.split(".") if pattern else []
    for word in words:
        if len(word) > 1 and re.search(r"[*#]", word):
            raise ValueError(f"* and # stand for whole words between dots, and {word!r} mixes them with others")
    # Each word of the key is written with a dot before it, so that # may stand for none of them.
    parts = {"*": r"\.[^.]*", "#": r"(?:\.[^.]*)*"}
    compiled = re.compile("".join(parts.get(word) or rf"\.{re.escape(word)}" for word in words), re.DOTALL)
    return lambda key: compiled.fullmatch(f".{key}" if key else "") is not None
