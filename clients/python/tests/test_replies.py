"""Subscriptions: no hole, no double, gaps told, and nothing old shown as fresh."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

import clu_ws
from conftest import Bridge, client, stamp, until


async def resume(bridge: Bridge, resumed: bool = True, missed: list[dict[str, Any]] | None = None, **answer: Any) -> dict[str, Any]:
    """Answers a subscription that resumes, and sends what it missed."""
    while (message := await bridge.get("subscribe"))["id"] == "own":
        pass
    await bridge.send({"op": "ok", "id": message["id"], "resumed": resumed, "epoch": bridge.epoch, "seq": bridge.seq, **answer})
    for one in missed or []:
        await bridge.send(one)
    return message


async def test_a_cut_loses_nothing_and_doubles_nothing(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies({"sender": "dome"}) as replies:
        await bridge.get("subscribe")
        await bridge.reply()
        assert (await anext(replies)).seq == 11
        await bridge.cut()
        missed = [bridge.envelope(), bridge.envelope()]
        message = await resume(bridge, missed=[bridge.envelope(seq=11), *missed])
        assert message["since"] == {"epoch": "e1", "seq": 11}
        await bridge.reply()
        got = [await anext(replies) for _ in range(3)]
        assert [(reply.seq, reply.gap) for reply in got] == [(12, None), (13, None), (14, None)]


async def test_two_streams_get_what_both_missed_in_order(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies({"sender": "dome"}) as dome, clu.replies() as everything:
        for _ in range(2):
            await bridge.get("subscribe")
        await bridge.cut()
        a, b, c = bridge.envelope(sender="mount"), bridge.envelope(), bridge.envelope(sender="mount")
        live = bridge.envelope()
        await resume(bridge, missed=[b, live])  # what both select comes once
        await resume(bridge, missed=[a, c])
        assert [(await anext(everything)).seq for _ in range(4)] == [11, 12, 13, 14]
        assert [(await anext(dome)).seq for _ in range(2)] == [12, 14]


async def test_a_cut_in_the_middle_of_resuming_begins_again(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        await bridge.reply()
        assert (await anext(replies)).seq == 11
        await bridge.cut()
        await bridge.back()
        bridge.answers = False
        first = [bridge.envelope(), bridge.envelope(), bridge.envelope()]
        await bridge.send(first[1])  # by another subscription, before the answer
        await resume(bridge, missed=first[:1])
        await until(lambda: any(len(feed._missed or []) == 2 for feed in clu._feeds.values()))
        await bridge.cut()
        bridge.answers = True
        again = await resume(bridge, missed=first)
        assert again["since"]["seq"] == 12  # it goes on after what came
        assert [(await anext(replies)).seq for _ in range(3)] == [12, 13, 14]


async def test_a_cut_while_two_streams_resume_lets_each_go_on_from_where_it_was(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as everything, clu.replies({"sender": "dome"}) as dome:
        for _ in range(2):
            await bridge.get("subscribe")
        await bridge.cut()
        await bridge.back()
        bridge.answers = False
        first, second, third, fourth = bridge.envelope(), bridge.envelope(sender="mount"), bridge.envelope(), bridge.envelope()
        await resume(bridge, missed=[first, second])  # and no more
        while (await bridge.get("subscribe"))["id"] == "own":
            pass  # the second stream's, which is not answered
        await until(lambda: any(len(feed._missed or []) == 2 for feed in clu._feeds.values()))
        await bridge.cut()
        await bridge.back()
        assert [(await anext(everything)).seq for _ in range(2)] == [11, 12]
        assert (await resume(bridge, missed=[third, fourth]))["since"]["seq"] == 12
        assert (await resume(bridge, missed=[first]))["since"]["seq"] == 10
        await until(lambda: any(len(feed._missed or []) == 3 for feed in clu._feeds.values()))
        await bridge.cut()
        bridge.answers = True
        assert (await resume(bridge))["since"]["seq"] == 14  # all that it missed had come before the other's answer
        again = await resume(bridge, missed=[third, fourth])
        assert again["since"]["seq"] == 11
        assert [(await anext(everything)).seq for _ in range(2)] == [13, 14]
        assert [(await anext(dome)).seq for _ in range(3)] == [11, 13, 14]


async def test_a_pong_moves_the_place_to_resume_from(bridge: Bridge) -> None:
    async with client(bridge, ping=0.01) as clu, clu.replies({"sender": "quiet"}) as _:
        await bridge.get("subscribe")
        bridge.seq = 500
        await until(lambda: clu._position == ("e1", 500))
        await bridge.cut()
        assert (await bridge.get("subscribe"))["since"] == {"epoch": "e1", "seq": 500}


async def test_what_cannot_be_resumed_is_a_gap(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as replies, clu.events() as events:
        await bridge.get("subscribe")
        await bridge.cut()
        bridge.epoch, bridge.seq = "e2", 5
        await resume(bridge, resumed=False, reason="its numbers have started again")
        await bridge.reply()
        reply = await anext(replies)
        assert (reply.epoch, reply.seq) == ("e2", 6)
        assert reply.gap is not None and "started again" in reply.gap.reason
        kinds = []
        while "gap" not in kinds:
            kinds.append((await anext(events)).kind)
        assert kinds == ["closed", "open", "gap"]


async def test_a_gap_stands_between_its_replies(bridge: Bridge) -> None:
    gap = {"op": "gap", "from": "2026-11-21T03:38:40+00:00", "to": "2026-11-21T03:38:41+00:00", "seconds": 1.0}
    async with client(bridge) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        await bridge.reply()
        await bridge.send(gap)
        await bridge.reply()
        await bridge.reply()
        got = [await anext(replies) for _ in range(3)]
        assert [reply.gap and reply.gap.seconds for reply in got] == [None, 1.0, None]
        await bridge.cut()
        await resume(bridge, missed=[bridge.envelope(), gap, bridge.envelope()])
        got = [await anext(replies) for _ in range(2)]
        assert [reply.gap and reply.gap.seconds for reply in got] == [None, 1.0]


async def test_a_gap_is_told_once_however_many_streams_resume(bridge: Bridge) -> None:
    gap = {"op": "gap", "from": "2026-11-21T03:38:40+00:00", "to": "2026-11-21T03:38:41+00:00", "seconds": 1.0}
    async with client(bridge) as clu, clu.replies() as one, clu.replies({"sender": "mount"}), clu.events() as events:
        for _ in range(2):
            await bridge.get("subscribe")
        await bridge.cut()
        first, second = bridge.envelope(), bridge.envelope(sender="mount")
        await resume(bridge, missed=[first, gap, second])
        await resume(bridge, missed=[gap])
        assert [(await anext(one)).gap is None for _ in range(2)] == [True, False]
        await bridge.cut()
        assert [event.kind for event in events._queue.items].count("gap") == 1


async def test_too_slow_is_told(bridge: Bridge) -> None:
    async with client(bridge, queue=3) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        for _ in range(8):
            await bridge.reply()
        await until(lambda: replies._queue.items and replies._queue.items[-1].seq == 18)
        got = [await anext(replies) for _ in range(3)]
        assert [reply.seq for reply in got] == [16, 17, 18]
        assert [reply.gap and reply.gap.count for reply in got] == [5, None, None]
        await bridge.send({"op": "dropped", "count": 12})
        await bridge.reply()
        reply = await anext(replies)
        assert reply.gap is not None and reply.gap.count == 12


async def test_a_client_closed_as_too_slow_does_not_ask_for_the_backlog(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies() as replies:
        await bridge.get("subscribe")
        await bridge.reply()
        await anext(replies)
        await bridge.close(1008, "too slow")
        message = await bridge.get("subscribe")
        assert "since" not in message
        await bridge.reply()
        assert (await anext(replies)).gap is not None


async def test_replies_after_a_number(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.replies(since=("e1", 3)) as replies:
        missed = [bridge.envelope(seq=seq) for seq in range(4, 11)]
        message = await resume(bridge, missed=missed)
        assert message["since"] == {"epoch": "e1", "seq": 3}
        assert [(await anext(replies)).seq for _ in range(7)] == list(range(4, 11))


async def test_a_refused_subscription_ends(bridge: Bridge) -> None:
    bridge.answers = False
    async with client(bridge) as clu:
        replies = clu.replies({"sender": "dome"})
        while (message := await bridge.get("subscribe"))["id"] == "own":
            pass
        await bridge.send({"op": "error", "id": message["id"], "code": "forbidden", "message": "no"})
        with pytest.raises(clu_ws.RequestError, match="no"):
            await anext(replies)


async def test_a_stream_that_nobody_refers_to_ends(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        async def first() -> int:
            async for reply in clu.replies():
                return reply.seq
            return -1
        task = asyncio.create_task(first())
        await bridge.get("subscribe")
        await bridge.reply()
        assert await task == 11
        await bridge.get("unsubscribe")


def snapshot(message: dict[str, Any], value: Any, seq: int, age: float = 0) -> dict[str, Any]:
    known = {"value": value, "time": stamp(-age), "code": "i", "seq": seq}
    return {"op": "snapshot", "id": message["id"], "epoch": "e1", "seq": seq,
            "actors": {"dome": {"time": stamp(), "code": "i", "seq": seq, "keywords": {"shutter": known}}}}


async def begin(bridge: Bridge, value: Any, seq: int = 10, age: float = 0) -> None:
    message = await bridge.get("subscribe")
    assert message["snapshot"] is True
    await bridge.send({"op": "ok", "id": message["id"]})
    await bridge.send(snapshot(message, value, seq, age))


async def test_a_keyword_is_stale_while_newer_values_may_be_missed(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.keyword("dome", "shutter") as shutter:
        await begin(bridge, "closed")
        seen = [await anext(shutter)]
        await bridge.send({"op": "broker", "state": "down"})
        seen.append(await anext(shutter))
        await bridge.send({"op": "broker", "state": "up"})
        seen.append(await anext(shutter))
        await bridge.reply("i", {"shutter": "open"})
        seen.append(await anext(shutter))
        assert [(value.value, value.stale) for value in seen] == [("closed", False), ("closed", True), ("closed", False), ("open", False)]
        await bridge.cut()
        assert (await anext(shutter)).stale
        await resume(bridge)
        assert (await anext(shutter)).stale is False
        await bridge.send({"op": "gap", "from": None, "to": stamp(), "seconds": None})
        assert (await anext(shutter)).stale


async def test_after_a_gap_the_snapshot_is_the_last_value(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.keyword("dome", "shutter") as shutter:
        await begin(bridge, "closed")
        assert (await anext(shutter)).value == "closed"
        await bridge.cut()
        assert (await anext(shutter)).stale
        message = await bridge.get("subscribe")
        await bridge.send({"op": "ok", "id": message["id"], "resumed": False, "reason": "gone", "epoch": "e1", "seq": 40})
        await bridge.send(snapshot(message, "open", 39))
        value = await anext(shutter)
        while value.stale:
            value = await anext(shutter)
        assert value.value == "open"


async def test_a_value_from_before_a_gap_of_the_bridge_is_stale(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.keyword("dome", "shutter") as shutter:
        message = await bridge.get("subscribe")
        await bridge.send({"op": "ok", "id": message["id"]})
        await bridge.send({**snapshot(message, "open", 39), "gap_after": 39})
        assert (await anext(shutter)).stale
        await bridge.reply("i", {"shutter": "open"})
        assert (await anext(shutter)).stale is False


async def test_wait_for_takes_the_value_that_fulfils(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        waiting = asyncio.create_task(clu.wait_for("dome", "shutter", lambda value: value == "open", timeout=20, max_age=60))
        await begin(bridge, "open", age=3600)  # was said an hour ago
        await bridge.reply("i", {"shutter": "closed"})
        envelope = bridge.envelope("i", {"shutter": "open"})
        await bridge.send({**envelope, "heard": int(time.time() * 1e6)})
        assert (await waiting).seq == 12
        await bridge.get("unsubscribe")
        with pytest.raises(TimeoutError):
            await clu.wait_for("dome", "shutter", lambda _: False, timeout=0.01)
        wrong = asyncio.create_task(clu.wait_for("dome", "shutter", lambda value: value > 3))
        await bridge.get("subscribe")
        await begin(bridge, "open")
        with pytest.raises(TypeError):
            await wrong


async def test_notices_say_when_others_may_be_missing(bridge: Bridge) -> None:
    async with client(bridge) as clu, clu.notices("problems") as notices:
        await bridge.get("subscribe")
        await bridge.send({"op": "problem", "actor": "dome", "problems": []})
        await bridge.send({"op": "actor", "name": "dome"})  # not asked for
        assert (await anext(notices))["op"] == "problem"
        await bridge.cut()
        assert await anext(notices) == {"op": "missed"}
