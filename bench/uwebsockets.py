"""A uWebSockets server: what one client sends to /publish goes to all others. The sockets, the topic and its subscribers
are those of the C++ library; this program is called once for each message, not for each subscriber."""

import sys

from socketify import App, AppListenOptions, CompressOptions

app = App()
options = {"compression": CompressOptions.DISABLED, "idle_timeout": 0, "max_backpressure": 64 << 20}
app.ws("/publish", {**options, "message": lambda ws, message, opcode: app.publish("bench", message, opcode)})
app.ws("/", {**options, "open": lambda ws: ws.subscribe("bench")})
app.listen(AppListenOptions(port=int(sys.argv[1]), host="127.0.0.1"), lambda config: None)
app.loop.uv_loop.run()  # the native loop alone: app.run() polls it from asyncio, at the cost of a processor
