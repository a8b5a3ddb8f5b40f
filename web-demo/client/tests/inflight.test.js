// Which command a reply answers, whatever other programs share the exchange.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, client, connected, envelope, hello, advance, connectedPlain, subscribed } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

/** A client of a bridge with the name "bridge", or of CLU's own server, which has that name but never sends it. */
const connectedV1 = async (options) => {
  const clu = await connected(options);
  FakeSocket.last.say(hello());
  return clu;
};
const onCLU = async (options) => {
  const clu = await connectedPlain(options);
  FakeSocket.last.say(envelope("i", null, {}, "weather", null));
  assert.equal(clu.protocol, "plain");
  return clu;
};
const servers = Object.entries({ "clu-ws": connectedV1, "CLU's own server": onCLU });
const say = (code, { id = "9", body = {}, sender = "dome", commander = "bridge.dome" } = {}) => FakeSocket.last.say(envelope(code, id, body, sender, commander));

for (const [name, connect] of servers) {
  test(`${name}: another program's command with the same id does not end ours`, async () => {
    const clu = await connect();
    const command = clu.send("dome", "open", { commandId: "9" });
    say(">");
    say(":", { sender: "weather", commander: "bridge.weather" });         // a command to another actor
    say(":", { sender: "camera", commander: "another-client.camera" });   // one through another bridge
    say(":", { sender: "dome", commander: "another-client.camera" });
    say(":", { sender: "weather", commander: "bridge.dome" });            // a sender that is not the consumer
    say(":", { sender: "nobody", commander: "bridge.nobody" });
    say("f", { sender: "nobody", commander: "bridge.nobody", body: { error: "Failed routing message to consumer 'nobody'." } });
    say("f", { sender: null });
    say(":", { commander: null });
    assert.deepEqual([command.state, command.replyCount], ["running", 1]);
    say(":", { body: { text: "Opened." } });
    assert.deepEqual((await command).keywords, { text: "Opened." });
  });

  test(`${name}: an actor that passes the id on does not end the command by the other command's end`, async () => {
    const clu = await connect();
    const command = clu.send("dome", "open");  // an actor's commands to others have its id, and its commander in front
    const id = command.commandId;
    say(">", { id });
    say(":", { id, sender: "weather", commander: "bridge.dome.weather" });
    say(":", { id, commander: "bridge.dome.dome" });
    assert.equal(command.state, "running");
    say("f", { id });
    await assert.rejects(command, { state: "failed" });
  });

  test(`${name}: a consumer with dots belongs to the actor of that name, or of a part before a dot`, async () => {
    const clu = await connect();
    for (const [consumer, sender, ends] of [["dome.x", "dome", true], ["dome.x", "dome.x", true], ["a.b.c", "a.b", true], ["dome.x", "dom", false], ["dome", "dome.x", false], ["dome.x", "x", false]]) {
      const command = clu.send(consumer, "status");
      say(":", { id: command.commandId, sender, commander: `bridge.${consumer}` });
      assert.equal(command.state, ends ? "done" : "sent", `${consumer} by ${sender}`);
    }
  });

  test(`${name}: a consumer that does not exist fails by the server's reply`, async () => {
    const clu = await connect();
    const command = clu.send("nobody", "ping");
    const absent = envelope("f", command.commandId, { error: "Failed routing message to consumer 'nobody'." }, "nobody");
    FakeSocket.last.say({ ...absent, routing_key: "reply.bridge", timestamp: null });
    await assert.rejects(command, { state: "failed", message: "Failed routing message to consumer 'nobody'." });
  });

  test(`${name}: the id of an unknown command is not used again`, async () => {
    const clu = await connect();
    const first = clu.send("dome", "open", { commandId: "9", timeout: 1_000, expires: 1_000 });
    advance(2_000);
    assert.equal(first.state, "unknown");
    await assert.rejects(clu.send("dome", "close", { commandId: "9" }), { state: "rejected", message: /with the id 9 may still be running/ });
    say(":");
    assert.equal(first.state, "done");
    assert.equal(clu.send("dome", "close", { commandId: "9" }).state, "sent");
  });
}

