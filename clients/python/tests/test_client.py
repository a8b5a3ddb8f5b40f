"""Requests, logins, numbers and filters."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import clu_ws
from clu_ws._filter import compile_filter
from clu_ws._link import Clock
from clu_ws._types import loads, parse_reply
from conftest import Bridge, client, stamp, until


async def test_requests_are_answered(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        async def ask(call: Any, answer: dict[str, Any]) -> tuple[dict[str, Any], Any]:
            task = asyncio.create_task(call)
            request = await asyncio.wait_for(bridge.received.get(), 20)
            await bridge.send({"op": request["op"], "id": request["id"], **answer})
            del request["id"]
            return request, await task

        assert await ask(clu.history(["a.b"], "-6h", points=10), {"series": []}) == (
            {"op": "history", "keywords": ["a.b"], "from": "-6h", "points": 10}, {"series": []})
        assert await ask(clu.model("dome"), {"state": "known"}) == ({"op": "model", "actor": "dome"}, {"state": "known"})
        assert await ask(clu.problems(), {"problems": [1]}) == ({"op": "problems"}, [1])
        assert await ask(clu.log(limit=2), {"entries": []}) == ({"op": "log", "limit": 2}, {"entries": []})
        assert await ask(clu.commands(), {"commands": []}) == ({"op": "commands"}, [])
        assert await ask(clu.site(), {"title": "x"}) == ({"op": "site"}, {"title": "x"})
        assert await ask(clu.actors(), {"actors": [2]}) == ({"op": "actors"}, [2])
        assert await ask(clu.acknowledge("dome", seq=5), {}) == ({"op": "ack", "actor": "dome", "seq": 5, "epoch": "e1"}, None)
        assert await ask(clu.publish("/live/x", {"a": 1}), {}) == ({"op": "publish", "path": "/live/x", "body": {"a": 1}}, None)
        known = {"value": 5, "time": "2026-11-21T03:38:40+00:00", "code": "i", "seq": 3}
        request, value = await ask(clu.value("d*me", "x"), {"epoch": "e1", "actors": {"d*me": {"keywords": {"x": known}}}})
        assert request["filter"] == {"sender": "d[*]me", "keyword": "x"}
        assert value == clu_ws.Value(5, 1795232320.0, "i", "e1", 3)
        new = {**known, "time": stamp()}
        assert (await ask(clu.value("d", "x", max_age=60), {"actors": {"d": {"keywords": {"x": new}}}}))[1] is not None
        old = {**known, "time": "2020-11-21T03:38:40+00:00"}
        assert (await ask(clu.value("d", "x", max_age=1), {"actors": {"d": {"keywords": {"x": old}}}}))[1] is None


async def test_a_request_fails_with_the_bridges_code_or_with_the_connection(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        task = asyncio.create_task(clu.log(before=3, epoch="e0"))
        request = await bridge.get("log")
        await bridge.send({"op": "error", "id": request["id"], "code": "gone", "message": "another epoch", "oldest": 5})
        with pytest.raises(clu_ws.RequestError) as error:
            await task
        assert (error.value.code, error.value.answer["oldest"]) == ("gone", 5)
        with pytest.raises(clu_ws.RequestError, match="no clients"):
            await clu.request("clients")
        asked: asyncio.Task[Any] = asyncio.create_task(clu.problems())
        await bridge.get("problems")
        await bridge.cut()
        with pytest.raises(clu_ws.NotConnected):
            await asked


async def test_many_requests_at_once_do_not_overrun_the_bridge(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        tasks = [asyncio.create_task(clu.problems()) for _ in range(100)]
        waiting: list[dict[str, Any]] = []
        for answered in range(100):
            while len(waiting) + answered < 100 and (len(waiting) < 32 or not bridge.received.empty()):
                waiting.append(await bridge.get("problems"))
            assert len(waiting) <= 32
            await bridge.send({"op": "problems", "id": waiting.pop()["id"], "problems": []})
        assert await asyncio.gather(*tasks) == [[]] * 100


async def test_what_a_newer_bridge_sends_is_ignored(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        for message in ('{"op": "of a newer bridge", "id": "f1"}', "[]", "5", '{"op": 5}', "{}"):
            await bridge.send(message)
        await bridge.reply()
        replies_until = await anext(replies)
        while replies_until.seq != 11:
            replies_until = await anext(replies)
        await bridge.send("not JSON")
        await bridge.reply()
        reply = await anext(replies)
        assert reply.gap is not None and "cannot be read" in reply.gap.reason


async def test_a_silent_bridge_is_left(bridge: Bridge) -> None:
    bridge.answers = False
    async with client(bridge, ping=0.01, silence=0.1):
        await until(lambda: bridge.connections > 1)


async def test_a_token_is_asked_for_anew_and_renewed(bridge: Bridge) -> None:
    tokens = iter("abcdefgh")

    async def token() -> str:
        return next(tokens)

    async with client(bridge, token=token) as clu:
        assert bridge.headers[-1]["Authorization"] == "Bearer a"
        await bridge.send({"op": "access", "expires_in": 60})
        request = await bridge.get("auth")
        assert request["token"] == "b"
        await bridge.send({"op": "ok", "id": request["id"], "access": {"name": "ana", "grants": {}}})
        await until(lambda: clu.access is not None and clu.access["name"] == "ana")
        await bridge.close(3000, "the credential has expired")
        await bridge.back()
        assert bridge.headers[-1]["Authorization"] == "Bearer c"


@pytest.mark.parametrize(("code", "token"), [(3003, "t"), (3000, "t")])
async def test_a_bridge_that_says_no_is_left_alone(bridge: Bridge, code: int, token: str) -> None:
    async with client(bridge, token=token) as clu:
        replies = clu.replies()
        await bridge.get("subscribe")
        await bridge.close(code, "stop")
        with pytest.raises(clu_ws.Unauthorized, match="stop"):
            await anext(replies)
        assert not clu.connected and bridge.connections == 1


async def test_a_login_may_expire_again_and_again(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clu_ws._link.GOOD_FOR", 0.0)  # each connection has lasted
    async with client(bridge, token=lambda: "t"):
        for _ in range(3):
            await bridge.close(3000, "the credential has expired")
            await bridge.back()


async def test_a_function_for_tokens_that_fails_is_asked_again(bridge: Bridge) -> None:
    tokens = {2: "a"}
    asked = iter((1, 2))

    def token() -> str:
        return tokens[next(asked)]  # the first one is not there

    async with client(bridge, token=token):
        assert bridge.headers[-1]["Authorization"] == "Bearer a"


@pytest.mark.parametrize(("code", "reason"), [(1002, "protocol"), (1007, "UTF-8"), (1009, "too long"), (1008, "no answer to a ping")])
async def test_other_closes_are_a_lost_connection_and_it_resumes(bridge: Bridge, code: int, reason: str) -> None:
    async with client(bridge) as clu:
        replies = clu.replies()
        await bridge.get("subscribe")
        await bridge.reply()
        await anext(replies)
        await bridge.close(code, reason)
        await bridge.back()
        assert (await bridge.get("subscribe"))["since"] == {"epoch": "e1", "seq": 11}


async def test_a_bridge_that_does_not_greet_for_once_is_tried_again(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        bridge.hello = {"headers": {}}  # as CLU's own server, or a proxy in its place
        await bridge.cut()
        await until(lambda: bridge.connections > 2)
        bridge.hello = None
        await until(lambda: clu.connected)


async def test_a_message_that_nobody_understands_ends_the_connection_and_not_the_client(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        await bridge.send({"op": "snapshot", "id": ["of a newer bridge"]})
        await until(lambda: bridge.connections > 1 and clu.connected)


async def test_the_beginning_of_a_long_message_is_a_sign_of_life(bridge: Bridge) -> None:
    async with client(bridge, ping=1000) as clu:
        replies = clu.replies()
        await bridge.get("subscribe")
        text = json.dumps(bridge.envelope(body={"text": "x" * 20}))
        before = clu._heard

        async def fragments() -> AsyncIterator[str]:
            yield text[:20]
            await until(lambda: clu._heard > before)
            yield text[20:]

        assert bridge.socket is not None
        await bridge.socket.send(fragments())
        assert (await anext(replies)).keywords == {"text": "x" * 20}


def test_the_clock_is_never_ahead_and_ages_never_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"monotonic": 1000.0, "time": 5000.0}
    for name in here:
        monkeypatch.setattr(f"clu_ws._link.time.{name}", lambda name=name: here[name])

    def passes(seconds: float) -> None:
        here.update({name: value + seconds for name, value in here.items()})

    clock = Clock()
    clock.start(9000.0)
    passes(60)
    clock.answered(9050.0, 1050.0)  # read ten seconds late: it says nothing new
    assert clock.now() == 9060.0
    clock.answered(9055.0, 1058.0)  # asked two seconds ago: it cannot be as late as that
    assert clock.now() == 9057.0
    here["time"] += 100  # the computer has slept
    assert (clock.now(), clock.latest()) == (9057.0, 9157.0)
    clock.answered(9155.0, 1060.0)
    assert (clock.now(), clock.latest()) == (9155.0, 9155.0)


async def test_a_login_that_is_needed_and_a_server_that_is_no_bridge(bridge: Bridge) -> None:
    bridge.hello = {"op": "hello", "auth": "required", "timeout_ms": 10000}
    with pytest.raises(clu_ws.Unauthorized, match="token"):
        async with client(bridge):
            pass
    bridge.hello = {"headers": {}}
    with pytest.raises(clu_ws.CluError, match="no clu-ws"):
        async with client(bridge):
            pass
    with pytest.raises(clu_ws.NotConnected, match="within"):
        async with clu_ws.connect("ws://127.0.0.1:1", connect_timeout=0.05, proxy=None):
            pass
    with pytest.raises(ValueError):
        clu_ws.connect("http://127.0.0.1:1")


def test_numbers_keep_their_digits() -> None:
    big = 5853498713190525696123456789
    assert loads(f'{{"a": {big}}}')["a"] == big
    assert loads("[NaN, -Infinity]")[1] == -math.inf
    digits = "9" * 5000
    assert loads(f"[{digits}]") == [digits]


def test_a_reply_may_be_anything() -> None:
    for envelope in ({}, {"headers": 5, "body": []}, {"headers": {"sender": 3}, "heard": "x", "seq": "y"}):
        reply = parse_reply(envelope)
        assert (reply.sender, reply.keywords, reply.text, reply.heard) == (None, {}, None, None)
    assert parse_reply({"body": "a text"}).text == "a text"
    assert parse_reply({"body": {"n": 1, "alert": "wind"}}).text == "wind"
    assert parse_reply({"body": {"n": 1, "reason": "dark"}}).text == "dark"


def cases() -> dict[str, Any]:
    """The cases that the bridge's own filters pass."""
    for folder in Path(__file__).resolve().parents:
        file = folder / "bridge/filter/testdata/cases.json"
        if file.exists():
            return dict(json.loads(file.read_text()))
    raise FileNotFoundError("cases.json")


def test_filters_select_what_the_bridges_do() -> None:
    known = cases()
    replies = {name: parse_reply({
        "headers": {"sender": of.get("sender"), "message_code": of.get("message_code"), "command_id": of.get("command_id"),
                    "commander_id": of.get("commander"), "internal": of.get("internal", False)},
        "routing_key": of.get("routing_key"), "body": {keyword: 1 for keyword in of.get("keywords", [])},
        "own": of.get("mine", False)}) for name, of in known["replies"].items()}
    assert len(known["filters"]) > 10
    for case in known["filters"]:
        selects = compile_filter(case["filter"] or {}, lambda reply: reply.envelope["own"])
        assert sorted(name for name, reply in replies.items() if selects(reply)) == sorted(case["selects"]), case["filter"]
    for wrong in known["wrong"]:
        with pytest.raises(ValueError):
            compile_filter(wrong, lambda _: False)
