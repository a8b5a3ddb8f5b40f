// What the store knows of problems.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { FakeSocket, client, envelope, reconnect } from "../../client/tests/fakebridge.js";
import { Store } from "../core/store.js";
import { NOON, actor, atNoon, heard, hello, iso, known, opened, problem, settled } from "./openedstore.js";

atNoon();

test("the worst problem is shown, whatever lesser one comes after it", async () => {
  const { store, socket } = opened({ problems: [problem("critical", "coolant leak")] });
  await settled();
  assert.deepEqual([store.actors.get("dome").level, store.worst.text, store.openProblems], ["critical", "coolant leak", 1]);
  socket.say({ op: "problem", actor: "dome", problems: [problem("warn", "disk 80 % full", { code: "w", time: iso(NOON + 1) }), problem("critical", "coolant leak")] });
  assert.deepEqual([store.actors.get("dome").level, store.worst.text, store.openProblems], ["critical", "coolant leak", 2]);
  assert.deepEqual(store.problems.map(({ text }) => text), ["coolant leak", "disk 80 % full"]);
});

test("problems that the bridge did not tell are asked for again", async () => {
  const { store, socket } = opened();
  socket.drop();
  const next = reconnect();
  next.say(hello());
  const answer = (make) => next.requests().filter(({ op }) => op === "problems").map(({ id }) => next.say(make(id))).length;
  assert.equal(answer((id) => ({ op: "error", id, code: "full", message: "Too much is asked." })), 1);
  await settled();
  mock.timers.tick(1_000);
  assert.equal(answer((id) => ({ op: "problems", id, problems: [problem("warn", "disk")] })), 1);
  await settled();
  assert.equal(store.worst.text, "disk");
  mock.timers.tick(1_000);
  assert.equal(answer(() => {}), 0);
});

test("an acknowledged problem stays so over a reload, and an ended one alarms nobody", async () => {
  const acked = problem("critical", "coolant leak", { acked: { by: "ana", time: iso(NOON) } });
  const over = problem("critical", "wind", { key: "wind", kind: "condition", active: false });
  const { clu, store, socket } = opened({ problems: [acked, over, problem("warn", "disk")] });
  await settled();
  assert.deepEqual([store.worst.text, store.actors.get("dome").level], ["disk", "warn"]);
  const done = store.acknowledge(store.worst);
  const [request] = socket.requests();
  assert.deepEqual(request, { op: "ack", id: request.id, actor: "dome", key: "disk", seq: 9, epoch: "e1" });
  socket.say({ op: "ok", id: request.id, resumed: true, epoch: "e1", seq: 40 });
  await done;
  socket.say({ op: "problem", actor: "dome", problems: [acked] });
  assert.deepEqual([store.worst, store.actors.get("dome").level], [null, "ok"]);
  clu.close();
});

test("against CLU's own server the store finds problems itself, and says what is missing", async () => {
  const clu = client({ bigint: "bigint" });
  const store = new Store(clu, { monotonic: () => Date.now() });
  store.start();
  clu.connect();
  FakeSocket.last.accept();
  const say = (code, body, id = null) => FakeSocket.last.say(envelope(code, id, body));
  say("!", { error: "coolant leak" });
  say("w", { text: "disk 80 % full" });
  say("f", { error: "no such command" }, "typo");
  assert.notEqual(store.problemList.unknown, null, "what finds them is not loaded yet");
  await known(store);
  assert.deepEqual([store.actors.get("dome").level, store.problems.map(({ text }) => text)], ["critical", ["coolant leak", "disk 80 % full"]]);
  assert.deepEqual(store.missing.map(({ capability }) => capability), ["heard", "snapshot", "problems", "commands", "history", "log", "model", "site", "notices"]);
  await store.acknowledge(store.worst);
  assert.equal(store.worst.text, "disk 80 % full");
  say("!", { error: "coolant leak" });
  assert.equal(store.worst.text, "disk 80 % full", "said again soon after");
  mock.timers.setTime(NOON + 700_000);
  say("!", { error: "coolant leak" });
  assert.equal(store.worst.text, "coolant leak");
  assert.deepEqual([...store.commands.values()].map(({ state, command_string: text }) => [state, text]), [["failed", null]]);
});

test("against CLU's own server an actor that stops broadcasting becomes a problem, until it speaks again", async () => {
  const clu = client();
  const store = new Store(clu, { monotonic: () => Date.now() });
  store.start();
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(envelope("i", null, {}));
  await known(store);
  for (let n = 0; n < 8; n += 1) {
    FakeSocket.last.say(envelope("i", null, { n }));
    mock.timers.tick(1_000);
  }
  assert.equal(store.worst, null);
  mock.timers.tick(6_000);
  assert.deepEqual([store.actors.get("dome").liveness, store.worst.kind], ["quiet", "silent"]);
  FakeSocket.last.say(envelope("i", null, { n: 9 }));
  mock.timers.tick(1_000);
  assert.deepEqual([store.actors.get("dome").liveness, store.worst], ["alive", null]);
});

test("an actor that fell silent before the page could look for problems is one", async () => {
  const clu = client();
  const store = new Store(clu, { monotonic: () => Date.now() });
  store.start();
  clu.connect();
  FakeSocket.last.accept();
  for (let n = 0; n < 8; n += 1) {
    FakeSocket.last.say(envelope("i", null, { n }));
    mock.timers.tick(1_000);
  }
  mock.timers.tick(6_000);
  assert.equal(store.worst, null);
  await known(store);
  assert.equal(store.worst.kind, "silent");
});

test("it is known which problems there are once the bridge has told them, and not if it refuses", async () => {
  const clu = client();
  const store = new Store(clu, { monotonic: () => Date.now() });
  store.start();
  clu.connect();
  const opens = () => {
    FakeSocket.last.accept();
    FakeSocket.last.say(hello());
    return FakeSocket.last.requests().find(({ op }) => op === "problems").id;
  };
  const answers = async (message) => { FakeSocket.last.say(message); await settled(); };
  const first = opens();
  assert.match(store.problemList.unknown, /has not told yet/);
  await answers({ op: "error", id: first, code: "forbidden", message: "you may not." });
  assert.match(store.problemList.unknown, /does not tell which problems there are: you may not\./);
  reconnect();
  FakeSocket.last.say(hello());
  const second = FakeSocket.last.requests().find(({ op }) => op === "problems").id;
  assert.match(store.problemList.unknown, /has not told yet/);
  await answers({ op: "problems", id: second, problems: [problem("warn", "disk")], omitted: { dome: 3 } });
  assert.deepEqual([store.problemList.unknown, store.actors.get("dome").omitted], [null, 3]);
  await answers({ op: "problem", actor: "dome", problems: [problem("warn", "disk")], omitted: { dome: 4 } });
  assert.equal(store.actors.get("dome").omitted, 4);
});

test("a problem is acknowledged with the epoch of the bridge that told of it", async () => {
  const { store } = opened({ problems: [problem("warn", "disk")] });
  await settled();
  const before = store.worst;
  const next = reconnect();
  next.say({ ...hello(), epoch: "e2" });
  store.acknowledge(before).catch(() => {});
  const request = next.requests().find(({ op }) => op === "ack");
  assert.deepEqual([request.seq, request.epoch], [9, "e1"]);
});
