// Integers keep all their digits, and everything else is as JSON.parse reads it.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { BIGINTS, formatJSON, parseJSON } from "../json.js";
import { parseReply } from "../clu.js";
import { FakeSocket, connected, dome, envelope, hello, numbered, ok, snapshot } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

const say = (value) => `{"value":${value}}`;

test("an integer beyond 2^53 has all its digits, as a string or as a BigInt", () => {
  const places = [
    [(digits) => `[${digits}]`, ([value]) => value],
    [(digits) => `[0,${digits},"x"]`, ([, value]) => value],
    [(digits) => `{"a\\"": ${digits} }`, (read) => read['a"']],
    [(digits) => `{"a\\\\":{"b":[[\t${digits}\n]]}}`, (read) => read["a\\"].b[0][0]],
  ];
  for (const digits of ["5853498713190525696", "-5853498713190525697", "9007199254740992", "-9007199254740993", "1152921504606846976", "9".repeat(400)]) {
    for (const [write, pick] of places) {
      assert.equal(pick(parseJSON(write(digits))), digits);
      assert.equal(pick(parseJSON(write(digits), "bigint")), BigInt(digits));
      assert.equal(pick(parseJSON(write(digits), "number")), Number(digits));
    }
  }
});

test("everything else is as JSON.parse reads it", () => {
  const same = [
    "9007199254740991", "-9007199254740991", "0", "-0", "1e400", "-1e400", "1e22", "12345678901234567890.0", "12345678901234567890e0",
    "0.12345678901234567890", "1.2345678901234567890123e-17", '"5853498713190525696"', '": 5853498713190525696"', '"\\\\"', '"\\": 5853498713190525696, \\""',
    '"\\u0022,5853498713190525696"', "[]", "true", "null",
  ];
  for (const text of same) {
    for (const as of BIGINTS) assert.deepEqual(parseJSON(say(text), as), JSON.parse(say(text)), `${text} as ${as}`);
  }
  assert.deepEqual(parseJSON('{"__proto__": 1234567890123456789, "5853498713190525696": 1}', "bigint"),
    Object.fromEntries([["__proto__", 1234567890123456789n], ["5853498713190525696", 1]]));
});

test("invalid JSON is rejected, also beside long integers", () => {
  for (const text of ["01234567890123456789", "{1234567890123456789: 1}", "[1234567890123456789 1]", "- 1234567890123456789", "[1234567890123456789", '{"a": 1234567890123456789']) {
    for (const as of BIGINTS) assert.throws(() => parseJSON(`[ ${text}]`, as), SyntaxError, text);
  }
});

test("what Python writes for numbers that are not finite becomes a string, outside of strings", () => {
  for (const as of BIGINTS) {
    assert.deepEqual(parseJSON('{"a": NaN, "b": [-Infinity,Infinity], "c": "NaN, \\"NaN", "NaN": 1}', as), { a: "NaN", b: ["-Infinity", "Infinity"], c: 'NaN, "NaN', NaN: 1 });
    for (const text of ["[NaNs]", "[-NaN NaN]", '["NaN', 'NaN"', "{NaN: 1, }", '["\\', "[1,, NaN]"]) assert.throws(() => parseJSON(text, as), SyntaxError, text);
  }
  assert.deepEqual(parseJSON('{"a": NaN, "b": 5853498713190525696}', "bigint"), { a: "NaN", b: 5853498713190525696n });
});

test("JSON nested as deep as the browser reads it keeps its integers", () => {
  const deep = `${"[".repeat(200_000)}1234567890123456789${"]".repeat(200_000)}`;
  for (const as of BIGINTS) assert.ok(Array.isArray(parseJSON(deep, as)));
  let inner = parseJSON(deep, "bigint");
  while (Array.isArray(inner)) [inner] = inner;
  assert.equal(inner, 1234567890123456789n);
});

