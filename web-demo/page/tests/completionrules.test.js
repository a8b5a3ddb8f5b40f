// The rules that the terminal's completion has, too, in Go.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { commonBeginning, complete } from "../actor/completion.js";

const rules = JSON.parse(readFileSync(new URL("../../../terminal/complete/testdata/rules.json", import.meta.url), "utf8"));

for (const { line, texts, hint, common, whole } of rules.cases) {
  test(`completion of "${line}"`, () => {
    const got = complete({ line, actors: rules.actors, model: (actor) => (rules.commands[actor] ? { commands: rules.commands[actor] } : null) });
    assert.deepEqual(got.candidates.map(({ text }) => text), texts);
    if (hint !== undefined) assert.equal(got.hint ?? "", hint);
    if (common === undefined) return;
    const typed = line.slice(got.from, got.to).replace(/^['"]/, "");
    assert.deepEqual(commonBeginning(got, typed) ?? { text: "", whole: false }, { text: common, whole });
  });
}
