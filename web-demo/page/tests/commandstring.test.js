// Command strings: they are read as CLU reads them, and a form and its line never disagree.

import assert from "node:assert/strict";
import { test } from "node:test";

import { build, read } from "../actor/commandstring.js";
import { join, lex, openQuotation, quote, split } from "../core/shlex.js";
import { problemsOf } from "../actor/validate.js";
import { draw, drawForm, seeds } from "./forms.js";
import { DOME } from "./model.js";

test("a line is split as by Python's shlex", () => {
  const cases = [  // printed by Python
    ["a b", ["a", "b"]], ["  a\tb\nc ", ["a", "b", "c"]], ["  ", []], ["a 'b c' d", ["a", "b c", "d"]],
    ['a "b\\"c" "d\\e"', ["a", 'b"c', "d\\e"]], ['"a\\\\b"', ["a\\b"]], ["'\\n'", ["\\n"]], ["a\\ b", ["a b"]],
    ["a ''", ["a", ""]], ['a""b', ["ab"]], ["goto #3 a#b", ["goto", "#3", "a#b"]], ["a;b|c", ["a;b|c"]],
    ["é\u00a0ü a\u000bb", ["é\u00a0ü", "a\u000bb"]], ["move -1.5 --wait=", ["move", "-1.5", "--wait="]],
    ["'", null], ['"x', null], ['"\\', null], ["a 'it\\'s'", null], ["a\\", null],
  ];
  for (const [line, words] of cases) assert.deepEqual(split(line), words, line);
});

test("what a line leaves open is said in words", () => {
  assert.equal(openQuotation("move north"), null);
  assert.match(openQuotation("move 'nor"), /a single quote is open/);
  assert.match(openQuotation('move "nor'), /a double quote is open/);
  assert.match(openQuotation("move \\"), /ends with a backslash/);
});

test("words know their place in the line", () => {
  const { words } = lex("move  'a b' c");
  assert.deepEqual(words, [{ text: "move", start: 0, end: 4 }, { text: "a b", start: 6, end: 11 }, { text: "c", start: 12, end: 13 }]);
});

test("a quoted word is read as it was, whatever is in it", () => {
  for (const seed of seeds(500)) {
    const words = Array.from({ length: seed.below(6) }, () => draw.text(seed));
    assert.deepEqual(split(join(words)), words, JSON.stringify({ words, seed: seed.start }));
  }
  assert.equal(quote("north"), "north");
  assert.equal(quote("-1.5"), "-1.5");
  assert.equal(quote("it's"), `"it's"`);
  assert.equal(quote(""), "''");
});

test("a form is written as a line", () => {
  const [move] = DOME;
  const cases = [
    [[move], { "move/side": "north" }, "move north"],
    [[move], { "move/side": "north", "move/angle": "-1.5", "move/force": true }, "move --force north -1.5"],
    [[move], { "move/side": "north", "move/speed": "2", "move/filters": ["u", "a b"] }, "move --speed 2 --filter u --filter 'a b' north"],
    [[move], { "move/side": "-s" }, "move -- -s"],
    [[DOME[1], DOME[1].commands[0]], { "status/weather/verbose": 2 }, "status weather -v -v"],
  ];
  for (const [path, values, line] of cases) {
    assert.equal(build(path, values), line);
    assert.deepEqual(read(DOME, line), { path, values, extra: [], missing: null }, line);
  }
});

test("a line is read as click reads it", () => {
  const values = (line) => read(DOME, line)?.values;
  assert.deepEqual(values("move -s2 north"), { "move/speed": "2", "move/side": "north" });
  assert.deepEqual(values("move north --speed=-2 -f u -f g"), { "move/side": "north", "move/speed": "-2", "move/filters": ["u", "g"] });
  assert.deepEqual(values("status weather -vvv"), { "status/weather/verbose": 3 });
  assert.deepEqual(read(DOME, "move north 3 4 5").extra, ["4", "5"]);
  assert.equal(read(DOME, "move north --speed").missing, "--speed");
  assert.equal(read(DOME, "mvoe north"), null);
  assert.equal(read(DOME, "move 'north"), null);
  assert.deepEqual(read(DOME, "status wether").extra, ["wether"]);
});

test("read(build(form)) is the form, for any model and any values", () => {
  for (const seed of seeds(2_000)) {
    const { commands, path, values } = drawForm(seed);
    const line = build(path, values);
    const got = read(commands, line);
    assert.deepEqual(got, { path, values, extra: [], missing: null }, `seed ${seed.start}: ${line}`);
    assert.equal(build(got.path, got.values), line);
  }
});

test("values are checked against the model's ranges, in words", () => {
  const [move] = DOME;
  const said = (values) => Object.fromEntries(problemsOf([move], values));
  assert.deepEqual(said({ "move/side": "north" }), {});
  assert.deepEqual(said({}), { "move/side": "SIDE is needed: one of north, south, both." });
  assert.deepEqual(said({ "move/side": "up", "move/angle": "200" }), {
    "move/side": 'SIDE is one of north, south, both, not "up".',
    "move/angle": "ANGLE is 200, and must be from 0 to 90.",
  });
  assert.deepEqual(said({ "move/side": "both", "move/speed": "fast" }), { "move/speed": '--speed is a number, not "fast".' });
  assert.deepEqual(said({ "move/angle": "3" }), { "move/side": "SIDE is needed: one of north, south, both." });
});

test("each type and bound has its words", () => {
  const check = (param, word) => problemsOf([{ name: "x", params: [{ name: "v", kind: "argument", opts: ["V"], nargs: 1, ...param }] }], { "x/v": word }).get("x/v") ?? null;
  const cases = [
    [{ type: "int" }, "5", null], [{ type: "int" }, "5.0", 'V is a whole number, not "5.0".'],
    [{ type: "int", min: 0, min_open: true }, "0", "V is 0, and must be more than 0."],
    [{ type: "int", max: 9007199254740993n }, "9007199254740994", "V is 9007199254740994, and must be at most 9007199254740993."],
    [{ type: "float", max: 1, max_open: true }, "1", "V is 1, and must be less than 1."],
    [{ type: "float" }, "1e-3", null], [{ type: "float" }, "nan", 'V is a number, not "nan".'], [{ type: "float" }, ".5", null],
    [{ type: "bool" }, "Yes", null], [{ type: "bool" }, "maybe", 'V is true or false, not "maybe".'],
    [{ type: "datetime" }, "2026-11-21T03:38:40", null], [{ type: "datetime" }, "tomorrow", 'V is a date, 2026-11-21 or 2026-11-21T03:38:40, not "tomorrow".'],
    [{ type: "uuid" }, "0dd1607a-8cde-415f-9bac-ba2ef8557153", null], [{ type: "uuid" }, "7", 'V is a UUID, not "7".'],
    [{ type: "text" }, "anything", null], [{ type: "text" }, "a\nb", "V cannot have a line break."],
    [{ type: "float", nargs: 2 }, ["1", "x"], 'V is a number, not "x".'], [{ type: "float", nargs: 2 }, ["1"], "V takes 2 words, not 1."],
  ];
  for (const [param, word, said] of cases) assert.equal(check(param, word), said, `${JSON.stringify(word)}`);
});
