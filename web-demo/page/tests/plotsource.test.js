// Where the values of a plot come from.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LogRing } from "../core/logring.js";
import { plotCSV } from "../plot/csv.js";
import { axisBounds, groupTracks } from "../plot/groups.js";
import { textAt } from "../plot/legend.js";
import { Marks } from "../plot/marks.js";
import { rawCSV } from "../plot/raw.js";
import { pointsFor, Source, valueOf } from "../plot/source.js";
import { replyOf } from "./replies.js";

function appWith({ history = null, now = 100_000, capabilities = history ? ["history"] : [], log = new LogRing(), problems = [], commands = [] } = {}) {
  const asked = [];
  return {
    asked, log,
    clu: { capabilities },
    store: { log, now: () => now, link: { state: "open" }, actors: new Map([["weather", { keywords: new Map() }]]), problems, commands: new Map(commands.map((c) => [c.command_id, c])) },
    history: async (keywords, range) => {
      asked.push({ keywords, ...range });
      if (history instanceof Error) throw history;
      return history({ keywords, ...range });
    },
  };
}

const hear = (app, heard, body, fields = {}) => app.log.reply(replyOf({ sender: "weather", heard, body, ...fields }), heard);

const wind = { keyword: "weather.wind", kind: "number", bucket_ms: 0, oldest: 10_000, until: 50_000, t: [10_000, 40_000], last: [3, 4] };

test("what has arrived since the history's answer is added, and nothing twice", async () => {
  const app = appWith({ history: () => ({ from: 0, to: 60_000, series: [wind] }) });
  hear(app, 40_000, { wind: 4 });
  hear(app, 61_000, { wind: 5 });
  const source = new Source(app, ["weather.wind"]);
  await source.load(0, null, 100);
  hear(app, 62_000, { wind: { not: "a number" } });
  hear(app, 63_000, { other: 1 });
  hear(app, 64_000, { wind: 6 }, { sender: "dome" });
  assert.equal(source.update(), true);
  const [{ number, state, note }] = source.tracks;
  assert.deepEqual([number.t, number.last], [[10_000, 40_000, 61_000, 62_000], [3, 4, 5, NaN]]);
  assert.deepEqual(state.value, [{ not: "a number" }]);
  assert.equal(note, "The bridge has no value before 00:00:10.");
  assert.deepEqual(app.asked, [{ keywords: ["weather.wind"], from: 0, to: null, points: 100 }]);
});

test("an actor that said nothing for longer than its rhythm allows was not known meanwhile", async () => {
  const app = appWith({ history: () => ({ from: 0, to: 60_000, series: [wind] }) });
  app.store.actors.get("weather").interval = 1_000;
  hear(app, 59_000, { wind: 4 });
  const source = new Source(app, ["weather.wind"]);
  await source.load(0, null, 100);
  hear(app, 64_000, { other: 1 });  // 5 s are what it may say nothing, and a keyword that is not said is no silence
  hear(app, 69_000, { wind: 4 });
  source.update();
  assert.deepEqual(source.tracks[0].number.silent, []);
  hear(app, 94_000, { wind: 4 });
  hear(app, 95_000, { wind: 4 });
  source.update();
  const [{ number }] = source.tracks;
  assert.deepEqual(number.silent, [[69_000, 94_000]]);
  assert.deepEqual(number.spansOf(1), [[40_000, 69_000], [94_000, 95_000]]);
  assert.equal(number.at(80_000), null);
});

test("members and items are found", async () => {
  const app = appWith();
  const source = new Source(app, ["weather.axes.0.torque", "weather.state"]);
  await source.load(0, null, 100);
  hear(app, 1_000, { axes: [{ torque: 1.5 }], state: "ok" });
  hear(app, 2_000, { axes: [], state: null });
  source.update();
  assert.deepEqual(source.tracks.map(({ number, state }) => number?.last ?? state?.value), [[1.5, NaN], ["ok", null]]);
});

