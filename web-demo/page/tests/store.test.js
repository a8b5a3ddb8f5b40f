// What every view of the console is fed with.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { FakeSocket, client, numbered, reconnect } from "../../client/tests/fakebridge.js";
import { Store } from "../core/store.js";
import { ALL, NOON, actor, atNoon, heard, hello, iso, known, opened, settled } from "./openedstore.js";

atNoon();

test("a page that was opened shows the first values at once, not at the next turn of the updates", () => {
  const clu = client();
  const store = new Store(clu, { monotonic: () => Date.now() });
  const shown = [];
  store.onUpdate(() => shown.push([Date.now() - NOON, store.link.state, store.actors.size]));
  store.start();
  clu.connect();
  mock.timers.tick(1);
  const socket = FakeSocket.last;
  socket.accept();
  socket.say(hello([...ALL, "batch"]));
  mock.timers.tick(20);
  const request = socket.requests().find(({ snapshot }) => snapshot);
  assert.equal(request.batch_ms, 200, "replies may share a write, for less time than the views wait");
  socket.say({ op: "snapshot", id: request.id, epoch: "e1", seq: 40, actors: { dome: actor(0, { shutter: "open" }) } });
  mock.timers.tick(1);
  assert.deepEqual(shown.map(([, state, actors]) => [state, actors]), [["connecting", 0], ["open", 1]]);
  assert.ok(shown.at(-1)[0] < 50, `${shown}`);
});

test("ages count from when the bridge heard a value, whatever the clock here says", () => {
  const { store, socket } = opened({ actors: { dome: actor(-39_000, { shutter: "open" }) }, time: NOON });
  assert.equal(store.age(store.actors.get("dome").keywords.get("shutter").time), 39_000);
  mock.timers.tick(1_000);
  socket.say(heard(41, 500, { shutter: "closed" }));
  const { time, value } = store.actors.get("dome").keywords.get("shutter");
  assert.deepEqual([value, Math.round(store.age(time))], ["closed", 500]);
  socket.say({ ...numbered(42, { shutter: "old" }), heard: 0 });
  assert.equal(store.age(store.actors.get("dome").keywords.get("shutter").time), Infinity, "when that was is not known");

  const wrong = opened({ time: NOON - 3_600_000, options: { monotonic: () => 0 } });
  wrong.socket.say(heard(41, -3_600_500, { shutter: "closed" }));
  assert.equal(Math.round(wrong.store.age(wrong.store.actors.get("dome").time)), 500, "an hour ahead here");
  assert.equal(wrong.store.clockError, Date.now() - (NOON - 3_600_000));
});

test("a value is never older than what was written of it, and what was heard long ago stays so", () => {
  const { store, updates } = opened({ actors: { dome: actor(-200, { shutter: "open" }) } });
  const { time } = store.actors.get("dome").keywords.get("shutter");
  const ticks = () => updates.filter(({ tick }) => tick).length;
  for (let n = 0; n < 5; n += 1) {
    const [said, before] = [store.shownAge(time), ticks()];
    while (ticks() === before) {
      assert.ok(store.age(time) <= said, `${store.age(time)} ms, and ${said} were written`);
      mock.timers.tick(1);
    }
  }
  assert.equal(store.shownAge(0), Infinity, "when that was is not known");
});

test("a page that is shown again writes its ages at once", () => {
  const { store, updates } = opened();
  mock.timers.tick(1_000);
  mock.timers.setTime(Date.now() + 60_000);  // browsers delay the timers of a hidden page
  const before = updates.length;
  store.refresh();
  assert.deepEqual([updates.length, updates.at(-1).tick], [before + 1, true]);
});

test("a page that is behind says so, and its values are right when it is current again", () => {
  const { store, socket } = opened({ actors: { dome: actor(0, { n: 0 }) } });
  mock.timers.tick(4_000);
  socket.say(heard(41, 100, { n: 41 }), heard(42, 200, { n: 42 }));
  assert.deepEqual([store.behind, store.lag > 3.5], [true, true]);
  socket.say(heard(43, 3_990, { n: 43 }));
  const [{ id }] = socket.requests().filter(({ op }) => op === "snapshot");
  socket.say({ op: "snapshot", id, epoch: "e1", seq: 43, actors: { dome: actor(3_990, { n: 43, m: 42 }, { seq: 43 }) } });
  assert.deepEqual([store.behind, store.actors.get("dome").keywords.get("m").value], [false, 42]);
  assert.match(store.log.from(0).find(({ mark }) => mark).mark, /^1 messages were left out here/);
});

