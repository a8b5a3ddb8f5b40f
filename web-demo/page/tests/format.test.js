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

test("ages take four characters", () => {
  const ages = [-5, 0, 999, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 1e12].map(formatAge);
  assert.deepEqual(ages, ["0s", "0s", "0s", "59s", "1m", "59m", "1h", "1d", "999d"]);
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
