// Keywords as stores: what is current, what is stale, and what the bridge is asked for.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clu } from "../index.js";
import { advance, dome, FakeSocket, gapNotice, hello, numbered, ok, page, pong, reconnect, resumed, snapshot } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

function greeted() {
  const clu = new Clu("ws://bridge/", { WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), fetch: null, ...page() });
  clu.connect().catch(() => {});
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(41));
  FakeSocket.last.requests();
  return clu;
}

/** A keyword that is listened to, and has a value. */
async function heard(clu = greeted()) {
  const shutter = clu.keyword("dome", "shutter");
  const seen = [];
  const stop = shutter.subscribe(() => seen.push(shutter.getSnapshot()));
  await turn();
  FakeSocket.last.say(ok("1"), snapshot("1", 41, dome("closed", 40)));
  await turn();
  FakeSocket.last.requests();
  return { clu, shutter, seen, stop };
}

test("a keyword has its last value, and a frozen snapshot for each change", async () => {
  const { shutter, seen } = await heard();
  assert.deepEqual([shutter.value, shutter.stale], ["closed", false]);
  const before = shutter.getSnapshot();
  assert.equal(before, shutter.getSnapshot());
  FakeSocket.last.say(numbered(42, { other: 1 }), numbered(43, { shutter: "x" }, { sender: "roof" }));
  assert.equal(shutter.getSnapshot(), before, "nothing of it has changed");
  FakeSocket.last.say(numbered(44, { shutter: "open" }));
  assert.deepEqual([shutter.value, shutter.getSnapshot().seq, before.value], ["open", 44, "closed"]);
  assert.ok(seen.every((one) => Object.isFrozen(one)) && seen.at(-1) === shutter.getSnapshot());
});

test("that nothing was heard of a keyword is known once all last values have come, also after a reconnect", async () => {
  const clu = greeted();
  const shutter = clu.keyword("dome", "shutter");
  shutter.subscribe(() => {});
  await turn();
  assert.deepEqual([shutter.value, shutter.stale], [undefined, true]);
  FakeSocket.last.say(ok("1"), snapshot("1", 41, {}));
  await turn();
  assert.deepEqual([shutter.value, shutter.stale], [undefined, false]);
  reconnect();
  assert.equal(shutter.stale, true);
  FakeSocket.last.say(hello(50, "e2"), ok("1", { resumed: false, epoch: "e2", seq: 50 }), snapshot("1", 50, {}, "e2"), pong(50, "clu.js: time", "e2"));
  await turn();
  advance(300);
  assert.deepEqual([shutter.value, shutter.stale], [undefined, false]);
  reconnect();
  FakeSocket.last.say(hello(60, "e2"), ok("1", { resumed: false, epoch: "e2", seq: 60 }), { ...snapshot("1", 60, {}, "e2"), gap_after: 55 }, pong(60, "clu.js: time", "e2"));
  await turn();
  advance(300);
  assert.deepEqual([shutter.value, shutter.stale], [undefined, true], "the bridge may have missed it");
});

test("the keywords of one turn share a subscription, and more of them are joined before there are many", async () => {
  const clu = greeted();
  assert.equal(clu.keyword("dome", "a"), clu.keyword("dome", "a"));
  for (const name of ["a", "b"]) clu.keyword("dome", name).subscribe(() => {});
  clu.keyword("roof", "a").subscribe(() => {});
  await turn();
  const socket = FakeSocket.last;
  const asked = () => socket.requests().map(({ op, id, filter }) => [op, id, filter?.sender, filter?.keyword]).filter(([, id]) => !id.startsWith("clu.js"));
  assert.deepEqual(asked(), [["subscribe", "1", ["dome", "roof"], ["a", "b"]]]);
  socket.say(ok("1"), snapshot("1", 41, {}));
  for (let i = 0; i < 20; i++) {
    clu.keyword("dome", `n${i}`).subscribe(() => {});
    await turn();
    for (const [op, id] of asked()) if (op === "subscribe") socket.say(ok(id), snapshot(id, 41, {}));
    await turn();
  }
  socket.say(numbered(42, { n0: 5, n19: 6 }));
  assert.deepEqual([clu.keyword("dome", "n0").value, clu.keyword("dome", "n19").value], [5, 6]);
  assert.deepEqual(clu.keyword("dome", "a").stale, false);
  const ends = socket.sent.filter((text) => text.includes("unsubscribe"));
  assert.ok(ends.length < 5, "what was ended was taken out of the requests");
});

