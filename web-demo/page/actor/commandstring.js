/**
 * From the values of a form to a command string and back.
 *
 *     build(path, values) ──> "move north 30 --speed 2"
 *     read(commands, line) ──> {path, values, extra}
 *
 * read(build(path, values)) gives the same values: a form and its line never disagree. Both follow click as CLU uses it:
 * an option that a command does not have is an argument, so that a negative number needs no quotes, and `--` ends the
 * options.
 *
 * A value is a string, an array of them if the parameter takes several words, an array of values if it may be repeated,
 * true or false for a flag, and a number for an option that counts. A parameter that is not given has no value.
 */

import { join, split } from "../core/shlex.js";
import { fieldsOf, isGroup, nargs } from "./usage.js";

/** @typedef {Record<string, *>} Values  by the key of the field */

/** An argument that click could take for options. "-1.5" is one for none. */
const LOOKS_LIKE_OPTIONS = /^-(?![\d.]+$)./;

/**
 * Writes the command string of a form.
 * @param {import("./usage.js").CommandModel[]} path
 * @param {Values} values
 * @returns {string}
 */
export function build(path, values) {
  const fields = fieldsOf(path);
  const words = [];
  path.forEach((command, level) => {
    words.push(command.name);
    const own = fields.filter((field) => field.level === level && values[field.key] !== undefined);
    for (const { key, param } of own) if (param.kind === "option") words.push(...optionWords(param, values[key]));
    const args = own.flatMap(({ key, param }) => (param.kind === "option" ? [] : [values[key]].flat()));
    if (args.some((word) => LOOKS_LIKE_OPTIONS.test(word)) || args.some((word) => isOption(fields, level, word))) words.push("--");
    words.push(...args);
  });
  return join(words);
}

const isOption = (fields, level, word) => word.length > 1 && fields.some((field) => field.level === level && spellings(field.param).includes(word.split("=")[0]));

const spellings = ({ opts, off_opts: off }) => [...(opts ?? []), ...(off ?? [])];

function optionWords(param, value) {
  const name = (param.opts ?? []).find((opt) => opt.startsWith("--")) ?? param.opts[0];
  if (param.count) return Array(value).fill((param.opts ?? []).find((opt) => /^-[^-]$/.test(opt)) ?? name);
  if (param.flag) return value ? [name] : (param.off_opts ?? []).slice(0, 1);
  return (param.multiple ? value : [value]).flatMap((one) => [name, ...[one].flat()]);
}

/**
 * Reads a command string into the values of a form.
 * @param {import("./usage.js").CommandModel[]} commands
 * @param {string} line
 * @returns {{path: import("./usage.js").CommandModel[], values: Values, extra: string[], missing: string|null}|null} null
 *   if the line names no command of the model, or leaves a quotation open; `extra` are words that belong to no parameter,
 *   `missing` is the option that lacks its value
 */
export function read(commands, line) {
  let words = split(line);
  const path = [];
  const values = {};
  let missing = null;
  let siblings = commands;
  while (words !== null && siblings !== null) {
    const command = siblings.find(({ name }) => name === words[0]);
    if (!command) return path.length > 0 ? { path, values, extra: words, missing } : null;
    path.push(command);
    const fields = fieldsOf(path).filter(({ level }) => level === path.length - 1);
    const sorted = sortWords(fields, words.slice(1), isGroup(command));
    missing ??= sorted.missing;
    Object.assign(values, sorted.values);
    words = takeArguments(fields, sorted.rest, values);
    siblings = isGroup(command) && words.length > 0 ? command.commands : null;
  }
  return words === null ? null : { path, values, extra: words, missing };
}

/** Takes the options out of words. In a group the first other word is a command, and what follows belongs to that. */
function sortWords(fields, words, group) {
  const values = {};
  const rest = [];
  let missing = null;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === "--") {
      rest.push(...words.slice(at + 1));
      break;
    }
    const option = findOption(fields, word);
    if (option === null && group) {
      rest.push(...words.slice(at));
      break;
    }
    if (option === null) {
      rest.push(word);
      continue;
    }
    const { field: { key, param }, off, attached } = option;
    if (param.count) values[key] = (values[key] ?? 0) + option.times;
    else if (param.flag) values[key] = !off;
    else {
      const count = Math.max(1, nargs(param));
      const taken = attached === null ? words.slice(at + 1, at + 1 + count) : [attached];
      if (attached === null) at += taken.length;
      if (taken.length < count) missing = word;
      if (taken.length === 0) continue;
      const value = count > 1 ? taken : taken[0];
      values[key] = param.multiple ? [...(values[key] ?? []), value] : value;
    }
  }
  return { values, rest, missing };
}

/** Finds the option that a word names: `--speed`, `--speed=2`, `-s`, `-s2`, `-vvv`. Any other word is an argument. */
function findOption(fields, word) {
  if (!word.startsWith("-") || word.length < 2) return null;
  const [name, ...parts] = word.split("=");
  for (const field of fields) {
    if (field.param.kind !== "option") continue;
    const off = (field.param.off_opts ?? []).includes(name);
    if (!off && !(field.param.opts ?? []).includes(name)) continue;
    if (parts.length === 0) return { field, off, attached: null, times: 1 };
    if (!field.param.flag && !field.param.count) return { field, off, attached: parts.join("="), times: 1 };
  }
  if (word.startsWith("--")) return null;
  const field = fields.find(({ param }) => param.kind === "option" && (param.opts ?? []).includes(word.slice(0, 2)));
  if (!field || field.param.flag) return null;
  if (!field.param.count) return { field, off: false, attached: word.slice(2), times: 1 };
  return word.slice(1).split("").every((char) => char === word[1]) ? { field, off: false, attached: null, times: word.length - 1 } : null;
}

/** Gives words to the arguments, as click does: from the left up to one that takes any number, the rest from the right. */
function takeArguments(fields, words, values) {
  const args = fields.filter(({ param }) => param.kind === "argument");
  const greedy = args.findIndex(({ param }) => nargs(param) < 0);
  const after = greedy < 0 ? [] : args.slice(greedy + 1);
  const left = [...words];
  const take = ({ key, param }) => {
    const taken = left.splice(0, nargs(param));
    if (taken.length > 0) values[key] = nargs(param) > 1 ? taken : taken[0];
  };
  args.slice(0, greedy < 0 ? args.length : greedy).forEach(take);
  if (greedy < 0) return left;
  const needed = after.reduce((sum, { param }) => sum + nargs(param), 0);
  const many = left.splice(0, Math.max(0, left.length - needed));
  if (many.length > 0) values[args[greedy].key] = many;
  after.forEach(take);
  return left;
}
