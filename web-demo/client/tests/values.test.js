// The last values that a connection owed when it was lost are asked for again.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { client, dome, FakeSocket, hello, numbered, ok, reconnect, resumed, snapshot } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

/** Connects a client with subscriptions, and returns its socket. */
function greeted(...filters) {
  const clu = client();
  const subscriptions = filters.map((filter) => clu.subscribe(filter));
  clu.connect().catch(() => {});
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(41));
  return subscriptions;
}

const asked = (socket) => socket.requests().filter(({ op }) => op === "subscribe").map(({ id, since, snapshot: wanted }) => [id, since?.seq, wanted]);

test("those that a subscription begins with", () => {
  const [subscription] = greeted({ sender: "dome" });
  assert.deepEqual(asked(FakeSocket.last), [["1", 41, true]]);
  FakeSocket.last.say(ok("1", { epoch: "e1", seq: 41 }));
  let socket = reconnect();  // the values have not come
  socket.say(hello(42));
  assert.deepEqual(asked(socket), [["1", 41, true]]);
  socket.say(resumed("1", 42), snapshot("1", 42, dome("open", 40)));
  assert.equal(subscription.values.dome.shutter.value, "open");
  socket = reconnect();
  socket.say(hello(42));
  assert.deepEqual(asked(socket), [["1", 41, undefined]]);
});

test("those that come in place of replies that are gone", () => {
  greeted({ sender: "dome" });
  FakeSocket.last.say(ok("1", { epoch: "e1", seq: 41 }), snapshot("1", 41, dome("open", 40)), numbered(42));
  let socket = reconnect();
  socket.say(hello(90));
  assert.deepEqual(asked(socket), [["1", 42, undefined]]);
  socket.say(ok("1", { resumed: false, reason: "gone", epoch: "e1", seq: 90 }));
  socket = reconnect();
  socket.say(hello(91));
  assert.deepEqual(asked(socket), [["1", 90, true]]);
});
