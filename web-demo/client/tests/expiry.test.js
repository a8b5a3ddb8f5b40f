// Commands expire by the bridge's clock; one that cannot have been sent is never unknown.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, client, connected, envelope, hello, page, advance, connectedPlain } from "./fakebridge.js";

const NOON = Date.UTC(2026, 10, 21, 12);
const iso = (ms) => new Date(ms).toISOString().replace("Z", "000+00:00");

/** A bridge's hello, whose clock differs from the local one. */
const clockedHello = (ahead = 90_000) => ({ ...hello(), time: iso(Date.now() + ahead) });
const connectedV1 = async (options, ahead) => {
  const clu = await connected(options);
  const greeting = clockedHello(ahead);
  FakeSocket.last.say(greeting, { op: "pong", id: "clu.js: time", epoch: "e1", seq: 41, time: greeting.time });
  return clu;
};
const sent = () => FakeSocket.last.sent.map((text) => JSON.parse(text)).filter(({ consumer }) => consumer);
const refuse = (command, code, message = "Because.") => FakeSocket.last.say({ op: "error", id: null, command_id: command.commandId, code, message });

/** Time passes while the page is suspended: all timers fire late. */
const suspend = (ms) => {
  mock.timers.setTime(Date.now() + ms - 1);
  mock.timers.tick(1);
};

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOON });
});
afterEach(() => mock.timers.reset());

test("a command expires five seconds after it was sent, by the bridge's clock, or when the page says so", async () => {
  const clu = await connectedV1();
  advance(1_000);
  clu.send("dome", "open");
  clu.send("dome", "open", { expires: 250 });
  clu.send("dome", "open", { timeout: 1_000 });
  clu.send("dome", "open", { timeout: 60_000 });
  const bridge = (NOON + 91_000) / 1_000;
  assert.deepEqual(sent().map(({ expires_at: at }) => at), [bridge + 5, bridge + 0.25, bridge + 1, bridge + 5]);
  clu.close();

  const other = await connectedV1({ expires: 1_500 }, -90_000);
  other.send("dome", "open");
  assert.equal(sent()[0].expires_at, (Date.now() - 90_000 + 1_500) / 1_000);
});

test("an invalid expiry is rejected", async () => {
  const clu = await connectedV1();
  for (const expires of [0, -1, Infinity, NaN, "5", 3_600_001]) {
    await assert.rejects(clu.send("dome", "open", { expires }), { state: "rejected", message: /must be a number of ms above 0, and at most an hour/ });
  }
  assert.deepEqual(sent(), []);
});

test("a server that does not send its time gets no expiry", async () => {
  const clu = await connectedPlain();
  clu.send("dome", "open", { commandId: "9" });
  assert.deepEqual(sent(), [{ consumer: "dome", command_string: "open", command_id: "9" }]);
});

test("a command before the hello waits for it, for a moment", async () => {
  const clu = await connected();
  const command = clu.send("dome", "open", { commandId: "9" });
  assert.deepEqual([command.state, clu.commands.length, sent().length], ["sent", 1, 0]);
  mock.timers.tick(100);
  FakeSocket.last.say(clockedHello());
  assert.deepEqual(sent(), [{ consumer: "dome", command_string: "open", command_id: "9", expires_at: (NOON + 95_000) / 1_000 }]);

  const other = await connected();
  const first = other.send("dome", "open");
  const second = other.send("dome", "close");
  mock.timers.tick(299);
  assert.equal(sent().length, 0);
  mock.timers.tick(1);
  assert.deepEqual(sent().map(({ command_id: id }) => id), [first.commandId, second.commandId]);
  other.send("dome", "stop");
  assert.equal(sent().length, 3, "it waited long enough");
});

test("a command that waits for the hello is sent after the first reply of a plain server", async () => {
  const clu = await connected();
  clu.send("dome", "open");
  FakeSocket.last.say(envelope("i", null));
  assert.equal(sent().length, 1);
});

