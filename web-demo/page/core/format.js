/** Formats values, ages and times for reading. Nothing here depends on the page. */

import { formatJSON } from "../../client/json.js";

const MAX_LINES = 16;
const MAX_CHARS = 400;
const MAX_DEPTH = 6;

/**
 * Formats a keyword's value: scalars as they are, lists of scalars in one line, everything else as indented lines, cut
 * if long.
 * @returns {string}
 */
export function formatValue(value) {
  const lines = [];
  write(value, "", 0, lines);
  const cut = lines.length >= MAX_LINES ? [...lines.slice(0, MAX_LINES - 1), "…"] : lines;
  return shorten(cut.join("\n"), MAX_CHARS);
}

function write(value, label, depth, lines) {
  if (lines.length >= MAX_LINES) return;
  const indent = "  ".repeat(Math.max(0, depth - 1));
  const start = label === "" ? "" : `${indent}${label}: `;
  const inline = oneLine(value);
  if (inline !== null) {
    lines.push(start + inline);
  } else if (depth >= MAX_DEPTH) {
    lines.push(start + compactJSON(value, 200));
  } else {
    if (start !== "") lines.push(start.trimEnd());
    for (const [key, item] of members(value)) {
      if (lines.length >= MAX_LINES) return;
      write(item, key, depth + 1, lines);
    }
  }
}

/** Returns the value in one line, or null if it needs more. */
function oneLine(value) {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    if (value.length > 100 || value.some((item) => typeof item === "object" && item !== null)) {
      return value.length > 100 && typeof value[0] !== "object" ? compactJSON(value.slice(0, 100), 200) : null;
    }
    return value.map(oneLine).join(", ");
  }
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "{}" : null;
  if (typeof value === "number") return formatNumber(value);
  if (value === "") return '""';
  return String(value);
}

/**
 * Rounds to six decimals; an operator has no use for a shaft encoder's sixteen. The envelope shows them all. A number
 * beyond 2^53 has an exponent, because its last digits are not exact; an integer of that size is a BigInt.
 */
function formatNumber(value) {
  const size = Math.abs(value);
  if (size > Number.MAX_SAFE_INTEGER && Number.isFinite(value)) return value.toExponential();
  if (value === 0 || Number.isInteger(value) || size < 1e-4 || size >= 1e15) return String(value);
  return String(Number(value.toFixed(6)));
}

/** Returns a value as JSON in one line, at most `limit` characters. */
export function compactJSON(value, limit = Infinity) {
  let text;
  try {
    text = formatJSON(limit === Infinity ? value : beginning(value, { left: limit }));
  } catch {  // nested deeper than JSON.stringify can go
    text = "(nested too deep to show)";
  }
  return shorten(text ?? "null", limit);
}

/** As much of a value as is written in so many characters: writing 10 MB for a row of 400 would stop the page. */
function beginning(value, room) {
  if (typeof value === "string") {
    room.left -= value.length;
    return room.left < 0 ? value.slice(0, value.length + room.left + 1) : value;
  }
  room.left -= 1;
  if (typeof value !== "object" || value === null) return value;
  const entries = [];
  for (const [key, item] of members(value)) {
    if (room.left < 0) break;
    entries.push([key, beginning(item, room)]);
  }
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

/** The members of an object or a list, one by one: it may be huge, and only its beginning is looked at. */
function* members(value) {
  if (Array.isArray(value)) yield* value.entries();
  else for (const key in value) if (Object.hasOwn(value, key)) yield [key, value[key]];
}

export function shorten(text, limit) {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

/** Numbers that JSON does not have, as a bridge with --nan string writes them. */
const NOT_NUMBERS = new Set(["NaN", "Infinity", "-Infinity"]);

/**
 * What a value is, so that a view can mark what looks alike: null, a text "null", and a number that is none.
 * @returns {"missing"|"null"|"nan"|"number"|"text"|"bool"|"list"|"object"}
 */
export function kindOf(value) {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (NOT_NUMBERS.has(value) || (typeof value === "number" && !Number.isFinite(value))) return "nan";
  if (Array.isArray(value)) return "list";
  return { number: "number", bigint: "number", string: "text", boolean: "bool" }[typeof value] ?? "object";
}

/**
 * Formats an age in ms in at most four characters: 4s, 12m, 3h, 2d; "?" if it is not known. It is rounded up: nothing is
 * older than it says. A unit goes on until the next one says nearly the same: 99s, then 2m.
 */
export function formatAge(ms) {
  if (!Number.isFinite(ms)) return "?";
  const of = (unit) => Math.max(0, Math.ceil(ms / unit));
  if (of(1_000) < 100) return `${of(1_000)}s`;
  if (of(60_000) < 100) return `${of(60_000)}m`;
  if (of(3_600_000) < 37) return `${of(3_600_000)}h`;
  return `${Math.min(999, of(86_400_000))}d`;
}

/** Formats a duration in ms: 0.4 s, 12.0 s, 3:05, 1:02:03. */
export function formatElapsed(ms) {
  if (ms < 60_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Describes a gap. @param {{from: Date|null, to: Date, seconds: number|null, reason: string|null}} gap */
export function describeGap({ from, to, seconds, reason }) {
  const span = seconds === null ? `from before ${formatTime(to.getTime())}` : `of ${formatElapsed(seconds * 1_000)}`;
  const when = from === null ? "" : `, ${formatTime(from.getTime())} to ${formatTime(to.getTime())}`;
  return `replies ${span} may be missing here${when}${reason === null ? "" : `: ${reason}`}`;
}

/** Formats a time of day in UTC: 02:52:33, or with milliseconds. */
export function formatTime(ms, withMillis = false) {
  return new Date(ms).toISOString().slice(11, withMillis ? 23 : 19);
}

/** Returns the end of a command id, enough to tell two apart. */
export function shortId(id) {
  return id === null ? "" : id.slice(-8);
}

/** What is said of a value that may have changed unheard. */
export const OUTDATED = "may be outdated: replies were missed since";

/** Makes a sentence of words. @param {string} text */
export function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
