// The link: how it reconnects, and how it detects a dead socket.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { websocketURL } from "../clu.js";
import { backoff } from "../link.js";
import { FakeSocket, advance, client, connected, connectedPlain, envelope, page } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
});
afterEach(() => mock.timers.reset());

test("a command without a connection is rejected at once, and never sent later", async () => {
  const clu = client();
  const before = clu.send("dome", "open");
  assert.equal(before.state, "rejected");
  clu.connect();
  const during = clu.send("dome", "open");
  await assert.rejects(during, {
    state: "rejected", message: "The command was not sent and will not be sent later: not connected to the bridge.",
  });
  FakeSocket.last.accept();
  mock.timers.tick(60_000);
  assert.deepEqual(FakeSocket.last.sent, []);
});

test("a command whose connection is lost is unknown, and never sent again", async () => {
  const clu = await connectedPlain();
  const command = clu.send("dome", "open", { commandId: "id-1" });
  FakeSocket.last.say(envelope(">", "id-1"));
  FakeSocket.last.drop();
  await assert.rejects(command, {
    state: "unknown", message: "connection lost; the actor may still be executing it",
  });
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(FakeSocket.last.sent, []);
  FakeSocket.last.say(envelope(":", "id-1"));
  assert.equal(command.state, "done", "the bridge relays every reply to everyone, so the final reply may still arrive");
});

test("the waits grow at random from 0.2 s to 10 s", () => {
  const limits = { minDelay: 200, maxDelay: 10_000 };
  const longest = [0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => backoff(attempt, limits, () => 1));
  assert.deepEqual(longest, [600, 1_200, 2_400, 4_800, 9_600, 10_000, 10_000, 10_000]);
  assert.equal(backoff(60, limits, () => 0), 200);
});

test("it reconnects by itself, reports when, and resets the waits after a stable connection", async () => {
  const clu = client();
  const states = [];
  clu.on("state", ({ state, retryAt }) => states.push([state, retryAt && retryAt - Date.now()]));
  const opening = clu.connect();
  FakeSocket.last.drop();
  mock.timers.tick(400);
  FakeSocket.last.drop();
  mock.timers.tick(700);
  FakeSocket.last.accept();
  assert.equal(await opening, clu);
  mock.timers.tick(5_000);
  FakeSocket.last.drop(1001, "the bridge is stopping");
  assert.deepEqual(states, [
    ["connecting", null], ["closed", 400], ["connecting", null], ["closed", 700], ["connecting", null], ["open", null],
    ["closed", 400],
  ]);
});

test("a bridge that disconnects at once is not dialled in a hot loop", async () => {
  const clu = client();
  clu.connect();
  const waits = [];
  clu.on("close", ({ retryAt }) => waits.push(retryAt - Date.now()));
  for (let i = 0; i < 7; i += 1) {
    FakeSocket.last.accept();
    FakeSocket.last.drop();
    mock.timers.tick(10_000);
  }
  assert.deepEqual(waits, [400, 700, 1_300, 2_500, 4_900, 5_100, 5_100]);
});

test("after a full or forbidding bridge the wait is long", async () => {
  const clu = await connectedPlain();
  FakeSocket.last.drop(1013, "full, try later");
  assert.equal(clu.retryAt - Date.now(), 7_500);
});

test("an attempt that is not answered is abandoned", () => {
  const clu = client();
  clu.connect();
  const [first] = FakeSocket.all;
  mock.timers.tick(10_000);
  assert.equal(clu.state, "closed");
  first.accept();
  assert.equal(clu.state, "closed", "the old socket no longer counts");
});

test("an attempt that only reports an error has ended", () => {
  const clu = client();
  clu.connect();
  const socket = FakeSocket.last;
  socket.readyState = 3;
  socket.onerror({});
  assert.deepEqual([clu.state, clu.retryAt > Date.now()], ["closed", true]);
  const attempt = clu.retryAt;
  socket.onclose?.({ code: 1006, reason: "" });
  socket.onerror({});
  assert.equal(clu.retryAt, attempt, "it ends once");
  clu.close();
});

test("it reconnects at once when the network or the page is back", () => {
  const { window, document } = page();
  const clu = client({ window, document });
  clu.connect();
  for (const [target, type] of [[window, "online"], [document, "visibilitychange"], [window, "pageshow"]]) {
    FakeSocket.last.drop();
    assert.equal(clu.state, "closed");
    target.dispatchEvent(new Event(type));
    assert.equal(clu.state, "connecting", type);
  }
});

test("a socket that receives nothing after the network changed is closed, and takes no command meanwhile", async () => {
  const { window, document } = page();
  const clu = await connectedPlain({ window, document });
  const running = clu.send("dome", "open", { commandId: "id-1" });
  window.dispatchEvent(new Event("offline"));
  await assert.rejects(clu.send("dome", "close"), { state: "rejected", message: /being checked, because the network went away/ });

  FakeSocket.last.say(envelope(">", "id-1"));
  advance(5_000);
  assert.equal(clu.state, "open", "something was received");
  assert.equal(clu.send("dome", "close").state, "sent");

  window.dispatchEvent(new Event("online"));
  advance(4_000);
  assert.equal(clu.state, "closed");
  assert.equal(running.state, "unknown");
});

test("a socket that receives nothing after the computer slept is closed", async () => {
  const clu = await connectedPlain();
  mock.timers.tick(8 * 3_600_000);
  advance(4_000);
  assert.equal(clu.state, "closed");
});

