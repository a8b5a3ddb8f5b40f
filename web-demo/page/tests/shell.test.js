import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBoard, hasItems, parseBoard, parseItem } from "../board/items.js";
import { splitKeyword } from "../core/names.js";
import { acknowledge } from "../shell/acknowledge.js";
import { Announcer, describe, NewProblems, Sounded } from "../shell/announce.js";
import { dangerOf, onlyReads, Shift } from "../shell/arm.js";
import { deadness } from "../shell/dead.js";
import { best, score } from "../shell/fuzzy.js";
import { formatRoute, parseRoute } from "../shell/router.js";

test("a route comes back as it was written", () => {
  for (const [path, query] of [[["actor", "a b/c"], { q: "x&y=1", f: "ü" }], [[], {}], [["plot"], { s: "weather.wind_speed_ms,dome.dome_shutter", r: "6h" }]]) {
    const route = parseRoute(formatRoute(path, query));
    assert.deepEqual(route.path, path);
    assert.deepEqual(Object.fromEntries(route.query), query);
  }
  assert.equal(formatRoute(["plot"], { s: "a.b,c.d", r: "6h", empty: "" }), "#/plot?s=a.b,c.d&r=6h");
  assert.deepEqual(parseRoute("#/actor/%E0%A4%A").path, ["actor", "%E0%A4%A"]);
});

test("only commands that read are sent from a disarmed page", () => {
  for (const [line, reads] of [["status", true], ["ping", true], ["help open", true], ["status --full", true], ["status reset", false], ["open", false], ["statusx", false], ["", false], ["Status", false]]) {
    assert.equal(onlyReads(line), reads, line);
  }
});

test("a command is dangerous by its actor, also a dotted one, and its verb", () => {
  const rules = [{ consumer: ["dome*"], verb: ["open", "clo*"] }, { consumer: ["mirror"] }, { verb: ["shutdown"] }];
  for (const [consumer, line, dangerous] of [["dome", "open", true], ["dome.x", "close 3", true], ["dome", "status", false], ["mirror", "anything", true], ["camera", "shutdown", true], ["camera", "open", false],
    ["dome", '"open"', true], ["dome", "o\\pen", true], ["dome", "-- open", true], ["dome", "--verbose open", true], ["camera", '"open"', false], ["camera", "", false]]) {
    assert.equal(dangerOf(rules, consumer, line) !== null, dangerous, `${consumer} ${line}`);
  }
  assert.equal(dangerOf([{ verb: ["[z-a]"] }], "dome", "open") !== null, true);  // a rule that is not understood
});

test("a tab disarms itself after a shift, whatever is done to the computer's clock", () => {
  const hour = 3_600_000;
  const clock = { now: 500_000 * hour, up: 0 };
  const clocks = { wall: () => clock.now, monotonic: () => clock.up };
  const shift = new Shift(0, clocks);
  assert.equal(shift.over, true);
  shift.begin();
  clock.now -= 365 * 24 * hour;
  assert.equal(shift.over, false);
  clock.up += 8 * hour;
  assert.equal(shift.over, true, "the clock was set back by a year");
  shift.begin();
  clock.now += 8 * hour;
  assert.equal(shift.over, true, "the computer slept");
  shift.begin();
  shift.end();
  assert.equal(shift.over, true);

  const reloaded = new Shift(clock.now + 365 * 24 * hour, clocks);  // the clock was set back before the reload
  assert.equal(reloaded.over, false);
  clock.up += 8 * hour;
  assert.equal(reloaded.over, true);
});

test("what is shown is dead without a link, a broker or replies, and behind after three seconds", () => {
  const all = { link: "open", broker: "up", lag: 0.2, first: false };
  for (const [change, kind] of [[{}, null], [{ link: "closed" }, "link"], [{ silence: 3.2 }, "silent"], [{ silence: 2.5 }, null], [{ silence: 9, broker: "down" }, "silent"], [{ link: "connecting", first: true }, "link"], [{ broker: "down" }, "broker"], [{ broker: "no_replies" }, "broker"], [{ broker: "blocked" }, null], [{ broker: undefined }, null], [{ lag: 3.4 }, "behind"], [{ lag: 2.9 }, null], [{ lag: null }, null]]) {
    assert.equal(deadness({ ...all, ...change }).kind, kind, JSON.stringify(change));
  }
});

const problem = (actor, key, level) => ({ actor, key, level, text: key });

test("a problem is new once, and again when it is worse or comes back", () => {
  const news = new NewProblems();
  const of = (...problems) => news.of(problems).map(({ key }) => key);
  assert.deepEqual(of(problem("dome", "a", "warn")), ["a"]);
  assert.deepEqual(of(problem("dome", "a", "warn"), problem("roof", "a", "warn")), ["a"]);
  assert.deepEqual(of(problem("dome", "a", "critical"), problem("roof", "a", "warn")), ["a"]);
  assert.deepEqual(of(problem("roof", "a", "warn")), []);
  assert.deepEqual(of(problem("dome", "a", "warn"), problem("roof", "a", "warn")), ["a"]);
});

