// Completion: actors, commands, options and choices of the model; never an end after 60.

import assert from "node:assert/strict";
import { test } from "node:test";

import { commonBeginning, complete, firstSentence } from "../actor/completion.js";
import { DOME } from "./model.js";

const actors = ["camera", "dome", "mount", "weather"];
const of = (line, more = {}) => complete({ line, actors, model: (actor) => (actor === "dome" ? { commands: DOME } : null), ...more });
const texts = (line, more) => of(line, more).candidates.map(({ text }) => text);

test("the first word is an actor", () => {
  assert.deepEqual(texts(""), actors);
  assert.deepEqual(texts("d"), ["dome"]);
  assert.deepEqual(texts("me"), ["camera", "dome"], "also by a part of its name");
  assert.deepEqual(texts("M"), ["mount", "camera", "dome"]);
  assert.deepEqual(texts("do", { recent: ["dome open", "camera abort"] }), ["dome", "dome open"]);
});

test("then come the commands of its model, and those of its groups", () => {
  assert.deepEqual(texts("dome "), ["move", "status", "open", "unfold"]);
  assert.deepEqual(texts("dome st"), ["status"]);
  assert.deepEqual(texts("dome status "), ["weather", "--help"]);
  assert.deepEqual(texts("dome status w"), ["weather"]);
  assert.equal(of("dome mvoe ").hint, "this actor has no command mvoe");
});

test("then choices, options and what is expected", () => {
  assert.deepEqual(texts("dome move "), ["north", "south", "both", "--speed", "--force", "--filter", "--help"]);
  assert.equal(of("dome move ").hint, "SIDE: one of north, south, both");
  assert.deepEqual(texts("dome move n"), ["north"]);
  assert.deepEqual(texts("dome move --s"), ["--speed"]);
  assert.equal(of("dome move north ").hint, "ANGLE: a number from 0 to 90, may be left out");
  assert.equal(of("dome move --speed ").hint, "--speed: a number. Degrees a second");
  assert.deepEqual(texts("dome move --force "), ["north", "south", "both", "--speed", "--filter", "--help"], "an option is offered once");
  assert.deepEqual(texts("dome move --filter u --fil"), ["--filter"], "unless it may be repeated");
  assert.deepEqual(texts("dome move -- "), ["north", "south", "both"]);
});

test("an actor without a model has the commands of every actor", () => {
  assert.deepEqual(texts("weather "), ["status", "ping", "version", "help"]);
  assert.deepEqual(texts("weather ping "), []);
});

test("what is dangerous, deprecated or not granted says so", () => {
  const caution = (actor, command) => (command === "open" ? "you may not send open to dome" : null);
  const reasons = Object.fromEntries(of("dome ", { caution }).candidates.map(({ text, reason }) => [text, reason]));
  assert.deepEqual(reasons, { move: null, status: null, open: "you may not send open to dome", unfold: "deprecated" });
});

test("a completion replaces the word at the cursor and nothing else", () => {
  const { from, to } = of("dome mo north", { cursor: 7 });
  assert.deepEqual([from, to], [5, 7]);
  const inQuotes = of("dome move 'no");
  assert.deepEqual([inQuotes.from, inQuotes.to, inQuotes.candidates.map(({ text }) => text)], [10, 13, ["north"]]);
});

test("a thousand actors are all offered", () => {
  const many = Array.from({ length: 1_000 }, (_, n) => `actor${n}`);
  assert.equal(complete({ line: "actor", actors: many, model: () => null }).candidates.length, 1_000);
});

test("Tab writes what all of them share", () => {
  assert.deepEqual(commonBeginning(of("dome move --f"), "--f"), { text: "--f", whole: false }, "--force and --filter");
  assert.deepEqual(commonBeginning(of("dome mo"), "mo"), { text: "move", whole: true });
  assert.equal(commonBeginning(of("dome x"), "x"), null);
});

test("the first sentence of a help text", () => {
  assert.equal(firstSentence("Moves a shutter.\n\n    SIDE is the shutter."), "Moves a shutter");
  assert.equal(firstSentence("Takes 1.5 s\nat most. Then it ends."), "Takes 1.5 s at most");
  assert.equal(firstSentence(""), "");
});