test("joining keeps the values current", async () => {
  const { clu, shutter, seen } = await heard();
  const socket = FakeSocket.last;
  for (let id = 2; id <= 4; id++) {
    clu.keyword("dome", `n${id}`).subscribe(() => {});
    await turn();
    socket.say(ok(String(id)), snapshot(String(id), 41, {}));
    await turn();
  }
  clu.keyword("dome", "n5").subscribe(() => {});
  await turn();
  const joined = socket.requests().find(({ id }) => id === "5");
  assert.deepEqual(joined.filter.keyword, ["n2", "n3", "n4", "n5", "shutter"]);
  socket.say(numbered(42, { shutter: "open" }));
  assert.deepEqual([shutter.value, shutter.stale], ["open", false], "the earlier subscription goes on until the new one has all");
  socket.say(ok("5"), snapshot("5", 42, dome("open", 42)));
  await turn();
  assert.deepEqual(socket.requests().filter(({ op }) => op === "unsubscribe").map(({ id }) => id), ["1", "2", "3", "4"]);
  socket.say(numbered(43, { shutter: "closed" }));
  assert.equal(shutter.value, "closed");
  assert.ok(seen.every(({ stale, value }) => !stale || value === "closed"), "never stale once it was there");
});

test("without a listener the subscription ends, but not when one comes back at once", async () => {
  const { shutter, stop } = await heard();
  stop();
  const again = shutter.subscribe(() => {});
  advance(1_000);
  await turn();
  assert.deepEqual(FakeSocket.last.requests().filter(({ op }) => op === "unsubscribe"), []);
  assert.equal(shutter.value, "closed");
  again();
  advance(1_000);
  await turn();
  assert.deepEqual(FakeSocket.last.requests().filter(({ op }) => op === "unsubscribe").map(({ id }) => id), ["1"]);
  assert.deepEqual([shutter.value, shutter.stale], [undefined, true], "nothing is heard of it any more");
});

test("a value is stale without a connection, and until what was missed has come", async () => {
  const { shutter } = await heard();
  FakeSocket.last.drop();
  assert.deepEqual([shutter.value, shutter.stale], ["closed", true]);
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  assert.equal(shutter.stale, true);
  FakeSocket.last.say(hello(50));
  assert.equal(shutter.stale, true, "what was missed is still to come");
  FakeSocket.last.say(resumed("1", 50), numbered(45, { shutter: "open" }));
  assert.deepEqual([shutter.value, shutter.stale], ["open", true]);
  FakeSocket.last.say(pong(50, "clu.js: time"));
  advance(300);
  assert.deepEqual([shutter.value, shutter.stale], ["open", false]);
});

test("a value that a restarted bridge does not know is stale until it is heard again", async () => {
  const { shutter } = await heard();
  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(3, "e2"), ok("1", { resumed: false, reason: "it has restarted", epoch: "e2", seq: 3 }), snapshot("1", 3, {}, "e2"), pong(3, "clu.js: time", "e2"));
  await turn();
  advance(300);
  assert.deepEqual([shutter.value, shutter.stale], ["closed", true]);
  FakeSocket.last.say(numbered(4, { shutter: "closed" }, { epoch: "e2" }));
  assert.deepEqual([shutter.value, shutter.stale], ["closed", false]);
});

