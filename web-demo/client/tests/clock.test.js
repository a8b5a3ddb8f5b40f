// The bridge's clock as a page knows it: behind it rather than ahead of it, whatever is done to the clocks here.
//
//     node --test web-demo/client

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Clock } from "../clock.js";

const NOON = Date.UTC(2026, 10, 21, 12);
const iso = (ms) => new Date(ms).toISOString();

let monotonic;
let asked = 0;
const pass = (ms, asleep = 0) => { monotonic += ms - asleep; mock.timers.setTime(Date.now() + ms); };

beforeEach(() => {
  monotonic = 5_000;
  asked = 0;
  mock.timers.enable({ apis: ["Date"], now: NOON });
});
afterEach(() => mock.timers.reset());

const heard = (time = NOON) => {
  const clock = new Clock(() => { asked += 1; }, () => monotonic);
  clock.hear(iso(time));
  return clock;
};

test("nobody knows the time before a bridge has said it", () => {
  const clock = new Clock(() => { asked += 1; }, () => monotonic);
  assert.equal(clock.now(), null);
  clock.hear(undefined);
  clock.ask();
  assert.deepEqual([clock.now(), clock.isAsked(), clock.secondsIn(0), asked], [null, false, undefined, 0]);
});

test("it is the bridge's time, however wrong the one here is", () => {
  const clock = heard(NOON - 3_600_000);
  pass(1_500);
  assert.deepEqual([clock.now(), clock.isAsked()], [NOON - 3_600_000 + 1_500, false]);
});

test("a clock that is set, here, changes nothing but makes a doubt", () => {
  for (const step of [3_600_000, -3_600_000]) {
    const clock = heard();
    mock.timers.setTime(NOON + step);
    assert.deepEqual([clock.now(), clock.isAsked()], [NOON, true]);
    mock.timers.setTime(NOON);
  }
});

test("a computer that slept is behind until the bridge has answered", () => {
  const clock = heard();
  pass(30_000, 30_000);
  assert.deepEqual([clock.now(), clock.isAsked()], [NOON, true]);
  clock.ask();
  assert.equal(asked, 1, "once until there is an answer");
  pass(20);
  clock.answered(iso(NOON + 30_010));
  assert.deepEqual([clock.now(), clock.isAsked(), clock.secondsIn(5_000)], [NOON + 30_010, false, (NOON + 35_010) / 1_000]);
});

test("of two readings the later one counts, but none later than the bridge can have meant", () => {
  const clock = heard();
  const answer = (took, time) => { clock.ask(); pass(took); clock.answered(iso(time)); return clock.now() - Date.now(); };
  assert.equal(answer(40, Date.now() + 5), 0, "the answer took longer than the greeting");
  assert.equal(answer(40, Date.now() + 60), 20, "the greeting took longer");
  assert.equal(answer(40, Date.now() - 3_600_000), -3_600_000, "the bridge's clock was set back");
});

test("after ten minutes it asks again, for clocks run a little wrong", () => {
  const clock = heard();
  pass(600_000);
  assert.equal(clock.isAsked(), false);
  pass(1);
  assert.equal(clock.isAsked(), true);
  clock.ask();
  clock.answered(undefined);
  assert.deepEqual([clock.now(), clock.isAsked()], [NOON + 600_001, false], "a bridge that does not say it leaves it as it is");
});
