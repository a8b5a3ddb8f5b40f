// How times and values are written at the axes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { timeLabels, valueText } from "../plot/ticks.js";

const at = (text) => Date.parse(`2026-11-28T${text}Z`);

test("times are as fine as the step, and a day that begins has its date", () => {
  assert.deepEqual(timeLabels([at("22:00:00"), at("23:00:00"), at("23:00:00") + 3_600_000], 3_600_000), ["22:00", "23:00", "11-29"]);
  assert.deepEqual(timeLabels([at("03:15:30") - 1e-4], 30_000), ["03:15:30"]);
  assert.deepEqual(timeLabels([at("03:15:00") - 1, at("03:16:00") - 1], 60_000), ["03:15", "03:16"]);
  assert.deepEqual(timeLabels([at("03:15:30.250")], 250), ["15:30.250"]);
  assert.deepEqual(timeLabels([at("00:00:00")], 86_400_000), ["11-28"]);
});

test("values have six digits that matter", () => {
  const cases = [[0.1 + 0.2, "0.3"], [1234567, "1234567"], [12.3456789, "12.3457"], [1e-7, "1.000e-7"], [3e12, "3.000e+12"], [NaN, "no number"], [Infinity, "Infinity"], [null, ""]];
  for (const [value, text] of cases) assert.equal(valueText(value), text);
});
