/**
 * The problems that a page finds itself, if the server keeps none: in what actors broadcast, a `w`, `e`, `f` or `!` that
 * answers nobody's command. An `f` to somebody's command is that commander's, a typo perhaps, and no alarm; a `!` always is
 * one.
 */

import { shorten, compactJSON } from "./format.js";
import { byWeight, compare } from "./problems.js";

const LEVEL_OF = Object.freeze({ w: "warn", e: "error", f: "error", "!": "critical" });

/** The key of the problem that an actor is silent. */
const SILENT = "silent";

/** Problems that a page keeps of an actor, if the bridge does not. */
const MAX_FOUND = 20;

/** A text that was acknowledged becomes a problem again when it was not said for this time, ms. */
const ACKNOWLEDGED = 600_000;

/**
 * What differs when an actor says the same again: numbers with a point or an exponent, numbers before a unit, dates and times.
 * The bridge has the same expression (bridge/problem/shape.go).
 */
const MEASURED = new RegExp(String.raw`(^|[ \t\n=([,;:"'<>~])(?:(\d+\.\d+\.[\d.]*\d)|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?Z?|\d+(?::\d\d)+(?:\.\d+)?|` +
  String.raw`[-+]?(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)|[-+]?\d+( ?(?:[%‰°]|(?:percent|deg\w*|arc\w+|rad|mag|[kKMGT]i?B|bytes?|[kMG]?Hz|[mkh]?Pa|` +
  String.raw`m?bar|Torr|psi|[mk][VAW]|[munk]m|m/s|km/h|mph|[mu]s|sec|seconds?|min|minutes?|hours?|days?|rpm|ADU|dB|px|pixels?)\b)| [KCFVAWBmsh]\b))`, "g");

/** What texts have in common that differ only in measured values. */
export function sameText(text) {
  return text.replace(MEASURED, "$1$2#$3");
}

/** The problems that a page finds itself. */
export class FoundProblems {
  #actors = new Map();  // name -> Map of key -> Problem
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
    const key = `${reply.code} ${sameText(text)}`;
    const before = known.get(key);
    if (before) {
      const again = before.acked && time - Math.max(before.time, before.acked.time) > ACKNOWLEDGED;
      if (again) Object.assign(before, { acked: null, began: time, count: 0 });
      Object.assign(before, { text, time, seq: reply.seq });
      before.count += 1;
      return true;
    }
    known.set(key, {
      actor: reply.sender, key, kind: "broadcast", level, code: reply.code, text, keyword: null, began: time, time, count: 1,
      seq: reply.seq, epoch: null, active: null, acked: null,
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
      began: since, time, count: 1, seq: null, epoch: null, active: true, acked: null,
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
