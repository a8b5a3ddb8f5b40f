// The estimate of the bridge's clock: behind it rather than ahead, whatever happens to the local clocks.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clock } from "../clock.js";

const NOON = Date.UTC(2026, 10, 21, 12);
const iso = (ms) => new Date(ms).toISOString();

let monotonic;
let asked = 0;
const advance = (ms, asleep = 0) => { monotonic += ms - asleep; mock.timers.setTime(Date.now() + ms); };

beforeEach(() => {
  monotonic = 5_000;
  asked = 0;
  mock.timers.enable({ apis: ["Date"], now: NOON });
});
afterEach(() => mock.timers.reset());

const started = (time = NOON) => {
  const clock = new Clock(() => { asked += 1; }, () => monotonic);
  clock.start(iso(time));
  return clock;
};

test("the time is unknown before a hello", () => {
  const clock = new Clock(() => { asked += 1; }, () => monotonic);
  assert.equal(clock.now(), null);
  clock.start(undefined);
  clock.ask();
  assert.deepEqual([clock.now(), clock.isUncertain(), clock.secondsIn(0), asked], [null, false, undefined, 0]);
});

test("it is the bridge's time, however wrong the local clock is", () => {
  const clock = started(NOON - 3_600_000);
  advance(1_500);
  assert.deepEqual([clock.now(), clock.isUncertain()], [NOON - 3_600_000 + 1_500, false]);
});

test("setting the local clock changes nothing but makes the time uncertain", () => {
  for (const step of [3_600_000, -3_600_000]) {
    const clock = started();
    mock.timers.setTime(NOON + step);
    assert.deepEqual([clock.now(), clock.isUncertain()], [NOON, true]);
    mock.timers.setTime(NOON);
  }
});

test("a computer that slept is behind until the bridge has answered", () => {
  const clock = started();
  advance(30_000, 30_000);
  assert.deepEqual([clock.now(), clock.isUncertain()], [NOON, true]);
  clock.ask();
  assert.equal(asked, 1, "one ping until there is an answer");
  advance(20);
  clock.synchronize(iso(NOON + 30_010));
  assert.deepEqual([clock.now(), clock.isUncertain(), clock.secondsIn(5_000)], [NOON + 30_010, false, (NOON + 35_010) / 1_000]);
});

test("what ages are counted by is not behind when a computer has slept", () => {
  const clock = started();
  advance(1_000);
  assert.equal(clock.latest(), NOON + 1_000);
  advance(30_000, 30_000);
  assert.deepEqual([clock.now(), clock.latest()], [NOON + 1_000, NOON + 31_000]);
  clock.observe(NOON + 2_000);  // of a reply that waited while it slept
  assert.deepEqual([clock.latest(), clock.isUncertain()], [NOON + 31_000, true]);
  clock.observe(NOON + 31_500);
  assert.deepEqual([clock.now(), clock.latest(), clock.isUncertain()], [NOON + 31_500, NOON + 31_500, false]);
  mock.timers.setTime(Date.now() - 3_600_000);
  assert.equal(clock.latest(), NOON + 31_500, "a clock that was set back says nothing");
});

test("of two readings the later one counts, within what the round trip allows", () => {
  const clock = started();
  const answer = (took, time) => { clock.ask(); advance(took); clock.synchronize(iso(time)); return clock.now() - Date.now(); };
  assert.equal(answer(40, Date.now() + 5), 0, "the answer took longer than the hello");
  assert.equal(answer(40, Date.now() + 60), 20, "the hello took longer");
  assert.equal(answer(40, Date.now() - 3_600_000), -3_600_000, "the bridge's clock was set back");
});

test("after ten minutes it asks again, because clocks drift", () => {
  const clock = started();
  advance(600_000);
  assert.equal(clock.isUncertain(), false);
  advance(1);
  assert.equal(clock.isUncertain(), true);
  clock.ask();
  clock.synchronize(undefined);
  assert.deepEqual([clock.now(), clock.isUncertain()], [NOON + 600_001, false], "an answer without a time changes nothing");
});
