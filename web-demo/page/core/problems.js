/**
 * The problems of actors, the worst first.
 *
 * The bridge keeps them, for all pages and over reloads. From CLU's own server a page has to find them itself, in what
 * actors broadcast: a `w`, `e`, `f` or `!` that answers nobody's command. An `f` to somebody's command is that
 * commander's, a typo perhaps, and no alarm; a `!` always is one.
 */

import { shorten, compactJSON } from "./format.js";

/**
 * @typedef {object} Problem  as in the bridge's answer, but with times in ms
 * @property {string} actor
 * @property {string} key     tells it from the actor's others
 * @property {"broadcast"|"condition"|"silent"} kind
 * @property {"warn"|"error"|"critical"} level
 * @property {string|null} code
 * @property {string} text
 * @property {string|null} keyword
 * @property {number} began
 * @property {number} time    when it was last said
 * @property {number} count   how often
 * @property {number|null} seq
 * @property {boolean|null} active  of conditions: whether it still holds
 * @property {{by: string|null, time: number}|null} acked
 */

/** Levels, the best first. */
export const LEVELS = Object.freeze(["ok", "warn", "error", "critical"]);

const LEVEL_OF = Object.freeze({ w: "warn", e: "error", f: "error", "!": "critical" });

/** The key of the problem that an actor is silent. */
const SILENT = "silent";

/** Problems that a page keeps of an actor, if the bridge does not. */
const MAX_FOUND = 20;

/** A text that was acknowledged does not become a problem again within this time, ms. */
const ACKNOWLEDGED = 600_000;

/** How bad a level is; unknown ones count as errors. */
export function rank(level) {
  const at = LEVELS.indexOf(level);
  return at < 0 ? 2 : at;
}

/**
 * Orders problems: those that count first, of these the worst, then the one that began last. One that is said again keeps
 * its place, so that nothing moves under the pointer.
 */
export function compare(a, b) {
  return byWeight(a, b) || b.began - a.began || (a.key < b.key ? -1 : Number(a.key > b.key));
}

const byWeight = (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || rank(b.level) - rank(a.level);

/** Whether a problem counts: nobody has acknowledged it, and it has not ended. */
export function isOpen({ acked, active }) {
  return acked === null && active !== false;
}

/** The level of somebody who has these problems. @returns {"ok"|"warn"|"error"|"critical"} */
export function levelOf(problems) {
  let worst = 0;
  for (const problem of problems) if (isOpen(problem)) worst = Math.max(worst, rank(problem.level));
  return LEVELS[worst];
}

/** A problem as the bridge sends it, with its times in ms. @returns {Problem} */
export function fromBridge(problem) {
  const { began, time, acked, active = null, seq = null, keyword = null, code = null } = problem;
  return {
    ...problem, seq, keyword, code, active, began: ms(began), time: ms(time),
    acked: acked ? { by: acked.by ?? null, time: ms(acked.time) } : null,
  };
}

const ms = (time) => (typeof time === "number" ? time : Date.parse(time) || 0);

/** Problems by their actors. @param {Problem[]} problems @returns {Map<string, Problem[]>} */
export function byActor(problems) {
  const of = new Map();
  for (const problem of problems) of.has(problem.actor) ? of.get(problem.actor).push(problem) : of.set(problem.actor, [problem]);
  return of;
}

/** The problems that a page finds itself. */
export class FoundProblems {
  #actors = new Map();  // name -> Map of text -> Problem
  /** How many problems had to be dropped, because an actor has too many. */
  dropped = 0;

  /**
   * Looks whether a reply is a problem.
   * @param {import("../../client/reply.js").Reply} reply
   * @param {number} time  ms
   * @returns {boolean} whether the problems of its sender have changed
   */
  reply(reply, time) {
    const level = LEVEL_OF[reply.code];
    if (level === undefined || reply.sender === null || reply.refused || reply.returned) return false;
    if (reply.commandId !== null && reply.code !== "!") return false;
    const text = shorten(reply.text ?? compactJSON(reply.body, 300), 300);
    const known = this.#actors.get(reply.sender) ?? new Map();
    this.#actors.set(reply.sender, known);
    const key = `${reply.code} ${text}`;
    const before = known.get(key);
    if (before) {
      before.time = time;
      before.count += 1;
      if (before.acked && time - before.acked.time > ACKNOWLEDGED) before.acked = null;
      return true;
    }
    known.set(key, {
      actor: reply.sender, key, kind: "broadcast", level, code: reply.code, text, keyword: null, began: time, time, count: 1,
      seq: reply.seq, active: null, acked: null,
    });
    if (known.size > MAX_FOUND) this.#drop(known);
    return true;
  }

  /** Raises or ends the problem that an actor is silent. @param {number|null} since  ms; null: it is not */
  silent(actor, since, time) {
    const known = this.#actors.get(actor) ?? new Map();
    this.#actors.set(actor, known);
    if (since === null) known.delete(SILENT);
    else known.set(SILENT, {
      actor, key: SILENT, kind: "silent", level: "error", code: null, text: "its regular broadcasts have stopped", keyword: null,
      began: since, time, count: 1, seq: null, active: true, acked: null,
    });
  }

  /** Acknowledges the problems of an actor, or one of them. */
  acknowledge(actor, key, time) {
    for (const problem of this.#actors.get(actor)?.values() ?? []) {
      if (key === undefined || problem.key === key) problem.acked = { by: null, time };
    }
  }

  /** The problems of an actor, the worst first. @returns {Problem[]} */
  of(actor) {
    return [...this.#actors.get(actor)?.values() ?? []].sort(compare);
  }

  /** Drops the least of an actor's problems. */
  #drop(known) {
    const least = [...known.values()].sort((a, b) => byWeight(a, b) || b.time - a.time).at(-1);
    known.delete(least.key);
    this.dropped += 1;
  }
}

/** @param {Problem[]} problems @returns {Map<string, Problem[]>} those of each actor */
export function byActor(problems) {
  const of = new Map();
  for (const problem of problems) of.has(problem.actor) ? of.get(problem.actor).push(problem) : of.set(problem.actor, [problem]);
  return of;
}
