// What is said of a value beside the value, and values as trees.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange, decodeStatus, describeLimits, kindOf, limitOf } from "../actor/reading.js";
import { childrenOf, isBranch, leafText, pathTo, summary } from "../actor/treemodel.js";
import { metaOf } from "../core/meta.js";

const model = { keywords: {
  humidity: { type: "number", unit: "%", unit_from: "schema", description: "Relative humidity", min: 0, max: 100 },
  axis: { type: "object", members: { alt: { unit: "deg", unit_from: "schema" } } },
  shutter: { enum: ["open", "closed"] },
} };
const site = { keywords: { "dome.humidity": { low: 10, high: 80, high_critical: 90, unit: "%RH" } } };
const meta = metaOf("dome", "humidity", model, site);

test("the site knows better than the schema", () => {
  assert.equal(meta.unit, "%RH");
  assert.equal(meta.unitFrom, "site");
  assert.equal(meta.description, "Relative humidity");
  assert.equal(metaOf("dome", "axis.alt", model, site).unit, "deg");
  assert.equal(metaOf("roof", "humidity", model, site).unit, "%");
  assert.equal(metaOf("dome", "nothing", model, site).unit, "");
  assert.equal(metaOf("dome", "constructor.name", model, site).unit, "");
});

test("a value out of its limits says which one and on which side", () => {
  const said = (value) => limitOf(value, meta);
  assert.equal(said(50), null);
  assert.deepEqual(said(80.5), { level: "warn", words: "▲ above 80" });
  assert.deepEqual(said(95), { level: "critical", words: "✖ above 90" });
  assert.deepEqual(said(5), { level: "warn", words: "▼ below 10" });
  assert.deepEqual(limitOf(-1, metaOf("roof", "humidity", model, {})), { level: "warn", words: "▼ below 0 of its schema" });
  assert.deepEqual(limitOf("ajar", metaOf("dome", "shutter", model, {})), { level: "warn", words: "≠ none of open, closed" });
  assert.equal(limitOf(9007199254740993n, metaOf("dome", "shutter", model, {})), null);
  assert.equal(said(NaN), null);
  assert.equal(describeLimits(meta), "normal 10 to 80; critical beyond 90; schema 0 to 100");
});

test("NaN is not null, and neither is a number", () => {
  assert.deepEqual([null, undefined, NaN, Infinity, "NaN", 1, 1n, true, "x", [], {}].map(kindOf),
    ["null", "null", "nan", "nan", "nan", "number", "number", "bool", "text", "tree", "tree"]);
});

test("a status word is decoded beside its labels", () => {
  assert.deepEqual(decodeStatus("0x10", "POSITION_UNKNOWN"), { bits: [4], names: ["POSITION_UNKNOWN"], paired: true });
  assert.deepEqual(decodeStatus("0x11", "A,B"), { bits: [0, 4], names: ["A", "B"], paired: true });
  assert.deepEqual(decodeStatus(3, ["A"]), { bits: [0, 1], names: ["A"], paired: false });
  assert.deepEqual(decodeStatus("0x0", ""), { bits: [], names: [], paired: true });
  assert.deepEqual(decodeStatus("0x8000000000000000", "TOP").bits, [63]);
  for (const [word, labels] of [["open", "A"], ["0x10", undefined], [-1, "A"], [1.5, "A"], ["0x", "A"]]) assert.equal(decodeStatus(word, labels), null);
});

test("messages and what an actor says of itself have no rows, and labels stand beside their word", () => {
  const at = (name, time = 0) => ({ name, time });
  const all = ["text", "error", "help", "traceback", "schema", "command_model", "humidity", "dome_status", "dome_status_labels", "zone_labels"].map((name) => at(name));
  assert.deepEqual(arrange(all), ["dome_status", "humidity", "zone_labels"]);
  assert.deepEqual(arrange(all, { filter: "labels" }), ["dome_status_labels", "zone_labels"]);
  assert.deepEqual(arrange(all, { filter: "schema" }), []);
  assert.deepEqual(arrange([at("a2", 5), at("a10", 9), at("b", 5)]), ["a2", "a10", "b"]);
  assert.deepEqual(arrange([at("a2", 5), at("a10", 9), at("b", 5)], { sort: "age" }), ["a10", "a2", "b"]);
  assert.deepEqual(arrange([at("a"), at("b")], { sort: "limits", worst: (name) => (name === "b" ? 1 : 0) }), ["b", "a"]);
});

test("a tree is read a part at a time", () => {
  const list = Array.from({ length: 1e6 }, (_, n) => n);
  assert.deepEqual(childrenOf(list, 100, 102), [{ key: "100", value: 100 }, { key: "101", value: 101 }]);
  assert.deepEqual(childrenOf({ a: 1, b: [2] }, 0, 10), [{ key: "a", value: 1 }, { key: "b", value: [2] }]);
  assert.equal(summary({ alt: 1, az: { x: 2 } }), "{2} alt: 1, az: {…}");
  assert.equal(summary([1, "x", { a: 1 }]), "[3] 1, x, {…}");
  assert.equal(summary(list), "[1000000] 0, 1, 2, 3, 4, 5, …");
  assert.equal(pathTo("dome.axis", "alt"), "dome.axis.alt");
  assert.deepEqual([{}, [], null, 1, [0]].map(isBranch), [false, false, false, false, true]);
});

test("a leaf has all its digits, and says what it is not", () => {
  assert.deepEqual([5853498713190525696n, NaN, -Infinity, null, "", "x", true, [], undefined].map(leafText),
    ["5853498713190525696", "NaN", "-Infinity", "null", '""', "x", "true", "[]", "(not kept)"]);
});
