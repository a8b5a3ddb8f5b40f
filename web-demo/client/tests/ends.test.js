// How a command ends where the bridge tells it: also if this client may not hear the reply that says so.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, client, hello, numbered, ok, pong, reconnect, resumed } from "./fakebridge.js";

const greeting = (seq) => ({ ...hello(seq), capabilities: ["command"] });
const result = (id, status, more = {}) => ({ op: "result", id, command_id: "id-1", status, replies: 0, duration_ms: 1.5, ...more });
const failed = (error) => ({ state: error.state, message: error.message, code: error.code });

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

/** A client with a subscription, and a command; and the id of the request that has sent it. */
function sending(options = { timeout: 60_000 }) {
  const clu = client();
  clu.subscribe({ sender: "weather" }, { snapshot: false });
  clu.connect();
  const socket = FakeSocket.last;
  socket.accept();
  socket.say(greeting(41), resumed("1", 41));
  socket.requests();
  const command = clu.send("dome", "open", { commandId: "id-1", ...options });
  const [mine, request] = socket.requests();
  assert.equal(mine.id, "clu.js: mine");
  return { clu, socket, command, request };
}

test("a bridge is asked to tell the end", () => {
  const { clu, socket, request } = sending();
  const { id, ...fields } = request;
  assert.deepEqual(fields, { op: "command", timeout_ms: 60_000, consumer: "dome", command_string: "open", command_id: "id-1" });
  clu.send("dome", "close", { commandId: "id-2" });
  const [next] = socket.requests();
  assert.notEqual(next.id, id);
  assert.equal(next.timeout_ms, 3_600_000, "the longest that a bridge waits");
});

test("beyond what a bridge waits for, a command is sent all the same", () => {
  const { clu, socket } = sending();
  for (let n = 0; n < 256; n += 1) clu.send("dome", "open");
  const sent = socket.sent.map((text) => JSON.parse(text));
  assert.deepEqual(sent.slice(-2).map(({ op }) => op), ["command", undefined]);
});

test("a command whose last reply is hidden is done, or has failed, at once", async () => {
  const done = sending();
  done.socket.say(resumed("clu.js: mine", 41), ok(done.request.id), numbered(42, { n: 1 }, { code: ">", commandId: "id-1" }), result(done.request.id, "done"));
  const { reply, keywords } = await done.command;
  assert.equal(reply, null);
  assert.deepEqual(keywords, { n: 1 });
  assert.deepEqual([done.command.state, done.command.message], ["done", "it is done; this client may not hear what dome says about it"]);
  const bad = sending();
  bad.socket.say(resumed("clu.js: mine", 41), result(bad.request.id, "failed"));
  assert.deepEqual(failed(await bad.command.catch((error) => error)), { state: "failed", message: "it failed; this client may not hear what dome says about it", code: null });
});

test("a command that ends by its reply ends once, and a bridge that waits no longer ends none", async () => {
  const { clu, socket, command, request } = sending({});
  const states = [];
  clu.on("command", ({ state }) => states.push(state));
  socket.say(resumed("clu.js: mine", 41), ok(request.id), numbered(42, { text: "Opened." }, { code: ":", commandId: "id-1" }), result(request.id, "done", { message_code: ":" }));
  assert.equal((await command).reply.seq, 42);
  assert.deepEqual(states, ["done"]);
  const other = clu.send("dome", "close", { commandId: "id-2" });
  const [asked] = socket.requests();
  socket.say(result(asked.id, "timeout", { message: "the bridge waits no longer; the actor may go on" }));
  assert.equal(other.state, "sent");
  socket.say(numbered(43, {}, { code: ":", commandId: "id-2" }));
  assert.equal(other.state, "done");
});

test("an error that names the request is told to its command", async () => {
  const { socket, command, request } = sending();
  socket.say({ op: "error", id: request.id, code: "away", message: "Because." }, result(request.id, "done"));
  assert.deepEqual(failed(await command.catch((error) => error)), { state: "rejected", message: "Because.", code: "away" });
});

test("if the replies to commands were refused, their ends are told all the same", async () => {
  const { socket, command, request } = sending();
  socket.say({ op: "error", id: "clu.js: mine", code: "bad_request", message: "you hold 64 subscriptions" }, ok(request.id),
    result(request.id, "failed", { message_code: "f", message: "no power" }));
  assert.deepEqual(failed(await command.catch((error) => error)), { state: "failed", message: "no power", code: null });
});

test("a result that overtakes the replies waits for them", async () => {
  const { socket, command, request } = sending();
  socket.say(ok(request.id), result(request.id, "done", { message_code: ":" }));
  assert.equal(command.state, "sent");
  socket.say(resumed("clu.js: mine", 43));
  assert.deepEqual(socket.requests().map(({ id }) => id), ["clu.js: replied"]);
  socket.say(numbered(42, { n: 1 }, { code: ">", commandId: "id-1" }), numbered(43, { n: 2 }, { code: ":", commandId: "id-1" }), pong(43, "clu.js: replied"));
  const { reply, replies } = await command;
  assert.deepEqual([reply.seq, replies.length], [43, 2]);
});

test("a result that waits when the connection is lost counts, and so does one that came while others resumed", async () => {
  const waiting = sending();
  waiting.socket.say(result(waiting.request.id, "done", { message_code: ":" }));
  waiting.socket.drop();
  assert.equal(waiting.command.state, "done");

  const { clu, command } = sending();
  clu.subscribe({ sender: "roof" }, { snapshot: false });
  let socket = reconnect();
  assert.equal(command.state, "unknown");
  socket.say(greeting(50));
  socket.requests();
  const second = clu.send("dome", "close", { commandId: "id-2" });
  const asked = socket.requests().find(({ op }) => op === "command");
  socket.say(result(asked.id, "done"));
  assert.equal(second.state, "sent");
  socket = reconnect();
  socket.say(greeting(50), resumed("1", 50), resumed("2", 50), resumed("clu.js: lost", 50), pong(50));
  assert.equal(second.state, "done", "it is known, though the connection was lost before all had come");
});