test("only what is an integer beyond 2^53 is changed, wherever it is", () => {
  const big = 5853498713190525696n;
  const text = `{"a": [-${big}, 1.${big}, ${big}e1, 1e-${big}, 9007199254740991, 0.${big}, "${big}", [[${big}]]], "__proto__": {"b": ${big}}, "${big}": ${big}}`;
  const value = parseJSON(text, "bigint");
  assert.deepEqual(value.a, [-big, Number(`1.${big}`), Number(`${big}e1`), 0, 9007199254740991, Number(`0.${big}`), String(big), [[big]]]);
  assert.deepEqual([Object.getOwnPropertyDescriptor(value, "__proto__").value.b, value[String(big)], Object.getPrototypeOf(value)], [big, big, Object.prototype]);
});

test("a text without long integers is parsed once", (t) => {
  const parse = t.mock.method(JSON, "parse");
  parseJSON('{"id": "5853498713190525696", "at": 0.30000000000000004, "n": 123456789012345, "heard": 1795262320123456}', "bigint");
  assert.equal(parse.mock.callCount(), 1);
});

test("a string of a million quotes is read in one pass", () => {
  const text = `{"quotes":"${'\\"'.repeat(1_000_000)}","n":5853498713190525696}`;
  assert.equal(parseJSON(text).n, "5853498713190525696");
});

test("a BigInt is written as an integer", () => {
  const text = '{"a":5853498713190525696,"b":[-5853498713190525697,"5853498713190525696"],"c":1.5}';
  assert.equal(formatJSON(parseJSON(text, "bigint")), text);
  assert.equal(formatJSON(parseJSON(text, "bigint"), 2), JSON.stringify(JSON.parse('{"a":0,"b":[1,"5853498713190525696"],"c":1.5}'), null, 2)
    .replace("0", "5853498713190525696").replace("1,", "-5853498713190525697,"));
  assert.equal(formatJSON(undefined), undefined);
});

test("a reply has all digits: by default as a string, which JSON.stringify accepts", () => {
  const frame = JSON.stringify(envelope("i", null, { target: 0 })).replace('"target":0', '"target":5853498713190525696');
  const { keywords, envelope: whole } = parseReply(frame);
  assert.equal(keywords.target, "5853498713190525696");
  assert.ok(JSON.stringify(whole).includes('"5853498713190525696"'));
  assert.equal(parseReply(frame, 0, "bigint").keywords.target, 5853498713190525696n);
  assert.equal(parseReply(frame, 0, "number").keywords.target, 5853498713190525696);
});

test("the text of a reply has all digits too", () => {
  const frame = '{"headers": {"command_id": 5853498713190525696}, "body": {"text": {"target": 5853498713190525696}}}';
  const { commandId, text } = parseReply(frame, 0, "bigint");
  assert.deepEqual([commandId, text], ["5853498713190525696", '{"target":5853498713190525696}']);
});

test("values that differ only beyond 2^53 are different, in replies and snapshots", async () => {
  for (const [bigint, value] of [["text", String], ["bigint", BigInt]]) {
    const clu = await connected({ bigint });
    const reported = [];
    const subscription = clu.subscribe({}, { onValues: (_, changes) => reported.push(...changes.map(({ value, before }) => [before?.value, value])) });
    const long = (message, digits) => JSON.stringify(message).replace('"LONG"', digits);
    FakeSocket.last.say(hello(41), ok("1"), long(snapshot("1", 41, dome("LONG", 40)), "5853498713190525696"),
      long(numbered(42, { shutter: "LONG" }), "5853498713190525697"));
    const [first, second] = ["5853498713190525696", "5853498713190525697"].map(value);
    assert.deepEqual(reported, [[undefined, first], [first, second]]);
    assert.equal(subscription.values.dome.shutter.value, second);
    clu.close();
  }
});

test("the option bigint has three values", async () => {
  await assert.rejects(connected({ bigint: "yes" }), { name: "TypeError", message: 'the option bigint is "text", "bigint" or "number"' });
});
