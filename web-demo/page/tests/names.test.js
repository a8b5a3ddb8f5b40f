// Names in URLs: what was written is read, whatever actors call their keywords and themselves.

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatBoard, parseBoard } from "../board/items.js";
import { readNames, writeNames } from "../core/names.js";
import { ALL_CODES, LogQuery } from "../log/query.js";
import { readRange, writeRange } from "../plot/range.js";
import { formatRoute, parseRoute } from "../shell/router.js";
import { seeds } from "./forms.js";

const CHARS = [..."ab.,~\\ -+&=#%?/:;@$'\"\n\u00a0é🔭"];

const drawName = (seed) => Array.from({ length: seed.below(6) }, () => seed.pick(CHARS)).join("");
const drawSome = (seed, least) => Array.from({ length: least + seed.below(4) }, () => drawName(seed));

/** What is read of a query that is written into the address. */
const sent = (query) => parseRoute(formatRoute(["view"], query)).query;

test("names in a list come back, whatever is in them", () => {
  for (const seed of seeds(2_000)) {
    const names = drawSome(seed, 0);
    assert.deepEqual(readNames(writeNames(names)), names, `seed ${seed.start}`);
  }
});

test("a plot comes back from its URL", () => {
  for (const seed of seeds(1_000)) {
    const names = drawSome(seed, 1);
    const from = Date.UTC(2026, 10, 28) + seed.below(86_400_000);
    const range = seed.pick([{ span: 1_000 * (1 + seed.below(86_400)) }, { from, to: from + 1 + seed.below(86_400_000) }]);
    const query = sent({ s: writeNames(names), ...writeRange(range) });
    assert.deepEqual([readNames(query.get("s") ?? ""), readRange(query)], [names, range], `seed ${seed.start}`);
  }
});

test("what a log shows comes back from its URL", () => {
  for (const seed of seeds(1_000)) {
    const what = { text: drawName(seed), codes: ALL_CODES.filter(() => seed.chance(50)), senders: drawSome(seed, 0), hideInternal: seed.chance(50) };
    const { text, codes, senders, hideInternal } = LogQuery.read(sent(new LogQuery(what).write()));
    assert.deepEqual({ text, codes: [...codes], senders: [...senders], hideInternal }, { ...what, senders: [...new Set(what.senders)] }, `seed ${seed.start}`);
  }
});

test("a board of any names comes back from its URL", () => {
  for (const seed of seeds(1_000)) {
    const drawItem = () => seed.pick([
      () => ({ plot: drawSome(seed, 1), range: seed.pick(["6h", "15m"]) }), () => ({ keywords: drawSome(seed, 1) }), () => ({ actor: drawName(seed) }), () => ({ log: drawName(seed).trim() })])();
    const board = { title: drawName(seed), items: Array.from({ length: 1 + seed.below(4) }, drawItem) };
    assert.deepEqual(parseBoard(sent(formatBoard(board))), board, `seed ${seed.start}`);
  }
});

test("names that are written by hand need no care", () => {
  assert.equal(writeNames(["weather.wind_speed_ms", "dome.dome_shutter"]), "weather.wind_speed_ms,dome.dome_shutter");
  assert.deepEqual(readNames(" a.b , c.d,,e.f\ng.h "), ["a.b", "c.d", "e.f", "g.h"]);
  assert.deepEqual(readNames("a.b\\"), ["a.b\\"]);
});
