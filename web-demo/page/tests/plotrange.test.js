// Which span a plot shows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { between, boundsOf, formatSpan, isLive, MAX_SPAN, MIN_SPAN, panned, parseSpan, readRange, writeRange, zoomed } from "../plot/range.js";

const H = 3_600_000;

test("spans are read and written", () => {
  const cases = { "6h": 6 * H, "90m": 1.5 * H, "1h30m": 1.5 * H, "2d": 48 * H, "45s": 45_000, "0.5h": H / 2 };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseSpan(text), ms, text);
  for (const text of ["", "6", "h", "-1h", "6h x", "0s", null]) assert.equal(parseSpan(text), null, String(text));
  assert.equal(parseSpan("99999d"), MAX_SPAN);
  assert.equal(formatSpan(1.5 * H), "1h30m");
  assert.equal(formatSpan(400), "1s");
});

test("a URL keeps the range", () => {
  for (const range of [{ span: 6 * H }, { from: 1_000, to: 2_500 }]) {
    assert.deepEqual(readRange(new URLSearchParams(writeRange(range))), range);
  }
  for (const query of ["", "r=nonsense", "from=2026-01-01T00:00:00Z", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"]) {
    assert.deepEqual(readRange(new URLSearchParams(query)), { span: H }, query);
  }
});

test("zooming keeps the time at the cursor in its place", () => {
  const zoomedIn = zoomed({ from: 0, to: 10_000 }, 1e9, 0.5, 2_500);
  assert.deepEqual(zoomedIn, { from: 1_250, to: 6_250 });
  assert.deepEqual(zoomed({ span: 2 * H }, 1e12, 0.5), { span: H });
  assert.equal(zoomed({ span: MIN_SPAN }, 1e12, 0.5).span, MIN_SPAN);
});

test("what would end in the future goes on with time", () => {
  const now = 100_000;
  assert.deepEqual(panned({ span: 20_000 }, now, -0.5), { from: 70_000, to: 90_000 });
  assert.deepEqual(panned({ from: 70_000, to: 90_000 }, now, 0.5), { span: 20_000 });
  assert.deepEqual(between(90_000, 40_000, now), { from: 40_000, to: 90_000 });
  assert.equal(isLive(between(90_000, 140_000, now)), true);
  assert.deepEqual(boundsOf({ span: 20_000 }, now), { from: 80_000, to: 100_000 });
});