test("a value from before replies were missed counts as outdated until it is heard again, or a snapshot has it as current", () => {
  const { store, socket } = opened({ actors: { dome: actor(0, { shutter: "open", lamp: false }), roof: actor(0, { shutter: "open" }) } });
  const outdated = () => [...store.actors.values()].flatMap(({ name, keywords }) => [...keywords.values()].filter((known) => known.outdated).map((known) => `${name}.${known.name}`));
  assert.deepEqual(outdated(), []);
  socket.say({ op: "gap", from: iso(NOON), to: iso(NOON + 20_000), seconds: 20 });
  assert.deepEqual(outdated(), ["dome.shutter", "dome.lamp", "roof.shutter"]);
  socket.say(heard(41, 100, { shutter: "closed" }));
  assert.deepEqual(outdated(), ["dome.lamp", "roof.shutter"]);

  socket.drop();
  mock.timers.tick(2_000);
  const again = FakeSocket.last;
  again.accept();
  again.say({ ...hello(), epoch: "e1", seq: 41 });
  const [{ id }] = again.requests();
  again.say({ op: "ok", id, resumed: false, epoch: "e1", seq: 41 });
  assert.deepEqual(outdated(), ["dome.shutter", "dome.lamp", "roof.shutter"]);
  const shutter = { value: "closed", time: iso(NOON), code: "i", seq: 41 };
  const { dome, roof } = { dome: actor(0, { lamp: false }), roof: actor(0, { shutter: "open" }) };
  again.say({ op: "snapshot", id, epoch: "e1", seq: 41, gap_after: 40, actors: { dome: { ...dome, keywords: { ...dome.keywords, shutter } }, roof } });
  assert.deepEqual(outdated(), ["dome.lamp", "roof.shutter"]);
  again.say({ op: "snapshot", id, epoch: "e1", seq: 41, actors: { roof } });
  assert.deepEqual(outdated(), ["dome.lamp"], "the bridge has missed nothing since");

  const fresh = opened({ actors: { dome: actor(0, { shutter: "open" }) }, gapAfter: 30 });
  assert.equal(fresh.store.actors.get("dome").keywords.get("shutter").outdated, true, "this page was not there at the gap");
});

test("while the bridge does not answer, it is not known who is alive", () => {
  const { store, socket, updates } = opened({ actors: { dome: actor(0, {}, { interval_ms: 1_000 }) }, options: { pulse: 1_000 } });
  mock.timers.tick(2_000);
  assert.deepEqual([store.silence, store.actors.get("dome").liveness], [0, "alive"]);
  for (let i = 0; i < 10; i += 1) mock.timers.tick(1_000);
  assert.ok(store.silence > 8 && store.lag > 8, `${store.silence}`);
  assert.equal(store.actors.get("dome").liveness, "unknown", "it may well have been heard");
  socket.say(heard(41, 12_000));
  updates.length = 0;
  mock.timers.tick(1_000);
  assert.deepEqual([store.silence, store.actors.get("dome").liveness, updates.some(({ link }) => link)], [0, "alive", true]);
});

test("a clock of the computer that is set makes nobody silent before the bridge has been asked", () => {
  const { store, socket } = opened({ actors: { dome: actor(0, {}, { interval_ms: 1_000 }) }, options: { monotonic: () => 0 } });
  socket.say({ op: "pong", id: "clu.js: time", epoch: "e1", seq: 40, time: iso(NOON) });
  mock.timers.setTime(NOON + 3_600_000);
  mock.timers.tick(1_000);
  assert.equal(store.actors.get("dome").liveness, "alive");
  assert.ok(socket.sent.some((text) => text.includes('"clu.js: time"')));
});

test("nobody is silent for what the page has missed and does not know yet", () => {
  const { store, socket } = opened({ actors: { dome: actor(0, {}, { interval_ms: 1_000 }) } });
  socket.drop();
  mock.timers.tick(30_000);
  const again = FakeSocket.last;
  again.accept();
  again.say(hello(ALL, NOON + 30_000));
  mock.timers.tick(1_000);
  assert.equal(store.actors.get("dome").liveness, "unknown");
  for (const { id } of again.requests()) again.say({ op: "ok", id, resumed: true, epoch: "e1", seq: 40 });
  again.say(heard(40, 500), { op: "pong", id: "clu.js: time", epoch: "e1", seq: 40, time: iso(NOON + 31_000) });
  mock.timers.tick(1_000);
  assert.equal(store.actors.get("dome").liveness, "quiet", "now it is known");
});

