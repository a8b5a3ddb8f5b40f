"""Drives the client for the conformance cases: reads calls, one JSON object a line, and prints events. See the README of
conformance, which has the words of both."""

import asyncio
import contextlib
import json
import sys
from typing import Any

import clu_ws
from clu_ws._feed import Feed, Sink
from clu_ws._filter import compile_filter
from clu_ws._types import Gap, Reply, parse_values

WITHOUT: list[str] = []


def say(event: str, **members: Any) -> None:
    print(json.dumps({"event": event, **members}), flush=True)


class Shown(Sink):
    """A subscription, as it is shown: without a queue, so that the order among subscriptions is kept."""

    def __init__(self, name: str, filtered: bool) -> None:
        self.name, self.filtered = name, filtered

    def reply(self, reply: Reply) -> None:
        say("reply", on=self.name, seq=reply.seq, sender=reply.sender, message_code=reply.code, body=reply.body)
        self.values({f"{reply.sender}.{name}": value for name, value in reply.keywords.items()})

    def snapshot(self, message: dict[str, Any]) -> None:
        self.values({f"{actor}.{name}": known.value for actor, of in parse_values(message).items() for name, known in of.items()})

    def values(self, values: dict[str, Any]) -> None:
        say("values", on=self.name, values=values)

    def notice(self, message: dict[str, Any]) -> None:
        say("notice", notice=message)

    def end(self, error: clu_ws.CluError | None) -> None:
        if isinstance(error, clu_ws.RequestError):
            say("refused", on=self.name, code=error.code)


class Clu(clu_ws.Clu):
    """The client, which shows what it is told at once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.names: dict[clu_ws.Command, str] = {}
        self.shown: dict[str, Feed] = {}

    def _tell(self, event: clu_ws.Event) -> None:
        if event.kind in ("open", "closed"):
            say("state", state=event.kind)
        elif event.kind == "gap":
            gap = event.gap
            say("gap", seconds=event.data["seconds"], reason=event.data["reason"], **({"from": gap.start, "to": gap.end} if gap else {}))
        elif event.kind == "command" and event.command is not None:
            show_command(event.command, self.names)
        elif event.kind == "unauthorized":
            say("unauthorized", code=event.data["code"])
        elif event.kind == "access":
            say("access", name=event.data.get("name"), changed=event.data.get("changed"))
        elif event.kind in ("broker", "dropped"):
            say(event.kind, **{name: value for name, value in event.data.items() if name not in ("op", "event")})

    def _message(self, message: dict[str, Any], size: int) -> None:
        super()._message(message, size)
        for name, feed in self.shown.items():
            if message.get("op") == "ok" and message.get("id") == feed.id:
                say("subscribed", on=name)

    def _deliver(self, reply: Reply) -> None:
        name = self.names.get(self._commands[reply.command_id or ""])
        say("command_reply", **{"as": name}, seq=reply.seq, message_code=reply.code, body=reply.body)
        super()._deliver(reply)

    def subscribe(self, call: dict[str, Any]) -> None:
        chosen = call.get("filter")
        request: dict[str, Any] = {} if chosen is None else {"filter": chosen}
        request.update((name, call[name]) for name in ("snapshot", "notices", "throttle_ms", "ordered") if call.get(name))
        try:
            selects = compile_filter(chosen, self._is_own) if chosen is not None else lambda _: False
        except ValueError:
            selects = lambda _: False  # noqa: E731  the bridge refuses it
        feed = self.shown[call["as"]] = Feed(request, selects, Shown(call["as"], chosen is not None))
        self._begin(feed)


def show_command(command: clu_ws.Command, names: dict[clu_ws.Command, str]) -> None:
    if command in names:
        say("command", **{"as": names[command]}, state=command.state, code=command.code)


class Driver:
    def __init__(self) -> None:
        self.clu: Clu | None = None
        self.token: str | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def call(self, call: dict[str, Any]) -> None:
        name = call.get("as")
        match call["call"]:
            case "connect":
                self.token = call.get("token")
                token = self.give_token if self.token is not None else None
                silence = call.get("silence_ms", 19_000) / 1000
                self.clu = Clu(call["url"], token=token, min_delay=0.02, max_delay=0.1, ping=silence / 4, silence=silence, proxy=None)
                say("state", state="connecting")
                self.clu.start()
            case "token":
                self.token = call["token"]
                say("token")
            case "close":
                if self.clu is not None:
                    await self.clu.close()
                    self.clu = None
                say("closed")
            case _ if self.clu is None:
                pass
            case "send":
                await self.first_connection()
                options = {option: call[f"{option}_ms"] / 1000 for option in ("timeout", "expires") if f"{option}_ms" in call}
                command = self.clu.send(call["consumer"], call["command_string"], command_id=call.get("command_id"), **options)
                self.clu.names[command] = str(name)
                show_command(command, self.clu.names)
            case "subscribe" if call.get("rooms") and call.get("filter") is None:
                for path in call["rooms"]:
                    self.begin(self.listen(self.clu.room(path), str(name)))
            case "subscribe":
                self.clu.subscribe(call)
            case "unsubscribe":
                self.clu._drop(self.clu.shown.pop(str(name)), None)
            case "renew":
                await self.first_connection()
                self.begin(self.clu.renew())
            case "wait_for":
                timeout = call["timeout_ms"] / 1000 if "timeout_ms" in call else None
                wanted = call["equals"]
                self.begin(self.clu.wait_for(call["actor"], call["keyword"], lambda value: value == wanted, timeout=timeout), name)
            case "ask":
                await self.first_connection()
                self.begin(self.clu.request(call["what"], **call.get("args", {})), name)

    async def listen(self, room: clu_ws.Room, name: str) -> None:
        async with room:
            say("subscribed", on=name)
            async for message in room:
                say("message", on=name, body=message.body)

    def give_token(self) -> str | None:
        return self.token

    async def first_connection(self) -> None:
        """Waits for it, as a program does by `async with`."""
        if self.clu is not None and not self.clu.hello:
            with contextlib.suppress(clu_ws.CluError, asyncio.TimeoutError):
                await asyncio.wait_for(self.clu.ready(), 10)

    def begin(self, asked: Any, name: str | None = None) -> None:
        task = asyncio.create_task(self.answer(asked, name))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def answer(self, asked: Any, name: str | None) -> None:
        try:
            answer = await asked
        except Exception as error:
            code = "timeout" if isinstance(error, TimeoutError) else getattr(error, "code", None)
            if name is not None:
                say("error", **{"as": name}, code=code)
            return
        if name is not None:
            if isinstance(answer, clu_ws.Value):
                answer = answer.value
            elif "entries" in answer:  # the log
                answer = {"more": answer["more"], "next": answer["next"], "seqs": [entry.get("seq") for entry in answer["entries"] if "headers" in entry]}
            say("answer", **{"as": name}, value=answer)


async def main() -> None:
    say("ready", client="clu_ws for Python", without=WITHOUT)
    driver = Driver()
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        await driver.call(json.loads(line))


asyncio.run(main())
