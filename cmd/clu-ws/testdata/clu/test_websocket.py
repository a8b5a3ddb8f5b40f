"""What CLU's own tests/test_websocket.py asks of a WebSocket server, written anew.

CLU's package comes without its tests. These four ask for the same, by the same names and the same
libraries, so that they run where CLU's file cannot be had.
"""

import asyncio
import json

import pytest
import websockets.client

QUIET = 0.5  # seconds without a message that show that none comes


def connect():
    return websockets.client.connect("ws://localhost")


async def receive_two(client, command_id):
    """The reply that says that the actor has begun, and the one that ends the command.

    What the actor has said at its start may come before them.
    """
    received = []
    while len(received) < 2:
        reply = json.loads(await asyncio.wait_for(client.recv(), 10))
        if reply["headers"]["command_id"] == command_id:
            received.append(reply)
    assert received[0]["headers"]["message_code"] == ">"
    return received


async def stays_quiet(client):
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(client.recv(), QUIET)


async def test_websocket_client(amqp_client):
    """Every client receives what an actor replies to somebody else."""
    async with connect() as client:
        sent = await amqp_client.send_command("amqp_actor", "ping")
        _, pong = await receive_two(client, sent.command_id)
        assert pong["body"] == {"text": "Pong."}


async def test_websocket_client_send_command(amqp_actor):
    """A client sends a command; its replies have the command's id."""
    command = {
        "consumer": "amqp_actor",
        "command_string": "ping",
        "command_id": "id-1234",
    }
    async with connect() as client:
        await client.send(json.dumps(command))
        _, pong = await receive_two(client, "id-1234")
        assert pong["body"] == {"text": "Pong."}


async def test_websocket_client_send_bad_command1(amqp_actor):
    """What is not JSON is ignored."""
    async with connect() as client:
        await client.send("hello")
        await stays_quiet(client)


async def test_websocket_client_send_bad_command2(amqp_actor):
    """A command without a consumer is ignored."""
    async with connect() as client:
        await client.send(json.dumps({"command_string": "ping"}))
        await stays_quiet(client)
