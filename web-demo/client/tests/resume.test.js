// What a page does when its connection is back, frame by frame.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, reconnect, client, connected, dome, gapNotice, hello, numbered, ok, advance, pong, recordEvents, resumed, snapshot, subscribed } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

test("a client without subscriptions resumes after the last reply, or after the last pong", async () => {
  const clu = await connected();
  const log = recordEvents(clu);
  FakeSocket.last.say(hello(41), numbered(42));
  let socket = reconnect();
  socket.say(hello(44));
  assert.deepEqual(socket.requests(), [{ op: "subscribe", id: "clu.js: all", filter: {}, since: { epoch: "e1", seq: 42 } }]);
  socket.say(resumed("clu.js: all", 44), numbered(43), gapNotice(), numbered(44), numbered(45));
  assert.deepEqual(log, [42, 43, "gap of 1.5", 44, 45]);
  advance(15_000);
  assert.deepEqual(socket.requests(), [{ op: "ping" }], "silence is probed");
  socket.say({ op: "pong", id: null, epoch: "e1", seq: 70 });
  socket = reconnect();
  socket.say(hello(80));
  assert.deepEqual(socket.requests()[0].since, { epoch: "e1", seq: 70 });
});

test("a bridge that stops answering pings is disconnected", async () => {
  const clu = await connected();
  FakeSocket.last.say(hello());
  advance(18_000);
  assert.equal(clu.state, "open");
  advance(1_500);
  assert.equal(FakeSocket.all.length, 2);
});

