/**
 * Which span of time a plot shows, as the URL says it: `r=6h` is the last six hours, and goes on with time;
 * `from=2026-11-28T03:00:00Z&to=2026-11-28T04:00:00Z` stays.
 */

/** @typedef {{span: number} | {from: number, to: number}} Range  ms; with a span alone it ends now */

/** Shortest and longest span, ms. */
export const MIN_SPAN = 1_000;
export const MAX_SPAN = 31 * 86_400_000;

/** The span of a plot whose URL says nothing. */
const DEFAULT_SPAN = 3_600_000;

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };

/** Reads a span: 6h, 90m, 1h30m, 2d. @returns {number|null} ms, or null if it is none */
export function parseSpan(text) {
  if (!/^(\d+(\.\d+)?[dhms])+$/.test(text ?? "")) return null;
  let ms = 0;
  for (const [, n, unit] of text.matchAll(/(\d+(?:\.\d+)?)([dhms])/g)) ms += Number(n) * UNITS[unit];
  return ms > 0 ? clampSpan(ms) : null;
}

/** Writes a span as `parseSpan` reads it: 1h30m. */
export function formatSpan(ms) {
  let rest = Math.max(1, Math.round(ms / 1_000)) * 1_000;
  let text = "";
  for (const [unit, size] of Object.entries(UNITS)) {
    const n = Math.floor(rest / size);
    if (n > 0) text += `${n}${unit}`;
    rest -= n * size;
  }
  return text;
}

const clampSpan = (ms) => Math.min(MAX_SPAN, Math.max(MIN_SPAN, ms));

/** Reads the range of a URL. @param {URLSearchParams} query @returns {Range} */
export function readRange(query) {
  const [from, to] = ["from", "to"].map((name) => Date.parse(query.get(name) ?? ""));
  if (from < to) return { from, to: Math.min(to, from + MAX_SPAN) };
  return { span: parseSpan(query.get("r")) ?? DEFAULT_SPAN };
}

/** Writes a range for a URL. @param {Range} range */
export function writeRange(range) {
  if (isLive(range)) return { r: formatSpan(range.span) };
  const iso = (ms) => new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
  return { from: iso(range.from), to: iso(range.to) };
}

/** Whether a range goes on with time. */
export const isLive = (range) => range.span !== undefined;

/** The bounds of a range now. @param {Range} range @param {number} now @returns {{from: number, to: number}} */
export function boundsOf(range, now) {
  return isLive(range) ? { from: now - range.span, to: now } : range;
}

/**
 * Returns a range zoomed by a factor: below 1 it shows less.
 * @param {number} [at]  the time that keeps its place; default: the end of a live range, the middle of another
 */
export function zoomed(range, now, factor, at = null) {
  if (isLive(range) && at === null) return { span: clampSpan(range.span * factor) };
  const { from, to } = boundsOf(range, now);
  const span = clampSpan((to - from) * factor);
  const share = at === null ? 0.5 : (at - from) / (to - from);
  const begin = (at ?? (from + to) / 2) - span * share;
  return settled({ from: begin, to: begin + span }, now);
}

/** Returns a range moved by a part of its span: -0.5 is half of it earlier. */
export function panned(range, now, part) {
  const { from, to } = boundsOf(range, now);
  const by = (to - from) * part;
  return settled({ from: from + by, to: to + by }, now);
}

/** Returns the range between two times, in any order. */
export function between(a, b, now) {
  const [from, to] = a < b ? [a, b] : [b, a];
  return settled(to - from < MIN_SPAN ? { from: (from + to - MIN_SPAN) / 2, to: (from + to + MIN_SPAN) / 2 } : { from, to }, now);
}

/** A range that would end in the future goes on with time. */
function settled({ from, to }, now) {
  return to >= now ? { span: clampSpan(to - from) } : { from, to };
}
