// Sparklines: what is drawn of the past and of what arrives, and how the bridge is asked.

import assert from "node:assert/strict";
import { test } from "node:test";

import { draw, Past, Series, SPAN } from "../actor/sparkline.js";

const NOW = 1_800_000_000_000;

test("numbers are a line from the lowest to the highest of each point", () => {
  const series = new Series();
  series.load({ kind: "number", t: [NOW - SPAN / 2, NOW - SPAN / 4, NOW], min: [1, 3, 5], max: [1, 4, 5], last: [1, 4, 5] });
  assert.deepEqual(draw(series, NOW), { d: "M50.0 19.0L75.0 5.5V10.0L100.0 1.0", words: "last hour: 1 to 5" });
});

test("raw changes have only the last values", () => {
  const series = new Series();
  series.load({ kind: "number", t: [NOW - 10, NOW], last: [2, 2] });
  assert.deepEqual(draw(series, NOW).words, "last hour: 2 to 2");
});

test("what arrived before the answer comes after it", () => {
  const series = new Series();
  series.add(9, NOW);
  series.load({ kind: "number", t: [NOW - 20, NOW - 10], last: [1, 2] });
  assert.deepEqual(series.points.map(({ low }) => low), [1, 2, 9]);
});

test("changes of a text are ticks", () => {
  const series = new Series();
  for (const [value, at] of [["open", 30], ["open", 20], ["closed", 10]]) series.add(value, NOW - at);
  assert.equal(series.changes.length, 1);
  assert.equal(draw(series, NOW).words, "1 change in the last hour");
  series.load({ kind: "state", t: [NOW - 5_000, NOW - 4_000], value: ["closed", "open"], until: NOW - 100 });
  assert.deepEqual(series.changes, [NOW - 4_000, NOW - 10]);
});

test("NaN and objects are not drawn, and a big integer is", () => {
  const series = new Series();
  for (const value of [NaN, Infinity, null, { a: 1 }, [1]]) assert.equal(series.add(value, NOW), false, String(value));
  assert.equal(series.add(5853498713190525696n, NOW), true);
});

test("a series is bounded, and its extremes stay", () => {
  const series = new Series();
  for (let n = 0; n < 10_000; n += 1) series.add(n === 5_000 ? 1e6 : n % 7, NOW + n);
  assert.ok(series.points.length <= 361);
  assert.equal(Math.max(...series.points.map(({ high }) => high)), 1e6);
});

test("the bridge is asked for a few keywords at a time, once each", async () => {
  const asked = [];
  const loaded = [];
  const past = new Past(async (keywords) => {
    asked.push(keywords);
    return { series: keywords.map((keyword) => ({ keyword, kind: "number", t: [NOW], last: [1] })) };
  }, () => NOW, (keyword) => loaded.push(keyword));
  const all = Array.from({ length: 30 }, (_, n) => [`dome.k${n}`, new Series()]);
  for (const [keyword, series] of all) past.want(keyword, series);
  await new Promise((resolve) => { setImmediate(resolve); });
  for (const [keyword, series] of all) past.want(keyword, series);
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.deepEqual(asked.map(({ length }) => length), [12, 12, 6]);
  assert.equal(loaded.length, 30);
});

test("a server without history is not asked again at once", async () => {
  let asked = 0;
  const past = new Past(async () => {
    asked += 1;
    throw new Error("unsupported");
  }, () => NOW, () => assert.fail("nothing has come"));
  const series = new Series();
  for (let n = 0; n < 5; n += 1) {
    past.want("dome.a", series);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  assert.equal(asked, 1);
});
