/**
 * What could follow in a line: actors, then the commands, options and choices of the actor's model. Nothing here depends
 * on the page, and nothing of it is sent: a completion only writes into the line.
 */

import { lex, quote } from "../core/shlex.js";
import { describe, isGroup, label, nargs } from "./usage.js";

/** Commands of an actor whose model is not known: every CLU actor has them. */
const COMMON = ["status", "ping", "version", "help"];

/** Commands about an actor itself. They come last. */
const HOUSEKEEPING = new Set([...COMMON.slice(1), "keyword", "get_schema", "get-command-model", "get-schema"]);

/** Whether every actor has a command, of the first level. @param {import("./usage.js").CommandModel} command */
export const isHousekeeping = ({ name }) => HOUSEKEEPING.has(name) || name.startsWith("__");

/** The commands of a level: those of the actor first. */
export const inOrder = (commands) => [...commands.filter((one) => !isHousekeeping(one)), ...commands.filter(isHousekeeping)];

/** How many earlier lines are offered. */
const MAX_RECENT = 8;

/**
 * @typedef {object} Candidate
 * @property {string} text    the word as it is written in the line, with quotes if it needs them
 * @property {string} detail  what it is, in words
 * @property {"actor"|"recent"|"command"|"option"|"choice"} kind
 * @property {string|null} reason  why it may not be sent, or what to beware of; null if nothing
 */

/**
 * @typedef {object} Completion
 * @property {number} from  where the completed text begins in the line
 * @property {number} to    where it ends
 * @property {Candidate[]} candidates  all of them, best first
 * @property {string|null} hint  what is expected here: "ANGLE: a number from 0 to 90"
 */

/**
 * @param {object} input
 * @param {string} input.line
 * @param {number} [input.cursor]
 * @param {string[]} input.actors
 * @param {string[]} [input.recent]  earlier lines, newest first
 * @param {(actor: string) => {commands: import("./usage.js").CommandModel[]}|null} input.model  null if it is not known
 * @param {(actor: string, command: string) => string|null} [input.caution]  why a command may not be sent, or is dangerous
 * @returns {Completion}
 */
export function complete({ line, cursor = line.length, actors, recent = [], model, caution = () => null }) {
  const { words, open } = lex(line.slice(0, cursor));
  const last = words.at(-1);
  const partial = last && (last.end === cursor || open !== "") && (open !== "" || !/\s/.test(line[cursor - 1] ?? "")) ? last : null;
  const before = (partial ? words.slice(0, -1) : words).map(({ text }) => text);
  const typed = partial?.text ?? "";
  const span = { from: partial?.start ?? cursor, to: cursor };
  if (before.length === 0) return completeActor(span, typed, line.slice(0, cursor), actors, recent);
  const [actor, ...rest] = before;
  const known = model(actor);
  const warn = (path) => caution(actor, path.join(" "));
  if (known === null || known.commands.length === 0) {
    const candidates = rest.length > 0 ? [] : COMMON.map((text) => ({ text, detail: "every CLU actor has it", kind: "command", reason: warn([text]) }));
    return { ...span, candidates: rank(candidates, typed), hint: null };
  }
  const { candidates, hint } = completeCommand(known.commands, rest, typed, warn);
  return { ...span, candidates: rank(candidates, typed), hint };
}

function completeActor(span, typed, line, actors, recent) {
  const names = rank(actors.map((text) => ({ text, detail: "", kind: "actor", reason: null })), typed);
  const start = line.trimStart();
  const lines = recent.filter((earlier) => earlier.startsWith(start) && earlier !== start).slice(0, MAX_RECENT)
    .map((text) => ({ text, detail: "", kind: "recent", reason: null }));
  return { ...span, candidates: [...names, ...lines], hint: null };
}

/** Follows the words to the command that they name, and offers what it takes next. */
function completeCommand(commands, words, typed, warn) {
  let siblings = commands;
  let command = null;
  const path = [];
  let state = { pending: null, given: [], args: 0, onlyArgs: false };
  for (const word of words) {
    if (siblings && state.pending === null && !word.startsWith("-")) {
      command = siblings.find(({ name }) => name === word) ?? null;
      if (command === null) return { candidates: [], hint: `${path.length > 0 ? path.join(" ") : "this actor"} has no command ${word}` };
      path.push(word);
      siblings = isGroup(command) ? command.commands : null;
      state = { pending: null, given: [], args: 0, onlyArgs: false };
    } else if (command) {
      state = step(command, state, word);
    }
  }
  if (state.pending) return offerValue(state.pending.param);
  const candidates = [];
  if (siblings) candidates.push(...inOrder(siblings).filter(({ hidden }) => !hidden).map((one) => commandCandidate(one, warn([...path, one.name]))));
  if (command === null) return { candidates, hint: null };
  const offered = siblings || typed.startsWith("-") ? { candidates: [], hint: null } : offerValue(argumentAt(command, state.args));
  candidates.push(...offered.candidates);
  if (!state.onlyArgs) candidates.push(...optionCandidates(command, state.given));
  return { candidates, hint: offered.hint };
}