test("a gap has the bridge's time, however wrong the clock of this computer is", () => {
  const { store, socket, clu } = opened({ time: NOON - 3_600_000 });
  socket.say(heard(41, -3_600_000, { n: 41 }));
  mock.timers.tick(10_000);
  socket.say(heard(42, -3_590_000, { n: 42 }));
  const gaps = [];
  clu.on("gap", ({ from, to, seconds }) => gaps.push([+from, +to, seconds]));
  socket.drop();
  mock.timers.tick(20_000);
  const again = FakeSocket.last;
  again.accept();
  again.say({ ...hello(ALL, NOON - 3_570_000), epoch: "e2", seq: 3 });
  for (const { id } of again.requests()) again.say({ op: "ok", id, resumed: false, reason: "another epoch", epoch: "e2", seq: 3 });
  again.say({ op: "pong", id: "clu.js: caught up", epoch: "e2", seq: 3 });
  assert.equal(gaps.length, 1);
  assert.deepEqual(gaps[0].map((at) => Math.round(at)), [NOON - 3_595_000, NOON - 3_570_000, 25]);
  assert.match(store.log.from(0).find(({ mark }) => mark).mark, /11:00:05 to 11:00:30/);
});

test("an actor that died before the page was loaded is quiet at once, and one that runs is not", () => {
  const { store, updates } = opened({ actors: {
    dead: actor(-60_000, {}, { interval_ms: 1_000 }), slow: actor(-60_000, {}, { interval_ms: 20_000 }), silent: actor(-60_000),
    gone: actor(-100, {}, { consumer: false }), unknown: actor(-100, {}, { consumer: null }) } });
  mock.timers.tick(1_000);
  const lives = Object.fromEntries([...store.actors].map(([name, { liveness }]) => [name, liveness]));
  assert.deepEqual(lives, { dead: "quiet", slow: "alive", silent: "alive", gone: "absent", unknown: "alive" });
  assert.ok(updates.some(({ actors }) => actors.has("dead")));
});

test("nothing is said about the life of actors while nothing can be heard", () => {
  const { store, socket } = opened({ actors: { dome: actor(0, {}, { interval_ms: 1_000 }) } });
  socket.say({ op: "broker", state: "down", reason: "it went away" });
  mock.timers.tick(30_000);
  assert.equal(store.actors.get("dome").liveness, "unknown");
  socket.say({ op: "broker", state: "up" });
  mock.timers.tick(1_000);
  assert.equal(store.actors.get("dome").liveness, "alive", "it could not be heard");
  mock.timers.tick(5_000);
  assert.equal(store.actors.get("dome").liveness, "quiet");
  socket.say({ op: "actor", name: "dome", interval_ms: 60_000, consumer: true });
  mock.timers.tick(1_000);
  assert.equal(store.actors.get("dome").liveness, "alive");
  socket.drop();
  mock.timers.tick(1_000);
  assert.equal(store.actors.get("dome").liveness, "unknown");
});

test("the commands of everybody are there after a reload, and one's own with their replies", async () => {
  const open = { command_id: "c1", consumer: "dome", command_string: "open", commander: "bridge.dome", client: "ana", state: "running", began: iso(NOON - 9_000),
    ended: null, message_code: ">", message: null, replies: 1, seq: 12 };
  const { clu, store, socket } = opened({ commands: [open] });
  await settled();
  assert.deepEqual([...store.commands.values()].map(({ client: by, state, began, own }) => [by, state, began, own]), [["ana", "running", NOON - 9_000, null]]);
  socket.say({ op: "command_state", command: { ...open, state: "done", ended: iso(NOON) } });
  const command = clu.send("camera", "expose 5");
  const entries = [...store.commands.values()];
  assert.deepEqual(entries.map(({ command_string: text, state }) => [text, state]), [["open", "done"], ["expose 5", "sent"]]);
  assert.equal(entries[1].own, command);
  socket.say({ op: "command_state", command: { ...open, command_id: command.commandId, consumer: "camera", command_string: "expose 5", client: "bridge-1", state: "sent", began: iso(NOON) } });
  assert.equal(store.commands.size, 2, "it is the same command");
});

