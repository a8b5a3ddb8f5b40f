// The states of a command, and of the link, with a fake WebSocket and a mocked clock.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { newCommandId, parseReply, websocketURL } from "../clu.js";
import { backoff } from "../link.js";
import { FakeSocket, client, connected, envelope, page, advance, connectedPlain } from "./fakebridge.js";

const refusal = (commandId, error) => ({
  ...envelope("f", commandId, { error }, "clu-ws"), exchange: "", message_id: null, routing_key: "reply.clu-ws",
  headers: { command_id: commandId, commander_id: null, internal: false, message_code: "f", sender: "clu-ws" },
});

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
});
afterEach(() => mock.timers.reset());

// The states of a command.

test("a command is sent in CLU's own form", async () => {
  const clu = await connectedPlain();
  clu.send("dome", "open --now", { commandId: "id-1" });
  assert.deepEqual(FakeSocket.last.sent, ['{"consumer":"dome","command_string":"open --now","command_id":"id-1"}']);
});

test("a command is sent, runs, is done, and resolves with its replies and keywords", async () => {
  const clu = await connectedPlain();
  const states = [];
  const seen = [];
  clu.on("command", (command) => states.push(command.state));
  const command = clu.send("dome", "open", { commandId: "id-1", onReply: (reply, of) => seen.push([reply.code, of === command]) });
  assert.equal(command.state, "sent");

  FakeSocket.last.say(envelope(">", "id-1"));
  assert.equal(command.state, "running");
  FakeSocket.last.say(envelope("i", "id-1", { dome_status: "opening" }));
  FakeSocket.last.say(envelope("i", "somebody-else", { dome_status: "nonsense" }));
  mock.timers.tick(1_500);
  FakeSocket.last.say(envelope(":", "id-1", { dome_status: "open", text: "Opened." }));

  const result = await command;
  assert.equal(result.command, command);
  assert.equal(result.reply.code, ":");
  assert.deepEqual(result.keywords, { dome_status: "open", text: "Opened." });
  assert.deepEqual(seen, [[">", true], ["i", true], [":", true]]);
  assert.deepEqual(states, ["sent", "running", "running", "done"]);
  assert.equal(command.message, "Opened.");
  assert.equal(command.elapsed, 1_500);
  assert.deepEqual(clu.commands, []);
});

test("an error reply does not end a command, a failed or critical one does", async () => {
  const clu = await connectedPlain();
  for (const code of ["f", "!"]) {
    const command = clu.send("dome", "open", { commandId: code });
    FakeSocket.last.say(envelope("e", code, { error: "a limit switch is odd" }));
    assert.equal(command.state, "running");
    assert.equal(command.message, "a limit switch is odd");
    FakeSocket.last.say(envelope(code, code, { error: "no power" }));
    await assert.rejects(command, { name: "CommandError", state: "failed", message: "no power" });
    assert.equal(command.state, "failed");
  }
});

test("a failure without a text still gets a message", async () => {
  const clu = await connectedPlain();
  const command = clu.send("dome", "open", { commandId: "id-1" });
  FakeSocket.last.say(envelope("f", "id-1", null));
  await assert.rejects(command, { message: "dome failed without giving a reason" });
});

test("a refusal by the bridge fails the command that it names", async () => {
  const clu = await connectedPlain();
  const command = clu.send("dome", "open", { commandId: "id-1" });
  FakeSocket.last.say(refusal("id-1", "The broker is away."));
  await assert.rejects(command, (error) => error.state === "failed" && error.reply.refused);
});

test("a refusal that names no command is an error event", async () => {
  const clu = await connectedPlain();
  const errors = [];
  clu.on("error", ({ message }) => errors.push(message));
  FakeSocket.last.say(refusal(null, "That is not JSON."));
  assert.deepEqual(errors, ["The bridge refused a message: That is not JSON."]);
});

test("replies after the end change nothing", async () => {
  const clu = await connectedPlain();
  const command = clu.send("dome", "open", { commandId: "id-1" });
  FakeSocket.last.say(envelope(":", "id-1"));
  FakeSocket.last.say(envelope("f", "id-1", { error: "late" }));
  await command;
  assert.equal(command.state, "done");
  assert.equal(command.replyCount, 1);
});

test("a command past its timeout is unknown, and a late reply still ends it", async () => {
  const clu = await connectedPlain();
  const command = clu.send("camera", "expose 5", { commandId: "id-1", timeout: 6_000 });
  mock.timers.tick(6_000);
  await assert.rejects(command, {
    state: "unknown", message: "unknown: no final reply within 6 s; the actor may still be executing it",
  });
  FakeSocket.last.say(envelope("i", "id-1", { progress: 99 }, "camera"));
  assert.equal(command.state, "running");
  FakeSocket.last.say(envelope(":", "id-1", {}, "camera"));
  assert.equal(command.state, "done");
  assert.deepEqual(clu.commands, []);
});

