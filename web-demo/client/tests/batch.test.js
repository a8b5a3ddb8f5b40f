// The batch delay: how long the bridge may delay replies so that several leave in one write.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clu } from "../clu.js";
import { FakeSocket, reconnect, client, connected, hello, numbered, ok, page, recordEvents, resumed } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const batching = () => ({ ...hello(), capabilities: ["ping", "subscribe", "batch"] });

/** The requests of a client with a subscription, after this hello. */
function asksFor(message, options, subscription = {}) {
  const clu = client(options);
  clu.subscribe({ sender: "dome" }, { snapshot: false, ...subscription });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(message);
  return FakeSocket.last.requests().map(({ id, batch_ms: batch }) => [id, batch]);
}

test("replies may be delayed by 50 ms, or by the page's choice", () => {
  assert.deepEqual(asksFor(batching()), [["1", 50]]);
  assert.deepEqual(asksFor(batching(), { batch: 0 }), [["1", 0]]);
  assert.deepEqual(asksFor(batching(), { batch: 200 }), [["1", 200]]);
  assert.deepEqual(asksFor(batching(), { batch: 200 }, { batch: 0 }), [["1", 0]]);
  assert.deepEqual(asksFor(batching(), {}, { batch: 1_000 }), [["1", 1_000]]);
});

test("a bridge that cannot batch is not asked to", () => {
  assert.deepEqual(asksFor(hello(), { batch: 200 }, { batch: 100 }), [["1", undefined]]);
  assert.deepEqual(asksFor({ ...hello(), capabilities: "batch" }), [["1", undefined]]);
});

test("the URL's delay applies, unless the page chooses one", () => {
  const open = (options) => {
    const clu = new Clu("ws://bridge/?batch_ms=300", { WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), ...page(), ...options });
    clu.subscribe({ sender: "dome" });
    clu.connect();
    FakeSocket.last.accept();
    assert.equal(FakeSocket.last.url, "ws://bridge/?batch_ms=300&silent=1");
    FakeSocket.last.say(batching());
    return FakeSocket.last.requests()[0].batch_ms;
  };
  assert.equal(open(), undefined);
  assert.equal(open({ batch: 10 }), 10);
});

test("a page without subscriptions gets everything, batched", async () => {
  const clu = await connected();
  const log = recordEvents(clu);
  FakeSocket.last.say(batching(), numbered(42));
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "subscribe", id: "clu.js: all", filter: {}, batch_ms: 50 }]);
  FakeSocket.last.say(numbered(43), ok("clu.js: all"), numbered(44));
  assert.deepEqual(log, [42, 43, 44]);
  const socket = reconnect();
  socket.say({ ...batching(), seq: 46 });
  assert.deepEqual(socket.requests(), [{ op: "subscribe", id: "clu.js: all", filter: {}, since: { epoch: "e1", seq: 44 }, batch_ms: 50 }]);
  socket.say(resumed("clu.js: all", 46), numbered(45), numbered(46));
  assert.deepEqual(log, [42, 43, 44, 45, 46]);
  clu.subscribe({ sender: "dome" }, { snapshot: false });
  assert.deepEqual(socket.requests().map(({ op, id }) => [op, id]), [["subscribe", "1"], ["unsubscribe", "clu.js: all"]]);
});

test("a page that turns batching off and has no subscriptions sends no request", async () => {
  await connected({ batch: 0 });
  FakeSocket.last.say(batching());
  assert.deepEqual(FakeSocket.last.requests(), []);
});

test("a subscription made while the one to everything is pending ends that one once it was accepted", async () => {
  const clu = await connected();
  FakeSocket.last.say(batching());
  FakeSocket.last.requests();
  clu.subscribe({ sender: "dome" }, { snapshot: false });
  assert.deepEqual(FakeSocket.last.requests().map(({ op, id }) => [op, id]), [["subscribe", "1"]]);
  FakeSocket.last.say(ok("clu.js: all"));
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "unsubscribe", id: "clu.js: all" }]);
});

test("a delay that is not one is a TypeError", () => {
  for (const batch of [-1, 1_001, 0.5, "50", NaN, null]) {
    assert.throws(() => client({ batch }), { name: "TypeError", message: "the option batch must be a whole number of ms from 0 to 1000" });
  }
});