test("a storm is told at most once in five seconds, and what is critical does not wait for what is not", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let at = 0;
  const nodes = { polite: { textContent: "" }, now: { textContent: "" } };
  const levels = [];
  const announcer = new Announcer({ onNew: (level) => levels.push(level), clock: () => at, nodes });
  announcer.look([]);
  announcer.look([problem("dome", "slow", "warn")]);
  assert.equal(nodes.polite.textContent, "Warning, dome: slow.");
  const open = [problem("dome", "slow", "warn")];
  for (let n = 0; n < 30; n += 1) {
    open.push(problem("roof", `leak ${n}`, n % 2 === 0 ? "error" : "warn"));
    announcer.look(open);
  }
  open.push(problem("camera", "fire", "critical"));
  announcer.look(open);
  assert.deepEqual(levels, ["warn", "critical"]);
  assert.equal(nodes.now.textContent, "Critical, camera: fire.");
  at = 5_000;
  t.mock.timers.tick(5_000);
  assert.deepEqual(levels, ["warn", "critical", "error"]);
  assert.equal(nodes.polite.textContent, "30 new problems. The worst: Error, roof: leak 0.");
});

/** A tab's storage, for the time of a test. */
function tab(t) {
  const kept = new Map();
  globalThis.sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text), removeItem: (key) => kept.delete(key) };
  t.after(() => { delete globalThis.sessionStorage; });
  return kept;
}

test("a reload sounds only for what is new since, is worse or has begun anew", (t) => {
  const kept = tab(t);
  const of = (key, level, began) => ({ ...problem("dome", key, level), began });
  const open = [of("slow", "warn", 1_000), of("leak", "critical", 2_000), of("wind", "error", 3_000)];
  const first = new Sounded();
  assert.deepEqual(open.map((one) => first.sounds(one)), [false, true, false], "a new tab sounds for what is critical");
  first.keep(open);
  assert.equal(first.sounds(of("rain", "warn", 4_000)), true, "and from then on for all that is new");
  const second = new Sounded();
  assert.deepEqual(open.map((one) => second.sounds(one)), [false, false, false]);
  const changed = [of("slow", "critical", 1_000), of("leak", "critical", 60_000), of("wind", "error", 3_050), of("rain", "warn", 4_000)];
  assert.deepEqual(changed.map((one) => second.sounds(one)), [true, true, false, true], "worse, begun anew, told by another bridge, new");
  kept.set("clu-ws.sounded", "{");
  const odd = new Sounded();
  assert.deepEqual(open.map((one) => odd.sounds(one)), [false, true, false]);
  odd.keep([]);
  assert.equal(odd.sounds(open[0]), true);
});

test("what is told before all problems are known does not make what was there before them new", (t) => {
  tab(t);
  const levels = [];
  const nodes = { polite: { textContent: "" }, now: { textContent: "" } };
  const announcer = new Announcer({ onNew: (level) => levels.push(level), clock: () => 0, nodes });
  announcer.look([], false);
  announcer.look([problem("dome", "slow", "error")], true);
  assert.deepEqual(levels, []);
  assert.equal(nodes.polite.textContent, "Error, dome: slow.", "it is told to screen readers all the same");
});

test("the worst of several problems is described", () => {
  assert.equal(describe([problem("a", "x.", "warn")]), "Warning, a: x.");
});

test("letters in order find a text, and beginnings of words count most", () => {
  const names = ["weather.wind_speed_ms", "dome.dome_shutter", "dome", "window"];
  assert.deepEqual(best("dome", names, (name) => name, 9).slice(0, 2), ["dome", "dome.dome_shutter"]);
  assert.equal(best("wsp", names, (name) => name, 1)[0], "weather.wind_speed_ms");
  assert.equal(score("xyz", "dome"), null);
  assert.deepEqual(best(" ", names, (name) => name, 2), names.slice(0, 2));
  assert.equal(best("shut dome", names, (name) => name, 1)[0], "dome.dome_shutter");
});

test("a board comes back from its URL", () => {
  const board = { title: "Dusk & dawn", items: [{ plot: ["a.b", "c.d"], range: "6h" }, { keywords: ["a.b"] }, { log: "open dome" }, { actor: "dome" }, { plot: ["e.f"], range: "15m" }] };
  const query = new URLSearchParams(formatBoard(board).toString());
  assert.deepEqual(parseBoard(query), board);
  assert.equal(hasItems(query), true);
  assert.equal(hasItems(new URLSearchParams("title=x")), false);
  assert.deepEqual(parseItem("plot", " a.b  c.d ~ 2h "), { plot: ["a.b", "c.d"], range: "2h" });
  assert.equal(parseItem("keywords", " , "), null);
});

test("a keyword is split at the actor that is known", () => {
  const isActor = (name) => ["lvm.sci", "dome"].includes(name);
  assert.deepEqual(splitKeyword("lvm.sci.foc.temp", isActor), { actor: "lvm.sci", keyword: "foc.temp" });
  assert.deepEqual(splitKeyword("other.x.y", isActor), { actor: "other", keyword: "x.y" });
  assert.deepEqual(splitKeyword("alone", isActor), { actor: "alone", keyword: "" });
});

test("of several problems it is said how many were not acknowledged, not that none was", async () => {
  const store = (refused) => ({ acknowledge: async ({ key }) => { if (refused.includes(key)) throw new Error("Too many messages."); } });
  const all = ["a", "b", "c"].map((key) => problem("dome", key, "warn"));
  assert.equal(await acknowledge(store([]), all), null);
  assert.equal(await acknowledge(store(["b", "c"]), all), "2 of 3 problems were not acknowledged: Too many messages.");
  assert.equal(await acknowledge(store(["a", "b", "c"]), all), "Nothing was acknowledged: Too many messages.");
});
