// The parts of the store, one rule a test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Actor, LIMITS as ACTOR_LIMITS, isAbsent } from "../core/actors.js";
import { CommandTable, MAX_ENDED } from "../core/commands.js";
import { formatAge, formatValue, kindOf } from "../core/format.js";
import { FoundProblems, sameText } from "../core/found.js";
import { livenessOf, Rhythm } from "../core/liveness.js";
import { LogRing } from "../core/logring.js";
import { missingFrom } from "../core/missing.js";
import { byName } from "../core/order.js";
import { compare, levelOf } from "../core/problems.js";
import { CALM, INTERVAL, Scheduler } from "../core/scheduler.js";

const reply = (more = {}) => ({ sender: "dome", code: "i", commandId: null, commanderId: null, keywords: {}, body: {}, text: null, seq: null, epoch: null,
  internal: false, refused: false, returned: false, size: 100, ...more });

test("an actor is quiet after four intervals, and never before five seconds", () => {
  const cases = [
    [{ interval: 1_000 }, 5_000, "alive"], [{ interval: 1_000 }, 5_001, "quiet"], [{ interval: 20_000 }, 80_000, "alive"],
    [{ interval: 20_000 }, 80_001, "quiet"], [{ interval: null }, 1e9, "alive"], [{ interval: null, consumer: false }, 0, "absent"],
    [{ interval: 1_000, consumer: true }, 6_000, "quiet"], [{ interval: 1_000, consumer: null }, 0, "alive"],
  ];
  for (const [actor, now, expected] of cases) assert.equal(livenessOf({ time: 0, consumer: null, ...actor }, now, true), expected);
  assert.equal(livenessOf({ time: 0, interval: 1, consumer: false }, 1e9, false), "unknown");
});

test("a rhythm is found from five broadcasts, and follows them", () => {
  const rhythm = new Rhythm();
  for (const time of [0, 1_000, 2_000, 3_000]) rhythm.broadcast(time + 1);
  assert.equal(rhythm.interval, null);
  rhythm.broadcast(4_001);
  assert.equal(rhythm.interval, 1_000);
  rhythm.broadcast(2_000);  // of before
  assert.equal(rhythm.interval, 1_000);
  for (let n = 1; n < 60; n += 1) rhythm.broadcast(4_001 + n * 3_000);
  assert.equal(Math.round(rhythm.interval), 3_000);
  for (let n = 1; n < 20; n += 1) rhythm.broadcast(4_001 + 177_000 + n * 600_000);
  assert.equal(rhythm.interval, null, "too seldom for a rhythm");
});

test("an older value never replaces a newer one, unless the numbers have begun anew", () => {
  const actor = new Actor("dome");
  const say = (seq, epoch, value) => actor.reply(reply({ seq, epoch, keywords: { a: value } }), seq);
  assert.deepEqual([say(5, "e1", "new"), say(4, "e1", "old"), actor.keywords.get("a").text], [["a"], [], "new"]);
  say(1, "e2", "restarted");
  assert.equal(actor.keywords.get("a").value, "restarted");
  actor.snapshot({ time: "2026-11-21T12:00:00Z", keywords: { a: { time: "2026-11-21T12:00:00Z", code: "i", seq: 1, value: "again" } } }, "e2");
  assert.equal(actor.keywords.get("a").value, "restarted");
});

test("an actor keeps so many keywords and counts the others, and says what the bridge does not keep", () => {
  const actor = new Actor("dome");
  const keywords = Object.fromEntries(Array.from({ length: ACTOR_LIMITS.keywords + 3 }, (_, n) => [`k${n}`, n]));
  actor.reply(reply({ keywords }), 1);
  assert.deepEqual([actor.keywords.size, actor.unkept], [ACTOR_LIMITS.keywords, 3]);
  actor.snapshot({ time: "", keywords: { k1: { time: "2026-11-21T12:00:00Z", code: "i", seq: 1, too_large: 70_000 } } }, "e1");
  assert.equal(actor.keywords.get("k1").text, "(70000 bytes: too large for the bridge to keep)");
});

test("a keyword may have any name", () => {
  const actor = new Actor("dome");
  actor.reply(reply({ keywords: JSON.parse('{"__proto__": 1, "constructor": 2}') }), 1);
  assert.deepEqual([...actor.keywords.keys()], ["__proto__", "constructor"]);
});

