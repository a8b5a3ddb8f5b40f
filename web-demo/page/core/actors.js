/**
 * The actors and the last values of their keywords. All times are by the bridge's clock, in ms since 1970.
 *
 * Replies do not always arrive in order, and a snapshot may be older than a reply that came before it. So each value
 * keeps its number, and an older one never replaces a newer one.
 */

import { formatValue } from "./format.js";
import { Rhythm } from "./liveness.js";

/** What is kept. What is beyond it is counted. */
export const LIMITS = Object.freeze({ actors: 1_000, keywords: 1_000 });

/** Keywords that are messages, or answers about the actor itself: no telemetry. */
const NO_TELEMETRY = new Set(["text", "error", "help", "traceback", "schema", "command_model"]);

/** The name of the actor of replies without a sender. */
export const NO_SENDER = "(no sender)";

/** Words of the last value of a keyword that the bridge does not keep. */
const tooLargeText = (bytes) => `(${bytes} bytes: too large for the bridge to keep)`;

/** The last value of a keyword. It is the same object as long as the page is open. */
export class Keyword {
  #text = null;

  constructor(name) {
    /** @type {string} */ this.name = name;
    /** Any JSON value; integers beyond 2^53 are BigInts. @type {*} */ this.value = undefined;
    /** When the bridge heard it, ms by its clock. */ this.time = 0;
    /** The message code of its reply. */ this.code = "";
    /** The number of its reply, or null. @type {number|null} */ this.seq = null;
    /** @type {string|null} */ this.epoch = null;
    /** Whether the actor marks it as not meant for people. */ this.internal = false;
    /** Bytes of a value that the bridge does not keep. @type {number|undefined} */ this.tooLarge = undefined;
    /** Whether replies were missed since, of which one may have had a newer value. */ this.outdated = false;
  }

  /** The value, for reading: written when somebody looks at it. */
  get text() {
    this.#text ??= this.tooLarge === undefined ? formatValue(this.value) : tooLargeText(this.tooLarge);
    return this.#text;
  }

  /** Takes a newer value. A snapshot also says of the same value whether it is outdated. @returns {boolean} false if it is not newer */
  set(value, { time, code, seq, epoch, internal, outdated }, tooLarge = undefined) {
    if (seq !== null && epoch === this.epoch && this.seq !== null && seq <= this.seq) {
      if (seq === this.seq) this.outdated = outdated ?? this.outdated;
      return false;
    }
    this.value = value;
    this.time = time;
    this.code = code;
    this.seq = seq;
    this.epoch = epoch;
    this.internal = internal;
    this.tooLarge = tooLarge;
    this.outdated = outdated ?? false;
    this.#text = null;
    return true;
  }
}

export class Actor {
  #rhythm = new Rhythm();
  #interval;  // as the bridge says; undefined while it says nothing

  constructor(name) {
    /** @type {string} */ this.name = name;
    /** Its telemetry: no messages, no schema. @type {Map<string, Keyword>} */ this.keywords = new Map();
    /** When it was last heard, ms; 0 for never. */ this.time = 0;
    /** Its last reply with a message. @type {{time: number, code: string, text: string}|null} */ this.last = null;
    /** Whether something takes its commands; null if that is not known. @type {boolean|null} */ this.consumer = null;
    /** @type {import("./liveness.js").Liveness} */ this.liveness = "alive";
    /** The worst of its problems that nobody has acknowledged. @type {"ok"|"warn"|"error"|"critical"} */ this.level = "ok";
    /** Its problems, the worst first. @type {import("./problems.js").Problem[]} */ this.problems = [];
    /** Problems that are not listed, because there are too many. */ this.omitted = 0;
    /** Keywords beyond the limit, which are not kept. */ this.unkept = 0;
  }

  /** Its usual interval of broadcasts in ms, or null. @type {number|null} */
  get interval() { return this.#interval === undefined ? this.#rhythm.interval : this.#interval; }
  set interval(ms) { this.#interval = ms; }

  /** Whether it has been silent for too long, or is not running. */
  get quiet() { return this.liveness === "quiet" || this.liveness === "absent"; }

  /** Takes a reply. @returns {string[]} the keywords that have changed */
  reply(reply, time) {
    this.time = Math.max(this.time, time);
    if (reply.commandId === null) this.#rhythm.broadcast(time);
    if (reply.text !== null) this.#say(time, reply.code, reply.text);
    const { code, seq, epoch, internal, keywords } = reply;
    const from = { time, code, seq, epoch, internal };
    const changed = [];
    for (const name in keywords) if (Object.hasOwn(keywords, name)) this.#set(name, keywords[name], from, undefined, changed);
    return changed;
  }

  /**
   * Takes what a snapshot has of it. Values up to the number `gapAfter` may be outdated.
   * @returns {string[]} the keywords that have changed
   */
  snapshot({ time, keywords = {}, interval_ms: interval, consumer }, epoch, gapAfter = 0) {
    this.time = Math.max(this.time, Date.parse(time) || 0);
    this.state({ interval_ms: interval, consumer });
    const changed = [];
    let [said, heard] = [null, 0];  // most keywords are of one reply, and dates take long to read
    for (const [name, entry] of Object.entries(keywords)) {
      if (entry.time !== said) [said, heard] = [entry.time, Date.parse(entry.time)];
      const from = { time: heard, code: entry.code, seq: entry.seq, epoch, internal: entry.internal === true, outdated: entry.seq <= gapAfter };
      if ((name === "text" || name === "error") && typeof entry.value === "string") this.#say(from.time, entry.code, entry.value);
      this.#set(name, entry.value, from, entry.too_large, changed);
    }
    return changed;
  }

  /** Takes what the bridge knows of its life. */
  state({ interval_ms: interval, consumer }) {
    if (interval !== undefined) this.interval = interval;
    if (consumer !== undefined) this.consumer = consumer;
  }

  /** Notes that replies were missed. */
  doubt() {
    for (const keyword of this.keywords.values()) keyword.outdated = true;
  }

  #say(time, code, text) {
    if (this.last === null || time >= this.last.time) this.last = { time, code, text };
  }

  #set(name, value, from, tooLarge, changed) {
    if (NO_TELEMETRY.has(name)) return;
    let keyword = this.keywords.get(name);
    if (!keyword) {
      if (this.keywords.size >= LIMITS.keywords) {
        this.unkept += 1;
        return;
      }
      keyword = new Keyword(name);
      this.keywords.set(name, keyword);
    }
    if (keyword.set(value, from, tooLarge)) changed.push(name);
  }
}

/** Whether the only reply in an actor's name is the bridge's: a command was sent to it, and it does not exist. */
export function isAbsent({ code, keywords = {} }) {
  const names = Object.keys(keywords);
  return code === "f" && names.length === 1 && names[0] === "error";
}