test("a command that waits when the connection is lost is rejected", async () => {
  const clu = await connected();
  const command = clu.send("dome", "open");
  FakeSocket.last.drop();
  await assert.rejects(command, { state: "rejected", message: "The command was not sent and will not be sent later: the connection was lost before it was sent." });
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(clockedHello());
  assert.deepEqual(sent(), []);
});

test("a command that expires while the page is suspended is not sent", async () => {
  const clu = await connected();
  const command = clu.send("dome", "open");
  suspend(8_200);
  await assert.rejects(command, { state: "rejected", message: /it expired after waiting here for 8.2 s/ });
  assert.deepEqual(sent(), []);
});

test("a command that expired on its way is rejected: it was not sent", async () => {
  const clu = await connectedV1();
  const command = clu.send("dome", "open");
  advance(4_000);
  refuse(command, "expired", "The command was not sent: the bridge was suspended for 8.2 s.");
  await assert.rejects(command, { state: "rejected", code: "expired", message: "The command was not sent: the bridge was suspended for 8.2 s." });
  assert.deepEqual(clu.commands, []);
});

test("an unknown command becomes rejected when the bridge reports that it was not sent", async () => {
  const clu = await connectedV1();
  const states = [];
  clu.on("command", ({ state }) => states.push(state));
  const command = clu.send("dome", "open", { timeout: 1_000 });
  advance(2_000);
  refuse(command, "expired");
  assert.deepEqual(states, ["sent", "unknown", "rejected"]);
  assert.equal(command.message, "Because.");
});

test("a timeout starts when the command can no longer start, as at the bridge", async () => {
  const clu = await connectedV1();
  const command = clu.send("dome", "open", { timeout: 8_000 });
  advance(12_900);
  assert.equal(command.state, "sent");
  advance(100);
  await assert.rejects(command, { state: "unknown", message: "no final reply within 13 s; the actor may still be executing it" });
});

test("a page that was suspended reads what arrived before it marks a command unknown", async () => {
  for (const [how, state] of [[(command) => refuse(command, "expired"), "rejected"], [() => {}, "unknown"]]) {
    const clu = await connectedV1();
    const command = clu.send("dome", "open", { timeout: 1_000 });
    suspend(60_000);
    assert.equal(command.state, "sent", "its timer was due, but the page was suspended");
    how(command);
    advance(5_000);
    assert.equal(command.state, state);
    clu.close();
  }
});

test("after a sleep or a set clock, the bridge is asked for the time before a command is sent", async () => {
  let slept = 0;
  const clu = await connectedV1({ monotonic: () => Date.now() - slept });
  slept = 20_000;
  suspend(20_000);
  FakeSocket.last.sent = [];
  const command = clu.send("dome", "open");
  assert.deepEqual(FakeSocket.last.requests({ time: true }), [{ op: "ping", id: "clu.js: time" }]);
  advance(100);
  FakeSocket.last.say({ op: "pong", id: "clu.js: time", epoch: "e1", seq: 41, time: iso(NOON + 20_060 + 90_000) });
  assert.equal(sent()[0].expires_at, (NOON + 20_060 - 100 + 90_000 + 5_000) / 1_000);
  assert.equal(sent()[0].command_id, command.commandId);
  clu.send("dome", "close");
  assert.equal(sent().length, 2, "the time is certain again");
});

test("after a command expired the bridge is asked for the time, because the local clock may be wrong", async () => {
  const clu = await connectedV1();
  const command = clu.send("dome", "open");
  FakeSocket.last.sent = [];
  refuse(command, "expired");
  assert.deepEqual(FakeSocket.last.requests({ time: true }), [{ op: "ping", id: "clu.js: time" }]);
});

test("a waiting command is not sent on a connection that became suspect", async () => {
  const { window, document } = page();
  const clu = client({ window, document });
  clu.connect();
  FakeSocket.last.accept();
  const command = clu.send("dome", "open");
  window.dispatchEvent(new Event("offline"));
  mock.timers.tick(300);
  await assert.rejects(command, { state: "rejected", message: /being checked, because the network went away/ });
});
