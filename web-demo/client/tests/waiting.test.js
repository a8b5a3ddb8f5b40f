// connect, waitFor, replies and rooms.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clu, connect } from "../index.js";
import { dome, FakeSocket, gapNotice, hello, numbered, ok, page, snapshot } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const turn = () => new Promise((resolve) => { setImmediate(resolve); });
const options = () => ({ WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), fetch: null, ...page() });

function greeted() {
  const clu = connect("ws://bridge/", options());
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...hello(41), capabilities: ["log"] });
  FakeSocket.last.requests();
  return clu;
}

test("connect returns a client at once, and closing it right away is quiet", async () => {
  const unhandled = mock.fn();
  process.on("unhandledRejection", unhandled);
  const clu = connect("ws://bridge/", options());
  assert.equal(clu.state, "connecting");
  clu.close();
  connect("ws://bridge/", options());
  FakeSocket.last.drop();
  await turn();
  process.off("unhandledRejection", unhandled);
  assert.deepEqual([clu.state, unhandled.mock.callCount()], ["closed", 0]);
});

test("where there is no WebSocket, the error says what to do", () => {
  const had = globalThis.WebSocket;
  globalThis.WebSocket = undefined;
  try {
    assert.throws(() => connect("ws://bridge/"), { name: "TypeError", message: /node 22.*npm install ws.*WebSocket/ });
  } finally {
    globalThis.WebSocket = had;
  }
});

test("waitFor waits for a value, and looks at the last one first", async () => {
  const clu = greeted();
  const values = [];
  const waiting = clu.waitFor("dome", "shutter", (value) => { values.push(value); return value === "open"; });
  await turn();
  FakeSocket.last.say(ok("1"), snapshot("1", 41, dome("closed", 40)));
  await turn();
  FakeSocket.last.say(numbered(42, { shutter: "opening" }), numbered(43, { shutter: "open" }));
  const { value, seq, stale } = await waiting;
  assert.deepEqual([value, seq, stale, values], ["open", 43, false, ["closed", "opening", "open"]]);
  assert.equal((await clu.waitFor("dome", "shutter")).value, "open", "any value, and the last one is known still");
});

test("waitFor takes no value that is too old", async () => {
  const clu = greeted();
  const waiting = clu.waitFor("dome", "shutter", undefined, { maxAge: 60_000 });
  await turn();
  FakeSocket.last.say(ok("1"), snapshot("1", 41, dome("closed", 40)));  // ten minutes old
  await turn();
  assert.equal(await Promise.race([waiting, turn().then(() => "waits")]), "waits");
  FakeSocket.last.say(numbered(42, { shutter: "closed" }));
  assert.equal((await waiting).seq, 42);
});

test("waitFor ends with a timeout, a signal, a close or a predicate that fails", async () => {
  const clu = greeted();
  const late = clu.waitFor("dome", "shutter", () => false, { timeout: 5_000 });
  await turn();
  FakeSocket.last.say(ok("1"), snapshot("1", 41, dome("closed", 40)));
  await turn();
  await assert.rejects(clu.waitFor("dome", "shutter", () => { throw new RangeError("mine"); }), { name: "RangeError" });
  mock.timers.tick(5_000);
  await assert.rejects(late, { name: "TimeoutError", code: "timeout", message: /^dome.shutter did not come to the value within 5 s: it is closed/ });
  const abort = new AbortController();
  const aborted = clu.waitFor("dome", "n", undefined, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, { name: "AbortError", code: "aborted", message: /enough/ });
  await assert.rejects(clu.waitFor("dome", "n", undefined, { signal: abort.signal }), { code: "aborted" });
  const closed = clu.waitFor("dome", "n");
  clu.close();
  await assert.rejects(closed, { name: "AbortError", code: "closed" });
});

test("replies are looped over until break, which ends the subscription", async () => {
  const clu = greeted();
  const seen = [];
  const replies = clu.replies({ sender: "dome" });
  const loop = (async () => { for await (const { seq } of replies) { seen.push(seq); if (seq === 43) break; } })();
  await turn();
  FakeSocket.last.say(ok("1"), numbered(42), numbered(43), numbered(44));
  await loop;
  assert.deepEqual([seen, replies.dropped], [[42, 43], 0]);
  assert.deepEqual(FakeSocket.last.requests().filter(({ op }) => op === "unsubscribe").map(({ id }) => id).at(-1), "1");
});

