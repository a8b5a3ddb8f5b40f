/**
 * What a client may do, by the rules of package bridge/access; both are tested against one table. A page uses it to show
 * what is not granted before a user tries it. Only the bridge decides.
 */

import { CompiledFilter, readGlobs } from "./filter.js";

/**
 * Something that a client may want to do. One of its fields is set.
 * @typedef {object} Action
 * @property {{consumer: string, command_string?: string}} [command]  send a command; without a command_string, any at all
 * @property {string} [hear]       hear an actor: any of its replies, not only those to one's own commands
 * @property {string} [room]       hear a room
 * @property {string} [publish]    publish to a room
 * @property {boolean} [clients]   list the connected clients
 * @property {boolean} [admin]     close connections
 */

/**
 * The verb: CLU splits a command string as a shell does, so `"op"en` is `open`, and only a plain first word can be read.
 * After an option, the verb is another word.
 */
const VERB = /^(?!-)[A-Za-z0-9_.-]+(?=[ \t\r\n]|$)/;

/** Grants that were parsed. */
export class Grants {
  #grants;
  #command;
  #forbid;
  #hear;
  #hide;

  /** @param {object} grants  as in docs/access.md, from the bridge */
  constructor(grants) {
    this.#grants = grants;
    this.#command = (grants.command ?? []).map(readRule);
    this.#forbid = (grants.forbid ?? []).map(readRule);
    this.#hear = (grants.hear ?? []).map((filter) => new CompiledFilter(filter));
    this.#hide = (grants.hide ?? []).map((filter) => new CompiledFilter(filter));
  }

  /** Returns why an action is not granted, or null. @param {Action} action */
  refusal({ command, hear, room, publish, clients, admin }) {
    const { rooms = [], publish: targets = [] } = this.#grants;
    if (command !== undefined) return this.#refusalOfCommand(command.consumer, command.command_string);
    if (hear !== undefined && !this.#hears(hear)) return `you may not hear ${hear}`;
    if (room !== undefined && !inRooms(rooms, room)) return `you may not hear the room ${room}`;
    if (publish !== undefined && !inRooms(targets, publish)) return `you may not publish to the room ${publish}`;
    if (clients && !this.#grants.clients) return "you may not list the connected clients";
    if (admin && !this.#grants.admin) return "you may not administer this bridge";
    return null;
  }

  #hears(actor) {
    return this.#hear.some((filter) => filter.selectsSomeOf(actor)) && !this.#hide.some((filter) => filter.selectsAllOf(actor));
  }

  #rulesFor(consumer) {
    return this.#command.filter((rule) => rule.covers(consumer));
  }

  /** Returns why no command at all may be sent to a consumer, or null. */
  #refusalOfAll(consumer) {
    const names = prefixes(consumer);
    if (this.#command.length === 0) return "you may only look: no commands are granted to you";
    if (this.#forbid.some((rule) => rule.allVerbs && names.some((name) => rule.covers(name)))) return `you may not command ${consumer}`;
    if (this.#rulesFor(consumer).length > 0) return null;
    return `you may not command ${consumer}${listed("; you may command ", this.#command.flatMap((rule) => rule.consumers))}`;
  }

  #refusalOfCommand(consumer, line) {
    if (line === undefined) return this.#refusalOfAll(consumer);
    const verb = VERB.exec(line)?.[0] ?? null;
    const names = prefixes(consumer);
    const forbidden = this.#forbid.find((rule) => names.some((name) => rule.covers(name)) && (rule.allVerbs || verb === null || rule.hasVerb(verb)));
    if (forbidden && verb === null && !forbidden.allVerbs) return `"${line}" does not begin with a plain word, so it could be a command that you may not send to ${consumer}`;
    if (forbidden) return forbidden.allVerbs ? `you may not command ${consumer}` : `you may not send "${verb}" to ${consumer}`;
    const rules = this.#rulesFor(consumer);
    if (rules.some((rule) => rule.allVerbs || (verb !== null && rule.hasVerb(verb)))) return null;
    if (rules.length === 0) return this.#refusalOfAll(consumer);
    return `you may not send ${verb === null ? "this" : `"${verb}"`} to ${consumer}${listed("; you may send ", rules.flatMap((rule) => rule.verbs))}`;
  }
}

/** Reads a rule for commands. A field that is absent covers everything. */
function readRule({ consumer, verb }) {
  const consumers = list(consumer);
  const verbs = list(verb);
  const names = readGlobs(consumers);
  const words = readGlobs(verbs);
  return {
    consumers, verbs,
    allVerbs: verb === undefined || verb === null,
    covers: (name) => consumer === undefined || consumer === null || names.has(name),
    hasVerb: (word) => words.has(word),
  };
}

const list = (value) => (value === undefined || value === null ? [] : [value].flat(1));

const listed = (words, names) => (names.length > 0 ? words + [...new Set(names)].join(", ") : "");

/** The names of the actors that a command may reach: `dome.shutter` reaches `dome`, too. */
function prefixes(consumer) {
  const names = [consumer];
  for (let dot = consumer.indexOf("."); dot >= 0; dot = consumer.indexOf(".", dot + 1)) names.push(consumer.slice(0, dot));
  return names;
}

/** Whether one of the patterns covers a room. */
function inRooms(patterns, room) {
  return patterns.some((pattern) => covers(partsOf(pattern), partsOf(room)));
}

const partsOf = (path) => (path === "/" ? [] : path.split("/").slice(1));

/** `*` is any part, `key=*` any value of a key, and `**` at the end any number of parts. */
function covers(pattern, parts) {
  const below = pattern.at(-1) === "**";
  const fixed = below ? pattern.slice(0, -1) : pattern;
  if (below ? parts.length < fixed.length : parts.length !== fixed.length) return false;
  return fixed.every((want, at) => coversPart(want, parts[at]));
}

/** A room that asks for every value, by `*` or `key=*`, needs a pattern that grants every value. */
function coversPart(want, part) {
  if (want === "*") return true;
  if (want.endsWith("=*")) return part.startsWith(want.slice(0, -1));
  return want === part && part !== "*" && part !== "**" && !part.endsWith("=*");
}