test("after a gap, last values that the bridge has confirmed are current", async () => {
  const { shutter } = await heard();
  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(90), ok("1", { resumed: false, reason: "too long ago", epoch: "e1", seq: 90 }));
  assert.equal(shutter.stale, true);
  FakeSocket.last.say(snapshot("1", 90, dome("closed", 40)), pong(90, "clu.js: time"));
  await turn();
  advance(300);
  assert.deepEqual([shutter.value, shutter.stale], ["closed", false], "the same reply is still the last one");
});

test("a value that the bridge heard before a gap of its own is stale until it is heard again", async () => {
  const clu = greeted();
  const shutter = clu.keyword("dome", "shutter");
  shutter.subscribe(() => {});
  await turn();
  FakeSocket.last.say(ok("1"), { ...snapshot("1", 41, dome("closed", 40)), gap_after: 40 });
  await turn();
  advance(300);
  assert.deepEqual([shutter.value, shutter.stale], ["closed", true]);
  FakeSocket.last.say(numbered(42, { shutter: "closed" }));
  assert.equal(shutter.stale, false);
  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(90), ok("1", { resumed: false, reason: "too long ago", epoch: "e1", seq: 90 }));
  FakeSocket.last.say({ ...snapshot("1", 90, dome("closed", 42)), gap_after: 42 }, pong(90, "clu.js: time"));
  await turn();
  advance(300);
  assert.equal(shutter.stale, true, "the bridge does not confirm it");
});

test("after a gap, and while the bridge hears no replies, a value is stale", async () => {
  const { shutter } = await heard();
  const socket = FakeSocket.last;
  socket.say({ op: "broker", state: "down", reason: "gone" });
  assert.equal(shutter.stale, true);
  socket.say({ op: "broker", state: "up" });
  assert.equal(shutter.stale, false);
  socket.say(gapNotice());
  assert.equal(shutter.stale, true, "it may have changed in between");
  socket.say(numbered(42, { shutter: "closed" }));
  assert.equal(shutter.stale, false);
  socket.say({ op: "dropped", count: 3 });
  assert.equal(shutter.stale, true);
});

test("a refused subscription leaves its keywords stale", async () => {
  const clu = greeted();
  const shutter = clu.keyword("dome", "shutter");
  shutter.subscribe(() => {});
  await turn();
  FakeSocket.last.say({ op: "error", id: "1", code: "forbidden", message: "not for you" });
  advance(1_000);
  assert.deepEqual([shutter.value, shutter.stale], [undefined, true]);
});

test("names that are patterns, too long or too many are not put into a filter", async () => {
  const clu = greeted();
  clu.keyword("dome", "a*").subscribe(() => {});
  clu.keyword("dome", "b").subscribe(() => {});
  await turn();
  FakeSocket.last.say(ok("1"), snapshot("1", 41, {}));
  for (let i = 0; i < 300; i++) clu.keyword("roof", `n${i}`).subscribe(() => {});
  await turn();
  assert.deepEqual(FakeSocket.last.requests().filter(({ op, id }) => op === "subscribe" && !id.startsWith("clu")).map(({ filter }) => filter), [{ sender: ["dome"] }, { sender: ["roof"] }]);
  FakeSocket.last.say(numbered(42, { "a*": 1, ab: 2 }));
  assert.equal(clu.keyword("dome", "a*").value, 1);
  assert.throws(() => clu.keyword("dome"), TypeError);
});

test("a listener that fails does not keep the others from it", async () => {
  const { clu, shutter } = await heard();
  const errors = [];
  clu.on("error", ({ message }) => errors.push(message));
  shutter.subscribe(() => { throw new Error("of the page"); });
  const seen = [];
  shutter.subscribe(() => seen.push(shutter.value));
  FakeSocket.last.say(numbered(42, { shutter: "open" }));
  assert.deepEqual([errors, seen], [["A listener failed: of the page"], ["open"]]);
});
