"""CLU's own WebSocket server: websocket.py <AMQP URL> <port>.

It is what `clu websocket` runs, but on the loopback alone, and with the broker given as a URL, so
that it reaches any virtual host. It writes "ready" to standard output once it accepts.
"""

import asyncio
import sys

from clu.websocket import WebsocketServer


async def main(url, port):
    server = WebsocketServer(whost="127.0.0.1", wport=int(port), url=url)
    await server.start()
    print("ready", flush=True)
    await asyncio.Future()


asyncio.run(main(*sys.argv[1:]))
