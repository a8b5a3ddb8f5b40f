// What newcomers trip over: objects that change without being new, a state that is not true, texts that say nothing.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { parseReply } from "../clu.js";
import { connected, envelope, FakeSocket, hello, numbered, ok, snapshot } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const lastValues = (n) => ({ roof: { time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq: 1, keywords: { n: { value: n, time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq: 1 } } } });

test("each change of values is a new frozen object, and what did not change is the same one", async () => {
  const clu = await connected();
  FakeSocket.last.say(hello(1));
  const seen = [];
  const subscription = clu.subscribe({}, { onValues: (values, changes) => seen.push({ values, changes }) });
  FakeSocket.last.say(ok("1"), snapshot("1", 1, lastValues(7)), numbered(2, { n: 1 }), numbered(3, { n: 2 }));
  const [, first, second] = seen.map(({ values }) => values);
  assert.deepEqual([first.dome.n.value, second.dome.n.value], [1, 2], "what was handed out stays as it was");
  assert.notEqual(first.dome, second.dome);
  assert.equal(first.roof, second.roof);
  assert.equal(subscription.values, second);
  for (const object of [second, second.dome, second.dome.n, seen[2].changes[0]]) assert.ok(Object.isFrozen(object));
});

test("the event command hands out a new frozen object at each change", async () => {
  const clu = await connected();
  FakeSocket.last.say(hello(1));
  const events = [];
  clu.on("command", (detail) => events.push(detail));
  const command = clu.send("dome", "open", { commandId: "7" });
  const before = command.getSnapshot();
  assert.equal(before, command.getSnapshot());
  FakeSocket.last.say(envelope(">", "7"), envelope("i", "7", { text: "half open" }), envelope("f", "7", { error: "stuck" }));
  assert.deepEqual(events.map(({ state, message }) => [state, message]), [["sent", null], ["running", null], ["running", "half open"], ["failed", "stuck"]]);
  assert.equal(new Set(events).size, 4);
  assert.ok(events.every((event) => Object.isFrozen(event) && event.command === command));
  assert.deepEqual([before.state, command.getSnapshot() === events[3], events[3].error.message, events[2].error], ["sent", true, "stuck", null]);
  assert.equal(events[3].replies.length, 3);
});

test("the broker is not known without a connection", async () => {
  const clu = await connected();
  const said = [];
  clu.on("broker", ({ state, reason }) => said.push([state, reason]));
  assert.equal(clu.broker, "unknown");
  FakeSocket.last.say(hello(1));
  assert.equal(clu.broker, "up");
  FakeSocket.last.drop();
  assert.equal(clu.broker, "unknown");
  clu.close();
  assert.deepEqual(said, [["up", null], ["unknown", "not connected to the bridge"]]);
});

test("a reply's text is found where actors write it", () => {
  const text = (code, body) => parseReply(JSON.stringify({ headers: { message_code: code }, body })).text;
  for (const [code, body, want] of [
    ["w", { alert: "the wind rises" }, "the wind rises"],
    ["w", { level: 3, warning: "cold" }, "cold"],
    ["i", { message: "parked" }, "parked"],
    ["i", { info: "parked" }, "parked"],
    ["e", { reason: "no power", error: "stuck" }, "stuck"],
    ["e", { text: "stuck", message: "m" }, "stuck"],
    ["w", { n: 1, dust: "too much", more: "x" }, "too much"],
    ["i", { dome_shutter: "open" }, null],
    [":", { dome_shutter: "open" }, null],
    ["w", { n: 1 }, null],
    ["w", { alert: { id: 3 }, n: "x" }, "x"],
    ["w", [], null],
  ]) assert.equal(text(code, body), want, JSON.stringify(body));
});

test("the message of an unknown command does not repeat its state", async () => {
  const clu = await connected();
  FakeSocket.last.say(hello(1));
  const command = clu.send("dome", "open");
  FakeSocket.last.drop();
  clu.close();
  await assert.rejects(command, { state: "unknown", code: null, reply: null, message: "connection lost; the actor may still be executing it" });
});
