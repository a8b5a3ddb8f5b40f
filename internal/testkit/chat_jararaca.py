"""A small application of Jararaca: port, URL of Redis, channel of broadcasts, channel of what is sent to rooms.

Clients of /chat/ws?rooms=a|b are in the rooms a and b. POST /chat/send?rooms=a|b&text=T sends to rooms, and
POST /chat/broadcast?text=T to all. It writes "ready" once it serves and has subscribed.
"""

import asyncio
import sys

import uvicorn
from fastapi import WebSocket
from redis.asyncio import Redis

from jararaca import Microservice, Post, RestController, WebSocketEndpoint, WebSocketInterceptor, WebSocketMessage, create_http_server, use_ws_manager
from jararaca.presentation.http_microservice import HttpMicroservice
from jararaca.presentation.websocket.redis import RedisWebSocketConnectionBackend

port, redis_url, broadcast, send = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
redis = Redis.from_url(redis_url, decode_responses=False)


class Note(WebSocketMessage):
    MESSAGE_ID = "note"
    text: str


@RestController("/chat")
class Chat:
    @WebSocketEndpoint("/ws")
    async def listen(self, websocket: WebSocket, rooms: str = "") -> None:
        await websocket.accept()
        manager = use_ws_manager()
        await manager.add_websocket(websocket)
        await manager.join([room for room in rooms.split("|") if room], websocket)
        await websocket.send_bytes(b"joined")
        try:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass
        finally:
            await manager.remove_websocket(websocket)

    @Post("/send")
    async def send(self, rooms: str, text: str) -> dict[str, str]:
        await Note(text=text).send(*rooms.split("|"))
        return {}

    @Post("/broadcast")
    async def broadcast(self, text: str) -> dict[str, str]:
        await use_ws_manager().broadcast(text.encode())
        return {}


def make() -> Microservice:
    backend = RedisWebSocketConnectionBackend(conn=redis, broadcast_pubsub_channel=broadcast, send_pubsub_channel=send)
    return Microservice(controllers=[Chat], interceptors=[WebSocketInterceptor(backend=backend)])


async def main() -> None:
    server = uvicorn.Server(uvicorn.Config(create_http_server(HttpMicroservice(make())), host="127.0.0.1", port=port, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not (server.started and all(n for _, n in await redis.pubsub_numsub(broadcast, send))):
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await serving


asyncio.run(main())
