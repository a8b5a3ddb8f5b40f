// The states of a command, with a fake WebSocket and a mocked clock.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { newCommandId } from "../clu.js";
import { FakeSocket, connectedPlain, envelope } from "./fakebridge.js";

const refusal = (commandId, error) => ({
  ...envelope("f", commandId, { error }, "clu-ws"), exchange: "", message_id: null, routing_key: "reply.clu-ws",
  headers: { command_id: commandId, commander_id: null, internal: false, message_code: "f", sender: "clu-ws" },
});

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
});
afterEach(() => mock.timers.reset());

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
  FakeSocket.last.say(envelope("i", "another-id", { dome_status: "nonsense" }));
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
    state: "unknown", message: "no final reply within 6 s; the actor may still be executing it",
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

test("command ids are UUIDs, even in an insecure context", () => {
  const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const onLAN = { getRandomValues: (bytes) => globalThis.crypto.getRandomValues(bytes) };
  for (const crypto of [globalThis.crypto, onLAN, {}]) {
    assert.match(newCommandId(crypto), uuid4);
    assert.notEqual(newCommandId(crypto), newCommandId(crypto));
  }
});
