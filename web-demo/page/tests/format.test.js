// How the page writes values, ages and numbers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { compactJSON, formatAge, formatValue } from "../core/format.js";

test("values are written for reading", () => {
  const cases = [
    [null, "null"], [true, "true"], ["", '""'], ["open", "open"], [0.1 + 0.2, "0.3"], [1234567, "1234567"], [1e-9, "1e-9"],
    [[1, 2.5, "x"], "1, 2.5, x"], [[], "[]"], [{}, "{}"],
    [{ ra: 1, axis: { state: "track", limits: [1, 2] } }, "ra: 1\naxis:\n  state: track\n  limits: 1, 2"],
    [[{ a: 1 }, { a: 2 }], "0:\n  a: 1\n1:\n  a: 2"],
  ];
  for (const [value, text] of cases) assert.equal(formatValue(value), text);
  assert.equal(formatValue(Array.from({ length: 1e5 }, (_, i) => ({ i }))).split("\n").length, 16);
  assert.equal(compactJSON({ a: "x".repeat(1_000) }, 10), '{"a":"xxxx…');
});

test("ages take four characters, and are rounded up", () => {
  const cases = [
    [-5, "0s"], [0, "0s"], [1, "1s"], [1_000, "1s"], [1_001, "2s"], [99_000, "99s"], [99_001, "2m"], [120_001, "3m"], [5_940_000, "99m"],
    [5_940_001, "2h"], [129_600_000, "36h"], [129_600_001, "2d"], [172_800_001, "3d"], [1e12, "999d"], [Infinity, "?"],
  ];
  for (const [ms, text] of cases) assert.equal(formatAge(ms), text, `${ms} ms`);
});

test("nothing is older than its age says", () => {
  const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  for (let ms = 1; ms < 1e10; ms = Math.ceil(ms * 1.0007) + 1) {
    const [, number, unit] = /^(\d+)([smhd])$/.exec(formatAge(ms));
    assert.ok(number * units[unit] >= ms, `${ms} ms is said to be ${number}${unit}`);
    assert.ok(number * units[unit] <= 1.5 * ms + 1_000, `${ms} ms is said to be ${number}${unit}`);
  }
});

test("a value of any kind is written", () => {
  for (const value of [undefined, [], [1, 2], { text: { deep: [1] } }, JSON.parse('{"__proto__": {"x": 1}}')]) {
    assert.equal(typeof formatValue(value), "string");
  }
});

test("integers are written with all digits, and without quotes", () => {
  assert.equal(formatValue(5853498713190525696n), "5853498713190525696");
  assert.equal(formatValue([5853498713190525696n, 1]), "5853498713190525696, 1");
  assert.equal(formatValue({ target: 5853498713190525697n }), "target: 5853498713190525697");
  assert.equal(compactJSON({ target: [5853498713190525696n] }), '{"target":[5853498713190525696]}');
});

test("of a huge value only the beginning is looked at", () => {
  let looked = 0;
  const items = new Proxy(Array.from({ length: 100_000 }, (_, n) => ({ n })), {
    get(target, name) {
      looked += 1;
      return Reflect.get(target, name);
    },
  });
  for (const write of [(value) => compactJSON(value, 400), formatValue]) {
    for (const value of [items, { a: 1, items }]) {
      looked = 0;
      assert.match(write(value), /…$/);
      assert.ok(looked < 500, `${looked} looks`);
    }
  }
});

test("what is cut of JSON is its beginning", () => {
  const values = ["x".repeat(50), [], {}, null, undefined, 5853498713190525696n, [1.5, "é\"\n", [null, true]], JSON.parse('{"10": 1, "b": {"__proto__": [5]}, "a": "y", "2": []}')];
  values.push(values.slice(), { values: values.slice() });
  for (const value of values) {
    const whole = compactJSON(value);
    for (let limit = 0; limit <= whole.length + 1; limit += 1) {
      assert.equal(compactJSON(value, limit), limit < whole.length ? `${whole.slice(0, limit)}…` : whole);
    }
  }
});
