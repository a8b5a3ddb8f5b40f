// A command says until when it may be sent, by the bridge's clock; one that nobody can have sent is never in doubt.
//
//     node --test web-demo/client

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, client, connected, envelope, hello, page, pass, settled } from "./fakebridge.js";

const NOON = Date.UTC(2026, 10, 21, 12);
const iso = (ms) => new Date(ms).toISOString().replace("Z", "000+00:00");

/** A bridge says what time it is: by default another one than here. */
const greeting = (ahead = 90_000) => ({ ...hello(), time: iso(Date.now() + ahead) });
const greeted = async (options, ahead) => {
  const clu = await connected(options);
  FakeSocket.last.say(greeting(ahead));
  return clu;
};
const sent = () => FakeSocket.last.sent.map((text) => JSON.parse(text)).filter(({ consumer }) => consumer);
const refuse = (command, code, message = "Because.") => FakeSocket.last.say({ op: "error", id: null, command_id: command.commandId, code, message });

/** Time goes on, and nothing else. */
const standStill = (ms) => {
  mock.timers.setTime(Date.now() + ms - 1);
  mock.timers.tick(1);
};

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOON });
});
afterEach(() => mock.timers.reset());

test("a command expires five seconds after it was given, by the bridge's clock, or when the page says so", async () => {
  const clu = await greeted();
  pass(1_000);
  clu.send("dome", "open");
  clu.send("dome", "open", { expires: 250 });
  clu.send("dome", "open", { timeout: 1_000 });
  clu.send("dome", "open", { timeout: 60_000 });
  const bridge = (NOON + 91_000) / 1_000;
  assert.deepEqual(sent().map(({ expires_at: at }) => at), [bridge + 5, bridge + 0.25, bridge + 1, bridge + 5]);
  clu.close();

  const other = await greeted({ expires: 1_500 }, -90_000);
  other.send("dome", "open");
  assert.equal(sent()[0].expires_at, (Date.now() - 90_000 + 1_500) / 1_000);
});

test("what is no time to expire after is rejected", async () => {
  const clu = await greeted();
  for (const expires of [0, -1, Infinity, NaN, "5", 3_600_001]) {
    await assert.rejects(clu.send("dome", "open", { expires }), { state: "rejected", message: /must be a number of ms above 0, and at most an hour/ });
  }
  assert.deepEqual(sent(), []);
});

test("to a server that does not say what time it is it says nothing of that", async () => {
  const clu = await settled();
  clu.send("dome", "open", { commandId: "9" });
  assert.deepEqual(sent(), [{ consumer: "dome", command_string: "open", command_id: "9" }]);
});

test("a command that is given before the greeting waits for it, for a moment", async () => {
  const clu = await connected();
  const command = clu.send("dome", "open", { commandId: "9" });
  assert.deepEqual([command.state, clu.commands.length, sent().length], ["sent", 1, 0]);
  mock.timers.tick(100);
  FakeSocket.last.say(greeting());
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

test("a command that waits for the greeting goes with the first reply of a server that does not greet", async () => {
  const clu = await connected();
  clu.send("dome", "open");
  FakeSocket.last.say(envelope("i", null));
  assert.equal(sent().length, 1);
});

test("a command that waits when the connection is lost was never sent", async () => {
  const clu = await connected();
  const command = clu.send("dome", "open");
  FakeSocket.last.break();
  await assert.rejects(command, { state: "rejected", message: "The command was not sent, nor will it be later: the connection was lost before it could go." });
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(greeting());
  assert.deepEqual(sent(), []);
});

test("a command that waits while the page itself stands still is not sent when that is over", async () => {
  const clu = await connected();
  const command = clu.send("dome", "open");
  standStill(8_200);
  await assert.rejects(command, { state: "rejected", message: /it expired after it had waited here for 8.2 s/ });
  assert.deepEqual(sent(), []);
});

test("a command that expired on its way is rejected: it was never sent", async () => {
  const clu = await greeted();
  const command = clu.send("dome", "open");
  pass(4_000);
  refuse(command, "expired", "The command was not sent: the bridge stood still for 8.2 s.");
  await assert.rejects(command, { state: "rejected", code: "expired", message: "The command was not sent: the bridge stood still for 8.2 s." });
  assert.deepEqual(clu.commands, []);
});

test("a command that counts as unknown is rejected when the bridge says that it was not sent", async () => {
  const clu = await greeted();
  const states = [];
  clu.on("command", ({ state }) => states.push(state));
  const command = clu.send("dome", "open", { timeout: 1_000 });
  pass(2_000);
  refuse(command, "expired");
  assert.deepEqual(states, ["sent", "unknown", "rejected"]);
  assert.equal(command.message, "Because.");
});

test("a timeout begins when a command cannot begin any more, as at the bridge", async () => {
  const clu = await greeted();
  const command = clu.send("dome", "open", { timeout: 8_000 });
  pass(12_900);
  assert.equal(command.state, "sent");
  pass(100);
  await assert.rejects(command, { state: "unknown", message: "unknown: no final reply within 13 s; the actor may still be executing it" });
});

test("a page that slept hears what came meanwhile before it calls a command unknown", async () => {
  for (const [how, state] of [[(command) => refuse(command, "expired"), "rejected"], [() => {}, "unknown"]]) {
    const clu = await greeted();
    const command = clu.send("dome", "open", { timeout: 1_000 });
    standStill(60_000);
    assert.equal(command.state, "sent", "its timer was due, but the page stood still");
    how(command);
    pass(5_000);
    assert.equal(command.state, state);
    clu.close();
  }
});

test("where the computer slept or its clock was set, the bridge is asked for the time before a command goes", async () => {
  let slept = 0;
  const clu = await greeted({ monotonic: () => Date.now() - slept });
  slept = 20_000;
  standStill(20_000);
  FakeSocket.last.sent = [];
  const command = clu.send("dome", "open");
  assert.deepEqual(FakeSocket.last.asked(), [{ op: "ping", id: "clu.js: time" }]);
  pass(100);
  FakeSocket.last.say({ op: "pong", id: "clu.js: time", epoch: "e1", seq: 41, time: iso(NOON + 20_060 + 90_000) });
  assert.equal(sent()[0].expires_at, (NOON + 20_060 - 100 + 90_000 + 5_000) / 1_000);
  assert.equal(sent()[0].command_id, command.commandId);
  clu.send("dome", "close");
  assert.equal(sent().length, 2, "it is in doubt no longer");
});

test("after a command that expired the bridge is asked for the time, for the clock here may be wrong", async () => {
  const clu = await greeted();
  const command = clu.send("dome", "open");
  FakeSocket.last.sent = [];
  refuse(command, "expired");
  assert.deepEqual(FakeSocket.last.asked(), [{ op: "ping", id: "clu.js: time" }]);
});

test("a command that waits is not sent on a connection that is in doubt meanwhile", async () => {
  const { window, document } = page();
  const clu = client({ window, document });
  clu.connect();
  FakeSocket.last.accept();
  const command = clu.send("dome", "open");
  window.dispatchEvent(new Event("offline"));
  mock.timers.tick(300);
  await assert.rejects(command, { state: "rejected", message: /being checked, because the network went away/ });
});
