import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, layOut, moved, placeOf } from "../overview/layout.js";
import { choose, limitOf, shortName, unitOf } from "../overview/pins.js";
import { Trend } from "../overview/trend.js";
import { Trends } from "../overview/trends.js";

const layout = (count, width, height) => layOut({ count, width, height, rowHeight: 24 });

test("60 actors fit on a console, and read down its columns", () => {
  const wall = layout(60, 1_400, 722);
  assert.deepEqual([wall.columns, wall.rows, wall.down], [2, 30, true]);
  assert.deepEqual(placeOf(wall, 31), { column: 1, row: 1 });
  assert.deepEqual(drawn(wall, 0, 722), { from: 0, to: 60 });
});

test("more than fit read across, and only those in sight are drawn", () => {
  const many = layout(1_000, 1_400, 722);
  assert.equal(many.down, false);
  assert.deepEqual(placeOf(many, 3), { column: 1, row: 1 });
  const { from, to } = drawn(many, 6_000, 722);
  assert.ok(from <= 500 && to >= 560 && to - from < 120, `${from} to ${to}`);
  assert.equal(drawn(many, 1e6, 722).to, 1_000);
});

test("few actors have one wide column, and a phone has one", () => {
  assert.equal(layout(5, 1_400, 722).columns, 1);
  assert.equal(layout(200, 420, 600).columns, 1);
  assert.equal(layout(0, 420, 600).rows, 0);
});

test("keys move as the eye does, and stop at the ends", () => {
  const wall = layout(60, 1_400, 722);
  assert.equal(moved(wall, 0, "ArrowDown"), 1);
  assert.equal(moved(wall, 0, "ArrowRight"), 30);
  assert.equal(moved(wall, 0, "ArrowUp"), null);
  assert.equal(moved(wall, 40, "ArrowRight"), null);
  assert.equal(moved(wall, 40, "Home"), 0);
  assert.equal(moved(wall, 40, "End"), 59);
  assert.equal(moved(wall, 55, "PageDown"), 59);
  assert.equal(moved(wall, 5, "x"), null);
});

const keywords = (values) => new Map(Object.entries(values).map(([name, value]) => [name, { name, value }]));

test("the site's pins come first, else telling scalars, always the same ones", () => {
  const known = keywords({ dome_version: "1.0", dome_shutter: "open", az_deg: 12, list: [1], long: "x".repeat(40), dome_shutter_labels: "OPEN", zero: 1, since: "2026-11-21T03:38:40" });
  assert.deepEqual(choose(known, ["zero", "list"]), ["zero", "list"]);
  assert.deepEqual(choose(known, undefined), ["dome_shutter", "az_deg", "zero"]);
  assert.deepEqual(choose(new Map(), []), []);
});

test("those chosen are the first of all in order, whatever order they come in", () => {
  const names = ["wind_speed", "a10_temp", "a2_temp", "humidity", "n", "uptime", "a", "b", "is_safe"];
  for (let turn = 0; turn < names.length; turn += 1) {
    const turned = [...names.slice(turn), ...names.slice(0, turn)];
    assert.deepEqual(choose(keywords(Object.fromEntries(turned.map((name) => [name, 1.5]))), undefined), ["a2_temp", "a10_temp", "humidity"], `from ${turned[0]} on`);
  }
});

test("names do not repeat their actor, and units come from the site, else from the name", () => {
  assert.equal(shortName("dome", "dome_shutter"), "shutter");
  assert.equal(shortName("dome", "dome_"), "dome_");
  assert.equal(shortName("dome", "domed"), "domed");
  const site = { keywords: { "dome.az_deg": { unit: "deg", low: 10, high: 20, low_critical: null, high_critical: 30 } } };
  assert.equal(unitOf(site, "dome", "az_deg"), "deg");
  assert.equal(unitOf(site, "weather", "wind_speed_ms"), "m/s");
  assert.equal(unitOf(site, "weather", "toString"), "");
  assert.deepEqual([5, 15, 25, 35, "x", 35n].map((value) => limitOf(site, "dome", "az_deg", value)), ["warn", "ok", "warn", "critical", "ok", "critical"]);
});

test("a trend keeps the extremes of an hour, however many values come", () => {
  const trend = new Trend();
  const now = 1_800_000_000_000;
  for (let n = 0; n < 20_000; n += 1) trend.add(now - 7_200_000 + n * 360, n === 15_000 ? 100 : Math.sin(n / 300));
  assert.equal(trend.extent(now)[1], 100);
  assert.ok(trend.path(now).length < 4_000);
  assert.ok(trend.start(now) >= now - 3_600_000);
});

test("a trend draws nothing without two values, and takes history that comes late", () => {
  const trend = new Trend();
  const now = 1_800_000_000_000;
  assert.equal(trend.path(now), "");
  trend.add(now, 1);
  trend.add(now, NaN);
  assert.equal(trend.path(now), "");
  trend.span(now - 1_800_000, 0, 2);
  assert.equal(trend.path(now), "M0.0 9.5L0.0 0.5L60.0 5.0");
});

test("a line goes on where it is: it does not jump to the other end of the next span", () => {
  const trend = new Trend();
  trend.span(0, 5, 5);
  trend.span(60_000, 4, 10);
  trend.span(120_000, 6, 9);
  const heights = trend.path(180_000).match(/ [\d.]+/g).map(Number);
  assert.deepEqual(heights, [8, 9.5, 0.5, 2, 6.5]);
});

test("each actor has its own line, whatever the history tells of the others, and null is not 0", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const values = (value) => new Map([["k", { name: "k", value, time: 60_000 }]]);
  const actors = new Map([["a", 1], ["b", 20], ["c", 300]].map(([name, value]) => [name, { name, keywords: values(value) }]));
  const number = (name, last) => ({ keyword: `${name}.k`, kind: "number", t: [10_000, 20_000], last: [last, last] });
  const series = [number("a", 1), { keyword: "a.k", kind: "state", t: [10_000, 15_000], value: ["off", null] }, number("b", 20), number("c", 300)];
  const app = { site: { pins: {} }, store: { actors }, history: async () => ({ series }) };
  const come = [];
  const trends = new Trends(app, (name) => come.push(name));
  const titles = () => [...actors.values()].map((actor) => trends.of(actor, 60_000).title.replace(/ in the last.*/, ""));
  titles();
  t.mock.timers.tick(100);
  for (let turn = 0; turn < 100 && come.length < 3; turn += 1) await Promise.resolve();
  assert.deepEqual(titles(), ["k: 1 to 1", "k: 20 to 20", "k: 300 to 300"]);
  for (const value of [null, "", true, [5], "7"]) {
    for (const actor of actors.values()) actor.keywords = values(value);
    trends.take(new Map([...actors.keys()].map((name) => [name, new Set(["k"])])));
  }
  assert.deepEqual(titles(), ["k: 1 to 1", "k: 20 to 20", "k: 300 to 300"]);
  for (const actor of actors.values()) actor.keywords = values(2n ** 60n);
  trends.take(new Map([["a", new Set(["k"])]]));
  assert.match(titles()[0], /to 1152900000000000000$/);
});