test("integers have all digits, and what looks alike is told apart", () => {
  const { store, socket } = opened();
  socket.say(JSON.stringify(heard(41, 0, { target: "LONG", none: null })).replace('"LONG"', "5853498713190525696"));
  const { keywords } = store.actors.get("dome");
  assert.deepEqual([keywords.get("target").text, keywords.get("none").text], ["5853498713190525696", "null"]);
});

test("what actors answer to a bridge is no telemetry, and nobody's command", () => {
  const { store, socket } = opened({ capabilities: ["heard"] });
  socket.say(heard(41, 0, { humidity: 1, error: "no" }, { commandId: "model-1", code: "f" }));
  assert.deepEqual([store.actors.size, store.commands.size, store.worst, store.log.size], [0, 0, null, 1]);
});

test("messages, schemas and models are no keywords", () => {
  const { store, socket } = opened({ actors: { dome: actor(0, { schema: "{}", text: "hello", a: 1 }) } });
  socket.say(heard(41, 0, { command_model: {}, help: [], error: "no" }));
  assert.deepEqual([...store.actors.get("dome").keywords.keys()], ["a"]);
  assert.equal(store.actors.get("dome").last.text, "no");
});

test("views are told twice a second of values, of all that have changed", () => {
  const { socket, updates } = opened();
  mock.timers.tick(1_000);
  updates.length = 0;
  for (let n = 0; n < 100; n += 1) {
    socket.say(heard(41 + n, n * 10, { [`k${n % 3}`]: n }));
    mock.timers.tick(10);
  }
  assert.ok(updates.length >= 2 && updates.length <= 4, `${updates.length} updates`);
  assert.equal(updates.reduce((sum, { replies }) => sum + replies, 0), 100);
  assert.deepEqual([...updates.at(-1).keywords.get("dome")].sort(), ["k0", "k1", "k2"]);
  assert.equal(updates.filter(({ tick }) => tick).length, 1);
});

test("notices are asked for on a bridge that has them, and again on the next one", () => {
  const { socket, store } = opened();
  assert.ok(store.link.state === "open");
  socket.requests();
  const next = reconnect();
  next.say(hello(["heard", "snapshot"]));
  assert.deepEqual(next.requests().filter(({ notices }) => notices), []);
  const third = reconnect();
  third.say(hello());
  assert.equal(third.requests().filter(({ notices }) => notices).length, 1);
});

test("a listener that fails does not stop the others", (t) => {
  const error = t.mock.method(console, "error", () => {});
  const clu = client();
  const store = new Store(clu, { monotonic: () => Date.now() });
  let called = 0;
  store.onUpdate(() => { throw new Error("a fault"); });
  const remove = store.onUpdate(() => { called += 1; });
  store.start();
  mock.timers.tick(1_000);
  remove();
  mock.timers.tick(1_000);
  assert.deepEqual([called, error.mock.callCount()], [1, 2]);
  store.stop();
});

test("an actor that may be heard no longer is not silent for that, be it told at once or by the next hello", async () => {
  const everything = { name: "ann", grants: { hear: [{}] } };
  const narrowed = { name: "ann", grants: { hear: [{}], hide: [{ sender: "dome" }] } };
  const rhythm = { interval_ms: 1_000 };
  for (const reconnects of [false, true]) {
    const { store, socket: first } = opened({ access: everything, actors: { dome: actor(0, { n: 0 }, rhythm), roof: actor(0, { n: 0 }, rhythm) } });
    await settled();
    const socket = reconnects ? reconnect() : first;
    socket.requests();
    socket.say(reconnects ? { ...hello(ALL, Date.now()), access: narrowed } : { op: "access", changed: ["hide"], ...narrowed });
    const asked = socket.requests();
    assert.ok(asked.some(({ op }) => op === "problems"));
    const { id } = asked.find(({ op, snapshot }) => op === "snapshot" || snapshot);
    if (reconnects) for (const request of asked) socket.say({ op: "ok", id: request.id, resumed: true, epoch: "e1", seq: 40 });
    socket.say({ op: "snapshot", id, epoch: "e1", seq: 40, actors: { roof: actor(0, { n: 0 }, rhythm) } });
    socket.say({ op: "pong", id: "clu.js: time", epoch: "e1", seq: 40, time: iso(Date.now()) });
    for (let s = 0; s < 7; s += 1) mock.timers.tick(1_000);  // quiet after five
    assert.deepEqual(["dome", "roof"].map((name) => store.actors.get(name).liveness), ["alive", "quiet"], `reconnects: ${reconnects}`);
    store.stop();
  }
});
