"""Commands: sent once or rejected, and followed to their end."""

from __future__ import annotations

import asyncio
import time

import pytest

import clu_ws
from conftest import Bridge, client, until


async def test_a_command_is_awaited_and_iterated(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open", timeout=60)
        sent = await bridge.get("command")
        assert (sent["consumer"], sent["command_string"], sent["timeout_ms"]) == ("dome", "open", 60000)
        assert 0 < sent["expires_at"] - time.time() <= 5.1
        await bridge.send({"op": "ok", "id": sent["id"], "command_id": sent["command_id"]})
        await bridge.reply(">", command=sent)
        await bridge.reply("i", {"dome_open": False}, command=sent)
        await bridge.reply(":", {"dome_open": True}, command=sent)
        assert [reply.code async for reply in command] == [">", "i", ":"]
        result = await command
        assert result.keywords == {"dome_open": True}
        assert result.reply is not None and result.reply.heard == 1_795_232_320.123456
        assert [reply.code async for reply in command] == [">", "i", ":"]  # again, from the first one


async def test_replies_to_others_do_not_count(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open", command_id="mine")
        sent = await bridge.takes()
        await bridge.reply("f", command={**sent, "consumer": "mount"})  # another commander
        await bridge.reply("f", sender="mount", command=sent)
        await bridge.reply(":", command=sent)
        assert (await command).command.reply_count == 1


@pytest.mark.parametrize(("code", "state"), [
    *((code, "rejected") for code in ("bad_request forbidden in_use away blocked full expired gone invalid leaving rate "
                                      "undecided no_record unauthorized").split()),
    ("returned", "failed"), ("refused", "unknown"), ("unknown", "unknown"), ("of_a_newer_bridge", "unknown"),
])
async def test_the_bridges_error_decides_the_state(bridge: Bridge, code: str, state: str) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        await bridge.send({"op": "error", "id": sent["id"], "code": code, "message": "why"})
        with pytest.raises(clu_ws.CommandError) as error:
            await command
        assert (error.value.state, error.value.code) == (state, code)
        assert "why" in str(error.value)


async def test_a_failure_has_its_reply(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        await bridge.reply("f", {"error": "no power"}, command=sent)
        with pytest.raises(clu_ws.CommandError, match="no power") as error:
            await command
        assert error.value.state == "failed" and error.value.reply is not None and error.value.reply.code == "f"


async def test_without_a_connection_a_command_is_rejected_and_never_sent(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        bridge.answers = False
        await bridge.cut()
        await until(lambda: not clu.connected)
        command = clu.send("dome", "open")
        assert command.state == "rejected"
        with pytest.raises(clu_ws.CommandError):
            await command
        await bridge.back()
        await until(lambda: clu.connected)
        later = clu.send("dome", "close")
        assert (await bridge.get("command"))["command_string"] == "close"
        assert later.active


async def test_a_cut_makes_it_unknown_and_the_end_is_told_later(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        await bridge.reply(">", command=sent)
        await until(lambda: command.state == "running")
        await bridge.cut()
        with pytest.raises(clu_ws.CommandError) as error:
            await command
        assert error.value.state == "unknown"
        again = await bridge.get("subscribe")
        assert again["filter"] == {"command_id": [sent["command_id"]]}
        assert again["since"] == {"epoch": "e1", "seq": 11}
        await bridge.send({"op": "ok", "id": again["id"], "resumed": True, "epoch": "e1", "seq": 13})
        await bridge.reply("i", {"percent": 50}, command=sent)
        await bridge.reply(":", {"percent": 100}, command=sent)
        result = await asyncio.wait_for(command.outcome(), 20)
        assert [reply.code for reply in result.replies] == [">", "i", ":"]
        assert (await command).keywords == {"percent": 100}
        assert bridge.received.empty()  # it was not sent again


async def test_cancelling_stops_the_waiting_only(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(command, 0.01)
        assert command.state == "sent"
        await bridge.reply(":", command=sent)
        assert (await command).reply is not None


async def test_the_timeout_makes_it_unknown(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open", timeout=0.01, expires=0.01)
        with pytest.raises(clu_ws.CommandError) as error:
            await command
        assert error.value.state in ("unknown", "rejected")  # rejected if this machine was too slow to send it
        late = clu.send("dome", "open", timeout=50)
        sent = await bridge.get("command")
        while sent["command_id"] != late.command_id:
            sent = await bridge.get("command")
        await bridge.send({"op": "result", "id": sent["id"], "command_id": sent["command_id"], "status": "timeout",
                           "message": "the time is over"})
        with pytest.raises(clu_ws.CommandError, match="the time is over") as told:
            await late
        assert (told.value.state, told.value.code) == ("unknown", "timeout")


async def test_what_waits_here_too_long_is_not_sent(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        command._expires_at = clu.now()  # as if the machine had slept since
        with pytest.raises(clu_ws.CommandError) as error:
            await command
        assert error.value.state == "rejected"
        clu.send("dome", "close")
        assert (await bridge.get("command"))["command_string"] == "close"


async def test_a_result_ends_a_command_whose_replies_are_hidden(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        await bridge.send({"op": "result", "id": sent["id"], "command_id": sent["command_id"], "status": "done"})
        assert (await command).reply is None


async def test_an_id_in_flight_is_not_used_twice(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        first = clu.send("dome", "open", command_id="mine")
        assert clu.send("dome", "close", command_id="mine").state == "rejected"
        assert first.active
        for wrong in ({"timeout": 0}, {"timeout": 4000}, {"expires": 0}):
            with pytest.raises(ValueError):
                clu.send("dome", "open", **wrong)  # type: ignore[arg-type]


async def test_closing_the_client_leaves_nothing_waiting(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        await bridge.get("command")
        replies = clu.replies()
    with pytest.raises(clu_ws.CommandError) as error:
        await command
    assert error.value.state == "unknown"
    assert [reply async for reply in replies] == []
    assert clu.send("dome", "open").state == "rejected"
    assert not [task for task in asyncio.all_tasks() if "Link." in repr(task)]


async def test_a_second_command_with_its_id_leaves_the_first_one_alone(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        first = clu.send("dome", "open", command_id="mine")
        sent = await bridge.takes()
        assert clu.send("dome", "close", command_id="mine").state == "rejected"
        await bridge.reply(":", command=sent)
        assert (await first).command.reply_count == 1


async def test_a_command_has_one_end(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        first = clu.send("dome", "open", command_id="mine")
        sent = await bridge.takes()
        await bridge.reply(":", command=sent)
        await first
        again = clu.send("dome", "close", command_id="mine")
        later = await bridge.takes()
        await bridge.send({"op": "error", "id": sent["id"], "code": "expired", "message": "why"})
        await bridge.reply("f", command=later)
        with pytest.raises(clu_ws.CommandError):
            await again
        assert (first.state, again.state) == ("done", "failed")


async def test_a_status_of_a_newer_bridge_is_no_failure(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open")
        sent = await bridge.get("command")
        await bridge.send({"op": "result", "id": sent["id"], "command_id": sent["command_id"], "status": "paused"})
        with pytest.raises(clu_ws.CommandError, match="paused"):
            await command
        assert command.state == "unknown"


async def test_what_has_not_left_when_its_time_is_over_was_not_sent(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        command = clu.send("dome", "open", timeout=1)
        command._late("no final reply")  # as by its timer, while the connection takes nothing
        assert (command.state, command.code) == ("rejected", "expired")
        clu.send("dome", "close")
        assert (await bridge.get("command"))["command_string"] == "close"


async def test_what_is_no_json_is_the_callers_mistake_alone(bridge: Bridge) -> None:
    async with client(bridge) as clu:
        for wrong in ({1, 2}, float("nan")):
            with pytest.raises((TypeError, ValueError)):
                clu.send("dome", "open", command_id="mine", extra={"seat": wrong})
            with pytest.raises((TypeError, ValueError)):
                await clu.publish("/live/x", wrong)
        command = clu.send("dome", "open", command_id="mine")
        await bridge.reply(":", command=await bridge.takes())
        await command
