// Frames from the server become replies, or error events.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { parseReply } from "../clu.js";
import { FakeSocket, connectedPlain, envelope } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
});
afterEach(() => mock.timers.reset());

test("any envelope is read without an exception", async () => {
  const clu = await connectedPlain();
  const replies = [];
  clu.on("reply", (reply) => replies.push(reply));
  const weird = [
    {}, { headers: null, body: null }, { headers: [], body: [1, 2] }, { headers: "x", body: "words" },
    { headers: { sender: 5, message_code: "Z", command_id: { a: 1 }, commander_id: [] }, body: 3 },
    { headers: { message_code: "constructor" }, body: { text: { deep: [1] } } },
    { headers: { message_code: 7 }, timestamp: 12, body: JSON.parse('{"__proto__": {"x": 1}}') },
  ];
  weird.forEach((value) => FakeSocket.last.say(value));
  assert.equal(replies.length, weird.length);
  assert.deepEqual(replies.map(({ sender, code, level, text }) => [sender, code, level, text]), [
    [null, "", "ok", null], [null, "", "ok", null], [null, "", "ok", null], [null, "", "ok", "words"],
    ["5", "Z", "ok", null], [null, "constructor", "ok", '{"deep":[1]}'], [null, "7", "ok", null],
  ]);
});

test("a frame that is no envelope is an error event, and the next reply arrives", async () => {
  const clu = await connectedPlain();
  const errors = [];
  const replies = [];
  clu.on("error", ({ message }) => errors.push(message));
  clu.on("reply", ({ code }) => replies.push(code));
  for (const text of ["", "{", "NaN", "[]", "null", '"text"']) FakeSocket.last.say(text);
  FakeSocket.last.onmessage({ data: new ArrayBuffer(3) });
  FakeSocket.last.say(envelope("i", null));
  assert.equal(errors.length, 7);
  assert.deepEqual(replies, ["i"]);
});

test("times without an offset are UTC", () => {
  const at = (timestamp) => parseReply(JSON.stringify({ timestamp })).time?.toISOString() ?? null;
  assert.equal(at("2023-05-25T19:25:05+00:00"), "2023-05-25T19:25:05.000Z");
  assert.equal(at("2023-05-25T19:25:05"), "2023-05-25T19:25:05.000Z");
  assert.equal(at("2023-05-25T21:25:05+02:00"), "2023-05-25T19:25:05.000Z");
  assert.equal(at("yesterday"), null);
  assert.equal(at(null), null);
});

test("the bridge's reply for an absent consumer is recognised", () => {
  const absent = { ...envelope("f", "id-1", { error: "Failed routing message to consumer 'dome'." }), routing_key: "reply.bridge" };
  assert.equal(parseReply(JSON.stringify(absent)).returned, true);
  assert.equal(parseReply(JSON.stringify(envelope("f", "id-1"))).returned, false);
});
