// What `npx clu-ws types` writes of actors' models.

import assert from "node:assert/strict";
import { test } from "node:test";

import { siteTypes } from "../bin/sitetypes.js";

const model = (keywords, commands = []) => ({ actor: "x", state: "known", commands, keywords, problem: null });
const written = (...actors) => siteTypes(actors).split("export type Site = {\n")[1];
const typeOf = (keyword) => /k: ([^]*);\n {4}\};/.exec(written({ name: "x", model: model({ k: keyword }), problem: null }))[1];

test("a keyword has the type that its schema says, and no narrower one", () => {
  for (const [keyword, type] of [
    [{ type: "number" }, "Float"],
    [{ type: "integer" }, "Integer"],
    [{ type: "integer", min: 0, max: 7 }, "number"],
    [{ type: "integer", min: 0 }, "Integer"],
    [{ type: "integer", min: 0, max: 2 ** 63 }, "Integer"],
    [{ type: "string" }, "string"],
    [{ type: "string", nullable: true }, "string | null"],
    [{ type: "any", nullable: true }, "any"],
    [{ type: "boolean" }, "boolean"],
    [{ type: "any" }, "any"],
    [{}, "any"],
    [{ type: "array" }, "any[]"],
    [{ type: "array", items: { type: "number", nullable: true } }, "Array<Float | null>"],
    [{ type: "array", items: { type: "string", enum: ["a", "b"] } }, 'Array<"a" | "b">'],
    [{ type: "object" }, "Record<string, any>"],
    [{ type: "string", enum: ["on", 'o"ff', null, true, 1.5, 5853498713190525696n] }, '"on" | "o\\"ff" | null | true | 1.5 | any'],
    [{ type: "object", members: { b: { type: "number" }, "a-b": { type: "string" } } }, '{\n        "a-b": string;\n        b: Float;\n      }'],
  ]) assert.equal(typeOf(keyword), type);
});

test("descriptions, units and ranges are comments, which nothing that an actor says can end", () => {
  const keywords = { az: { type: "number", description: "Azimuth */ \x1b[2Jevil(); /*\0\n of it", unit: "deg", min: 0 } };
  assert.match(written({ name: "x", model: model(keywords), problem: null }), /^ {6}\/\*\* Azimuth \*\\\/ \[2Jevil\(\); \/\* of it \[deg\] 0 to ∞ \*\/\n {6}az: Float;$/m);
});

test("a command is a verb, and one of a group has the group's before it", () => {
  const commands = [{ name: "open" }, { name: "lamp", commands: [{ name: "on" }, { name: "off" }] }, { name: 'a"b' }];
  assert.match(written({ name: "x", model: model({}, commands), problem: null }), /commands: "a\\"b" \| "lamp" \| "lamp off" \| "lamp on" \| "open";/);
});

test("an actor of which little is known has wide types, and a comment that says why", () => {
  assert.equal(written({ name: "mute", model: null, problem: "it has not answered" }),
    "  /** Not all is known: it has not answered */\n  mute: {\n    keywords: Record<string, any>;\n    commands: string;\n  };\n};\n");
});

test("names that are no identifiers are quoted", () => {
  assert.match(written({ name: "lvm.sci-\"1\"", model: model({ "": { type: "string" }, "__proto__x": { type: "string" }, "ü": { type: "string" } }), problem: null }),
    /^ {2}"lvm\.sci-\\"1\\"": \{\n {4}keywords: \{\n {6}"": string;\n {6}__proto__x: string;\n {6}"ü": string;/);
});

test("the same models give the same text, in whatever order they come", () => {
  const a = { name: "a", model: model({ x: { type: "string" }, B: { type: "string" } }, [{ name: "z" }, { name: "y" }]), problem: null };
  const turned = { name: "a", model: model({ B: { type: "string" }, x: { type: "string" } }, [{ name: "y" }, { name: "z" }]), problem: null };
  const b = { name: "B", model: null, problem: null };
  assert.equal(siteTypes([a, b]), siteTypes([b, turned]));
});
