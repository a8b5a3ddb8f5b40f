// Listeners that close the client, connect it anew, subscribe and send while they are being told something.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clu } from "../index.js";
import { advance, FakeBridge, FakeSocket, hello, numbered, ok, page, resumed } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const newClient = (options) => new Clu("ws://bridge/", { WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), fetch: null, ...page(), ...options });

/** Numbers from 0 to 1 that are the same at each run. */
function* randoms(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

const EVENTS = ["state", "open", "close", "hello", "broker", "gap", "reply", "lag", "dropped", "command", "error"];

/** A client whose listeners do something at random. */
class Restless {
  failures = [];
  got = new Map();  // subscription -> what it got
  restless = true;
  left = 40;  // what it does at most

  constructor(seed) {
    const random = randoms(seed);
    this.random = () => random.next().value;
    this.clu = newClient();
    this.clu.on("error", ({ message, cause }) => { if (message.startsWith("A listener failed")) this.failures.push(cause); });
    for (const type of EVENTS) this.clu.on(type, () => this.act());
  }

  subscribe() {
    const act = () => this.act();
    const got = [];
    const filter = [{ sender: "dome" }, { sender: ["dome", "weather"] }, {}][Math.floor(this.random() * 3)];
    const subscription = this.clu.subscribe(filter, { onReply: ({ body }) => { got.push(body.n); act(); }, onValues: act, onSnapshot: act, onRefused: act });
    this.got.set(subscription, got);
  }

  act() {
    if (!this.restless || this.left === 0 || this.random() < 0.6) return;
    this.left -= 1;
    const what = Math.floor(this.random() * 6);
    if (what === 0) this.clu.close();
    if (what < 3) this.clu.connect().catch(() => {});
    if (what === 1) { this.clu.close(); this.clu.connect().catch(() => {}); }
    if (what === 3 && this.got.size < 20) this.subscribe();
    if (what === 4) [...this.got.keys()].at(Math.floor(this.random() * this.got.size))?.close();
    if (what === 5) this.clu.send("dome", "status").catch(() => {});
  }
}

/** Lets the bridge accept what the client opens, and say what it has to say. */
function serve(bridge) {
  for (let n = 0; n < 60; n += 1) {
    const socket = FakeSocket.last;
    if (socket.readyState === 0) {
      socket.accept();
      if (socket.readyState === 1) bridge.open(socket);
    }
    if (bridge.sessions.has(socket)) bridge.flush(socket);
    advance(100);
  }
}

test("whatever listeners do, each subscription gets the next reply once", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const restless = new Restless(seed);
    const bridge = new FakeBridge({ limit: 5 });
    for (let n = Math.floor(restless.random() * 3); n > 0; n -= 1) restless.subscribe();
    restless.clu.connect().catch(() => {});
    for (let n = 1; n <= 12; n += 1) {
      serve(bridge);
      bridge.publish(["dome", "weather"][n % 2], { n });
      if (restless.random() < 0.4) bridge.cut(FakeSocket.last);
      if (restless.random() < 0.2) bridge.restart(`e${seed}.${n}`);
      if (restless.random() < 0.2) bridge.gap(`gap ${n}`);
    }
    restless.restless = false;
    restless.clu.connect().catch(() => {});
    serve(bridge);
    if (restless.got.size === 0) restless.subscribe();
    serve(bridge);
    bridge.publish("dome", { n: "last" });
    serve(bridge);
    assert.deepEqual(restless.failures, [], `seed ${seed}`);
    for (const [subscription, got] of restless.got) {
      assert.equal(got.filter((n) => n === "last").length, subscription.closed ? 0 : 1, `seed ${seed}: ${JSON.stringify(subscription.filter)} got ${got}`);
    }
    restless.clu.close();
  }
});

test("a listener of a gap or of the broker may connect anew: the next connection subscribes", () => {
  for (const type of ["gap", "broker"]) {
    const clu = newClient();
    clu.subscribe({ sender: "dome" });
    clu.connect().catch(() => {});
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(41), resumed("1", 41), numbered(42));
    let times = 0;
    clu.on(type, ({ state = "up" }) => {
      if (state !== "up" || times > 0) return;
      times += 1;
      clu.close();
      clu.connect().catch(() => {});
    });
    FakeSocket.last.drop();
    advance(1_000);
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(5, "e2"), ok("1", { resumed: false, reason: "gone", epoch: "e2", seq: 5 }));
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(6, "e2"));
    assert.deepEqual([times, FakeSocket.last.requests().map(({ op, id }) => `${op} ${id}`)], [1, ["subscribe 1"]], type);
    clu.close();
  }
});

test("a listener may close the client that has just opened, and connect one that has closed", async () => {
  const clu = newClient();
  const log = [];
  for (const type of ["open", "close", "hello"]) clu.on(type, () => log.push(type));
  const stop = clu.on("state", ({ state }) => { if (state === "open") clu.close(); });
  await assert.rejects(() => { const opening = clu.connect(); FakeSocket.last.accept(); return opening; });
  advance(5_000);
  assert.deepEqual([log, clu.state, clu.protocol], [["close"], "closed", null]);
  stop();
  clu.connect().catch(() => {});
  FakeSocket.last.accept();
  let opening = null;
  clu.on("state", ({ state }) => { if (state === "closed" && opening === null) opening = clu.connect(); });
  clu.close();
  FakeSocket.last.accept();
  assert.equal(await opening, clu);
});

test("a renewal ends with the client", async () => {
  let tokens = 0;
  const clu = newClient({ token: () => `t${tokens += 1}` });
  const errors = [];
  clu.on("error", ({ message }) => errors.push(message));
  clu.connect().catch(() => {});
  await new Promise((resolve) => { setImmediate(resolve); });
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...hello(41), access: { name: "ann", grants: {} } }, { op: "access", expires_in: 60 });
  await new Promise((resolve) => { setImmediate(resolve); });
  FakeSocket.last.say({ op: "error", id: "clu.js: auth", code: "undecided", message: "ask again" });
  await new Promise((resolve) => { setImmediate(resolve); });
  const renewal = clu.renew();
  await new Promise((resolve) => { setImmediate(resolve); });
  clu.close();
  await assert.rejects(renewal, /the connection was lost/);
  await assert.rejects(clu.renew(), /not connected/);
  advance(60_000);
  assert.deepEqual([errors, tokens], [["The login was not renewed: ask again"], 4]);  // to connect, for `expiring`, and two here
});
