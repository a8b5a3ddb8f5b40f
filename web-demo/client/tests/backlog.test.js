// What a page does that reads more slowly than replies arrive.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, client, numbered, ok, reconnect, resumed, snapshot } from "./fakebridge.js";

const NOON = Date.UTC(2026, 10, 21, 12);

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOON });
});
afterEach(() => mock.timers.reset());

const iso = (ms) => new Date(ms).toISOString();
const hello = (seq, epoch = "e1") => ({ op: "hello", name: "bridge", epoch, seq, broker: "up", time: iso(Date.now()), capabilities: [] });

/** A reply that the bridge heard at a time, in ms after noon. A live one has microseconds. */
const heard = (seq, at, body = {}, more = {}) => ({ ...numbered(seq, body, more), heard: (NOON + at) * 1_000 + 123 });
const shutter = (value, seq) => ({ dome: { time: iso(NOON), code: "i", seq, keywords: { shutter: { value, time: iso(NOON), code: "i", seq } } } });
const kinds = (requests) => requests.map(({ op, id }) => `${op} ${id}`);

/** A page with a subscription to everything, which has received the reply 50. */
function page(options = {}) {
  const clu = client(options);
  const subscription = clu.subscribe({}, { snapshot: true });
  const log = [];
  clu.on("reply", ({ seq }) => log.push(seq));
  clu.on("lag", ({ behind, seconds }) => log.push(behind ? `behind ${seconds.toFixed(1)}` : "current"));
  clu.on("dropped", ({ count, from, to }) => log.push(`dropped ${count}, ${((to - from) / 1_000).toFixed(1)} s`));
  clu.on("gap", ({ reason }) => log.push(`gap: ${reason}`));
  clu.connect();
  const socket = FakeSocket.last;
  socket.accept();
  socket.say(hello(49), resumed("1", 49), snapshot("1", 49, {}), heard(50, 0, { shutter: "closed" }));
  socket.requests();
  log.length = 0;
  return { clu, subscription, log, socket };
}

test("a page that is behind says so, skips what is old, and has the last values when it is current", () => {
  const { clu, subscription, log, socket } = page();
  mock.timers.tick(4_000);
  socket.say(heard(51, 500));
  assert.deepEqual(log, ["behind 3.5", 51]);
  assert.ok(clu.lag > 3.4 && clu.lag < 3.6);
  assert.deepEqual(kinds(socket.requests()), ["ping clu.js: backlog"]);
  socket.say(heard(52, 600, { shutter: "moving" }), heard(53, 2_600));
  assert.deepEqual(log, ["behind 3.5", 51], "these are not read");
  socket.say(heard(54, 3_900));
  assert.deepEqual(kinds(socket.requests()), ["snapshot 1"], "asked for when all that was skipped had been heard");
  socket.say(heard(56, 3_990, { shutter: "newer" }), snapshot("1", 55, shutter("open", 55)));
  assert.deepEqual(log.slice(2), [54, 56, "dropped 2, 2.0 s", "current"]);
  assert.equal(subscription.values.dome.shutter.value, "newer", "a snapshot does not replace newer values");
});

test("what waited while the computer slept is not shown as new", () => {
  let awake = 0;
  const { log, socket } = page({ monotonic: () => awake });
  awake += 1_000;
  mock.timers.setTime(NOON + 61_000);  // a minute without the monotonic clock
  socket.say(heard(51, 2_000), heard(52, 30_000), heard(53, 60_900));
  assert.deepEqual(log, ["behind 59.0", 51, 53]);
});

test("a pong that comes soon shows that a page is current, though no reply follows", () => {
  const { clu, log, socket } = page();
  mock.timers.tick(4_000);
  socket.say(heard(51, 500), heard(52, 700));
  mock.timers.tick(1_500);
  socket.requests();
  socket.say({ op: "pong", id: "clu.js: backlog", time: iso(Date.now() - 1_400) });
  assert.deepEqual(kinds(socket.requests()), ["ping clu.js: backlog"], "it is still behind");
  socket.say({ op: "pong", id: "clu.js: backlog", time: iso(Date.now()) });
  assert.deepEqual(kinds(socket.requests()), ["snapshot 1"]);
  socket.say(snapshot("1", 52, {}));
  assert.deepEqual(log, ["behind 3.5", 51, "dropped 1, 0.0 s", "current"]);
  mock.timers.tick(3_000);
  assert.equal(clu.lag, 0, "nothing comes");
});

test("replies to a page's own commands are never skipped", async () => {
  const { clu, log, socket } = page();
  const command = clu.send("dome", "open");
  mock.timers.tick(4_000);
  socket.say(heard(51, 500), heard(52, 600));
  const { command_id: id } = JSON.parse(socket.sent[0]);
  socket.say(heard(53, 700, {}, { commandId: id, code: ">" }), heard(54, 710), heard(55, 720, {}, { commandId: id, code: ":" }));
  assert.equal((await command).reply.seq, 55);
  assert.deepEqual(log, ["behind 3.5", 51, 53, 55]);
});

