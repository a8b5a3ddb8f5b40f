// What fails in a program's own listeners is seen, and harms nothing else.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clu, connect } from "../index.js";
import { advance, FakeSocket, hello, numbered, ok, page } from "./fakebridge.js";

let shown;

beforeEach(() => {
  FakeSocket.all = [];
  shown = [];
  mock.method(console, "error", (...words) => { if (words[0].startsWith("clu.js: ")) shown.push(words); });
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

const turn = () => new Promise((resolve) => { setImmediate(resolve); });
const fail = () => { throw new Error("mine"); };
const options = () => ({ WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), fetch: null, ...page() });

function greeted(more) {
  const clu = new Clu("ws://bridge/", { ...options(), ...more });
  clu.connect().catch(() => {});
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(41));
  return clu;
}

test("a listener that fails is shown in the console, unless the page listens to errors", async () => {
  const clu = greeted();
  const heard = [];
  clu.on("reply", fail);
  clu.on("reply", ({ seq }) => heard.push(seq));
  clu.keyword("dome", "shutter").subscribe(fail);
  await turn();
  FakeSocket.last.say(ok("1"), numbered(42, { shutter: "open" }));
  assert.deepEqual(heard, [42]);
  assert.deepEqual(shown.map(([words, cause]) => [words, cause.message]), [["clu.js: A listener failed: mine", "mine"], ["clu.js: A listener failed: mine", "mine"]]);
  const errors = [];
  const stop = clu.on("error", ({ cause }) => errors.push(cause.message));
  FakeSocket.last.say(numbered(43, { shutter: "closed" }));
  assert.deepEqual([errors, shown.length], [["mine", "mine"], 2]);
  stop();
  FakeSocket.last.say(numbered(44, { shutter: "open" }));
  assert.equal(shown.length, 4, "the page listens no longer");
});

test("a listener for errors that fails itself is not called for that", () => {
  const clu = greeted();
  let called = 0;
  mock.method(console, "error", (error) => shown.push(error.message));
  clu.on("error", () => { called += 1; fail(); });
  clu.on("reply", fail);
  FakeSocket.last.say("no JSON");
  FakeSocket.last.say(numbered(42));
  assert.deepEqual([called, shown], [3, ["mine", "mine"]]);
});

test("a refused subscription is shown in the console", () => {
  const clu = greeted();
  clu.subscribe({ sendr: "dome" }, { onReply: fail });
  FakeSocket.last.say({ op: "error", id: "1", code: "bad_request", message: 'a filter has no field "sendr"' });
  assert.match(shown[0][0], /A subscription was refused: a filter has no field "sendr"/);
  assert.throws(() => clu.subscribe(() => {}), { name: "TypeError", message: /a filter is an object/ });
});

test("a URL to which no page can connect is shown in the console", () => {
  const Refusing = class { constructor(url) { throw new SyntaxError(`${url} has no scheme`); } };
  connect("localhost:9876", { ...options(), WebSocket: Refusing });
  assert.match(shown[0][0], /No further attempt to connect is made: the browser refuses localhost:9876/);
});

test("a bridge that lets no one in is shown in the console, unless the page listens", () => {
  greeted();
  FakeSocket.last.drop(3003, "withdrawn");
  assert.match(shown[0][0], /does not let this client in: withdrawn/);
  greeted().on("unauthorized", ({ reason }) => shown.push(reason));
  FakeSocket.last.drop(3003, "withdrawn");
  assert.equal(shown[1], "withdrawn");
});

test("a client that the page closes has nothing to complain of", () => {
  greeted().close();
  assert.deepEqual(shown, []);
});

test("a listener of a room that fails leaves no socket open, and no other room", async () => {
  const clu = greeted();
  const bodies = [];
  const rooms = ["/a", "/b"].map((path) => clu.rooms.subscribe(path, (body) => { bodies.push(body); fail(); }, { onGap: fail, onEnd: fail }));
  const sockets = FakeSocket.all.slice(-2);
  for (const socket of sockets) socket.accept();
  sockets[0].say("1", "2");
  sockets[1].drop();
  advance(1_000);
  FakeSocket.last.accept();
  assert.deepEqual(bodies, [1, 2]);
  const loop = clu.replies({ sender: "dome" });
  clu.close();
  assert.deepEqual([...rooms.map(({ state }) => state), sockets[0].readyState, FakeSocket.last.readyState], ["closed", "closed", 2, 2]);
  assert.deepEqual(await loop.next(), { done: true, value: undefined });
  assert.equal(shown.length, 5);  // two messages, a gap, two ends
});

test("a room tries again when there was no token, whatever the token's function throws", async () => {
  let asked = 0;
  const clu = greeted();
  const room = new Clu("ws://bridge/", { ...options(), token: () => { asked += 1; return asked === 1 ? Promise.reject() : "t"; } }).rooms.subscribe("/a", () => {});
  await turn();
  assert.equal(room.state, "closed");
  advance(1_000);
  await turn();
  FakeSocket.last.accept();
  assert.deepEqual([room.state, asked], ["open", 2]);
  assert.throws(() => clu.rooms.subscribe("/a"), { name: "TypeError", message: /takes a function/ });
});

test("a listener that is removed by another one is not called any more", async () => {
  const clu = greeted();
  const shutter = clu.keyword("dome", "shutter");
  const called = [];
  shutter.subscribe(() => { called.push("first"); remove(); });
  const remove = shutter.subscribe(() => called.push("second"));
  await turn();
  FakeSocket.last.say(ok("1"), numbered(42, { shutter: "open" }));
  assert.deepEqual(called, ["first"]);
});