test("the bridge's interval counts, also if it says that there is none", () => {
  const actor = new Actor("dome");
  for (let n = 1; n < 9; n += 1) actor.reply(reply(), n * 1_000);
  assert.equal(actor.interval, 1_000);
  actor.state({ interval_ms: null });
  assert.equal(actor.interval, null);
  actor.state({ interval_ms: 2_500, consumer: false });
  assert.deepEqual([actor.interval, actor.consumer], [2_500, false]);
});

const problem = (level, more) => ({ level, key: "", acked: null, active: null, began: 0, time: 0, ...more });

test("problems that count come first, then the worse, then the newer", () => {
  const acked = problem("critical", { acked: { by: null, time: 1 } });
  const ended = problem("critical", { active: false });
  const [warn, error, newer, critical] = [problem("warn"), problem("error"), problem("error", { began: 9 }), problem("critical", { active: true })];
  assert.deepEqual([acked, warn, error, ended, critical, newer].sort(compare), [critical, newer, error, warn, acked, ended]);
  assert.deepEqual([levelOf([]), levelOf([acked, ended]), levelOf([warn, error]), levelOf([problem("dire")])], ["ok", "ok", "error", "error"]);
});

test("what is said to a commander is no problem, but for a critical failure", () => {
  const found = new FoundProblems();
  const cases = [["w", null, true], ["e", null, true], ["f", null, true], ["!", null, true], ["i", null, false], [":", null, false], ["f", "id", false], ["e", "id", false], ["!", "id", true]];
  for (const [code, commandId, expected] of cases) assert.equal(found.reply(reply({ code, commandId, text: `${code} ${commandId}` }), 1), expected, code);
  assert.equal(found.reply(reply({ code: "f", refused: true }), 1), false, "the bridge's own");
  assert.deepEqual(found.of("dome").map(({ level }) => level), ["critical", "critical", "error", "error", "warn"]);
});

test("texts that differ in measured values are the same, as for the bridge", () => {
  const table = JSON.parse(readFileSync(new URL("../../../bridge/problem/testdata/shapes.json", import.meta.url), "utf8"));
  assert.ok(table.length > 20);
  for (const [text, same] of table) assert.equal(sameText(text), same);
});

test("what is said again with another value is the same problem, and acknowledged until it was not said for ten minutes", () => {
  const found = new FoundProblems();
  const minutes = 60_000;
  found.reply(reply({ code: "!", text: "gust 23.1 m/s", seq: 1 }), minutes);
  found.reply(reply({ code: "!", text: "gust 23.4 m/s", seq: 2 }), 2 * minutes);
  const state = () => found.of("dome").map(({ text, began, time, count, seq, acked }) => [text, began / minutes, time / minutes, count, seq, acked !== null]);
  assert.deepEqual(state(), [["gust 23.4 m/s", 1, 2, 2, 2, false]]);
  found.acknowledge("dome", undefined, 2 * minutes);
  for (let n = 3; n < 30; n += 1) found.reply(reply({ code: "!", text: `gust 2${n % 10}.5 m/s`, seq: n }), n * minutes);
  assert.deepEqual(state(), [["gust 29.5 m/s", 1, 29, 29, 29, true]]);
  found.reply(reply({ code: "!", text: "gust 20 m/s", seq: 30 }), 40 * minutes);
  assert.deepEqual(state(), [["gust 20 m/s", 40, 40, 1, 30, false]]);
});

test("of too many problems the least are dropped, and counted", () => {
  const found = new FoundProblems();
  found.reply(reply({ code: "!", text: "leak" }), 1);
  for (let n = 0; n < 30; n += 1) found.reply(reply({ code: "w", text: `w${n}` }), n + 2);
  const kept = found.of("dome");
  assert.deepEqual([kept.length, kept[0].text, found.dropped], [20, "leak", 11]);
});

const command = (id, state, more = {}) => ({ command_id: id, consumer: "dome", command_string: "open", commander: "b.dome", client: null, state,
  began: "2026-11-21T12:00:00Z", ended: state === "running" ? null : "2026-11-21T12:00:01Z", message_code: null, message: null, replies: 1, seq: 1, ...more });

