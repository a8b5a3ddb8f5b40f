// A subscription that the bridge refuses for a while, when it should go on after a lost connection.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, hello, numbered, ok, pong, reconnect, recordEvents, resumed, subscribed } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
});
afterEach(() => mock.timers.reset());

test("what a subscription missed while the bridge refused it is told, and it goes on with the last values", async () => {
  const { clu } = await subscribed({ sender: "dome" }, { sender: "weather" });
  const log = recordEvents(clu);
  const lost = Date.now();
  const first = reconnect();
  first.say(hello(60));
  const [dome, weather] = first.requests();
  first.say(resumed(dome.id, 60), { op: "error", id: weather.id, code: "undecided", message: "the application does not answer" });
  first.say(pong(60), numbered(62), pong(62, "clu.js: time"));  // 61 was the weather's
  assert.deepEqual(log, [62]);

  const gaps = [];
  clu.on("gap", (gap) => gaps.push(gap));
  const second = reconnect();
  second.say(hello(63));
  const [again, anew] = second.requests();
  assert.deepEqual([again.since, anew.filter, anew.since], [{ epoch: "e1", seq: 62 }, { sender: "weather" }, undefined]);
  second.say(resumed(again.id, 63), ok(anew.id), pong(63), numbered(64, {}, { sender: "weather" }));
  assert.deepEqual(log, [62, "gap: a subscription was refused for a while: the application does not answer", 64]);
  assert.equal(gaps[0].from.getTime(), lost - 5_000);

  const third = reconnect();
  third.say(hello(64));
  assert.deepEqual(third.requests().map(({ since }) => since?.seq), [64, 64]);
  third.say(resumed(dome.id, 64), resumed(weather.id, 64), pong(64));
  assert.equal(gaps.length, 1);
});
