// What a client asks the bridge, and what it does where there is no answer.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, client, connected, envelope, numbered } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const ALL = ["history", "model", "problems", "log", "commands", "site", "actors", "notices"];
const hello = (capabilities) => ({ op: "hello", name: "bridge", version: "0.2.0", epoch: "e1", seq: 1, broker: "up", time: "2026-11-21T02:00:00Z", capabilities });

async function asking(capabilities = ALL) {
  const clu = await connected();
  FakeSocket.last.say(hello(capabilities));
  FakeSocket.last.requests();
  return clu;
}

/** Answers the last request. */
function answer(more) {
  const [request] = FakeSocket.last.requests();
  FakeSocket.last.say({ id: request.id, op: request.op, ...more });
  return request;
}

test("each request has its answer", async () => {
  const clu = await asking();
  const problem = { actor: "dome", key: "k", text: "coolant leak" };
  const cases = [
    [() => clu.history(["weather.wind"], { from: "-6h", points: 1_200 }), { op: "history", keywords: ["weather.wind"], from: "-6h", to: null, points: 1_200 },
      { series: [] }, ({ series }) => assert.deepEqual(series, [])],
    [() => clu.history(["a.b"], { from: new Date(1_000), to: 2_000 }), { op: "history", keywords: ["a.b"], from: 1_000, to: 2_000 }, {}, () => {}],
    [() => clu.model("dome"), { op: "model", actor: "dome" }, { state: "known" }, ({ state }) => assert.equal(state, "known")],
    [() => clu.problems(), { op: "problems" }, { problems: [problem] }, (all) => assert.deepEqual(all, { problems: [problem], omitted: {} })],
    [() => clu.acknowledge("dome", { key: "k" }), { op: "ack", actor: "dome", key: "k" }, { op: "ok" }, (value) => assert.equal(value, undefined)],
    [() => clu.acknowledge("dome", { seq: 57 }), { op: "ack", actor: "dome", seq: 57 }, { op: "ok" }, (value) => assert.equal(value, undefined)],
    [() => clu.acknowledge("dome", { seq: 57, epoch: "e1" }), { op: "ack", actor: "dome", seq: 57, epoch: "e1" }, { op: "ok" }, (value) => assert.equal(value, undefined)],
    [() => clu.everyCommand(), { op: "commands" }, { commands: [{ command_id: "c" }] }, ([{ command_id: id }]) => assert.equal(id, "c")],
    [() => clu.site(), { op: "site" }, { title: "APO" }, ({ title }) => assert.equal(title, "APO")],
    [() => clu.actors(), { op: "actors" }, { actors: [{ name: "dome" }] }, ([{ name }]) => assert.equal(name, "dome")],
  ];
  for (const [ask, request, reply, check] of cases) {
    const promise = ask();
    const { id, ...sent } = answer(reply);
    assert.deepEqual(sent, request);
    assert.match(id, /^clu\.js: /);
    check(await promise);
  }
});

test("a part of the log has replies and gaps, at their places", async () => {
  const clu = await asking();
  const promise = clu.log({ before: 10, limit: 2, filter: { sender: "dome" }, epoch: "e1" });
  const request = answer({ epoch: "e1", oldest: 1, more: true, next: 7, entries: [
    { ...numbered(7, { n: 7 }), heard: 1_795_226_400_000_123 }, { op: "gap", from: null, to: "2026-11-21T01:00:00Z", seconds: null }] });
  assert.deepEqual({ ...request, id: "" }, { op: "log", before: 10, limit: 2, filter: { sender: "dome" }, epoch: "e1", id: "" });
  const { more, next, entries: [{ reply }, { gap }] } = await promise;
  assert.deepEqual([more, next, reply.seq, reply.keywords.n, reply.heard], [true, 7, 7, 7, 1_795_226_400_000.123]);
  assert.deepEqual([gap.from, gap.to.toISOString()], [null, "2026-11-21T01:00:00.000Z"]);
});

test("an error of the bridge, and a lost connection, reject a request", async () => {
  const clu = await asking();
  const refused = clu.model("dome");
  answer({ op: "error", code: "forbidden", message: "You may not hear dome." });
  await assert.rejects(refused, { name: "RequestError", code: "forbidden", message: "You may not hear dome." });
  const lost = clu.problems();
  FakeSocket.last.drop();
  await assert.rejects(lost, /connection was lost before the bridge answered; ask again once it is back/);
  await assert.rejects(clu.problems(), /The request was not sent: not connected to the bridge\./);
});

