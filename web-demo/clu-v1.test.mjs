// Subscriptions, values and resuming, frame by frame: what a bridge says, and what a page makes of it.
//
//     node --test web-demo/

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { PaperBridge, PaperSocket, client, connected, envelope, numbered, pass } from "./paper-bridge.mjs";

beforeEach(() => {
  PaperSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const hello = (seq = 41, epoch = "e1") => ({ op: "hello", session: "bridge-1", epoch, seq, broker: "up" });
const ok = (id, more = {}) => ({ op: "ok", id, ...more });
const resumed = (id, seq, epoch = "e1") => ok(id, { resumed: true, epoch, seq });
const pong = (seq, id = "clu.js: caught up", epoch = "e1") => ({ op: "pong", id, epoch, seq });
const gapNotice = (from = "2026-11-21T01:58:00.000000+00:00") => ({ op: "gap", from, to: "2026-11-21T01:58:01.500000+00:00", seconds: 1.5 });
const snapshot = (id, seq, actors, epoch = "e1") => ({ op: "snapshot", id, epoch, seq, actors });
const dome = (value, seq, more = {}) => ({
  dome: { time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq, keywords: { shutter: { value, time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq, ...more } } },
});

/** Everything that a client tells, in one list. */
function record(clu) {
  const log = [];
  clu.on("reply", ({ seq, body }) => log.push(seq ?? body));
  clu.on("gap", ({ reason, seconds }) => log.push(reason ? `gap: ${reason}` : `gap of ${seconds}`));
  return log;
}

/** Breaks the connection, and gives the socket of the next one, open. */
function again() {
  PaperSocket.last.break();
  mock.timers.tick(10_000);
  PaperSocket.last.accept();
  return PaperSocket.last;
}

/** A client that has subscribed, so, and had the reply 50. */
async function subscribed(...filters) {
  const clu = client();
  const subscriptions = filters.map((filter) => clu.subscribe(filter, { snapshot: false }));
  clu.connect();
  const socket = PaperSocket.last;
  socket.accept();
  socket.say(hello());
  socket.asked();
  subscriptions.forEach(({ id }) => socket.say(resumed(id, 41)));
  if (filters.length > 1) socket.say(pong(41));
  socket.say(numbered(50, { n: 50 }));
  return { clu, subscriptions, log: record(clu) };
}

// What is asked for, and by whom it is heard.

test("a page that asks for nothing hears everything from the first moment on", async () => {
  const clu = await connected();
  const log = record(clu);
  assert.equal(PaperSocket.last.url, "ws://bridge/?silent=0");
  PaperSocket.last.say(hello(), numbered(42), numbered(43));
  assert.deepEqual(log, [42, 43]);
  assert.deepEqual(PaperSocket.last.asked(), []);
  assert.equal(clu.protocol, "v1");
});

test("a subscription made before the connection goes out behind the greeting, from there on", async () => {
  const clu = client();
  clu.subscribe({ sender: "dome" }, { throttle: 200, ordered: true });
  clu.connect();
  PaperSocket.last.accept();
  assert.equal(PaperSocket.last.url, "ws://bridge/?silent=1");
  assert.deepEqual(PaperSocket.last.asked(), [], "CLU's own server must not be asked");
  PaperSocket.last.say(hello());
  assert.deepEqual(PaperSocket.last.asked(), [
    { op: "subscribe", id: "1", filter: { sender: "dome" }, throttle_ms: 200, ordered: true, snapshot: true, since: { epoch: "e1", seq: 41 } },
  ]);
});

test("the values are there with the snapshot, and follow the replies", async () => {
  const clu = client();
  const news = [];
  const subscription = clu.subscribe({ keyword: "s*" }, { onValues: (values, came) => news.push(came.map(({ keyword, value, before }) => [keyword, value, before?.value])) });
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(hello(), resumed("1", 41), snapshot("1", 41, dome("closed", 40, { internal: true })));
  assert.equal(await subscription.ready, subscription);
  const { shutter } = subscription.values.dome;
  assert.deepEqual([shutter.value, shutter.time.toISOString(), shutter.code, shutter.seq, shutter.internal], ["closed", "2026-11-21T01:50:00.500Z", "i", 40, true]);

  PaperSocket.last.say(numbered(42, { shutter: "open", temperature: 3 }), numbered(43, { shutter: "open" }));
  assert.deepEqual(Object.keys(subscription.values.dome), ["shutter"], "only what the filter asks for");
  assert.equal(subscription.values.dome.shutter.time.getTime(), Date.now());
  assert.deepEqual(news, [[["shutter", "closed", undefined]], [["shutter", "open", "closed"]], [["shutter", "open", "open"]]]);
});

test("an older value never takes the place of a newer one, and one too large is told as such", async () => {
  const clu = client();
  const subscription = clu.subscribe({}, { throttle: 200 });
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(hello(), resumed("1", 41), numbered(45, { shutter: "open" }), numbered(43, { shutter: "closed", light: 1 }));
  assert.equal(subscription.values.dome.shutter.value, "open");
  assert.equal(subscription.values.dome.light.value, 1, "a reply that was held back is a reply");
  const { value, ...tooLarge } = dome(0, 46).dome.keywords.shutter;
  PaperSocket.last.say(snapshot("1", 46, { dome: { keywords: { shutter: { ...tooLarge, too_large: 70_000 } } } }));
  assert.equal(subscription.values.dome.shutter.value, undefined);
  assert.equal(subscription.values.dome.shutter.tooLarge, 70_000);
});

test("keywords and actors may have any name", async () => {
  const clu = client();
  const subscription = clu.subscribe({});
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(hello(), resumed("1", 41), JSON.stringify(numbered(42, {}, { sender: "__proto__" })).replace('"body":{}', '"body":{"__proto__": 1, "constructor": 2}'));
  assert.deepEqual(Object.entries(subscription.values.__proto__).map(([name, { value }]) => [name, value]), [["__proto__", 1], ["constructor", 2]]);
});

test("of two overlapping subscriptions each gets its replies, and what both select comes once", async () => {
  const clu = client();
  const heard = { all: [], open: [] };
  clu.subscribe({ sender: "dome" }, { onReply: ({ seq }) => heard.all.push(seq) });
  clu.subscribe({ keyword: "shutter" }, { onReply: ({ seq }) => heard.open.push(seq) });
  const log = record(clu);
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(hello(), resumed("1", 41), resumed("2", 41), pong(41));
  PaperSocket.last.say(numbered(42, { x: 1 }), numbered(43, { shutter: 1 }), numbered(44, { shutter: 1 }, { sender: "roof" }), numbered(45, { x: 1 }, { sender: "roof" }));
  assert.deepEqual(heard, { all: [42, 43], open: [43, 44] });
  assert.deepEqual(log, [42, 43, 44], "what nobody asked for is nobody's");
});

test("the first subscription on an open connection ends that to everything, with nothing missed between", async () => {
  const { clu, log } = await subscribed();
  const socket = again();
  assert.equal(socket.url, "ws://bridge/?silent=1");
  socket.say(hello(52));
  assert.deepEqual(socket.asked(), [{ op: "subscribe", id: "clu.js: all", filter: {}, since: { epoch: "e1", seq: 50 } }]);
  socket.say(resumed("clu.js: all", 52), numbered(51), numbered(52));
  assert.deepEqual(log, [51, 52]);
  const subscription = clu.subscribe({ sender: "roof" });
  assert.deepEqual(socket.asked().map(({ op, id, since }) => [op, id, since]), [["subscribe", "1", undefined], ["unsubscribe", "clu.js: all"]].map((row) => [...row, undefined].slice(0, 3)));
  socket.say(numbered(53, {}, { sender: "roof" }), ok("1"), numbered(54, {}, { sender: "roof" }), ok("clu.js: all"));
  await subscription.ready;
  assert.equal(log.at(-1), 54);
});

test("a wrong filter is told to its owner in the bridge's words, and the others go on", async () => {
  const clu = client();
  const errors = [];
  clu.on("error", ({ message }) => errors.push(message));
  const heard = [];
  const wrong = clu.subscribe({ senders: "dome" });
  clu.subscribe({ sender: "dome" }, { onReply: ({ seq }) => heard.push(seq) });
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(hello());
  assert.deepEqual(PaperSocket.last.asked().map(({ filter }) => filter), [{ senders: "dome" }, { sender: "dome" }]);
  const words = 'the filter has a field "senders", which there is not';
  PaperSocket.last.say({ op: "error", id: "1", code: "bad_request", message: words }, resumed("2", 42), numbered(42));
  assert.equal(PaperSocket.last.asked()[0].op, "ping", "nothing is owed any more");
  PaperSocket.last.say(pong(42));
  await assert.rejects(wrong.ready, { message: words });
  assert.equal(wrong.closed, true);
  assert.deepEqual(errors, [`A subscription was refused: ${words}`]);
  assert.deepEqual(heard, [42]);

  const socket = again();
  socket.say(hello());
  assert.deepEqual(socket.asked().map(({ id }) => id), ["2"], "it is not asked for again");
});

test("a subscription that is closed is heard no more, wherever it was", async () => {
  const { clu, subscriptions: [subscription] } = await subscribed({ sender: "dome" });
  const heard = [];
  clu.on("reply", ({ seq }) => heard.push(seq));
  subscription.close();
  assert.deepEqual(PaperSocket.last.asked(), [{ op: "unsubscribe", id: "1" }]);
  PaperSocket.last.say(numbered(51), ok("1"));
  assert.deepEqual(heard, []);
  assert.equal(subscription.values.dome.n.value, 50, "its values stay");
  const early = clu.subscribe({ sender: "roof" });
  early.close();
  await assert.rejects(early.ready, { message: "the subscription was closed" });
  assert.deepEqual(PaperSocket.last.asked().map(({ op }) => op), ["subscribe"]);
  PaperSocket.last.say(ok("2"));
  assert.deepEqual(PaperSocket.last.asked(), [{ op: "unsubscribe", id: "2" }], "what has not begun cannot end");
  const socket = again();
  socket.say(hello(60));
  assert.deepEqual(socket.asked(), []);
});

test("more subscriptions than a bridge takes at once are refused here", async () => {
  const clu = await connected();
  const all = Array.from({ length: 61 }, () => clu.subscribe({}));
  await assert.rejects(all[60].ready, { message: /60 subscriptions/ });
  assert.equal(all[59].closed, false);
});

// Commands.

test("the bridge's error ends the command that it names: unknown, or failed", async () => {
  const clu = await connected();
  PaperSocket.last.say(hello());
  const errors = [];
  clu.on("error", ({ message }) => errors.push(message));
  for (const [code, state] of [["unknown", "unknown"], ["away", "failed"], ["blocked", "failed"], ["returned", "failed"], ["bad_request", "failed"], ["from the future", "failed"]]) {
    const command = clu.send("dome", "open", { commandId: code });
    PaperSocket.last.say({ op: "error", id: null, command_id: code, code, message: "Because." });
    await assert.rejects(command, { state, code, message: state === "unknown" ? "unknown: Because." : "Because." });
  }
  assert.deepEqual(errors, []);
  assert.deepEqual(clu.commands, []);
  PaperSocket.last.say({ op: "error", id: null, code: "bad_request", message: "What?" }, { op: "error", id: null, command_id: "x", code: "away", message: "Not mine." });
  assert.deepEqual(errors, ["The bridge refused a message: What?", "The bridge refused a message: Not mine."]);
});

test("the replies to a command come although no subscription selects them", async () => {
  const { clu } = await subscribed({ sender: "weather" });
  const command = clu.send("dome", "open", { commandId: "id-1" });
  assert.deepEqual(PaperSocket.last.sent.map((text) => JSON.parse(text)), [
    { op: "subscribe", id: "clu.js: mine", filter: { commander: "me" }, since: { epoch: "e1", seq: 50 } },
    { consumer: "dome", command_string: "open", command_id: "id-1" },
  ]);
  PaperSocket.last.say(resumed("clu.js: mine", 50), numbered(51, {}, { code: ":", commandId: "id-1" }));
  await command;
  PaperSocket.last.sent = [];
  clu.send("dome", "close", { commandId: "id-2" });
  assert.equal(PaperSocket.last.sent.length, 1, "once for a connection");
});

test("where a subscription brings everything, its commands are not asked for", async () => {
  const { clu } = await subscribed({});
  clu.send("dome", "open", { commandId: "id-1" });
  assert.deepEqual(PaperSocket.last.asked(), []);
});

test("what became of a command whose connection was lost is asked for with the next one", async () => {
  const { clu } = await subscribed({ sender: "weather" });
  const command = clu.send("dome", "open", { commandId: "id-[1]*" });
  PaperSocket.last.say(resumed("clu.js: mine", 50));
  const socket = again();
  assert.equal(command.state, "unknown");
  socket.say(hello(52));
  const [lost, weather] = socket.asked();
  assert.deepEqual(lost, { op: "subscribe", id: "clu.js: lost", filter: { command_id: ["id-[[]1][*]"] }, since: { epoch: "e1", seq: 50 } });
  assert.equal(weather.id, "1");
  socket.say(resumed("clu.js: lost", 52), numbered(52, { text: "Opened." }, { code: ":", commandId: "id-[1]*" }), resumed("1", 52));
  assert.equal(command.state, "unknown", "held, until all are answered");
  assert.deepEqual(socket.asked().map(({ op }) => op), ["ping"]);
  socket.say(pong(52));
  assert.equal(command.state, "done");
  assert.deepEqual(socket.asked(), [{ op: "unsubscribe", id: "clu.js: lost" }]);
});

test("a command between the opening and the greeting has its replies, or is told to be unknown", async () => {
  const { clu } = await subscribed({ sender: "weather" });
  for (const [resumes, seq] of [[true, 60], [false, 70]]) {
    const socket = again();
    const command = clu.send("dome", "open", { commandId: `resumed ${resumes}` });
    socket.sent = [];
    socket.say(hello(seq));
    const [mine] = socket.asked();
    assert.deepEqual([mine.id, mine.since], ["clu.js: mine", { epoch: "e1", seq }]);
    socket.say(ok("clu.js: mine", { resumed: resumes, reason: "gone", epoch: "e1", seq: seq + 1 }), resumed("1", seq + 1), pong(seq + 1));
    assert.equal(command.state, resumes ? "sent" : "unknown");
    socket.say(numbered(seq + 2, {}, { code: ":", commandId: `resumed ${resumes}` }));
    assert.equal(command.state, "done");
  }
});

// Resuming.

test("a client of everything resumes behind the last reply, or behind the last pong", async () => {
  const clu = await connected();
  const log = record(clu);
  PaperSocket.last.say(hello(41), numbered(42));
  let socket = again();
  socket.say(hello(44));
  assert.deepEqual(socket.asked(), [{ op: "subscribe", id: "clu.js: all", filter: {}, since: { epoch: "e1", seq: 42 } }]);
  socket.say(resumed("clu.js: all", 44), numbered(43), gapNotice(), numbered(44), numbered(45));
  assert.deepEqual(log, [42, 43, "gap of 1.5", 44, 45]);
  pass(15_000);
  assert.deepEqual(socket.asked(), [{ op: "ping" }], "silence is looked into");
  socket.say({ op: "pong", id: null, epoch: "e1", seq: 70 });
  socket = again();
  socket.say(hello(80));
  assert.deepEqual(socket.asked()[0].since, { epoch: "e1", seq: 70 });
});

test("a bridge that does not answer its pings any more is given up", async () => {
  const clu = await connected();
  PaperSocket.last.say(hello());
  pass(18_000);
  assert.equal(clu.state, "open");
  pass(1_500);
  assert.equal(PaperSocket.all.length, 2);
});

test("what several subscriptions missed is handed out in order, once, with each gap once at its place", async () => {
  const { clu, log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const socket = again();
  socket.say(hello(55));
  assert.deepEqual(socket.asked().map(({ id, since, snapshot: wanted }) => [id, since.seq, wanted]), [["1", 50, undefined], ["2", 50, undefined]]);
  socket.say(resumed("1", 55), numbered(51), gapNotice(), numbered(55), numbered(56));
  socket.say(resumed("2", 56), numbered(52, {}, { sender: "roof" }), gapNotice(), numbered(54, {}, { sender: "roof" }), numbered(50, {}, { sender: "roof" }), numbered(57));
  assert.deepEqual(log, []);
  assert.deepEqual(socket.asked(), [{ op: "ping", id: "clu.js: caught up" }]);
  socket.say(numbered(58), pong(58), numbered(59));
  assert.deepEqual(log, [51, 52, "gap of 1.5", 54, 55, 56, 57, 58, 59]);
  assert.equal(clu.protocol, "v1");
});

test("replies that come late are told as such, with the time when they were said", async () => {
  const clu = await connected();
  const late = [];
  clu.on("reply", (reply) => late.push([reply.seq, reply.late, new Date(reply.at).toISOString()]));
  PaperSocket.last.say(hello(41));
  mock.timers.tick(1_000);
  const socket = again();
  const said = (seq, timestamp) => ({ ...numbered(seq), timestamp });
  socket.say(hello(44), resumed("clu.js: all", 44), said(42, "2026-11-21T01:59:59+00:00"), said(43, "2026-11-21T02:00:05+00:00"), said(44, "2026-11-21T03:00:00+00:00"), said(45, "2026-11-21T02:00:05+00:00"));
  assert.deepEqual(late, [
    [42, true, "2026-11-21T02:00:00.000Z"],  // not before what was heard last
    [43, true, "2026-11-21T02:00:05.000Z"],
    [44, true, "2026-11-21T02:00:11.000Z"],  // not in the future
    [45, false, "2026-11-21T02:00:11.000Z"],
  ]);
});

test("a throttled subscription asks for its values again: what was held back is lost", async () => {
  const clu = client();
  const subscription = clu.subscribe({ sender: "dome" }, { throttle: 1_000, snapshot: false });
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(hello(), resumed("1", 41), numbered(50, { shutter: "closed" }));
  const socket = again();
  socket.say(hello(51));
  const [{ snapshot: wanted, throttle_ms: throttle, since }] = socket.asked();
  assert.deepEqual([wanted, throttle, since.seq], [true, 1_000, 50]);
  socket.say(resumed("1", 51), snapshot("1", 51, dome("open", 49)));
  assert.equal(subscription.values.dome.shutter.value, "closed", "a snapshot may hold what is older");
  socket.say(snapshot("1", 52, dome("open", 51)));
  assert.equal(subscription.values.dome.shutter.value, "open");
});

test("a held reply with a lower number is heard, and nothing is heard twice", async () => {
  const { log } = await subscribed({ sender: "dome" });
  PaperSocket.last.say(numbered(55), numbered(53), numbered(55), numbered(53), numbered(56));
  assert.deepEqual(log, [55, 53, 56]);
  const socket = again();
  socket.say(hello(60));
  assert.equal(socket.asked()[0].since.seq, 56);
});

test("where the bridge cannot resume, one gap tells so, and the snapshot has the values", async () => {
  const { clu, subscriptions, log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const gaps = [];
  clu.on("gap", ({ from, to, seconds }) => gaps.push([from.getTime(), to.getTime(), seconds]));
  const heardAt = Date.now();
  const socket = again();
  socket.say(hello(3, "e2"));
  const not = (id) => ok(id, { resumed: false, reason: "the numbers have begun anew", epoch: "e2", seq: 3 });
  socket.say(not("1"), snapshot("1", 3, dome("new", 2), "e2"), numbered(4, { n: 4 }, { epoch: "e2" }), not("2"), snapshot("2", 4, {}, "e2"), pong(4, undefined, "e2"), numbered(5, {}, { epoch: "e2" }));
  assert.deepEqual(log, ["gap: the numbers have begun anew", 4, 5]);
  assert.deepEqual(gaps, [[heardAt, Date.now(), 10]]);
  assert.equal(subscriptions[0].values.dome.shutter.value, "new");
  assert.equal(subscriptions[0].values.dome.n.value, 4, "a lower number of a new epoch is newer");
  const next = again();
  next.say(hello(9, "e2"));
  assert.deepEqual(next.asked().map(({ since }) => since), [{ epoch: "e2", seq: 5 }, { epoch: "e2", seq: 5 }]);
});

test("a client of everything goes on with the new numbers of a bridge that was restarted", async () => {
  const clu = await connected();
  const log = record(clu);
  PaperSocket.last.say(hello(41), numbered(42));
  const socket = again();
  socket.say(hello(1, "e2"));
  assert.deepEqual(socket.asked()[0].since, { epoch: "e2", seq: 1 }, "no snapshot of everything is wanted");
  socket.say(resumed("clu.js: all", 2, "e2"), numbered(2, {}, { epoch: "e2" }));
  assert.deepEqual(log, [42, "gap: the numbers have begun anew: this is epoch e2", 2]);
});

test("a connection that is lost while catching up costs nothing", async () => {
  const { log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  let socket = again();
  socket.say(hello(53), resumed("1", 53), numbered(51), numbered(54));
  socket = again();
  socket.say(hello(54), resumed("1", 54), numbered(51), numbered(54), resumed("2", 54), numbered(52, {}, { sender: "roof" }));
  socket = again();
  socket.say(hello(54));
  assert.deepEqual(socket.asked().map(({ since }) => since.seq), [50, 50]);
  socket.say(resumed("1", 54), numbered(51), numbered(54), resumed("2", 54), numbered(52, {}, { sender: "roof" }), pong(54));
  assert.deepEqual(log, [51, 52, 54]);
});

test("one subscription alone goes on from each reply that it had, also while it catches up", async () => {
  const { log } = await subscribed({ sender: "dome" });
  let socket = again();
  socket.say(hello(54), resumed("1", 54), numbered(51), numbered(52));
  socket = again();
  socket.say(hello(54));
  assert.equal(socket.asked()[0].since.seq, 52);
  socket.say(resumed("1", 54), numbered(53), numbered(54));
  assert.deepEqual(log, [51, 52, 53, 54]);
});

test("subscriptions that are added and closed while the connection is away are as if it had been there", async () => {
  const { clu, subscriptions: [first] } = await subscribed({ sender: "dome" });
  PaperSocket.last.break();
  first.close();
  const heard = [];
  clu.subscribe({ sender: "roof" }, { onReply: ({ seq }) => heard.push(seq) });
  mock.timers.tick(10_000);
  PaperSocket.last.accept();
  PaperSocket.last.say(hello(53));
  assert.deepEqual(PaperSocket.last.asked().map(({ op, id, snapshot: wanted }) => [op, id, wanted]), [["subscribe", "2", true]]);
  PaperSocket.last.say(resumed("2", 53), numbered(52, {}, { sender: "roof" }));
  assert.deepEqual(heard, [52]);
});

test("one that is added while others catch up hears what comes behind its answer, one that is closed nothing", async () => {
  const { clu, subscriptions: [first], log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const socket = again();
  socket.say(hello(53), resumed("1", 53), numbered(51), numbered(53));
  const heard = [];
  const added = clu.subscribe({}, { onReply: ({ seq }) => heard.push(seq), snapshot: false });
  first.close();
  socket.say(resumed("2", 53), numbered(52, {}, { sender: "roof" }));
  socket.say(ok(added.id), numbered(54), ok("1"), numbered(55), pong(55));
  assert.deepEqual(heard, [54, 55]);
  assert.deepEqual(log, [52, 54, 55]);
});

test("a client that is closed while catching up is silent, and goes on from where it was", async () => {
  const { clu, log } = await subscribed({ sender: "dome" }, { sender: "roof" });
  let socket = again();
  socket.say(hello(53), resumed("1", 53), numbered(51));
  clu.close();
  socket.say(resumed("2", 53), pong(53));
  assert.deepEqual(log, []);
  clu.connect();
  socket = PaperSocket.last;
  socket.accept();
  socket.say(hello(53));
  assert.deepEqual(socket.asked().map(({ since }) => since.seq), [50, 50]);
});

test("a listener may close the client, or subscribe, in the middle of what is handed out", async () => {
  const { clu } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const heard = [];
  clu.on("reply", ({ seq }) => {
    heard.push(seq);
    if (seq === 51) clu.subscribe({ sender: "new" });
    if (seq === 52) clu.close();
  });
  const socket = again();
  socket.say(hello(53), resumed("1", 53), numbered(51), numbered(52), numbered(53), resumed("2", 53), pong(53));
  assert.deepEqual(heard, [51, 52, 53], "what was heard is handed out");
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(hello(53));
  assert.deepEqual(PaperSocket.last.asked().map(({ id, since }) => [id, since.seq]), [["1", 53], ["2", 53], ["3", 53]]);
});

test("too much to be held is handed out as it comes, still once", async () => {
  const { clu } = await subscribed({ sender: "dome" }, { sender: "roof" });
  const heard = [];
  clu.on("reply", ({ seq }) => heard.push(seq));
  let socket = again();
  socket.say(hello(16_000), resumed("1", 16_000));
  const missed = (from, to, sender) => { for (let seq = from; seq <= to; seq += 1) socket.say(numbered(seq, {}, { sender })); };
  missed(100, 16_000, "dome");
  assert.equal(heard.length, 15_901);
  socket = again();
  socket.say(hello(16_000));
  assert.equal(socket.asked()[0].since.seq, 50, "it had not all of it");
  socket.say(resumed("1", 16_000));
  missed(100, 16_000, "dome");
  socket.say(resumed("2", 16_000));
  missed(60, 99, "roof");
  socket.say(pong(16_000));
  assert.equal(heard.length, 15_941);
  assert.equal(new Set(heard).size, heard.length);
});

test("a URL that asks for something itself is left to it, and resumed", async () => {
  const { Clu } = await import("./clu.js");
  const clu = new Clu("ws://bridge/?sender=dome&snapshot=1", { WebSocket: PaperSocket, random: () => 0.5, window: undefined, document: undefined });
  const log = record(clu);
  clu.connect();
  PaperSocket.last.accept();
  assert.equal(PaperSocket.last.url, "ws://bridge/?sender=dome&snapshot=1");
  PaperSocket.last.say(hello(), ok("url"), snapshot("url", 41, {}), numbered(42));
  const socket = again();
  assert.equal(socket.url, "ws://bridge/?sender=dome&snapshot=1&since=e1%3A42");
  socket.say(hello(43), resumed("url", 43), numbered(43));
  assert.deepEqual(log, [42, 43]);
  assert.deepEqual(socket.asked(), []);
});

// Notices.

test("the broker's state and what was left out are told, and what is unknown is ignored", async () => {
  const clu = await connected();
  const told = [];
  for (const type of ["broker", "dropped", "gap", "reply", "error"]) clu.on(type, (detail) => told.push([type, detail]));
  PaperSocket.last.say(hello(), { op: "broker", state: "down", reason: "refused" }, { op: "broker", state: "up" }, { op: "dropped", count: 12 }, { op: "news" }, { op: "result", id: "x" }, { ...gapNotice(null), seconds: null });
  assert.deepEqual(told, [
    ["broker", { state: "up", reason: null }], ["broker", { state: "down", reason: "refused" }], ["broker", { state: "up", reason: null }],
    ["dropped", { count: 12 }],
    ["gap", { from: null, to: new Date("2026-11-21T01:58:01.500Z"), seconds: null, reason: null }],
  ]);
});

// CLU's own server.

test("against CLU's own server filters work in the page, and each lost connection is a gap", async () => {
  const clu = client();
  const log = record(clu);
  const heard = [];
  const subscription = clu.subscribe({ sender: "dome" }, { onReply: ({ body }) => heard.push(body.n), throttle: 100 });
  clu.connect();
  PaperSocket.last.accept();
  PaperSocket.last.say(envelope("i", null, { n: 1 }), envelope("i", null, { n: 2 }, "roof"));
  await subscription.ready;
  assert.equal(subscription.values.dome.n.value, 1);
  assert.equal(subscription.values.dome.n.seq, null);
  const later = clu.subscribe({ sender: "roof" }, { onReply: ({ body }) => heard.push(body.n) });
  await later.ready;
  const command = clu.send("camera", "expose", { commandId: "id-1" });
  assert.deepEqual(PaperSocket.last.sent, ['{"consumer":"camera","command_string":"expose","command_id":"id-1"}'], "nothing but commands is sent");
  PaperSocket.last.say(envelope(":", "id-1", { n: 3 }, "camera"), envelope("i", null, { n: 4 }, "roof"));
  await command;
  const socket = again();
  socket.say(envelope("i", null, { n: 5 }));
  assert.deepEqual(heard, [1, 4, 5]);
  assert.deepEqual(log, [{ n: 1 }, { n: 3 }, { n: 4 }, "gap: this server does not keep replies for those who come back", { n: 5 }]);
  await assert.rejects(clu.subscribe({ senders: "x" }).ready, { message: /no field "senders"/ });
  assert.equal(clu.protocol, "plain");
});

test("a silent server without a greeting is CLU's own, until it greets", async () => {
  const clu = client();
  const subscription = clu.subscribe({ sender: "dome" });
  const wrong = clu.subscribe({ sender: "a[" });
  clu.connect();
  PaperSocket.last.accept();
  assert.equal(clu.protocol, null);
  pass(3_000);
  assert.equal(clu.protocol, "plain");
  await subscription.ready;
  await assert.rejects(wrong.ready);
  PaperSocket.last.say(hello());
  assert.equal(clu.protocol, "v1");
  assert.deepEqual(PaperSocket.last.asked().map(({ id }) => id), ["1"]);
});

test("a bridge that takes its time to greet again is waited for", async () => {
  const { clu, log } = await subscribed({ sender: "dome" });
  const socket = again();
  pass(4_000);
  assert.equal(clu.protocol, null);
  socket.say(hello(52));
  assert.equal(socket.asked()[0].since.seq, 50);
  assert.deepEqual(log, []);
});

test("a bridge that takes the place of CLU's own server, and the other way round, leaves a gap", async () => {
  const clu = await connected();
  const log = record(clu);
  PaperSocket.last.say(envelope("i", null, { n: 1 }));
  again().say(hello(7), numbered(8));
  again().say(envelope("i", null, { n: 2 }));
  again().say(hello(9), numbered(10));
  assert.deepEqual(log, [{ n: 1 }, "gap: nothing is known to go on from", 8,
    "gap: this server does not keep replies for those who come back", { n: 2 }, "gap: nothing is known to go on from", 10]);
});

// All of it together: whatever is cut, added or restarted wherever, nothing is missing and nothing comes twice.

test("two overlapping subscriptions on a connection that is cut anywhere have a record without a hole", () => {
  let seed = 7;
  const random = (n) => { seed = (seed * 48_271) % 2_147_483_647; return seed % n; };
  let cuts = 0;
  for (let round = 0; round < 60; round += 1) {
    PaperSocket.all = [];
    const bridge = new PaperBridge();
    const clu = client();
    const heard = { dome: [], odd: [], all: [] };
    const gaps = [];
    clu.subscribe({ sender: "dome" }, { onReply: ({ body }) => heard.dome.push(body.n) });
    clu.subscribe({ keyword: "odd" }, { onReply: ({ body }) => heard.odd.push(body.n) });
    clu.on("reply", ({ body }) => heard.all.push(body.n));
    clu.on("gap", ({ from }) => gaps.push(from));
    clu.connect();
    let published = 0;
    let told = 0;
    const publish = () => {
      published += 1;
      const body = published % 2 ? { n: published, odd: 1 } : { n: published };
      bridge.publish(random(2) ? "dome" : "roof", body);
    };
    const open = () => { PaperSocket.last.accept(); bridge.take(PaperSocket.last); };
    open();
    bridge.flush(PaperSocket.last);
    bridge.flush(PaperSocket.last);
    for (let step = 0; step < 200; step += 1) {
      const socket = PaperSocket.last;
      const what = random(12);
      if (what < 6) publish();
      else if (what < 10 && bridge.sessions.has(socket)) bridge.flush(socket, random(6));
      else if (what === 10) bridge.gap(new Date(Date.UTC(2026, 10, 21, 1, 0, told += 1)).toISOString());
      else if (bridge.sessions.has(socket)) { bridge.cut(socket); cuts += 1; }
      else { mock.timers.tick(10_000); open(); }
    }
    if (!bridge.sessions.has(PaperSocket.last)) { mock.timers.tick(10_000); open(); }
    for (let n = 0; n < 4; n += 1) bridge.flush(PaperSocket.last);

    const selected = (sub) => bridge.past.filter(sub).map(({ body }) => body.n);
    const isDome = ({ headers }) => headers?.sender === "dome";
    const isOdd = ({ body }) => body?.odd === 1;
    const where = `round ${round}`;
    assert.deepEqual(heard.dome, selected(isDome), where);
    assert.deepEqual(heard.odd, selected(isOdd), where);
    assert.deepEqual(heard.all, selected((reply) => isDome(reply) || isOdd(reply)), where);
    assert.equal(gaps.length, told, where);
    clu.close();
  }
  assert.ok(cuts > 300, `${cuts} cuts`);
});

test("with a short history, and restarts, nothing comes twice and every hole is told", () => {
  let seed = 11;
  const random = (n) => { seed = (seed * 48_271) % 2_147_483_647; return seed % n; };
  let holes = 0;
  for (let round = 0; round < 60; round += 1) {
    PaperSocket.all = [];
    const bridge = new PaperBridge({ keeps: 8 });
    const clu = client();
    const log = [];
    for (const filter of [{ sender: "dome" }, { keyword: "odd" }].slice(0, 1 + (round % 2))) clu.subscribe(filter);
    clu.on("reply", ({ body }) => log.push(body.n));
    clu.on("gap", () => log.push("gap"));
    clu.connect();
    const open = () => { PaperSocket.last.accept(); bridge.take(PaperSocket.last); };
    open();
    bridge.flush(PaperSocket.last);
    bridge.flush(PaperSocket.last);
    for (let step = 0, n = 0; step < 150; step += 1) {
      const socket = PaperSocket.last;
      const what = random(14);
      if (what < 8) bridge.publish("dome", { n: n += 1, odd: 1 });
      else if (what < 11 && bridge.sessions.has(socket)) bridge.flush(socket, random(8));
      else if (bridge.sessions.has(socket)) {
        bridge.cut(socket);
        if (what === 13) bridge.restart(`e${step}`);
      } else { mock.timers.tick(10_000); open(); }
    }
    if (!bridge.sessions.has(PaperSocket.last)) { mock.timers.tick(10_000); open(); }
    for (let n = 0; n < 4; n += 1) bridge.flush(PaperSocket.last);
    for (let at = 1, last = 0, gap = false; at < log.length; at += 1) {
      if (log[at - 1] === "gap") gap = true;
      else { last = log[at - 1]; gap = false; }
      if (log[at] === "gap") continue;
      assert.ok(log[at] > last, `round ${round}: ${log[at]} behind ${last}`);
      if (log[at] === last + 1) continue;
      holes += 1;
      assert.ok(gap || log.slice(0, at).every((entry) => entry === "gap"), `round ${round}: ${log[at]} behind ${last} without a word`);
    }
    clu.close();
  }
  assert.ok(holes > 30, `${holes} holes`);
});
