"""A program at a bridge that is restarted: it sends one command after another and listens, and prints what it saw as JSON.
A line of its standard input ends it."""

import asyncio
import json
import sys

import clu_ws


async def main(url: str) -> None:
    seen: list[tuple[str | None, int, bool]] = []
    ends: list[list[str]] = []
    stop = asyncio.Event()

    async with clu_ws.connect(url, min_delay=0.01, max_delay=0.05, proxy=None) as clu:
        async def listen() -> None:
            async for reply in clu.replies({"sender": "weather"}):
                seen.append((reply.epoch, reply.seq, reply.gap is not None))
                print(f"reply {reply.epoch}", flush=True)

        async def command() -> None:
            while not stop.is_set():
                await clu.ready()
                states: list[str] = []
                ends.append(states)
                sent = clu.send("dome", "status", timeout=30)
                try:
                    await sent
                except clu_ws.CommandError as error:
                    states.append(error.state)
                else:
                    states.append("done")
                    print("done", flush=True)

        tasks = [asyncio.create_task(listen()), asyncio.create_task(command())]
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        stop.set()
        await tasks[1]
        tasks[0].cancel()
        model = await clu.model("dome")
    print(json.dumps({"seen": seen, "ends": ends, "model": model["state"]}), flush=True)


asyncio.run(main(sys.argv[1]))
