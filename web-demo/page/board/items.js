/**
 * What is on a board, and how a board is written into a URL, so that one's own boards need no account:
 *
 *     #/board?title=Dusk&plot=weather.wind_speed_ms,dome.dome_shutter~6h&keywords=dome.humidity&log=dome&actor=dome
 *
 * Nothing here depends on the page.
 */

import { readNames, writeNames } from "../core/names.js";

/** @typedef {{plot: string[], range: string} | {keywords: string[]} | {log: string} | {actor: string}} Item */

export const KINDS = ["plot", "keywords", "actor", "log"];

/** Items of a board; what is beyond is not shown. */
export const MAX_ITEMS = 24;

/** Whether a query has a board. @param {URLSearchParams} query */
export function hasItems(query) {
  return KINDS.some((kind) => query.has(kind));
}

/** Reads a board from a query. @param {URLSearchParams} query @returns {{title: string, items: Item[]}} */
export function parseBoard(query) {
  const items = [];
  for (const [kind, text] of query) {
    const item = KINDS.includes(kind) ? parseItem(kind, text) : null;
    if (item !== null && items.length < MAX_ITEMS) items.push(item);
  }
  return { title: query.get("title") ?? "", items };
}

/** Reads an item as somebody writes it: "weather.wind_speed_ms, dome.dome_shutter ~ 6h". @returns {Item|null} null if it is empty */
export function parseItem(kind, text) {
  const [what] = kind === "plot" ? /^(?:\\[^]|[^~])*/.exec(text) : [text];
  const range = text.slice(what.length + 1);
  const names = readNames(what);
  if (kind === "log") return { log: text.trim() };
  if (names.length === 0) return null;
  if (kind === "plot") return { plot: names, range: range.trim() || "6h" };
  return kind === "keywords" ? { keywords: names } : { actor: names[0] };
}

/** The kind of an item. @param {Item} item */
export function kindOf(item) {
  return KINDS.find((kind) => Object.hasOwn(item, kind)) ?? null;
}

/** Writes an item as `parseItem` reads it. @param {Item} item */
function formatItem(item) {
  const kind = kindOf(item);
  if (kind === "log") return item.log;
  const names = writeNames([item[kind]].flat());
  return kind === "plot" ? `${names}~${item.range ?? "6h"}` : names;
}

/** Writes a board as a query. @returns {URLSearchParams} */
export function formatBoard({ title, items }) {
  const query = new URLSearchParams();
  if (title) query.append("title", title);
  for (const item of items) query.append(kindOf(item), formatItem(item));
  return query;
}