test("commands that ended are bounded, and running ones stay", () => {
  const table = new CommandTable();
  table.notice(command("long", "running"));
  for (let n = 0; n < MAX_ENDED + 50; n += 1) table.notice(command(`c${n}`, "done"));
  assert.deepEqual([table.entries.size, table.running, table.entries.has("long dome"), table.entries.has("c0 dome")], [MAX_ENDED + 1, 1, true, false]);
});

test("a running command that the bridge does not have any more has an unknown end", () => {
  const table = new CommandTable();
  table.notice(command("a", "running"));
  table.list([command("b", "running", { began: "2026-11-21T11:00:00Z" })]);
  assert.deepEqual([...table.entries.values()].map(({ command_id: id, state }) => [id, state]), [["b", "running"], ["a", "unknown"]]);
});

test("a command keeps its string when a notice has none, and a page's own its state", () => {
  const table = new CommandTable();
  const own = { commandId: "a", consumer: "dome", commandString: "open", state: "rejected", message: "not granted", replyCount: 0, replies: [], sentAt: 5, endedAt: 6 };
  table.own(own, (ms) => ms + 1_000);
  table.notice(command("a", "running", { command_string: null }));
  const [entry] = table.entries.values();
  assert.deepEqual([entry.command_string, entry.state, entry.own], ["open", "rejected", own]);
  own.state = "unknown";
  table.notice(command("a", "done"));
  assert.equal(entry.state, "done", "the bridge knows the end");
});

test("the end of a page's own command comes from a notice where the page may not hear the reply that ends it", () => {
  const table = new CommandTable();
  const own = { commandId: "a", consumer: "dome", commandString: "open", state: "running", active: true, message: null, replyCount: 1, replies: [{ code: "w", seq: 3 }], sentAt: 5, endedAt: null };
  const [local, told] = [(ms) => ms, (state) => table.notice(command("a", state, { message_code: null, seq: null }))];
  const state = () => table.entries.get("a dome").state;
  table.own(own, local);
  told("running");
  told("done");
  assert.equal(state(), "done");
  table.own(own, local);  // another reply, which was on its way
  assert.equal(state(), "done");
  table.own(Object.assign(own, { state: "unknown", active: false, endedAt: 9 }), local);  // its time is up
  assert.equal(state(), "done");
  table.own(Object.assign(own, { state: "failed" }), local);
  assert.equal(state(), "failed", "what the page has heard counts");
  table.own({ ...own, state: "sent", active: true, endedAt: null }, local);
  assert.equal(state(), "sent", "another one with its id");
});

test("the log keeps the newest, by number and by size, and their numbers", () => {
  const ring = new LogRing({ entries: 3, chars: 1_000 });
  for (let n = 0; n < 10; n += 1) ring.reply(reply({ seq: n }), n);
  ring.mark("a gap", 11);
  assert.deepEqual([ring.first, ring.next, ring.size], [8, 11, 3]);
  assert.deepEqual(ring.from(0).map(({ n, reply: of, mark }) => [n, of?.seq ?? mark]), [[8, 8], [9, 9], [10, "a gap"]]);
  assert.deepEqual([ring.at(7), ring.at(10).mark, ring.from(10).length, ring.from(99).length], [undefined, "a gap", 1, 0]);
  ring.reply(reply({ size: 5_000 }), 12);
  assert.equal(ring.size, 1, "one is kept, however long");
  ring.clear();
  assert.deepEqual([ring.size, ring.next, ring.first], [0, 12, 12]);
});

test("what is missing is nothing with this bridge, and much with CLU's own server", () => {
  assert.deepEqual(missingFrom(null, []), []);
  assert.deepEqual(missingFrom("v1", ["heard", "snapshot", "problems", "commands", "history", "log", "model", "site", "notices"]), []);
  assert.ok(missingFrom("plain", []).every(({ text }) => text.length > 20));
});

test("numbers in names count", () => {
  assert.deepEqual(["a10", "a2", "b", "A1"].sort(byName), ["A1", "a2", "a10", "b"]);
});

test("values that look alike are told apart", () => {
  const cases = [[undefined, "missing"], [null, "null"], ["NaN", "nan"], ["-Infinity", "nan"], [NaN, "nan"], [1, "number"], [1n, "number"], ["null", "text"], [true, "bool"],
    [[], "list"], [{}, "object"]];
  for (const [value, kind] of cases) assert.equal(kindOf(value), kind);
  assert.equal(formatValue(5853498713190525696), "5.853498713190526e+18", "not all of its digits are known");
  assert.equal(formatAge(Infinity), "?");
});

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