test("a name may have dots, and be any text", () => {
  const keywords = JSON.parse('{"a.b": {"c.d": 1, "c": {"e": 2}}, "a": {"b": {"f": 3}}, "__proto__": {"x": 4}, "l": [5], "": 6}');
  const value = (path) => valueOf(path, (name) => (Object.hasOwn(keywords, name) ? keywords[name] : undefined));
  assert.deepEqual(["a.b.c.d", "a.b.c.e", "a.b.f", "__proto__.x", "l.0"].map((path) => value(path).value), [1, 2, 3, 4, 5]);
  assert.deepEqual(["a.b.none", "l.length", "l.1", "l.0.x", "__proto__.constructor", "a..", "l."].map((path) => value(path).value), Array(7).fill(undefined));
  assert.deepEqual(["none", "toString", "", ".", "constructor.name"].map(value), Array(5).fill(null));
});

test("a track knows its keyword without the members below it", () => {
  const app = appWith();
  app.store.actors.set("weather", { keywords: new Map(Object.entries({ "a.b": { value: { c: 1 } }, gone: {} })) });
  const { tracks } = new Source(app, ["weather.a.b.c", "weather.gone", "weather.wind.x", "none.k.x"]);
  assert.deepEqual(tracks.map(({ path, keyword }) => [path, keyword]), [["a.b.c", "a.b"], ["gone", "gone"], ["wind.x", "wind"], ["k.x", "k"]]);
});

test("a keyword that is a number and a word in turn is never both, and what it was before does not go on", async () => {
  const app = appWith();
  const source = new Source(app, ["weather.k", "weather.o.x"]);
  await source.load(0, null, 100);
  [{ k: 5, o: { x: 1 } }, { k: "off", o: {} }, { k: 5, o: { x: 1 } }, { k: "off" }, { k: null }].forEach((body, i) => hear(app, 1_000 * (i + 1), body));
  source.update();
  const [k, x] = source.tracks;
  assert.deepEqual([k.number.t, k.number.last], [[1_000, 2_000, 3_000, 4_000], [5, NaN, 5, NaN]]);
  assert.deepEqual([k.state.t, k.state.value], [[2_000, 3_000, 4_000, 5_000], ["off", null, "off", null]]);
  assert.deepEqual([x.number.t, x.number.last], [[1_000, 2_000, 3_000], [1, NaN, 1]]);
  assert.deepEqual([1_500, 2_500, 3_500, 4_500].map((time) => textAt(k, time).text), ["5", "off", "5", "off"]);
});

test("a reply that was heard before the history answered, but is not in it, is added", async () => {
  const app = appWith({ history: () => ({ from: 0, to: 60_000, series: [wind] }) });
  const source = new Source(app, ["weather.wind"]);
  hear(app, 50_000.4, { wind: 4 });
  hear(app, 59_000, { wind: 7 });
  await source.load(0, null, 100);
  assert.deepEqual(source.tracks[0].number.t, [10_000, 40_000, 59_000]);
});

test("a server without a history is said to have none", async () => {
  const source = new Source(appWith(), ["weather.wind"]);
  await source.load(0, null, 100);
  assert.equal(source.problem, "This server keeps no history: values are shown from when this page was loaded.");
});

test("a refusal is shown in words", async () => {
  const source = new Source(appWith({ history: new Error("too many keywords"), capabilities: ["history"] }), ["weather.wind"]);
  await source.load(0, null, 100);
  assert.equal(source.problem, "The bridge gave no history: too many keywords.");
});

test("what is not shown is said in words", async () => {
  const series = [
    { keyword: "weather.none", kind: null },
    { keyword: "weather.forgotten", kind: null },
    { ...wind, keyword: "weather.gone", oldest: 30_000, t: [40_000], last: [1] },
    { ...wind, keyword: "weather.later", t: [90_000], last: [1], until: 95_000, oldest: -1 },
  ];
  const source = new Source(appWith({ history: () => ({ from: 0, to: 60_000, series, evicted: ["weather.forgotten", "weather.gone"] }) }), series.map(({ keyword }) => keyword));
  await source.load(0, 60_000, 100);
  assert.deepEqual(source.tracks.map(({ note }) => note), [
    "The bridge has heard no such keyword.",
    "If there were values, they were dropped: the bridge's memory for values (--values-bytes) is full.",
    "Earlier values were dropped: the bridge's memory for values (--values-bytes) is full. There are none before 00:00:30.",
    "There is no value in this span.",
  ]);
});