test("what a server cannot answer is rejected at once, in a sentence that says why", async () => {
  const clu = await asking(["actors"]);
  await assert.rejects(clu.history(["a.b"]), { code: "unsupported", message: /^this bridge has no history: it is an earlier version/ });
  assert.deepEqual(FakeSocket.last.requests(), []);
  const plain = await connected();
  FakeSocket.last.say(envelope("i", null));
  assert.deepEqual([plain.protocol, plain.capabilities], ["plain", []]);
  await assert.rejects(plain.problems(), { code: "unsupported", message: "CLU's own server has no problems; connect to a clu-ws" });
});

test("a subscription to notices selects no replies, and has an event for each", async () => {
  const clu = client();
  clu.subscribe(null, { notices: ["problems", "actors"] });
  const notices = [];
  const replies = [];
  const servers = [];
  clu.on("notice", (notice) => notices.push(notice.op));
  clu.on("reply", (reply) => replies.push(reply));
  clu.on("hello", (server) => servers.push(server));
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(ALL));
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "subscribe", id: "1", notices: ["problems", "actors"] }]);
  FakeSocket.last.say({ op: "ok", id: "1" }, numbered(2), { op: "problem", actor: "dome", problems: [] }, { op: "actor", name: "dome" },
    { op: "command_state", command: {} }, { op: "model", actor: "dome", state: "changed" }, { op: "site", state: "changed" }, { op: "later" });
  assert.deepEqual([notices, replies], [["problem", "actor", "command_state", "model", "site"], []]);
  assert.deepEqual(servers, [{ protocol: "v1", name: "bridge", version: "0.2.0", epoch: "e1", capabilities: ALL }]);
});

test("a subscription to notices is refused by a server without them", async () => {
  for (const greeting of [hello(["snapshot"]), envelope("i", null)]) {
    const clu = client();
    const before = clu.subscribe(null, { notices: ["problems"] });
    clu.connect();
    FakeSocket.last.accept();
    FakeSocket.last.say(greeting);
    const after = clu.subscribe(null, { notices: ["problems"] });
    for (const { ready } of [before, after]) await assert.rejects(ready, /this server has no notices; connect to a clu-ws of this version/);
    assert.deepEqual(FakeSocket.last.requests(), []);
  }
});

test("a page that keeps the values itself has them from the bridge's messages", async () => {
  const clu = client();
  const seen = [];
  const subscription = clu.subscribe({}, { values: false, onSnapshot: ({ seq }) => seen.push(seq), onReply: ({ seq }) => seen.push(seq) });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(ALL), { op: "ok", id: "1", resumed: true }, { op: "snapshot", id: "1", epoch: "e1", seq: 1,
    actors: { dome: { time: "2026-11-21T01:00:00Z", code: "i", seq: 1, keywords: { a: { value: 1, time: "2026-11-21T01:00:00Z", code: "i", seq: 1 } } } } },
  numbered(2, { a: 2 }));
  assert.deepEqual([seen, Object.keys(subscription.values)], [[1, 2], []]);
});

test("many requests at once are sent a few at a time, and those that never were say so", async () => {
  const clu = await asking();
  const titles = [];
  const all = Array.from({ length: 40 }, () => clu.site().then(({ title }) => titles.push(title), ({ message }) => titles.push(message)));
  const first = FakeSocket.last.requests();
  assert.equal(first.length, 16);
  FakeSocket.last.say(...first.slice(0, 10).map(({ id }) => ({ op: "site", id, title: id })));
  assert.equal(FakeSocket.last.requests().length, 10);
  FakeSocket.last.drop();
  await Promise.all(all);
  assert.deepEqual(titles.slice(0, 10), first.slice(0, 10).map(({ id }) => id));
  assert.deepEqual([titles.filter((text) => text.startsWith("The connection was lost before the bridge answered")).length, titles.filter((text) => text === "The request was not sent: the connection was lost before.").length], [16, 14]);
});

test("an answer that is not understood rejects its request", async () => {
  const clu = await asking();
  const log = clu.log();
  answer({ entries: null });
  await assert.rejects(log, { name: "RequestError", message: /the bridge's answer is not understood/ });
});