test("a wrong clock of the computer changes nothing", () => {
  const { clu, log, socket } = page();
  mock.timers.setTime(Date.now() + 7_200_000);  // the monotonic clock of these tests follows: the page has seen nothing for two hours
  socket.say(heard(51, 7_199_900));
  assert.deepEqual(log, [51]);
  assert.ok(clu.lag < 0.2);
  const wrong = client({ monotonic: () => 0 });
  mock.timers.setTime(NOON + 30_000_000);
  wrong.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...hello(1), time: iso(NOON) });
  const replies = [];
  wrong.on("reply", (reply) => replies.push(reply));
  FakeSocket.last.say(heard(2, 50));
  assert.deepEqual([replies[0].heard, wrong.now()], [NOON + 50.123, NOON + 50.123], "the bridge's clock is not before what it has heard");
  assert.equal(Math.round((replies[0].at - Date.now()) / 1_000), 0, "by the local clock it is now");
  assert.equal(Math.round(wrong.clockError / 1_000), 30_000, "and that is told");
});

test("replies that were missed, or kept by a queue, are old without the page being slow, and are read", () => {
  const { clu, log, socket } = page();
  mock.timers.tick(10_000);
  socket.say({ ...numbered(51), heard: (NOON + 1_000) * 1_000 }, { ...numbered(52), heard: 0 });
  assert.deepEqual(log, [51, 52]);
  const next = reconnect();
  log.length = 0;
  next.say(hello(54), resumed("1", 54), heard(53, 2_000), heard(54, 2_500), heard(55, Date.now() - NOON));
  assert.deepEqual(log, ["behind 18.0", 53, 54, "current", 55], "it is behind until it has caught up");
  assert.equal(clu.lag, 0);
});

test("a page that has caught up is current though nothing new comes", () => {
  const { clu, log } = page();
  mock.timers.tick(10_000);
  const next = reconnect();
  next.requests();
  log.length = 0;
  next.say(hello(53), { op: "pong", id: "clu.js: time", epoch: "e1", seq: 50, time: iso(Date.now()) }, resumed("1", 53), heard(53, 2_000));
  assert.deepEqual([log, Math.round(clu.lag)], [["behind 18.0", 53], 18], "that pong came before what was missed");
  assert.equal(next.requests({ time: true }).filter(({ id }) => id === "clu.js: time").length, 2, "it asks when that comes");
  next.say({ op: "pong", id: "clu.js: time", epoch: "e1", seq: 53, time: iso(Date.now()) });
  assert.deepEqual(log.slice(2), ["current"]);
});

test("a page that was closed as too slow begins with the last values, and tells what that costs", () => {
  const { clu, subscription, log, socket } = page();
  const unknown = clu.send("dome", "open");
  socket.drop(1008, "too slow: the backlog of unread data exceeded its limit");
  mock.timers.tick(1_000);
  const next = FakeSocket.last;
  assert.notEqual(next, socket, "soon: it asks for less");
  next.accept();
  assert.ok(!next.url.includes("since"));
  next.say(hello(9_000));
  const [request, ...others] = next.requests();
  assert.deepEqual([others, request.snapshot, request.since.seq], [[], true, 9_000]);
  next.say(resumed("1", 9_000), snapshot("1", 9_000, shutter("open", 8_999)));
  assert.equal(subscription.values.dome.shutter.value, "open");
  assert.deepEqual(log, ["gap: this page read too slowly; it goes on with the last values"]);
  assert.equal(unknown.state, "unknown");
});

test("a page that loses its connection while it is behind does not ask for what it has not read", () => {
  const { log, socket } = page();
  mock.timers.tick(4_000);
  socket.say(heard(51, 500), heard(52, 600));
  const next = reconnect();
  next.say(hello(99));
  assert.deepEqual(next.requests().map(({ id, snapshot: wanted, since }) => [id, wanted, since.seq]), [["1", true, 99]]);
  assert.deepEqual(log.slice(2), ["dropped 1, 0.0 s", "current", "gap: this page read too slowly; it goes on with the last values"]);
});

test("replies to unknown commands are resumed, whatever else is not", async () => {
  const clu = client();
  clu.subscribe({ sender: "weather" });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(40), resumed("1", 40), snapshot("1", 40, {}), heard(41, 0, {}, { sender: "weather" }));
  const command = clu.send("dome", "open");
  const { command_id: id } = JSON.parse(FakeSocket.last.sent.find((text) => text.includes("command_string")));
  FakeSocket.last.drop(1008, "too slow: the backlog of unread data exceeded its limit");
  assert.equal(command.state, "unknown");
  mock.timers.tick(1_000);
  const socket = FakeSocket.last;
  socket.accept();
  socket.say(hello(900));
  const [, lost] = socket.requests();
  assert.deepEqual([lost.id, lost.since.seq], ["clu.js: lost", 41]);
  socket.say(resumed("clu.js: lost", 900), heard(77, 0, {}, { commandId: id, code: ":" }), resumed("1", 900), snapshot("1", 900, {}),
    { op: "pong", id: "clu.js: caught up", epoch: "e1", seq: 900 });
  assert.equal(command.state, "done");
});

test("a throttled reply may be as old as it was asked for", () => {
  const clu = client();
  const log = [];
  clu.subscribe({}, { throttle: 10_000, snapshot: false });
  clu.on("lag", ({ behind }) => log.push(behind));
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(1), ok("1"));
  mock.timers.tick(9_000);
  FakeSocket.last.say(heard(2, 10));
  assert.deepEqual(log, []);
});

test("maxLag Infinity keeps every reply, and a wrong one is refused", () => {
  const { log, socket } = page({ maxLag: Infinity });
  mock.timers.tick(60_000);
  socket.say(heard(51, 500), heard(52, 600));
  assert.deepEqual(log, [51, 52]);
  assert.throws(() => client({ maxLag: 0 }), /maxLag is a number of ms above 0/);
});