test("a loop that reads too slowly is told what was left out, and where", async () => {
  const clu = greeted();
  const seen = [];
  const replies = clu.replies({}, { limit: 2, onDropped: (count) => seen.push(`-${count}`), onGap: ({ seconds }) => seen.push(`gap ${seconds}`) });
  FakeSocket.last.say(ok("1"), numbered(42), numbered(43), numbered(44), numbered(45));
  seen.push((await replies.next()).value.seq, (await replies.next()).value.seq, replies.dropped);
  FakeSocket.last.say(gapNotice(), numbered(46));
  seen.push((await replies.next()).value.seq);
  assert.deepEqual(seen, ["-2", 44, 45, 2, "gap 1.5", 46]);
});

test("a signal and close end a loop quietly, and a refusal is thrown", async () => {
  const clu = greeted();
  const abort = new AbortController();
  const first = clu.replies({}, { signal: abort.signal });
  const next = first.next();
  abort.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
  assert.equal((await clu.replies({}, { signal: abort.signal }).next()).done, true);
  const refused = clu.replies({ sender: "dome" });
  await turn();
  const { id } = FakeSocket.last.requests().filter(({ op }) => op === "subscribe").at(-1);
  FakeSocket.last.say({ op: "error", id, code: "forbidden", message: "not for you" });
  await assert.rejects(refused.next(), { name: "RequestError", code: "forbidden", message: "not for you" });
  assert.equal((await refused.next()).done, true);
  const last = clu.replies({}).next();
  clu.close();
  assert.equal((await last).done, true);
});

test("a loop with since reads the log first, and has each reply once", async () => {
  const clu = greeted();
  const seen = [];
  const gaps = [];
  const replies = clu.replies({ sender: "dome" }, { since: { epoch: "e1", seq: 10 }, onGap: ({ reason }) => gaps.push(reason) });
  const loop = (async () => { for await (const { seq } of replies) seen.push(seq); })();
  await turn();
  const socket = FakeSocket.last;
  socket.say(ok("1"), numbered(42));
  await turn();
  const [asked] = socket.requests().filter(({ op }) => op === "log");
  assert.deepEqual([asked.after, asked.epoch, asked.filter], [10, "e1", { sender: "dome" }]);
  const part = (id, entries, more, next) => ({ op: "log", id, epoch: "e1", oldest: 15, more, next, entries });
  socket.say(part(asked.id, [numbered(20), numbered(30)], true, 30));
  await turn();
  const [again] = socket.requests().filter(({ op }) => op === "log");
  assert.equal(again.after, 30);
  socket.say(numbered(43), part(again.id, [numbered(41), numbered(42)], false, null));
  await turn();
  socket.say(numbered(44));
  await turn();
  clu.close();
  await loop;
  assert.deepEqual([seen, gaps], [[20, 30, 41, 42, 43, 44], ["the bridge no longer has all replies since then"]]);
});

test("a room has a connection of its own, with the credential of the client", async () => {
  const clu = new Clu("ws://bridge/prefix/?silent=1", { ...options(), token: () => "abc" });
  const [messages, gaps, ends] = [[], [], []];
  const room = clu.rooms.subscribe("/live/x", (body) => messages.push(body), { onGap: (gap) => gaps.push(gap), onEnd: (...end) => ends.push(end) });
  await turn();
  const socket = FakeSocket.last;
  assert.deepEqual([socket.url, socket.protocols], ["ws://bridge/prefix/live/x", ["clu", "bearer.abc"]]);
  socket.accept();
  socket.say({ n: 5853498713190525696n.toString() }, "plain text", '{"n": 5853498713190525696}', '{"op": "hello"}');
  assert.deepEqual(messages, [{ n: "5853498713190525696" }, "plain text", { n: "5853498713190525696" }, { op: "hello" }]);
  socket.drop();
  mock.timers.tick(10_000);
  await turn();
  assert.notEqual(FakeSocket.last, socket);
  FakeSocket.last.accept();
  assert.deepEqual([gaps.length, room.state], [1, "open"]);
  FakeSocket.last.drop(3003, "revoked");
  assert.deepEqual([ends, room.state], [[["revoked", 3003]], "closed"]);
  assert.throws(() => clu.rooms.subscribe("live", () => {}), TypeError);
});

test("a listener of a command, and close, which ends rooms", async () => {
  const clu = greeted();
  const command = clu.send("dome", "open", { commandId: "7" });
  const states = [];
  const stop = command.subscribe(() => states.push(command.getSnapshot().state));
  clu.send("dome", "status");
  FakeSocket.last.say(numbered(42, {}, { code: ">", commandId: "7" }));
  stop();
  FakeSocket.last.say(numbered(43, {}, { code: ":", commandId: "7" }));
  assert.deepEqual([states, command.state], [["running"], "done"]);
  const room = clu.rooms.subscribe("/live/x", () => {});
  FakeSocket.last.accept();
  clu.close();
  assert.equal(room.state, "closed");
});