test("what several subscriptions missed is delivered in order, once, with each gap once at its place", async () => {
  const { clu, log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const socket = reconnect();
  socket.say(hello(55));
  assert.deepEqual(socket.requests().map(({ id, since, snapshot: wanted }) => [id, since.seq, wanted]), [["1", 50, undefined], ["2", 50, undefined]]);
  socket.say(resumed("1", 55), numbered(51), gapNotice(), numbered(55), numbered(56));
  socket.say(resumed("2", 56), numbered(52, {}, { sender: "roof" }), gapNotice(), numbered(54, {}, { sender: "roof" }), numbered(49, {}, { sender: "roof" }), numbered(50), numbered(51), numbered(57), numbered(57));
  assert.deepEqual(log, []);
  assert.deepEqual(socket.requests(), [{ op: "ping", id: "clu.js: caught up" }]);
  socket.say(numbered(58), pong(58), numbered(59));
  assert.deepEqual(log, [51, 52, "gap of 1.5", 54, 55, 56, 57, 58, 59]);
  assert.equal(clu.protocol, "v1");
});

test("a gap follows the last reply that any subscription has before it", async () => {
  const { log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  reconnect().say(hello(55), resumed("1", 55), gapNotice(), numbered(52), numbered(55), resumed("2", 55), gapNotice(), numbered(53, {}, { sender: "roof" }), pong(55));
  assert.deepEqual(log, ["gap of 1.5", 52, 53, 55]);
});

test("replies still to be resumed follow the cursor, whatever arrives before the answer of a bridge on a stream", async () => {
  const { clu, log } = await subscribed({ sender: "dome" });
  let socket = reconnect();
  socket.say(hello(49));
  clu.subscribe({ sender: "roof" }, { snapshot: false });
  socket.say(ok("2"), numbered(53, {}, { sender: "roof" }), { op: "pong", id: null, epoch: "e1", seq: 53 });
  assert.deepEqual(log, [53]);
  socket = reconnect();
  socket.say(hello(54));
  assert.deepEqual(socket.requests().map(({ since }) => since.seq), [50, 50]);
  socket.say(resumed("1", 54), numbered(51), numbered(52), resumed("2", 54), numbered(53, {}, { sender: "roof" }), pong(54));
  assert.deepEqual(log, [53, 51, 52]);
});

test("late replies are marked as such, with the time of their publication", async () => {
  const clu = await connected();
  const late = [];
  clu.on("reply", (reply) => late.push([reply.seq, reply.late, new Date(reply.at).toISOString()]));
  FakeSocket.last.say(hello(41));
  mock.timers.tick(1_000);
  const socket = reconnect();
  const published = (seq, timestamp) => ({ ...numbered(seq), timestamp });
  socket.say(hello(44), resumed("clu.js: all", 44), published(42, "2026-11-21T01:59:59+00:00"), published(43, "2026-11-21T02:00:05+00:00"), published(44, "2026-11-21T03:00:00+00:00"), published(45, "2026-11-21T02:00:05+00:00"));
  assert.deepEqual(late, [
    [42, true, "2026-11-21T02:00:00.000Z"],  // not before what was received last
    [43, true, "2026-11-21T02:00:05.000Z"],
    [44, true, "2026-11-21T02:00:11.000Z"],  // not in the future
    [45, false, "2026-11-21T02:00:11.000Z"],
  ]);
});

test("a throttled subscription requests its values again, because delayed replies are lost with the connection", async () => {
  const clu = client();
  const subscription = clu.subscribe({ sender: "dome" }, { throttle: 1_000, snapshot: false });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(), resumed("1", 41), numbered(50, { shutter: "closed" }));
  const socket = reconnect();
  socket.say(hello(51));
  const [{ snapshot: wanted, throttle_ms: throttle, since }] = socket.requests();
  assert.deepEqual([wanted, throttle, since.seq], [true, 1_000, 50]);
  socket.say(resumed("1", 51), snapshot("1", 51, dome("open", 49)));
  assert.equal(subscription.values.dome.shutter.value, "closed", "a snapshot may hold an older value");
  socket.say(snapshot("1", 52, dome("open", 51)));
  assert.equal(subscription.values.dome.shutter.value, "open");
});

test("a delayed reply with a lower number is delivered, and no reply twice", async () => {
  const { log } = await subscribed({ sender: "dome" });
  FakeSocket.last.say(numbered(55), numbered(53), numbered(55), numbered(53), numbered(56), numbered(54));
  assert.deepEqual(log, [55, 53, 56, 54]);
  const socket = reconnect();
  socket.say(hello(60));
  assert.equal(socket.requests()[0].since.seq, 56);
});

test("if the bridge cannot resume, there is one gap, and the snapshot has the values", async () => {
  const { clu, subscriptions, log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const gaps = [];
  clu.on("gap", ({ from, to, seconds }) => gaps.push([from.getTime(), to.getTime(), seconds]));
  const heardAt = Date.now();
  const socket = reconnect();
  socket.say(hello(3, "e2"));
  const not = (id) => ok(id, { resumed: false, reason: "the numbers have begun anew", epoch: "e2", seq: 3 });
  socket.say(not("1"), snapshot("1", 3, dome("new", 2), "e2"), numbered(4, { n: 4 }, { epoch: "e2" }), not("2"), snapshot("2", 4, {}, "e2"), pong(4, undefined, "e2"), numbered(5, {}, { epoch: "e2" }));
  assert.deepEqual(log, ["gap: the numbers have begun anew", 4, 5]);
  assert.deepEqual(gaps, [[heardAt - 5_000, Date.now(), 15]], "what was on its way to the bridge may be missing, too");
  assert.equal(subscriptions[0].values.dome.shutter.value, "new");
  assert.equal(subscriptions[0].values.dome.n.value, 4, "a lower number of a new epoch is newer");
  const next = reconnect();
  next.say(hello(9, "e2"));
  assert.deepEqual(next.requests().map(({ since }) => since), [{ epoch: "e2", seq: 5 }, { epoch: "e2", seq: 5 }]);
});

test("after a bridge could not resume, the next connection resumes from its answer", async () => {
  const { log } = await subscribed({ sender: "dome" });
  reconnect().say(hello(3, "e2"), ok("1", { resumed: false, reason: "gone", epoch: "e2", seq: 3 }));
  const socket = reconnect();
  socket.say(hello(4, "e2"));
  assert.deepEqual(socket.requests()[0].since, { epoch: "e2", seq: 3 });
  socket.say(resumed("1", 4, "e2"), numbered(4, {}, { epoch: "e2" }));
  assert.deepEqual(log, ["gap: gone", 4]);
});

test("a client without subscriptions continues with the new numbers of a restarted bridge", async () => {
  const clu = await connected();
  const log = recordEvents(clu);
  FakeSocket.last.say(hello(41), numbered(42));
  const socket = reconnect();
  socket.say(hello(1, "e2"));
  assert.deepEqual(socket.requests()[0].since, { epoch: "e2", seq: 1 }, "no snapshot of everything is requested");
  socket.say(resumed("clu.js: all", 2, "e2"), numbered(2, {}, { epoch: "e2" }));
  assert.deepEqual(log, [42, "gap: the bridge's numbering has restarted: this is epoch e2", 2]);
});

test("a connection that is lost while catching up loses nothing, and the next one goes on where it was", async () => {
  const { log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  let socket = reconnect();
  socket.say(hello(53), resumed("1", 53), numbered(51), numbered(54));
  socket = reconnect();
  socket.say(hello(54), resumed("1", 54), numbered(51), numbered(54), resumed("2", 54), numbered(52, {}, { sender: "roof" }));
  socket = reconnect();
  socket.say(hello(54));
  assert.deepEqual(socket.requests().map(({ since }) => since.seq), [54, 52]);
  socket.say(resumed("1", 54), resumed("2", 54), numbered(53, {}, { sender: "roof" }), pong(54));
  assert.deepEqual(log, [51, 52, 53, 54]);
  socket = reconnect();
  socket.say(hello(54));
  assert.deepEqual(socket.requests().map(({ since }) => since.seq), [54, 54]);
});

test("what was buffered for a subscription that was closed meanwhile is not delivered", async () => {
  const { subscriptions: [, second], log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  reconnect().say(hello(53), resumed("1", 53), numbered(51), resumed("2", 53), numbered(52, {}, { sender: "roof" }));
  FakeSocket.last.drop();
  second.close();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(53));
  assert.deepEqual(FakeSocket.last.requests().map(({ since }) => since.seq), [53]);
  FakeSocket.last.say(resumed("1", 53), pong(53), numbered(54));
  assert.deepEqual(log, [51, 54]);
});

test("a single subscription resumes from each reply that it got, also while it catches up", async () => {
  const { log } = await subscribed({ sender: "dome" });
  let socket = reconnect();
  socket.say(hello(54), resumed("1", 54), numbered(51), numbered(52));
  socket = reconnect();
  socket.say(hello(54));
  assert.equal(socket.requests()[0].since.seq, 52);
  socket.say(resumed("1", 54), numbered(53), numbered(54));
  assert.deepEqual(log, [51, 52, 53, 54]);
});

test("last values that were lost with the connection are asked for again", async () => {
  const clu = client();
  const values = [];
  clu.subscribe({ sender: "dome" }, { onValues: ({ dome: { shutter } }) => values.push(shutter.value) });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(41), resumed("1", 41));
  let socket = reconnect();
  socket.say(hello(41));
  assert.equal(socket.requests()[0].snapshot, true);
  socket.say(resumed("1", 41), snapshot("1", 41, dome("open", 40)));
  socket = reconnect();
  socket.say(hello(3, "e2"));
  assert.equal(socket.requests()[0].snapshot, undefined);
  socket.say(ok("1", { resumed: false, reason: "gone", epoch: "e2", seq: 3 }));
  socket = reconnect();
  socket.say(hello(3, "e2"));
  assert.equal(socket.requests()[0].snapshot, true, "they were to come in place of the replies");
  socket.say(resumed("1", 3, "e2"), snapshot("1", 3, dome("closed", 2), "e2"));
  assert.deepEqual(values, ["open", "closed"]);
});

test("a reply that comes for another subscription while one resumes is for that one, too", async () => {
  const { clu } = await subscribed({ sender: "dome" });
  const received = [];
  const socket = reconnect();
  socket.say(hello(52));
  clu.on("reply", ({ seq }) => received.push(seq));
  const all = [];
  clu.subscribe({}, { snapshot: false, onReply: ({ seq }) => all.push(seq) });
  let missed = 0;
  clu.subscribe({ sender: "roof" }, { snapshot: false, onReply: () => { missed += 1; } });
  socket.say(ok("2"), numbered(53, { n: 53 }), resumed("1", 53), numbered(51), numbered(52), ok("3"));
  assert.deepEqual([received, all, missed], [[53, 51, 52], [53, 51, 52], 0]);
});

test("subscriptions that are added and closed without a connection take effect on the next one", async () => {
  const { clu, subscriptions: [first] } = await subscribed({ sender: "dome" });
  FakeSocket.last.drop();
  first.close();
  const received = [];
  clu.subscribe({ sender: "roof" }, { onReply: ({ seq }) => received.push(seq) });
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(53));
  assert.deepEqual(FakeSocket.last.requests().map(({ op, id, snapshot: wanted }) => [op, id, wanted]), [["subscribe", "2", true]]);
  FakeSocket.last.say(resumed("2", 53), numbered(52, {}, { sender: "roof" }));
  assert.deepEqual(received, [52]);
});

test("a subscription added during catch-up gets what follows its answer, a closed one gets nothing", async () => {
  const { clu, subscriptions: [first], log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const socket = reconnect();
  socket.say(hello(53), resumed("1", 53), numbered(51), numbered(53));
  const received = [];
  const added = clu.subscribe({}, { onReply: ({ seq }) => received.push(seq), snapshot: false });
  first.close();
  socket.say(resumed("2", 53), numbered(52, {}, { sender: "roof" }));
  socket.say(ok(added.id), numbered(54), ok("1"), numbered(55), pong(55));
  assert.deepEqual(received, [54, 55]);
  assert.deepEqual(log, [52, 54, 55]);
});

test("a client that is closed while catching up delivers nothing, and resumes from where it was", async () => {
  const { clu, log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  let socket = reconnect();
  socket.say(hello(53), resumed("1", 53), numbered(51));
  clu.close();
  socket.say(resumed("2", 53), pong(53));
  assert.deepEqual(log, []);
  clu.connect();
  socket = FakeSocket.last;
  socket.accept();
  socket.say(hello(53));
  assert.deepEqual(socket.requests().map(({ since }) => since.seq), [51, 50]);
});

test("a listener may close the client, or subscribe, while a buffer is delivered", async () => {
  const { clu } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const received = [];
  clu.on("reply", ({ seq }) => {
    received.push(seq);
    if (seq === 51) clu.subscribe({ sender: "new" });
    if (seq === 52) clu.close();
  });
  const socket = reconnect();
  socket.say(hello(53), resumed("1", 53), numbered(51), numbered(52), numbered(53), resumed("2", 53), pong(53));
  assert.deepEqual(received, [51, 52, 53], "the rest of the buffer is delivered");
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(53));
  assert.deepEqual(FakeSocket.last.requests().map(({ id, since }) => [id, since.seq]), [["1", 53], ["2", 53], ["3", 53]]);
});

test("a full buffer is delivered as it is, still once", async () => {
  const { clu } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const received = [];
  clu.on("reply", ({ seq }) => received.push(seq));
  let socket = reconnect();
  socket.say(hello(16_000), resumed("1", 16_000));
  const missed = (from, to, sender) => { for (let seq = from; seq <= to; seq += 1) socket.say(numbered(seq, {}, { sender })); };
  missed(100, 16_000, "dome");
  assert.equal(received.length, 15_901);
  socket = reconnect();
  socket.say(hello(16_000));
  assert.deepEqual(socket.requests().map(({ since }) => since.seq), [16_000, 50]);
  socket.say(resumed("1", 16_000));
  missed(15_990, 16_000, "dome");
  socket.say(resumed("2", 16_000));
  missed(60, 99, "roof");
  socket.say(pong(16_000));
  assert.equal(received.length, 15_941);
  assert.equal(new Set(received).size, received.length);
});

test("a URL that subscribes by itself is kept, and resumed", async () => {
  const { Clu } = await import("../clu.js");
  const clu = new Clu("ws://bridge/?sender=dome&snapshot=1", { WebSocket: FakeSocket, random: () => 0.5, window: undefined, document: undefined });
  const log = recordEvents(clu);
  clu.connect();
  FakeSocket.last.accept();
  assert.equal(FakeSocket.last.url, "ws://bridge/?sender=dome&snapshot=1");
  FakeSocket.last.say(hello(), ok("url"), snapshot("url", 41, {}), numbered(42));
  const socket = reconnect();
  assert.equal(socket.url, "ws://bridge/?sender=dome&snapshot=1&since=e1%3A42");
  socket.say(hello(43), resumed("url", 43), numbered(43));
  assert.deepEqual(log, [42, 43]);
  assert.deepEqual(socket.requests(), []);
});
