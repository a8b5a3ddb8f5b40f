/**
 * What happened to the actors of a plot: problems, commands, and gaps, in which replies may be missing.
 *
 *     clu.log, store.log ── problems, gaps ─┐
 *     store.commands ───────────────────────┴─> list(from, to)
 */

import { describeGap } from "../core/format.js";

/** Marks that are drawn at most: the newest. */
const MAX_MARKS = 400;

/** Pages of the bridge's log that are searched for a span. */
const PAGES = 3;

/** Codes of problems, see docs/protocol.md. */
const LEVEL = { w: "warn", e: "error", f: "error", "!": "critical" };

/**
 * @typedef {object} Mark
 * @property {number} time
 * @property {number|null} until   of a command that took time, of a gap
 * @property {"problem"|"command"|"gap"} kind
 * @property {"ok"|"warn"|"error"|"critical"} level
 * @property {string} actor        "" for a gap
 * @property {string} text
 */

export class Marks {
  #app;
  #actors;
  #found = new Map();  // key -> Mark
  #next;

  /** @param {object} app @param {Iterable<string>} actors */
  constructor(app, actors) {
    this.#app = app;
    this.#actors = new Set(actors);
    this.#next = app.store.log.first;
    /** Nothing is known of problems before this time; null if all are known. @type {number|null} */ this.since = null;
  }

  /** Asks the bridge for what was before the page was loaded. @returns {Promise<void>} */
  async load(from) {
    if (!this.#app.clu.capabilities?.includes("log")) return;
    const filter = { message_code: Object.keys(LEVEL), sender: [...this.#actors].map((name) => name.replace(/[*?[]/g, "[$&]")) };
    let before = null;
    let epoch;
    for (let n = 0; n < PAGES; n += 1) {
      const answer = await this.#app.clu.log({ before, epoch, limit: 1_000, filter });
      for (const entry of answer.entries) this.#take(entry.reply ?? null, entry.gap ?? null, timeOf(entry));
      const first = answer.entries[0];
      const reached = first ? timeOf(first) : Infinity;
      if (!answer.more) {
        this.since = null;
        return;
      }
      this.since = reached;
      if (reached < from) return;
      ({ next: before, epoch } = answer);
    }
  }

  /** Takes what has arrived. */
  update() {
    const { log } = this.#app.store;
    for (const { reply, mark, gap, time } of log.from(this.#next)) {
      if (reply) this.#take(reply, null, time);
      else this.#put({ time: gap?.from ?? time, until: gap?.to ?? time, kind: "gap", level: "warn", actor: "", text: mark });
    }
    this.#next = log.next;
  }

  #take(reply, gap, time) {
    if (gap) {
      this.#put({ time: gap.from?.getTime() ?? gap.to.getTime(), until: gap.to.getTime(), kind: "gap", level: "warn", actor: "", text: describeGap(gap) });
      return;
    }
    const { code, sender, text } = reply;
    if (!Object.hasOwn(LEVEL, code) || !this.#actors.has(sender) || !(code === "!" || isBroadcast(reply))) return;
    this.#put({ time, until: null, kind: "problem", level: LEVEL[code], actor: sender, text: text ?? "(without a text)" });
  }

  #put(mark) {
    this.#found.set(`${mark.kind} ${Math.round(mark.time)} ${mark.actor} ${mark.text}`, mark);
    if (this.#found.size <= 4 * MAX_MARKS) return;
    const [oldest] = this.#found.keys();
    this.#found.delete(oldest);
  }

  /** The marks of a span, the oldest first. @returns {{marks: Mark[], omitted: number}} */
  list(from, to) {
    const all = [...this.#found.values(), ...this.#commands(), ...this.#problems()]
      .filter(({ time, until }) => time <= to && (until ?? time) >= from)
      .sort((a, b) => a.time - b.time);
    return { marks: all.slice(-MAX_MARKS), omitted: Math.max(0, all.length - MAX_MARKS) };
  }

  #commands() {
    return [...this.#app.store.commands.values()].filter(({ consumer }) => this.#actors.has(consumer)).map((command) => ({
      time: command.began, until: command.ended, kind: "command", level: command.state === "failed" ? "error" : "ok", actor: command.consumer,
      text: `${command.command_string ?? "a command"}: ${command.state}`,
    }));
  }

  /** Problems that no reply says (an actor that is silent, a condition of the site), and those whose reply was not found. */
  #problems() {
    const known = new Set([...this.#found.values()].map(({ actor, text }) => `${actor} ${text}`));
    return this.#app.store.problems
      .filter(({ actor, text }) => this.#actors.has(actor) && !known.has(`${actor} ${text}`))
      .map(({ actor, began, time, level, text }) => ({ time: began ?? time, until: null, kind: "problem", level, actor, text }));
  }
}

/** Whether a reply answers nobody's command. CLU's timed commands have an id, and a commander without a name. */
function isBroadcast({ commandId, commanderId, envelope }) {
  return commandId === null || commanderId?.startsWith(".") === true || envelope.routing_key === "reply.broadcast";
}

const timeOf = ({ reply, gap }) => (gap ? gap.to.getTime() : reply.heard ?? reply.at);
