"""What CLU's test of its WebSocket server needs, with clu-ws in the place of that server.

The environment names the broker (CLU_WS_BROKER, a URL) and the server (CLU_WS_SERVER, a ws:// URL), which
runs already. This is a plugin of pytest; see clutest_test.go.
"""

import os

import clu.websocket
import pytest
import websockets.client

BROKER, SERVER = os.environ["CLU_WS_BROKER"], os.environ["CLU_WS_SERVER"]


class RunningServer:
    """Takes the place of clu.websocket.WebsocketServer: the server is there before, and after."""

    def __init__(self, **_):
        pass

    async def start(self):
        return self

    async def stop(self):
        pass


clu.websocket.WebsocketServer = RunningServer

connect = websockets.client.connect
# CLU's test connects to a port that it chose for CLU's server.
websockets.client.connect = lambda _, **options: connect(SERVER, **options)


@pytest.fixture
async def amqp_actor():
    actor = clu.AMQPActor(name="amqp_actor", url=BROKER)
    await actor.start()
    yield actor
    await actor.stop()


@pytest.fixture
async def amqp_client(amqp_actor):
    client = clu.AMQPClient(name="amqp_client", url=BROKER, models=["amqp_actor"])
    await client.start()
    yield client
    await client.stop()
