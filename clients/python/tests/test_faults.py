"""What goes wrong: bridges, programs and machines that misbehave, cancellation, and ends in the middle of something."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import pytest

import clu_ws
from clu_ws import _feed, _link, _session
from conftest import Bridge, client, until


async def test_a_function_that_returns_no_token_is_asked_again(bridge: Bridge) -> None:
    asked = 0

    def token() -> str:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise KeyError("the server of tokens is away")
        return " secret\n"

    async with client(bridge, token=token, additional_headers={"X-Site": "here"}):
        assert bridge.headers[-1]["Authorization"] == "Bearer secret"
        assert bridge.headers[-1]["X-Site"] == "here"
    with pytest.raises(clu_ws.NotConnected, match="away"):
        async with client(bridge, token=lambda: str(int("away")), connect_timeout=0.05):
            pass


async def test_a_wrong_option_or_url_is_told_at_once(bridge: Bridge) -> None:
    with pytest.raises(clu_ws.CluError, match="sslcontext"):
        async with client(bridge, sslcontext=5):
            pass
    for url in ("http://dome", "ws://", "ws://dome:port", "ws:///dome", "dome"):
        with pytest.raises(ValueError):
            clu_ws.connect(url)
    with pytest.raises(ValueError):
        clu_ws.connect("ws://dome", queue=0)


async def test_a_bridge_that_does_not_greet_is_asked_again(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_link, "HELLO", 0.05)
    greet, bridge.send = bridge.send, lambda message: asyncio.sleep(0)  # type: ignore[method-assign]
    clu = client(bridge)
    clu.start()
    await until(lambda: bridge.connections > 1 or clu._over)
    bridge.send = greet  # type: ignore[method-assign]
    await clu.ready()
    await clu.close()


async def test_a_bridge_that_greets_and_closes_is_asked_less_and_less_often(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        clu._delays = (0.001, 5)
        for failures in range(1, 4):
            await bridge.close(1013, "no space")
            await until(lambda: clu._failures >= failures)
            await bridge.back()


async def test_what_is_no_json_fails_where_it_is_asked_for(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        with pytest.raises(TypeError):
            clu.send("dome", "open", extra={"seat": object()})
        with pytest.raises(ValueError):
            await clu.publish("/live/x", float("nan"))
        with pytest.raises(ValueError, match="list"):
            clu.replies({"sender": {"dome"}})
        clu.send("dome", "close")
        assert (await bridge.get("command"))["command_string"] == "close"
        assert not clu._answers and len(clu._commands) == 1


async def test_a_message_that_cannot_be_read_is_a_gap(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        await bridge.send("[" * 100_000)
        await bridge.reply()
        assert (await anext(replies)).gap is not None
        assert bridge.connections == 1


async def test_a_text_that_is_not_utf8_costs_the_connection_and_no_reply(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        await bridge.reply()
        assert (await anext(replies)).seq == 11
        assert bridge.socket is not None
        await bridge.socket.send(b"\xff\xfe", text=True)
        message = await bridge.get("subscribe")
        assert message["since"]["seq"] == 11
        await bridge.send({"op": "ok", "id": message["id"], "resumed": True, "epoch": "e1", "seq": 11})
        await bridge.reply()
        assert (await anext(replies)).gap is None


async def test_a_program_that_stands_still_keeps_its_connection(bridge: Bridge) -> None:
    async with client(bridge, ping=0.01, silence=0.2) as clu:
        for _ in range(3):
            time.sleep(0.3)  # the loop is blocked
            await clu.request("ping")
        assert bridge.connections == 1


async def test_long_replies_that_nobody_reads_are_bounded_and_told(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_feed, "MAX_WAITING", 5_000_000)
    async with client(bridge) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        await bridge.reply("i", {"image": "x" * 10_000_000})  # the only one may be as long as it likes
        await until(lambda: replies._queue.items)
        for _ in range(4):
            await bridge.reply("i", {"image": "x" * 2_000_000})
        await until(lambda: replies._queue.items[-1].seq == 15)
        got = [await anext(replies) for _ in range(2)]
        assert [(reply.seq, reply.gap and reply.gap.count) for reply in got] == [(14, 3), (15, None)]
        assert replies._queue.bytes == 0


async def test_after_the_end_nothing_waits_for_ever(bridge: Bridge) -> None:
    async with client(bridge, token="t") as clu:
        await bridge.close(3003, "revoked")
        await until(lambda: clu._over is not None)
        for refused in (clu.ready(), clu.problems(), clu.wait_for("dome", "x", bool)):
            with pytest.raises(clu_ws.Unauthorized, match="revoked"):
                await refused
        with pytest.raises(clu_ws.Unauthorized, match="revoked"):
            clu.replies()
        assert "revoked" in str(clu.send("dome", "open").message)
    async with client(bridge) as clu:
        await clu.close()
        for closed in (clu.ready(), clu.problems(), clu.wait_for("dome", "x", bool)):
            with pytest.raises(clu_ws.NotConnected, match="closed"):
                await closed
        with pytest.raises(clu_ws.NotConnected, match="closed"):
            clu.keyword("dome", "x")


async def test_a_stream_may_be_collected_in_another_thread(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        streams: list[Any] = [clu.replies()]
        await bridge.get("subscribe")
        threads: list[int] = []
        drop = clu._drop
        clu._drop = lambda *of: (threads.append(threading.get_ident()), drop(*of))[1]  # type: ignore[method-assign,func-returns-value]

        def collect() -> None:
            streams.clear()
            gc.collect()

        await asyncio.get_running_loop().run_in_executor(None, collect)
        await bridge.get("unsubscribe")
        assert threads == [threading.get_ident()]


async def test_a_throttled_stream_is_in_order_for_each_sender_and_not_resumed(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies({}, throttle=0.5, ordered=True) as replies:
        message = await bridge.get("subscribe")
        assert (message["throttle_ms"], message["ordered"]) == (500, True)
        await bridge.reply(sender="weather", seq=20)
        await bridge.reply(sender="dome", seq=15)  # was held back
        await bridge.reply(sender="dome", seq=15)
        await bridge.reply(sender="weather", seq=21)
        assert [(await anext(replies)).seq for _ in range(3)] == [20, 15, 21]
        await bridge.cut()
        assert "since" not in await bridge.get("subscribe")
        await bridge.reply(sender="dome", seq=16)
        assert (await anext(replies)).gap is not None


async def test_what_waits_at_the_end_is_not_sent_and_no_task_is_left(bridge: Bridge) -> None:
    async with client(bridge, token=lambda: asyncio.sleep(0, "t")) as clu:
        assert clu.access is None
        clu._token = lambda: asyncio.sleep(3600)  # the server of tokens does not answer
        await bridge.send({"op": "access", "expires_in": 60})
        await until(lambda: clu._renewal is not None)
        asked = asyncio.create_task(clu.problems())
        await bridge.get("problems")
        waiting = asyncio.create_task(clu.wait_for("dome", "x", bool))
        await bridge.get("subscribe")
        last = clu.send("dome", "open")
    assert last.state in ("rejected", "unknown")
    for task in (asked, waiting):
        with pytest.raises(clu_ws.NotConnected):
            await task
    assert [task for task in asyncio.all_tasks() if "clu_ws" in repr(task)] == []
    assert bridge.received.empty() == (last.state == "rejected")


async def test_each_await_may_be_cancelled(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as replies, clu.keyword("dome", "x") as keyword, clu.events() as events:
        await bridge.get("subscribe")
        await bridge.send({"op": "ok", "id": (await bridge.get("subscribe"))["id"]})  # the keyword's
        command = clu.send("dome", "open")
        sent = await bridge.get("command")

        async def iterate() -> None:
            async for _ in command:
                pass

        awaits: list[Any] = [anext(replies), anext(keyword), command, command.outcome(), iterate(), clu.problems(), clu.renew(),
                             clu.wait_for("dome", "x", lambda _: True), clu.request("of a newer bridge")]
        clu._token = lambda: asyncio.sleep(3600)
        tasks = [asyncio.ensure_future(one) for one in awaits]
        for op in ("problems", "subscribe", "of a newer bridge"):
            await bridge.get(op)
        while events._queue.items:
            await anext(events)
        tasks.append(asyncio.ensure_future(anext(events)))
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        assert {type(one) for one in await asyncio.gather(*tasks, return_exceptions=True)} == {asyncio.CancelledError}
        assert not clu._answers and len(clu._feeds) == 2
        await bridge.reply(":", {"x": 1}, command=sent)
        assert (await command).keywords == {"x": 1}
        assert (await anext(replies)).final and (await anext(keyword)).value == 1 and (await anext(events)).kind == "command"
        entering = asyncio.create_task(clu_ws.connect("ws://127.0.0.1:1", proxy=None).__aenter__())
        await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
    assert [task for task in asyncio.all_tasks() if "clu_ws" in repr(task)] == []


async def test_after_a_gap_a_command_that_is_not_heard_of_is_unknown(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_session, "DOUBT", 0.05)
    gap = {"op": "gap", "from": None, "to": "2026-11-21T03:38:41+00:00", "seconds": None}
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        await bridge.reply(">", command=sent)
        await bridge.send(gap)
        with pytest.raises(clu_ws.CommandError, match="missed its last reply") as error:
            await command
        assert error.value.state == "unknown"
        await bridge.reply(":", command=sent)
        assert (await command.outcome()).reply is not None


async def test_the_last_values_are_asked_for_until_they_have_come(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.keyword("dome", "shutter") as shutter:
        await bridge.send({"op": "ok", "id": (await bridge.get("subscribe"))["id"]})
        await until(lambda: any(feed.served for feed in clu._feeds.values()))
        await bridge.cut()  # before the snapshot
        message = await bridge.get("subscribe")
        assert message["snapshot"] is True and message["since"]["seq"] == 10
        await bridge.send({"op": "ok", "id": message["id"], "resumed": True, "epoch": "e1", "seq": 10})
        known = {"value": "open", "time": "2026-11-21T03:38:40+00:00", "code": "i", "seq": 3}
        await bridge.send({"op": "snapshot", "id": message["id"], "epoch": "e1", "seq": 10, "actors": {"dome": {"keywords": {"shutter": known}}}})
        assert (await anext(shutter)).value == "open"
        await bridge.cut()
        assert "snapshot" not in await bridge.get("subscribe")