test("the commander \"me\" matches by commander, not by id", async () => {
  const { clu, subscriptions: [mine] } = await subscribed({ commander: "me" });
  const received = [];
  clu.on("reply", ({ seq }) => received.push(seq));
  clu.send("dome", "open", { commandId: "9" });
  const reply = (seq, sender, commander) => ({ ...envelope("i", "9", { seq }, sender, commander), seq, epoch: "e1" });
  FakeSocket.last.say(reply(51, "dome", "bridge.dome"), reply(52, "weather", "bridge.weather"), reply(53, "dome", "other.dome"));
  assert.deepEqual(received, [51]);
  assert.deepEqual(Object.keys(mine.values), ["dome"]);
});

test("two bridges: each command ends by the replies to its own bridge", async () => {
  const clus = [];
  for (const name of ["east", "west"]) {
    const clu = client();
    clu.connect();
    FakeSocket.last.accept();
    FakeSocket.last.say({ ...hello(), name });
    clus.push({ clu, socket: FakeSocket.last, command: clu.send("dome", "status", { commandId: "1" }) });
  }
  const everywhere = (reply) => clus.forEach(({ socket }) => socket.say({ ...reply, seq: 50, epoch: "e1" }));
  everywhere(envelope("f", "1", { error: "The west fails." }, "dome", "west.dome"));
  assert.deepEqual(clus.map(({ command }) => command.state), ["sent", "failed"]);
  everywhere({ ...envelope(":", "1", {}, "dome", "east.dome") });
  assert.equal(clus[0].command.state, "sent", "the number was received already");
  clus[0].socket.say({ ...envelope(":", "1", {}, "dome", "east.dome"), seq: 51, epoch: "e1" });
  assert.equal(clus[0].command.state, "done");
  await assert.rejects(clus[1].command, { message: "The west fails." });
});

test("an id that another client of the bridge uses is refused with the bridge's message", async () => {
  for (const code of ["bad_request", "in_use"]) {
    const clu = await connectedV1();
    const command = clu.send("dome", "open", { commandId: "1" });
    FakeSocket.last.say({ op: "error", id: null, command_id: "1", code, message: "A command with this command_id is in flight." });
    await assert.rejects(command, { state: "rejected", code, message: "A command with this command_id is in flight." });
    say(":", { id: "1" });
    assert.equal(command.state, "rejected", "that is the other command's end");
  }
});

test("after a bridge's hello under another name, replies to old and new commands are reported apart", async () => {
  const clu = await connectedV1();
  const before = clu.send("dome", "open", { commandId: "1" });
  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...hello(50), name: "west" });
  const after = clu.send("dome", "close", { commandId: "2" });
  const say = (seq, id, commander) => FakeSocket.last.say({ ...envelope(":", id, {}, "dome", commander), seq, epoch: "e1" });
  say(51, "1", "west.dome");
  say(52, "2", "bridge.dome");
  assert.deepEqual([before.state, after.state], ["unknown", "sent"]);
  say(53, "1", "bridge.dome");
  say(54, "2", "west.dome");
  assert.deepEqual([before.state, after.state], ["done", "done"]);
});

test("after a restart under the same name, a final reply that may be another command's leaves a lost command unknown", async () => {
  const clu = await connectedV1();
  const command = clu.send("dome", "open", { commandId: "1" });
  const say = (seq, code) => FakeSocket.last.say({ ...envelope(code, "1"), seq, epoch: "e1" });
  say(42, ">");
  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(42));
  say(43, ">");  // another page's
  say(44, ":");
  assert.equal(command.state, "unknown");
});

// CLU's own server sends nothing but envelopes.