test("an aborted signal ends the waiting, and the command goes on", async () => {
  const clu = greeted();
  const states = [];
  clu.on("command", ({ state }) => states.push(state));
  const abort = new AbortController();
  const command = clu.send("dome", "open", { commandId: "7", signal: abort.signal });
  FakeSocket.last.say(numbered(42, {}, { code: ">", commandId: "7" }));
  abort.abort();
  await assert.rejects(command, { name: "AbortError", state: "running", code: "aborted" });
  assert.equal(FakeSocket.last.sent.filter((text) => text.includes("command_string")).length, 1, "nothing more was sent");
  FakeSocket.last.say(numbered(43, {}, { code: ":", commandId: "7" }));
  assert.deepEqual([states.at(-1), command.state, command.error], ["done", "done", null]);
  const late = clu.send("dome", "open", { signal: abort.signal });
  await assert.rejects(late, { state: "rejected", message: /its signal is aborted/ });
  assert.equal(FakeSocket.last.sent.filter((text) => text.includes("command_string")).length, 1, "not sent");
});

test("a signal that is aborted after the end changes nothing", async () => {
  const clu = greeted();
  const abort = new AbortController();
  const remove = mock.method(abort.signal, "removeEventListener");
  const command = clu.send("dome", "open", { commandId: "7", signal: abort.signal });
  FakeSocket.last.say(numbered(43, {}, { code: ":", commandId: "7" }));
  abort.abort();
  assert.equal((await command).command.state, "done");
  assert.equal(remove.mock.callCount(), 1, "the signal keeps nothing of it");
});

test("several may ask a loop for its next reply, each gets one, and all end", async () => {
  const clu = greeted();
  const loop = clu.replies({ sender: "dome" });
  FakeSocket.last.say(ok("1"));
  const asked = [1, 2, 3, 4].map(() => loop.next());
  await turn();
  FakeSocket.last.say(numbered(42), numbered(43));
  assert.deepEqual((await Promise.all(asked.slice(0, 2))).map(({ value }) => value.seq), [42, 43]);
  await loop.return();
  assert.deepEqual((await Promise.all(asked.slice(2))).map(({ done }) => done), [true, true]);
});

test("a listener of a loop that fails ends the loop, and its subscription", async () => {
  const clu = greeted();
  const loop = clu.replies({ sender: "dome" }, { onGap: () => { throw new Error("mine"); } });
  FakeSocket.last.say(ok("1"), gapNotice(), numbered(42));
  FakeSocket.last.requests();
  await assert.rejects(async () => { for await (const reply of loop) assert.fail(`${reply.seq}`); }, /mine/);
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "unsubscribe", id: "1" }]);
  assert.deepEqual(await loop.next(), { done: true, value: undefined });
});

test("what is wrong with how one wants to wait is said at once", async () => {
  const clu = greeted();
  for (const timeout of [2 ** 31, Infinity, NaN, 0, "5"]) await assert.rejects(clu.waitFor("dome", "n", undefined, { timeout }), { name: "TypeError", message: /the timeout must be a number/ });
  await assert.rejects(clu.waitFor("dome", "n", undefined, { maxAge: NaN }), { name: "TypeError", message: /maxAge/ });
  await assert.rejects(clu.waitFor("dome", "n", { timeout: 5 }), { name: "TypeError", message: /predicate is a function/ });
  const signal = new AbortController();
  await assert.rejects(clu.waitFor("dome", "n", undefined, { signal }), { name: "TypeError", message: /AbortSignal/ });
  assert.throws(() => clu.replies({}, { signal }), { name: "TypeError", message: /AbortSignal/ });
  assert.deepEqual(FakeSocket.last.requests(), [], "nothing was subscribed to");
});

test("a loop with since that reads more slowly than the bridge forgets is told of the gap", async () => {
  const clu = greeted();
  const seen = [];
  const replies = clu.replies({ sender: "dome" }, { since: { epoch: "e1", seq: 10 }, onGap: ({ reason }) => seen.push(reason) });
  const loop = (async () => { for await (const { seq } of replies) seen.push(seq); })();
  await turn();
  const socket = FakeSocket.last;
  socket.say(ok("1"));
  for (const [after, oldest, entries, more] of [[10, 1, [numbered(20)], true], [20, 35, [], true], [30, 35, [numbered(40)], false]]) {
    await turn();
    const [asked] = socket.requests().filter(({ op }) => op === "log");
    assert.equal(asked.after, after);
    socket.say({ op: "log", id: asked.id, epoch: "e1", oldest, more, next: after + 10, entries });
  }
  await turn();
  clu.close();
  await loop;
  assert.deepEqual(seen, [20, "the bridge no longer has all replies since then", 40]);
});
