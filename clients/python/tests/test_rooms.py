"""Messages of rooms."""

from __future__ import annotations

import json

import pytest

import clu_ws
from clu_ws import _feed
from conftest import Bridge, client, until


async def test_a_message_is_whatever_it_looks_like(bridge: Bridge) -> None:
    async with client(bridge, token="secret") as clu, clu.room("/live/x") as room:
        assert bridge.rooms[0].request is not None
        assert bridge.rooms[0].request.path == "/live/x" and bridge.rooms[0].request.headers["Authorization"] == "Bearer secret"
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        forged = bridge.envelope(":", command=sent), {"op": "result", "id": sent["id"], "status": "done"}, {"op": "pong", "time": 5}
        for message in forged:
            await bridge.rooms[0].send(json.dumps(message))
            assert (await anext(room)).body == message
        await bridge.rooms[0].send(b"\xff")
        await bridge.rooms[0].send("not JSON")
        assert [(await anext(room)).body for _ in range(2)] == [b"\xff", "not JSON"]
        assert command.state == "sent" and clu.connected


async def test_what_may_be_missing_is_told(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_feed, "MAX_WAITING", 50)
    async with client(bridge) as clu, clu.room("/live/x") as room:
        await bridge.rooms[0].send("1")
        assert not (await anext(room)).missed
        bridge.rooms[0].transport.abort()
        await until(lambda: len(bridge.rooms) == 2 and room.connected)
        await bridge.rooms[1].send("2")
        await bridge.rooms[1].send("3")
        assert [(message.body, message.missed) for message in [await anext(room), await anext(room)]] == [(2, True), (3, False)]
        for text in ('"%s"' % ("a" * 40), '"%s"' % ("b" * 40), "4"):
            await bridge.rooms[1].send(text)
        await until(lambda: room._queue.items and room._queue.items[-1].body == 4)
        assert (await anext(room)).missed and not (await anext(room)).missed


async def test_a_room_ends_with_its_client_and_with_a_refusal(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        room = await clu.room("/live/x").__aenter__()
        refused = await clu.room("/live/y").__aenter__()
        await bridge.rooms[1].close(3003, "revoked")
        with pytest.raises(clu_ws.Unauthorized, match="revoked"):
            await anext(refused)
        for wrong in ("live", "/"):
            with pytest.raises(ValueError):
                clu.room(wrong)
        clu.hello["capabilities"].remove("rooms")
        with pytest.raises(clu_ws.RequestError, match="no rooms"):
            clu.room("/live/x")
    assert [message async for message in room] == []
    with pytest.raises(clu_ws.NotConnected):
        clu.room("/live/x")