test("CLU's own server: its name is learned from a command with a generated id", async () => {
  const clu = await onCLU();
  const first = clu.send("dome", "open", { commandId: "9" });
  say(">", { id: "9", commander: "elsewhere.dome" });
  assert.equal(first.state, "running", "the name is not known yet");
  const second = clu.send("weather", "status");
  say(">", { id: second.commandId, sender: "weather", commander: "bridge.weather" });
  say(":", { id: "9", commander: "elsewhere.dome" });
  assert.equal(first.state, "running");
  say(":", { id: "9" });
  assert.equal(first.state, "done");
  const third = clu.send("camera", "expose", { commandId: "9" });
  say(":", { id: "9", sender: "camera", commander: "elsewhere.camera" });
  assert.equal(third.state, "sent");
});

test("CLU's own server: while two commanders are possible, a final reply counts for neither command", async () => {
  const clu = await onCLU();
  const command = clu.send("dome", "open", { commandId: "9" });
  say(">", { commander: "elsewhere.dome" });
  say(">", { commander: "bridge.dome" });
  say(":", { commander: "elsewhere.dome" });
  await assert.rejects(command, { state: "unknown", message: "another command to dome has the id 9, so the final reply is ambiguous; leave the id out to get a unique one" });
});

test("CLU's own server: two tabs that count ids from 1 do not end each other's commands", async () => {
  const clu = await onCLU();
  const first = clu.send("dome", "open", { commandId: "1" });
  say(">", { id: "1" });
  say(">", { id: "1" });  // the other tab's, to the same actor
  say(":", { id: "1" });
  assert.equal(first.state, "unknown", "the final reply is ambiguous");
  await assert.rejects(first, { state: "unknown" });

  say(">", { id: "2" });  // the other tab was first
  await assert.rejects(clu.send("dome", "close", { commandId: "2" }), { state: "rejected", message: /another program's command to dome with the id 2 is in flight/ });
  assert.equal(clu.send("camera", "expose", { commandId: "2" }).state, "sent", "to another actor the id is free");
  say(":", { id: "2" });
  clu.send("dome", "close", { commandId: "3" });
  assert.equal(FakeSocket.last.sent.filter((text) => text.includes("dome")).length, 2);
});

test("CLU's own server: a generated id is never ambiguous", async () => {
  const clu = await onCLU();
  const command = clu.send("dome", "open");
  for (const code of [">", ">", ":"]) say(code, { id: command.commandId });
  await command;
});

test("CLU's own server: what is remembered of other clients is limited, and forgotten with the connection", async () => {
  const clu = await onCLU();
  for (let n = 0; n <= 1_000; n += 1) say(">", { id: String(n) });
  assert.equal(clu.send("dome", "open", { commandId: "0" }).state, "sent");
  assert.equal(clu.send("dome", "open", { commandId: "1" }).state, "rejected");
  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  mock.timers.tick(300);
  assert.equal(clu.send("dome", "open", { commandId: "1" }).state, "sent");
});

test("a refusal in CLU's form is the bridge's own, and ignored on v1", async () => {
  const refusal = { ...envelope("f", "9", { error: "Nonsense." }, "dome", null), exchange: "", message_id: null };
  const plain = await onCLU();
  const refused = plain.send("dome", "open", { commandId: "9" });
  FakeSocket.last.say(refusal);
  await assert.rejects(refused, { state: "failed", message: "Nonsense." });

  const clu = await connectedV1();
  const command = clu.send("dome", "open", { commandId: "9" });
  FakeSocket.last.say({ ...refusal, seq: 42, epoch: "e1" });
  assert.equal(command.state, "sent");
});

test("half a character is refused, and not replaced by another one", async () => {
  const clu = await connectedV1();
  for (const [consumer, words, commandId] of [["dome", "open", "\ud800"], ["dome", "open \udc00 now", "9"], ["\ud800\ud800", "open", "9"]]) {
    await assert.rejects(clu.send(consumer, words, { commandId }), { state: "rejected", message: /lone surrogate/ });
  }
  assert.deepEqual(FakeSocket.last.sent, []);
  assert.equal(clu.send("dome", "say \u{1f52d}", { commandId: "\u{1f52d}" }).state, "sent");
});
