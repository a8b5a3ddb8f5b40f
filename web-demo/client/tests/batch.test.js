// Replies that may wait for others at the bridge.
//
//     node --test web-demo/client

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clu } from "../clu.js";
import { FakeSocket, again, client, connected, hello, numbered, ok, page, record, resumed } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const batching = () => ({ ...hello(), capabilities: ["ping", "subscribe", "batch"] });

/** The requests of a client with a subscription, of a bridge that greets so. */
function asksFor(greeting, options, subscription = {}) {
  const clu = client(options);
  clu.subscribe({ sender: "dome" }, { snapshot: false, ...subscription });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(greeting);
  return FakeSocket.last.asked().map(({ id, batch_ms: batch }) => [id, batch]);
}

test("replies may wait for 50 ms, or as long as the page says", () => {
  assert.deepEqual(asksFor(batching()), [["1", 50]]);
  assert.deepEqual(asksFor(batching(), { batch: 0 }), [["1", 0]]);
  assert.deepEqual(asksFor(batching(), { batch: 200 }), [["1", 200]]);
  assert.deepEqual(asksFor(batching(), { batch: 200 }, { batch: 0 }), [["1", 0]]);
  assert.deepEqual(asksFor(batching(), {}, { batch: 1_000 }), [["1", 1_000]]);
});

test("a bridge that knows no batch is not asked for one", () => {
  assert.deepEqual(asksFor(hello(), { batch: 200 }, { batch: 100 }), [["1", undefined]]);
  assert.deepEqual(asksFor({ ...hello(), capabilities: "batch" }), [["1", undefined]]);
});

test("what the URL says of it stands, unless the page says otherwise", () => {
  const open = (options) => {
    const clu = new Clu("ws://bridge/?batch_ms=300", { WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), ...page(), ...options });
    clu.subscribe({ sender: "dome" });
    clu.connect();
    FakeSocket.last.accept();
    assert.equal(FakeSocket.last.url, "ws://bridge/?batch_ms=300&silent=1");
    FakeSocket.last.say(batching());
    return FakeSocket.last.asked()[0].batch_ms;
  };
  assert.equal(open(), undefined);
  assert.equal(open({ batch: 10 }), 10);
});

test("a page that asks for nothing hears everything, which may wait too", async () => {
  const clu = await connected();
  const log = record(clu);
  FakeSocket.last.say(batching(), numbered(42));
  assert.deepEqual(FakeSocket.last.asked(), [{ op: "subscribe", id: "clu.js: all", filter: {}, batch_ms: 50 }]);
  FakeSocket.last.say(numbered(43), ok("clu.js: all"), numbered(44));
  assert.deepEqual(log, [42, 43, 44]);
  const socket = again();
  socket.say({ ...batching(), seq: 46 });
  assert.deepEqual(socket.asked(), [{ op: "subscribe", id: "clu.js: all", filter: {}, since: { epoch: "e1", seq: 44 }, batch_ms: 50 }]);
  socket.say(resumed("clu.js: all", 46), numbered(45), numbered(46));
  assert.deepEqual(log, [42, 43, 44, 45, 46]);
  clu.subscribe({ sender: "dome" }, { snapshot: false });
  assert.deepEqual(socket.asked().map(({ op, id }) => [op, id]), [["subscribe", "1"], ["unsubscribe", "clu.js: all"]]);
});

test("a page that lets nothing wait and asks for nothing asks for nothing", async () => {
  await connected({ batch: 0 });
  FakeSocket.last.say(batching());
  assert.deepEqual(FakeSocket.last.asked(), []);
});

test("a subscription that comes while everything is asked for ends that once it has begun", async () => {
  const clu = await connected();
  FakeSocket.last.say(batching());
  FakeSocket.last.asked();
  clu.subscribe({ sender: "dome" }, { snapshot: false });
  assert.deepEqual(FakeSocket.last.asked().map(({ op, id }) => [op, id]), [["subscribe", "1"]]);
  FakeSocket.last.say(ok("clu.js: all"));
  assert.deepEqual(FakeSocket.last.asked(), [{ op: "unsubscribe", id: "clu.js: all" }]);
});

test("a wait that is none is a mistake of the page", () => {
  for (const batch of [-1, 1_001, 0.5, "50", NaN, null]) {
    assert.throws(() => client({ batch }), { name: "TypeError", message: "the option batch is a whole number of ms from 0 to 1000" });
  }
});
