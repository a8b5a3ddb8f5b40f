// The values of a keyword: from the history, and from what arrives.

import assert from "node:assert/strict";
import { test } from "node:test";

import { lastBefore, MAX_VALUES, NumberSeries, StateSeries } from "../plot/series.js";

const answer = { kind: "number", bucket_ms: 0, oldest: 1_000, until: 9_000, silent: [[4_000, 6_000]], t: [1_000, 3_000, 6_500], last: [1, 2.5, null] };

test("a value holds until the next one, and no longer than it was said", () => {
  const series = NumberSeries.from(answer);
  const at = (time) => series.at(time)?.last;
  assert.deepEqual([500, 1_000, 2_999, 3_000, 4_000, 5_000, 7_000, 9_000, 9_001].map(at), [undefined, 1, 1, 2.5, 2.5, undefined, NaN, NaN, undefined]);
  assert.equal(at(6_200), 2.5, "after the silence it holds again");
  assert.deepEqual([0, 1, 2].map((i) => series.spansOf(i)), [[[1_000, 3_000]], [[3_000, 4_000], [6_000, 6_500]], [[6_500, 9_000]]]);
});

test("what arrives is appended if it is a change, and moves the end if it is not", () => {
  const series = NumberSeries.from(answer);
  assert.equal(series.add(8_000, 4), false, "it is older than what is known");
  assert.equal(series.add(10_000, 7n), true);
  assert.equal(series.add(11_000, 7), false);
  assert.deepEqual([series.t.at(-1), series.last.at(-1), series.until], [10_000, 7, 11_000]);
  assert.equal(series.add(12_000, "NaN"), true);
  assert.equal(series.add(13_000, null), false);
  assert.deepEqual(series.last.at(-1), NaN);
});

test("the extent has the value that holds at the beginning, and peaks of buckets", () => {
  const series = NumberSeries.from({ bucket_ms: 60_000, t: [0, 60_000, 120_000], last: [1, 2, 3], min: [0, -5, 3], max: [9, 2, 3], count: [4, 4, 1] });
  assert.deepEqual(series.extent(30_000, 50_000), [0, 9]);
  assert.deepEqual(series.extent(60_000, 200_000), [-5, 3]);
  assert.equal(series.extent(-100, -50), null);
});

test("buckets before a time may be a minute wide", () => {
  const series = NumberSeries.from({ bucket_ms: 0, fine_from: 120_000, until: 130_000, t: [0, 60_000, 125_000], last: [1, 2, 3] });
  assert.deepEqual([0, 1, 2].map((i) => series.widthOf(i)), [60_000, 60_000, 0]);
});

test("states are compared by what they are", () => {
  const series = StateSeries.from({ t: [0, 10], value: ["open", { a: 1 }], until: 20, bucket_ms: 0 });
  assert.equal(series.add(30, { a: 1 }), false);
  assert.equal(series.add(40, true), true);
  assert.equal(series.add(50, "true"), false, "it is drawn with the same word");
  assert.deepEqual([series.at(15).value, series.at(45).value, series.at(60)], [{ a: 1 }, true, null]);
});

test("a series that grows for weeks is bounded, and says what it has lost", () => {
  const series = new NumberSeries();
  for (let i = 0; i <= MAX_VALUES; i += 1) series.add(i, i);
  assert.ok(series.t.length <= MAX_VALUES);
  assert.equal(series.oldest, series.t[0]);
  assert.equal(series.t.length, series.last.length);
});

test("times are found in any list", () => {
  for (const times of [[], [5], [1, 2, 2, 7], Array.from({ length: 100 }, (_, i) => i * 3)]) {
    for (let time = -1; time < 310; time += 1) assert.equal(lastBefore(times, time), times.findLastIndex((t) => t <= time));
  }
});