test("an update comes at once after a quiet time, then no more often than four times a second", () => {
  const runs = [];
  const scheduler = new Scheduler((tick) => runs.push([Date.now() - 1_000_000, tick]), () => Date.now());
  mock.timers.tick(500);
  scheduler.request();
  mock.timers.tick(1);
  for (let n = 0; n < 10; n += 1) {
    scheduler.request();
    mock.timers.tick(30);
  }
  const [first, second] = runs.map(([at]) => at);
  assert.ok(runs.length === 2 && first === 501 && second - first >= INTERVAL && second - first < INTERVAL + 30, `${runs}`);
  assert.deepEqual(runs.map(([, tick]) => tick), [true, false]);
});

test("values alone are told less often, and do not delay what is urgent", () => {
  const runs = [];
  const scheduler = new Scheduler(() => runs.push(Date.now() - 1_000_000), () => Date.now());
  const pass = (ms) => { for (let n = 0; n < ms; n += 1) mock.timers.tick(1); };
  scheduler.request(true);
  pass(1);
  scheduler.request(true);
  pass(CALM);
  scheduler.request(true);
  pass(10);
  scheduler.request();
  pass(CALM);
  assert.deepEqual(runs.map((at) => Math.round(at / 10) * 10), [0, CALM, CALM + INTERVAL]);
});

test("what a page that shows nothing has waited for is told without an interval, instead of what was to come later", () => {
  const runs = [];
  const scheduler = new Scheduler(() => runs.push(Date.now() - 1_000_000), () => Date.now());
  scheduler.request();
  mock.timers.tick(1);
  scheduler.request(true);
  mock.timers.tick(10);
  scheduler.requestAtOnce();
  mock.timers.tick(1);
  mock.timers.tick(CALM);
  assert.deepEqual(runs, [1, 12]);
});

test("a hidden page, whose timers are late, updates when a message arrives", () => {
  let runs = 0;
  let now = 0;
  const scheduler = new Scheduler(() => { runs += 1; }, () => now);
  scheduler.request();
  now = 900;
  scheduler.request();
  assert.equal(runs, 0);
  now = 1_100;
  scheduler.request();
  assert.equal(runs, 1);
  scheduler.stop();
});

test("what a tick writes is true until the next one has been made, however slow the page is", () => {
  let [now, began, work] = [0, 0, 0];
  let said = Infinity;  // until when the last tick had said that what it wrote would be true
  const scheduler = new Scheduler(() => { now += work; }, () => now);
  const tick = (late, takes) => {
    began += 1_000 + late;
    [now, work] = [began, takes];
    scheduler.now();
    const was = said;
    said = began + scheduler.stay;
    return { is: now, said: was };
  };
  tick(0, 5);
  tick(120, 30);
  for (let n = 0; n < 30; n += 1) {
    const { is, said: until } = tick(n % 3 === 0 ? 120 : 2, 30);  // late now and then
    assert.ok(is <= until, `it stayed until ${is}, and had counted until ${until}`);
  }
  for (let n = 0; n < 10; n += 1) tick(0, 0);
  assert.equal(scheduler.stay, 1_000);
  tick(600_000, 0);  // a page that was hidden, or a computer that slept
  assert.ok(scheduler.stay <= 3_000);
  scheduler.stop();
});

test("a problem that is said again keeps its place among those of its level", () => {
  const problem = (key, began, time, level = "error") => ({ key, began, time, level, acked: null, active: null });
  const keys = (problems) => problems.sort(compare).map(({ key }) => key).join(" ");
  assert.equal(keys([problem("a", 1, 5), problem("b", 2, 4), problem("c", 0, 9, "warn")]), "b a c");
  assert.equal(keys([problem("a", 1, 5), problem("b", 2, 6), problem("c", 0, 9, "warn")]), "b a c");
  assert.equal(keys([problem("y", 1, 2), problem("x", 1, 3)]), "x y");
});

test("an actor of which only the bridge has spoken, to say that it does not exist, is none", () => {
  const refused = { code: "f", keywords: { error: { value: "no such actor" } } };
  assert.equal(isAbsent(refused), true);
  assert.equal(isAbsent({ ...refused, code: "i" }), false);
  assert.equal(isAbsent({ code: "f", keywords: { ...refused.keywords, humidity: { value: 3 } } }), false);
});