test("keywords with the same unit share a panel, and states one at the end", () => {
  const track = (name, what) => ({ name, number: null, state: null, [what]: {} });
  const tracks = [track("a.t", "number"), track("a.word", "state"), track("b.t", "number"), track("b.n", "number"), track("c.n", "number")];
  const groups = groupTracks(tracks, ({ name }) => (name.endsWith(".t") ? "°C" : ""));
  assert.deepEqual(groups.map(({ kind, tracks: own }) => [kind, ...own.map(({ name }) => name)]), [["number", "a.t", "b.t"], ["number", "b.n"], ["number", "c.n"], ["state", "a.word"]]);
  assert.deepEqual([[], [[5, 5]], [[0, 10]], [[-10, 90]]].map(axisBounds), [[0, 1], [4.75, 5.25], [0, 10.7], [-17, 97]]);
});

test("CSV has a row for each change, and three columns for buckets", async () => {
  const buckets = { keyword: "weather.b", kind: "number", bucket_ms: 10_000, t: [10_000, 20_000], last: [1, null], min: [0, null], max: [2, null], count: [3, 1] };
  const word = { keyword: "weather.w", kind: "state", bucket_ms: 0, t: [20_000], value: ["a, b"], until: 30_000 };
  const source = new Source(appWith({ history: () => ({ from: 0, to: 60_000, series: [buckets, word] }) }), ["weather.b", "weather.w"]);
  await source.load(0, 60_000, 100);
  assert.equal(plotCSV(source.tracks, 5_000, 60_000), [
    "time,weather.b,weather.b min,weather.b max,weather.w", "1970-01-01T00:00:10.000Z,1,0,2,", '1970-01-01T00:00:20.000Z,,,,"a, b"', "",
  ].join("\r\n"));
});

test("every value that the bridge has is asked for in short spans", async () => {
  const now = 3_600_000;
  const app = appWith({ now, history: ({ from, to }) => ({ from, to, series: [{ ...wind, t: [from], last: [from], until: to }] }) });
  const { text } = await rawCSV(app, ["weather.wind"], 0, now);
  assert.deepEqual(app.asked.map(({ from, to, points }) => [from / 60_000, to / 60_000, points]), [[0, 45, 5_000], [45, 50, 5_000], [50, 55, 5_000], [55, 60, 5_000]]);
  assert.equal(text.split("\r\n").length, 6);
  assert.equal(pointsFor(16, Infinity), 3_750);
});

test("problems, commands and gaps of the plotted actors are marked", async () => {
  const app = appWith({
    problems: [{ actor: "weather", kind: "condition", began: 3_000, time: 3_000, level: "error", text: "not safe" }, { actor: "dome", kind: "silent", began: 1, time: 1, level: "warn", text: "x" }],
    commands: [{ command_id: "1", consumer: "weather", command_string: "status", began: 4_000, ended: 5_000, state: "done" }],
  });
  const marks = new Marks(app, ["weather"]);
  hear(app, 1_000, { text: "a gust" }, { code: "w" });
  hear(app, 1_500, { text: "other" }, { code: "w", sender: "dome" });
  hear(app, 1_600, { text: "information" });
  app.log.mark("replies may be missing here", 2_000, { from: 1_800, to: 2_000, count: null });
  marks.update();
  const words = (from, to) => marks.list(from, to).marks.map(({ kind, text }) => `${kind} ${text}`);
  assert.deepEqual(words(0, 10_000), ["problem a gust", "gap replies may be missing here", "problem not safe", "command status: done"]);
  assert.deepEqual(words(1_900, 1_950), ["gap replies may be missing here"]);
});