test("silence alone does not close a socket, unless the bridge answers probes", async () => {
  const quiet = await connected();
  advance(600_000);
  assert.equal(quiet.state, "open");
  quiet.close();

  const unanswered = await connected({ probe: "ping" });
  advance(600_000);
  assert.equal(unanswered.state, "open", "a server that never answers probes is not suspected");
  unanswered.close();

  const probing = await connected({ probe: "ping" });
  advance(15_000);
  assert.deepEqual(FakeSocket.last.sent, ["ping"]);
  assert.equal(probing.send("dome", "status").state, "sent", "a routine probe does not block sending");
  FakeSocket.last.say("pong");
  advance(14_000);
  assert.equal(probing.state, "open");
  advance(5_000);
  assert.equal(probing.state, "closed");
});

test("a bridge that stands still is asked for a sign of life, and how long it owes one is told", async () => {
  const clu = await connected({ probe: "ping", pulse: 1_000 });
  advance(14_000);
  assert.deepEqual([FakeSocket.last.sent, clu.silence], [[], 0], "nothing is known of a server that has not answered yet");
  advance(1_000);
  FakeSocket.last.say("pong");
  FakeSocket.last.sent = [];
  advance(1_000);
  assert.deepEqual([FakeSocket.last.sent, clu.silence], [["ping"], 0], "it has not had time to answer");
  advance(9_000);
  assert.deepEqual([FakeSocket.last.sent, clu.silence, clu.lag, clu.state], [["ping"], 10, 10, "open"], "one is enough");
  FakeSocket.last.say("pong");
  assert.deepEqual([clu.silence, clu.lag], [0, 0]);
  advance(1_000);
  mock.timers.setTime(Date.now() + 3_600_000);  // the computer sleeps
  assert.equal(clu.silence, 3_601);
  FakeSocket.last.drop();
  assert.equal(clu.silence, 0, "that there is no connection says more");
  clu.close();
});

test("a page that stood still knows nothing until it has read something", async () => {
  for (const hidden of [false, true]) {
    const shown = page();
    const clu = await connected({ probe: "ping", pulse: 1_000, ...shown });
    advance(15_000);
    FakeSocket.last.say("pong");
    shown.document.visibilityState = hidden ? "hidden" : "visible";
    mock.timers.setTime(Date.now() + 20_000);
    assert.equal(clu.silence, hidden ? 0 : 20, "before its timers run");
    FakeSocket.last.sent = [];
    mock.timers.tick(1_000);
    assert.deepEqual([clu.silence, FakeSocket.last.sent[0]], [hidden ? 0 : 21, "ping"]);
    FakeSocket.last.say("pong");
    assert.equal(clu.silence, 0);
    clu.close();
  }
});

test("silence is noticed although the clock of the computer was set back", async (t) => {
  const clu = await connected({ probe: "ping" });
  advance(15_000);
  FakeSocket.last.say("pong");
  const { now } = Date;  // the timers go on
  t.mock.method(Date, "now", () => now() - 365 * 86_400_000);
  let lost = null;
  clu.on("close", ({ reason }) => { lost = reason; });
  advance(25_000);
  assert.match(lost, /it was silent/);
  clu.close();
});

test("a socket that accepts no data is closed", async () => {
  const clu = await connectedPlain();
  FakeSocket.last.bufferedAmount = 100;
  advance(2_000);
  await assert.rejects(clu.send("dome", "open"), { message: /accepts no data/ });
  advance(3_000);
  assert.equal(clu.state, "closed");
});

test("a socket that has taken what it had takes a command at once", async () => {
  const clu = await connectedPlain();
  FakeSocket.last.bufferedAmount = 100;
  advance(2_000);
  FakeSocket.last.bufferedAmount = 0;
  clu.send("dome", "open").catch(() => {});
  assert.match(FakeSocket.last.sent.at(-1), /"open"/);
  FakeSocket.last.bufferedAmount = 100;  // other data than before
  advance(4_000);
  assert.equal(clu.state, "open");
  clu.close();
});

test("nothing is sent on a socket that is closing, also not by what looks after it", async () => {
  const clu = await connected({ probe: "ping", pulse: 1_000 });
  FakeSocket.last.say("pong");
  FakeSocket.last.sent = [];
  FakeSocket.last.readyState = 2;
  advance(30_000);
  await assert.rejects(clu.send("dome", "open"), { state: "rejected" });
  assert.deepEqual(FakeSocket.all[0].sent, []);
  clu.close();
});

test("close ends the client for good", async () => {
  const clu = await connectedPlain();
  const command = clu.send("dome", "open");
  clu.close();
  await assert.rejects(command, { state: "unknown" });
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(clu.state, "closed");
});

test("a URL that the browser refuses is reported, and not tried again", async () => {
  const clu = client({ WebSocket: class { constructor() { throw new SyntaxError("bad scheme"); } } });
  await assert.rejects(clu.connect(), /the browser refuses ws:\/\/bridge\/: bad scheme/);
  assert.equal(clu.retryAt, null);
});

test("the URL follows the page's scheme and path prefix", () => {
  assert.equal(websocketURL(".", "http://host:9876/index.html?x=1#y"), "ws://host:9876/");
  assert.equal(websocketURL(".", "https://host/clu/"), "wss://host/clu/");
  assert.equal(websocketURL("ws://other:1/?sender=dome", "https://host/"), "ws://other:1/?sender=dome");
  assert.equal(websocketURL("http://other:1"), "ws://other:1/");
});

test("a page that the browser had kept aside sends nothing on its old socket until that has answered", async () => {
  const around = page();
  const clu = await connectedPlain(around);
  around.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
  assert.equal(clu.send("dome", "open").state, "sent", "it was only loaded");
  around.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  const command = clu.send("dome", "close");
  assert.equal(command.state, "rejected");
  assert.match(command.message, /is being checked, because the page was kept aside/);
  advance(5_000);
  assert.equal(FakeSocket.all.length, 2, "it connects anew");
});
