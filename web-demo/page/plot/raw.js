/**
 * Every value that the bridge has of a span. It keeps single values for a quarter of an hour and minutes before that, and
 * answers with a bounded number of points, so it is asked for one short span after another.
 */

import { addRows, writeCSV } from "./csv.js";
import { pointsFor, Source } from "./source.js";

/** How long the bridge keeps single values, and the span of a question for them, ms. */
const KEPT = 15 * 60_000;
const STEP = 5 * 60_000;

/**
 * @param {object} app
 * @param {string[]} names
 * @returns {Promise<{text: string, problem: string}>} CSV, and why it may be less than one wants
 */
export async function rawCSV(app, names, from, to) {
  const rows = new Map();
  const begin = Math.max(from, Math.min(to, app.store.now() - KEPT));
  const spans = begin > from ? [[from, begin]] : [];
  for (let at = begin; at < to; at += STEP) spans.push([at, Math.min(to, at + STEP)]);
  let tracks = [];
  let problem = "";
  for (const [start, end] of spans) {
    const source = new Source(app, names);
    await source.load(start, end, pointsFor(names.length, Infinity));
    problem ||= source.problem;
    ({ tracks } = source);
    addRows(rows, tracks, start, end);
  }
  return { text: writeCSV(rows, tracks), problem };
}