test("mistakes of the caller are rejected with a message, and nothing is sent", async () => {
  const clu = await connectedPlain();
  clu.send("dome", "open", { commandId: "twice" });
  const wrong = [
    clu.send("", "open"), clu.send(null, "open"), clu.send("dome"), clu.send("dome", "open", { commandId: 7 }),
    clu.send("dome", "open", { commandId: "twice" }), clu.send("dome", "open", { timeout: -1 }),
  ];
  for (const command of wrong) await assert.rejects(command, { state: "rejected", message: /^The command was not sent/ });
  assert.equal(FakeSocket.last.sent.length, 1);
  FakeSocket.last.say(envelope(":", "twice"));
  assert.equal(clu.commands.length, 0, "the first command with that id is still followed");
});

test("a listener that throws stops neither the other listeners nor the replies", async () => {
  const clu = await connectedPlain();
  const errors = [];
  const codes = [];
  clu.on("error", ({ message }) => errors.push(message));
  clu.on("reply", () => { throw new Error("oops"); });
  clu.on("reply", ({ code }) => codes.push(code));
  const command = clu.send("dome", "open", { commandId: "id-1", onReply: () => { throw new Error("again"); } });
  FakeSocket.last.say(envelope(":", "id-1"));
  await command;
  assert.deepEqual(codes, [":"]);
  assert.deepEqual(errors, ["A listener failed: again", "A listener failed: oops"]);
});

// The link.

test("a command without a connection is rejected at once, and never sent later", async () => {
  const clu = client();
  const before = clu.send("dome", "open");
  assert.equal(before.state, "rejected");
  clu.connect();
  const during = clu.send("dome", "open");
  await assert.rejects(during, {
    state: "rejected", message: "The command was not sent and will not be sent later: not connected to the bridge.",
  });
  FakeSocket.last.accept();
  mock.timers.tick(60_000);
  assert.deepEqual(FakeSocket.last.sent, []);
});

test("a command whose connection is lost is unknown, and never sent again", async () => {
  const clu = await connectedPlain();
  const command = clu.send("dome", "open", { commandId: "id-1" });
  FakeSocket.last.say(envelope(">", "id-1"));
  FakeSocket.last.drop();
  await assert.rejects(command, {
    state: "unknown", message: "unknown: connection lost; the actor may still be executing it",
  });
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(FakeSocket.last.sent, []);
  FakeSocket.last.say(envelope(":", "id-1"));
  assert.equal(command.state, "done", "the bridge relays every reply to everyone, so the final reply may still arrive");
});

test("the waits grow at random from 0.2 s to 10 s", () => {
  const limits = { minDelay: 200, maxDelay: 10_000 };
  const longest = [0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => backoff(attempt, limits, () => 1));
  assert.deepEqual(longest, [600, 1_200, 2_400, 4_800, 9_600, 10_000, 10_000, 10_000]);
  assert.equal(backoff(60, limits, () => 0), 200);
});

test("it reconnects by itself, reports when, and resets the waits after a stable connection", async () => {
  const clu = client();
  const states = [];
  clu.on("state", ({ state, retryAt }) => states.push([state, retryAt && retryAt - Date.now()]));
  const opening = clu.connect();
  FakeSocket.last.drop();
  mock.timers.tick(400);
  FakeSocket.last.drop();
  mock.timers.tick(700);
  FakeSocket.last.accept();
  assert.equal(await opening, clu);
  mock.timers.tick(5_000);
  FakeSocket.last.drop(1001, "the bridge is stopping");
  assert.deepEqual(states, [
    ["connecting", null], ["closed", 400], ["connecting", null], ["closed", 700], ["connecting", null], ["open", null],
    ["closed", 400],
  ]);
});

test("a bridge that disconnects at once is not dialled in a hot loop", async () => {
  const clu = client();
  clu.connect();
  const waits = [];
  clu.on("close", ({ retryAt }) => waits.push(retryAt - Date.now()));
  for (let i = 0; i < 7; i += 1) {
    FakeSocket.last.accept();
    FakeSocket.last.drop();
    mock.timers.tick(10_000);
  }
  assert.deepEqual(waits, [400, 700, 1_300, 2_500, 4_900, 5_100, 5_100]);
});

test("after a full or forbidding bridge the wait is long", async () => {
  const clu = await connectedPlain();
  FakeSocket.last.drop(1013, "full, try later");
  assert.equal(clu.retryAt - Date.now(), 7_500);
});

test("an attempt that is not answered is abandoned", () => {
  const clu = client();
  clu.connect();
  const [first] = FakeSocket.all;
  mock.timers.tick(10_000);
  assert.equal(clu.state, "closed");
  first.accept();
  assert.equal(clu.state, "closed", "the old socket no longer counts");
});

test("it reconnects at once when the network or the page is back", () => {
  const { window, document } = page();
  const clu = client({ window, document });
  clu.connect();
  for (const [target, type] of [[window, "online"], [document, "visibilitychange"], [window, "pageshow"]]) {
    FakeSocket.last.drop();
    assert.equal(clu.state, "closed");
    target.dispatchEvent(new Event(type));
    assert.equal(clu.state, "connecting", type);
  }
});

