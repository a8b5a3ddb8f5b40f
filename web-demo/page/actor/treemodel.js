/** Reads a JSON value as a tree, a part at a time: it may be large, and only what is opened is looked at. */

import { formatJSON } from "../../client/json.js";

/** How many children are shown at first, and more at each request. */
export const PAGE = 100;

/** Below this depth a value is shown as text. */
export const MAX_DEPTH = 32;

/** The names of the members of objects: one may have very many, and is looked at again and again. @type {WeakMap<object, string[]>} */
const names = new WeakMap();

function namesOf(value) {
  let known = names.get(value);
  if (known === undefined) names.set(value, known = Object.keys(value));
  return known;
}

/** Whether a value has something below it. */
export function isBranch(value) {
  return typeof value === "object" && value !== null && sizeOf(value) > 0;
}

/** The number of members or items. */
export function sizeOf(value) {
  return Array.isArray(value) ? value.length : namesOf(value).length;
}

/**
 * The children of a value, from one to another.
 * @param {object} value
 * @param {number} from
 * @param {number} to
 * @returns {{key: string, value: *}[]}
 */
export function childrenOf(value, from, to) {
  if (Array.isArray(value)) return value.slice(from, to).map((item, n) => ({ key: String(from + n), value: item }));
  return namesOf(value).slice(from, to).map((key) => ({ key, value: value[key] }));
}

/** The path of a child, as op `history` and the plot write it. @param {string} path @param {string} key */
export const pathTo = (path, key) => `${path}.${key}`;

/** Describes a branch in a line: `{2} alt: 30.5, az: 12.5`, `[12] 0, 1, 2, …`. */
export function summary(value) {
  const size = sizeOf(value);
  const more = size > IN_SUMMARY ? ", …" : "";
  if (Array.isArray(value)) return `[${size}] ${value.slice(0, IN_SUMMARY).map(leaf).join(", ")}${more}`;
  return `{${size}} ${namesOf(value).slice(0, IN_SUMMARY).map((key) => `${key}: ${leaf(value[key])}`).join(", ")}${more}`;
}

const IN_SUMMARY = 6;

const LEAF_CHARS = 30;

function leaf(value) {
  if (isBranch(value)) return Array.isArray(value) ? "[…]" : "{…}";
  const text = leafText(value);
  return text.length > LEAF_CHARS ? `${text.slice(0, LEAF_CHARS)}…` : text;
}

/** The text of a value with nothing below it: a string as it is, anything else as JSON with all its digits. */
export function leafText(value) {
  if (typeof value === "string") return value === "" ? '""' : value;
  if (typeof value === "number") return String(value);  // NaN and Infinity, too
  if (value === undefined) return "(not kept)";
  try {
    return formatJSON(value) ?? "null";
  } catch {
    return "(nested too deep to show)";
  }
}
