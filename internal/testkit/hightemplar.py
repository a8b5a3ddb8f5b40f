"""High-templar: address, URL of the backend's API, host and port of the broker, and perhaps notifies."""

import asyncio
import sys

from high_templar.backend_adapter import header
from high_templar.main import create_app
from hypercorn.asyncio import serve
from hypercorn.config import Config

notifies = len(sys.argv) > 4


class Settings:
    API_URL = sys.argv[2]
    RABBITMQ = {"enabled": True, "exchange_name": "hightemplar", "username": "guest", "password": "guest", "host": sys.argv[3]}
    CONNECTION_HEADERS = {
        "X-Session-Token": header.Param("session_token"),
        "Referer": header.Fixed("http://app.example/api/"),
    } if notifies else {}


app = create_app(Settings)

if notifies:
    @app.on_connect
    @app.on_ping
    async def notify_online(connection):
        await connection.backend_adapter.post("user/notify_online/")

    @app.on_disconnect
    async def notify_offline(connection):
        await connection.backend_adapter.post("user/notify_offline/")

config = Config()
config.bind = [sys.argv[1]]
asyncio.run(serve(app, config))