/** One word further: an option, the value of one, or an argument. */
function step(command, { pending, given, args, onlyArgs }, word) {
  if (pending) return { pending: pending.left > 1 ? { ...pending, left: pending.left - 1 } : null, given, args, onlyArgs };
  if (word === "--") return { pending, given, args, onlyArgs: true };
  const [name, attached] = word.split(/=(.*)/s);
  const param = onlyArgs ? undefined : (command.params ?? []).find(({ kind, opts, off_opts: off }) => kind === "option" && [...(opts ?? []), ...(off ?? [])].includes(name));
  if (!param) return { pending: null, given, args: args + 1, onlyArgs };
  const takes = param.flag || param.count || attached !== undefined ? 0 : Math.max(1, nargs(param));
  return { pending: takes > 0 ? { param, left: takes } : null, given: [...given, param], args, onlyArgs };
}

/** The argument that the next word belongs to, or null. */
function argumentAt(command, at) {
  let left = at;
  for (const param of (command.params ?? []).filter(({ kind }) => kind === "argument")) {
    if (nargs(param) < 0 || left < nargs(param)) return param;
    left -= nargs(param);
  }
  return null;
}

function offerValue(param) {
  if (param === null) return { candidates: [], hint: null };
  const values = param.type === "choice" ? (param.choices ?? []).map(String) : param.type === "bool" && !param.flag ? ["true", "false"] : [];
  const help = param.help ? `. ${firstSentence(param.help)}` : "";
  return {
    candidates: values.map((value) => ({ text: quote(value), detail: label(param), kind: "choice", reason: null })),
    hint: `${label(param)}: ${describe(param)}${param.required || param.kind === "option" ? "" : ", may be left out"}${help}`,
  };
}

function commandCandidate({ name, help, deprecated, commands }, warning) {
  const what = firstSentence(help ?? "") || (commands?.length > 0 ? `${commands.length} commands` : "command");
  return { text: quote(name), detail: what, kind: "command", reason: warning ?? (deprecated ? "deprecated" : null) };
}

function optionCandidates(command, given) {
  return (command.params ?? []).filter((param) => param.kind === "option" && !param.hidden && (param.multiple || param.count || !given.includes(param)))
    .flatMap((param) => [label(param), ...(param.off_opts ?? []).slice(0, 1)].map((text) => ({ text, kind: "option", reason: null,
      detail: param.flag ? firstSentence(param.help ?? "") || "option" : `${describe(param)}${param.help ? `. ${firstSentence(param.help)}` : ""}` })));
}

/** The first sentence of a help text, in one line. @param {string} text */
export function firstSentence(text) {
  const [paragraph] = text.trim().split(/\n\s*\n/);
  const line = paragraph.replace(/\s+/g, " ");
  return /^(.*?[.!?])(?:\s|$)/.exec(line)?.[1].replace(/\.$/, "") ?? line;
}

/** Those that begin with what was typed, then those that have it inside; each in their own order. */
function rank(candidates, typed) {
  const want = typed.toLowerCase();
  if (want === "") return candidates;
  const has = candidates.map((one) => [one, plain(one.text).indexOf(want)]);
  return [...has.filter(([, at]) => at === 0), ...has.filter(([, at]) => at > 0)].map(([one]) => one);
}

const plain = (text) => text.replace(/^['"]/, "").toLowerCase();

/** The longest beginning that all candidates of a kind share with what was typed, for Tab. @param {Completion} completion @param {string} typed */
export function commonBeginning({ candidates }, typed) {
  const texts = candidates.filter(({ kind, text }) => kind !== "recent" && [text.toLowerCase(), plain(text)].some((one) => one.startsWith(typed.toLowerCase()))).map(({ text }) => text);
  if (texts.length === 0) return null;
  let common = texts[0];
  for (const text of texts) while (!text.startsWith(common)) common = common.slice(0, -1);
  return { text: common, whole: texts.length === 1 };
}
