/**
 * What there is to say of a value beside the value: whether it is within its limits, what the bits of a status word mean.
 * Nothing here depends on the page.
 */

import { byName } from "../core/order.js";

/** @typedef {import("../core/meta.js").Meta} Meta */

/**
 * Says whether a value is out of its limits.
 * @param {*} value
 * @param {Meta} meta
 * @returns {{level: "warn"|"critical", words: string}|null} the words say which limit, and on which side: "▲ above 80", or "✖ above 90"
 */
export function limitOf(value, meta) {
  if (typeof value === "number" || typeof value === "bigint") return numberLimit(value, meta);
  if (meta.choices !== null && typeof value === "string" && !meta.choices.includes(value)) {
    return { level: "warn", words: `≠ none of ${meta.choices.join(", ")}` };
  }
  return null;
}

function numberLimit(value, { low, high, lowCritical, highCritical, min, max }) {
  if (highCritical !== null && value > highCritical) return { level: "critical", words: `✖ above ${highCritical}` };
  if (lowCritical !== null && value < lowCritical) return { level: "critical", words: `✖ below ${lowCritical}` };
  if (high !== null && value > high) return { level: "warn", words: `▲ above ${high}` };
  if (low !== null && value < low) return { level: "warn", words: `▼ below ${low}` };
  if (max !== null && value > max) return { level: "warn", words: `▲ above ${max} of its schema` };
  if (min !== null && value < min) return { level: "warn", words: `▼ below ${min} of its schema` };
  return null;
}

/** Describes the limits: "10 to 80, critical from 5 to 90". @param {Meta} meta @returns {string} "" without any */
export function describeLimits({ low, high, lowCritical, highCritical, min, max }) {
  const parts = [];
  if (low !== null || high !== null) parts.push(`normal ${between(low, high)}`);
  if (lowCritical !== null || highCritical !== null) parts.push(`critical beyond ${[lowCritical, highCritical].filter((bound) => bound !== null).join(" and ")}`);
  if (min !== null || max !== null) parts.push(`schema ${between(min, max)}`);
  return parts.join("; ");
}

const between = (low, high) => (low === null ? `up to ${high}` : high === null ? `from ${low}` : `${low} to ${high}`);

/** How a value is drawn. @typedef {"null"|"nan"|"number"|"bool"|"text"|"tree"} Kind */

/** @param {*} value @returns {Kind} */
export function kindOf(value) {
  if (value === null || value === undefined) return "null";
  if (typeof value === "bigint") return "number";
  if (typeof value === "number") return Number.isFinite(value) ? "number" : "nan";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return NOT_NUMBERS.has(value) ? "nan" : "text";
  return "tree";
}

/** As a bridge with `--nan string` writes them. */
const NOT_NUMBERS = new Set(["NaN", "Infinity", "-Infinity"]);

/** The keyword with the names of the bits of a status word. @param {string} keyword */
export const labelsOf = (keyword) => `${keyword}_labels`;

const HEX = /^0x[0-9a-f]{1,32}$/i;

/**
 * Decodes a status word beside its labels.
 * @param {*} word    "0x10", or a number
 * @param {*} labels  "POSITION_UNKNOWN, DRIVE_FAULT", or a list of names
 * @returns {{bits: number[], names: string[], paired: boolean}|null} null if it is no status word; `paired` says that
 *   there is a name for each bit that is set, in order
 */
export function decodeStatus(word, labels) {
  const number = typeof word === "string" && HEX.test(word) ? BigInt(word) : typeof word === "bigint" || (Number.isSafeInteger(word) && word >= 0) ? BigInt(word) : null;
  const names = namesIn(labels);
  if (number === null || number < 0n || names === null) return null;
  const bits = [];
  for (let bit = 0, left = number; left > 0n; bit += 1, left >>= 1n) if (left & 1n) bits.push(bit);
  return { bits, names, paired: bits.length === names.length };
}

function namesIn(labels) {
  if (typeof labels === "string") return labels.split(/[,|\s]+/).filter(Boolean).slice(0, 128);
  if (Array.isArray(labels) && labels.every((name) => typeof name === "string")) return labels.slice(0, 128);
  return null;
}

/** Keywords that are about the actor itself, or that are messages. They are no telemetry, and have no row. */
const NO_ROWS = new Set(["text", "error", "help", "traceback", "schema", "command_model", "exception", "exception_info"]);

/**
 * Which keywords have a row, in order.
 * @param {Iterable<{name: string, time: number, level?: number}>} keywords
 * @param {{filter?: string, sort?: "name"|"age"|"limits", worst?: (name: string) => number}} [options]  `worst` is how bad a
 *   keyword is, for the order "limits"
 * @returns {string[]} names
 */
export function arrange(keywords, { filter = "", sort = "name", worst = () => 0 } = {}) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const all = [...keywords].filter(({ name }) => !NO_ROWS.has(name));
  const names = new Set(all.map(({ name }) => name));
  // A row for the labels says nothing that the row of their status word does not; who searches for them gets it.
  const beside = ({ name }) => words.length > 0 || !name.endsWith("_labels") || !names.has(name.slice(0, -"_labels".length));
  const shown = all.filter((keyword) => beside(keyword) && words.every((word) => keyword.name.toLowerCase().includes(word)));
  const inName = (a, b) => byName(a.name, b.name);
  const orders = { name: inName, age: (a, b) => b.time - a.time || inName(a, b), limits: (a, b) => worst(b.name) - worst(a.name) || inName(a, b) };
  return shown.sort(orders[sort] ?? inName).map(({ name }) => name);
}
