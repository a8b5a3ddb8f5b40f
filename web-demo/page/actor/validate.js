/**
 * Checks the values of a form against the model, in words for the operator. The actor decides: a line that the model does
 * not allow can still be written by hand, because the model may be older than the actor.
 */

import { describe, describeRange, fieldsOf, isGroup, label, nargs, pathName } from "./usage.js";

const INT = /^[+-]?\d+$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const BOOL = /^(?:true|false|yes|no|on|off|t|f|y|n|1|0)$/i;
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d)?$/;
const UUID = /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i;

/**
 * Returns what is wrong with the values, by the key of the field.
 * @param {import("./usage.js").CommandModel[]} path
 * @param {import("./commandstring.js").Values} values
 * @returns {Map<string, string>} whole sentences; empty if all is well
 */
export function problemsOf(path, values) {
  const found = new Map();
  const fields = fieldsOf(path);
  for (const { key, param } of fields) {
    const why = problemOf(param, values[key]);
    if (why !== null) found.set(key, why);
  }
  for (const level of path.keys()) {
    const gap = skipped(fields.filter((field) => field.level === level), values);
    if (gap !== null && !found.has(gap.key)) found.set(gap.key, `Give ${label(gap.param)}, too: what comes after it would be read in its place.`);
  }
  return found;
}

/** Says what a path lacks, for a group without its command. @param {import("./usage.js").CommandModel[]} path @returns {string|null} */
export function incomplete(path) {
  const last = path.at(-1);
  return last && isGroup(last) ? `${pathName(path)} needs one of its commands: ${last.commands.map(({ name }) => name).join(", ")}.` : null;
}

/** The argument that was left out before one that is given: the words after it would take its place. */
function skipped(fields, values) {
  const args = fields.filter(({ param }) => param.kind === "argument");
  const last = args.findLastIndex(({ key }) => values[key] !== undefined);
  return args.slice(0, Math.max(0, last)).find(({ key }) => values[key] === undefined) ?? null;
}

/** Returns what is wrong with the value of one parameter, as a sentence, or null. @param {import("./usage.js").Param} param */
function problemOf(param, value) {
  const name = label(param);
  if (value === undefined) return param.required ? `${name} is needed: ${describe(param)}.` : null;
  if (param.flag || param.count) return null;
  const count = nargs(param);
  for (const one of param.multiple ? value : [value]) {
    const words = Array.isArray(one) ? one : [one];
    if (count > 1 && words.length !== count) return `${name} takes ${count} words, not ${words.length}.`;
    for (const word of words) {
      const why = wrong(param, word);
      if (why !== null) return `${name} ${why}.`;
    }
  }
  return null;
}

/** Says what is wrong with one word, as the end of a sentence, or null. */
function wrong(param, word) {
  if (/[\r\n]/.test(word)) return "cannot have a line break";
  const shown = word.length > 40 ? `${word.slice(0, 40)}…` : word;
  switch (param.type) {
    case "choice": {
      const choices = (param.choices ?? []).map(String);
      return choices.includes(word) ? null : `is one of ${choices.join(", ")}, not "${shown}"`;
    }
    case "int":
      return INT.test(word) ? outside(param, word) : `is a whole number, not "${shown}"`;
    case "float":
      return FLOAT.test(word) ? outside(param, word) : `is a number, not "${shown}"`;
    case "bool":
      return BOOL.test(word) ? null : `is true or false, not "${shown}"`;
    case "datetime":
      return DATE.test(word) ? null : `is a date, 2026-11-21 or 2026-11-21T03:38:40, not "${shown}"`;
    case "uuid":
      return UUID.test(word) ? null : `is a UUID, not "${shown}"`;
    default:
      return null;
  }
}

function outside(param, word) {
  const { min = null, max = null, min_open: minOpen, max_open: maxOpen } = param;
  const low = min !== null && (compare(word, min) < 0 || (minOpen && compare(word, min) === 0));
  const high = max !== null && (compare(word, max) > 0 || (maxOpen && compare(word, max) === 0));
  return low || high ? `is ${word}, and must be ${describeRange(param)}` : null;
}

/** Compares a word with a bound; integers beyond 2^53 by all their digits. */
function compare(word, bound) {
  if (INT.test(word) && (typeof bound === "bigint" || Number.isInteger(bound))) {
    const [a, b] = [BigInt(word.replace("+", "")), BigInt(bound)];
    return a < b ? -1 : Number(a > b);
  }
  return Number(word) - Number(bound);
}
