// Mistakes that programs make with the client: each has a clear error, and none sends a command or leaves anything behind.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clu } from "../index.js";
import { advance, FakeSocket, hello, page } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

function newClient(options = {}) {
  return new Clu("ws://bridge/", { WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), fetch: null, ...page(), ...options });
}

/** A client on a connection to a bridge. */
function greeted(options) {
  const clu = newClient(options);
  clu.connect().catch(() => {});
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(41));
  FakeSocket.last.sent = [];
  return clu;
}

const commandsSent = () => FakeSocket.last.sent.filter((text) => text.includes("command_string")).length;

test("a controller in place of its signal is rejected before the command is sent", async () => {
  const clu = greeted();
  const command = clu.send("dome", "open", { signal: new AbortController() });
  await assert.rejects(command, { name: "CommandError", state: "rejected", message: /must be an AbortSignal/ });
  assert.equal(commandsSent(), 0);
});

test("a command takes null for its options", () => {
  const clu = greeted();
  assert.equal(clu.send("dome", "open", null).state, "sent");
  assert.equal(commandsSent(), 1);
});

test("a command that is no text says what it is", async () => {
  const clu = greeted();
  await assert.rejects(clu.send("dome", new Event("click")), { state: "rejected", message: /must be a string, not \[object Event\]/ });
  assert.equal(commandsSent(), 0);
});

test("a listener may subscribe to the command that it hears of, and abort it", async () => {
  const clu = greeted();
  const seen = [];
  const controller = new AbortController();
  clu.on("command", ({ command }) => {
    if (seen.length === 0) command.subscribe(() => seen.push(command.state));
    seen.push("new");
    controller.abort(new Error("no longer"));
  });
  const command = clu.send("dome", "open", { signal: controller.signal });
  await assert.rejects(command, { name: "AbortError", state: "sent" });
  FakeSocket.last.drop();
  assert.deepEqual(seen.filter((text) => text !== "new"), ["unknown"]);
});

test("an option that is undefined has its default", async () => {
  const all = ["minDelay", "maxDelay", "connectTimeout", "pulse", "maxReplies", "maxActive", "maxUnknown", "expires", "batch", "maxLag", "bigint", "tokenBy", "token", "probe"];
  const clu = newClient(Object.fromEntries(all.map((name) => [name, undefined])));
  let attempts = 0;
  clu.on("close", () => { attempts += 1; });
  clu.connect().catch(() => {});
  advance(9_000);
  assert.equal(attempts, 0, "it gives up at once");
  advance(1_200);
  assert.equal(attempts, 1);
  assert.ok(clu.retryAt > Date.now(), `${clu.retryAt}`);
  advance(1_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(41));
  assert.equal(clu.send("dome", "open").state, "sent");
});

test("an option that is no number is named", () => {
  for (const [name, value] of [["minDelay", NaN], ["minDelay", 0], ["maxDelay", -1], ["connectTimeout", "soon"], ["pulse", null], ["maxReplies", NaN], ["maxUnknown", -1]]) {
    assert.throws(() => newClient({ [name]: value }), { name: "TypeError", message: new RegExp(`the option ${name} is a number`) });
  }
  new Clu("ws://bridge/", { WebSocket: FakeSocket, pulse: Infinity, maxReplies: 0 });
});