test("a socket that receives nothing after the network changed is closed, and takes no command meanwhile", async () => {
  const { window, document } = page();
  const clu = await connectedPlain({ window, document });
  const running = clu.send("dome", "open", { commandId: "id-1" });
  window.dispatchEvent(new Event("offline"));
  await assert.rejects(clu.send("dome", "close"), { state: "rejected", message: /being checked, because the network went away/ });

  FakeSocket.last.say(envelope(">", "id-1"));
  advance(5_000);
  assert.equal(clu.state, "open", "something was received");
  assert.equal(clu.send("dome", "close").state, "sent");

  window.dispatchEvent(new Event("online"));
  advance(4_000);
  assert.equal(clu.state, "closed");
  assert.equal(running.state, "unknown");
});

test("a socket that receives nothing after the computer slept is closed", async () => {
  const clu = await connectedPlain();
  mock.timers.tick(8 * 3_600_000);
  advance(4_000);
  assert.equal(clu.state, "closed");
});

test("silence alone does not close a socket, unless the bridge answers probes", async () => {
  const quiet = await connected();
  advance(600_000);
  assert.equal(quiet.state, "open");
  quiet.close();

  const unanswered = await connected({ probe: "ping" });
  advance(600_000);
  assert.equal(unanswered.state, "open", "a server that never answers probes is not suspected");
  unanswered.close();

  const probing = await connected({ probe: "ping" });
  advance(15_000);
  assert.deepEqual(FakeSocket.last.sent, ["ping"]);
  assert.equal(probing.send("dome", "status").state, "sent", "a routine probe does not block sending");
  FakeSocket.last.say("pong");
  advance(14_000);
  assert.equal(probing.state, "open");
  advance(5_000);
  assert.equal(probing.state, "closed");
});

test("a socket that accepts no data is closed", async () => {
  const clu = await connectedPlain();
  FakeSocket.last.bufferedAmount = 100;
  advance(2_000);
  await assert.rejects(clu.send("dome", "open"), { message: /accepts no data/ });
  advance(3_000);
  assert.equal(clu.state, "closed");
});

test("close ends the client for good", async () => {
  const clu = await connectedPlain();
  const command = clu.send("dome", "open");
  clu.close();
  await assert.rejects(command, { state: "unknown" });
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(clu.state, "closed");
});

test("a URL that the browser refuses is reported, and not tried again", async () => {
  const clu = client({ WebSocket: class { constructor() { throw new SyntaxError("bad scheme"); } } });
  await assert.rejects(clu.connect(), /the browser refuses ws:\/\/bridge\/: bad scheme/);
  assert.equal(clu.retryAt, null);
});

// Frames from the server.

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

// Limits.

test("a command keeps its newest replies, and counts them all", async () => {
  const clu = await connectedPlain({ maxReplies: 10 });
  const command = clu.send("camera", "expose 5", { commandId: "id-1" });
  for (let n = 0; n < 1_000; n += 1) FakeSocket.last.say(envelope("i", "id-1", { n }, "camera"));
  assert.equal(command.replyCount, 1_000);
  assert.deepEqual(command.replies.map(({ body }) => body.n), [990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
});

test("a command keeps few replies if they are huge", async () => {
  const clu = await connectedPlain();
  const command = clu.send("camera", "expose 5", { commandId: "id-1" });
  for (let n = 0; n < 10; n += 1) FakeSocket.last.say(envelope("i", "id-1", { image: "x".repeat(500_000) }, "camera"));
  assert.equal(command.replies.length, 3);
});

test("commands in flight and unknown ones are limited in number", async () => {
  const clu = await connectedPlain({ maxActive: 3, maxUnknown: 2 });
  const commands = ["a", "b", "c"].map((commandId) => clu.send("dome", "open", { commandId }));
  assert.match(clu.send("dome", "open").message, /3 commands are in flight already/);

  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  for (const commandId of ["a", "b", "c"]) FakeSocket.last.say(envelope(":", commandId));
  assert.deepEqual(commands.map(({ state }) => state), ["unknown", "done", "done"]);
});

// Command ids and URLs.

test("command ids are UUIDs, even in an insecure context", () => {
  const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const onLAN = { getRandomValues: (bytes) => globalThis.crypto.getRandomValues(bytes) };
  for (const crypto of [globalThis.crypto, onLAN, {}]) {
    assert.match(newCommandId(crypto), uuid4);
    assert.notEqual(newCommandId(crypto), newCommandId(crypto));
  }
});

test("the URL follows the page's scheme and path prefix", () => {
  assert.equal(websocketURL(".", "http://host:9876/index.html?x=1#y"), "ws://host:9876/");
  assert.equal(websocketURL(".", "https://host/clu/"), "wss://host/clu/");
  assert.equal(websocketURL("ws://other:1/?sender=dome", "https://host/"), "ws://other:1/?sender=dome");
  assert.equal(websocketURL("http://other:1"), "ws://other:1/");
});
