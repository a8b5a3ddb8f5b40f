/**
 * The values of the keywords of a plot: from the bridge's history, and then from the replies that this page hears. The
 * history is asked again whenever another span is shown, at the resolution of the screen.
 */

import { formatTime } from "../core/format.js";
import { quietAfter } from "../core/liveness.js";
import { splitKeyword } from "../core/names.js";
import { isNumeric, NumberSeries, StateSeries } from "./series.js";

/** Keywords in one plot. */
export const MAX_KEYWORDS = 16;

/** What the bridge answers at most, see docs/protocol.md. */
const MAX_POINTS = 5_000;
const MAX_VALUES = 60_000;

/** How many points of each keyword to ask for. */
export function pointsFor(keywords, wanted) {
  return Math.floor(Math.min(wanted, MAX_POINTS, MAX_VALUES / Math.max(1, keywords)));
}

/**
 * @typedef {object} Track  one keyword of a plot
 * @property {string} name      actor.keyword, with members below it
 * @property {string} actor
 * @property {string} path      the keyword, with members below it
 * @property {string} keyword   without them
 * @property {NumberSeries|null} number
 * @property {StateSeries|null} state
 * @property {number} after     the history has its replies that were heard before this time, ms
 * @property {string} note      what is not shown, in a sentence, or ""
 */

export class Source {
  #app;
  #next = 0;   // of the log's entries
  #turn = 0;
  #known = false;      // the history has answered
  #heard = new Map();  // actor -> when it was heard last, by any of its replies

  /** @param {object} app @param {string[]} names */
  constructor(app, names) {
    this.#app = app;
    /** @type {Track[]} */
    this.tracks = [...new Set(names)].slice(0, MAX_KEYWORDS).map((name) => this.#track(name));
    /** Keywords beyond the limit. */ this.omitted = new Set(names).size - this.tracks.length;
    /** When the bridge had no link to the broker. @type {import("./series.js").Span[]} */ this.gaps = [];
    /** Whether the bridge is still reading its past: ask again. */ this.filling = false;
    /** Why there is no history, in a sentence, or "". */ this.problem = "";
    this.#next = app.store.log.first;
  }

  #track(name) {
    const { actor, keyword: path } = splitKeyword(name, (known) => this.#app.store.actors.has(known));
    const keywords = this.#app.store.actors.get(actor)?.keywords;
    const keyword = valueOf(path, (known) => keywords?.get(known)?.value)?.name ?? path.split(".", 1)[0];
    return { name, actor, path, keyword, number: null, state: null, after: 0, note: "" };
  }

  get hasHistory() { return this.#app.clu.capabilities?.includes("history") ?? false; }

  /**
   * Asks for the history of a span.
   * @param {number|null} to  null is now
   * @returns {Promise<boolean>} whether there is something new
   */
  async load(from, to, points) {
    const turn = this.#turn += 1;
    if (!this.hasHistory) {
      this.#withoutHistory();
      return true;
    }
    try {
      const answer = await this.#app.history(this.tracks.map(({ name }) => name), { from: Math.floor(from), to: to === null ? null : Math.ceil(to), points });
      if (turn !== this.#turn) return false;
      this.#take(answer);
    } catch (error) {
      if (turn !== this.#turn) return false;
      this.problem = `The bridge gave no history: ${error.message}.`;
      if (!this.#known) this.#fromStore();
    }
    return true;
  }

  #take({ series, gaps = [], evicted = [], filling = false, from, to }) {
    this.filling = filling;
    this.problem = filling ? "The bridge is still reading what was said before it started: the plot fills." : "";
    this.#known = true;
    this.gaps = gaps;
    for (const track of this.tracks) {
      const own = series.filter(({ keyword }) => keyword === track.name);
      const numbers = own.find(({ kind }) => kind === "number");
      const states = own.find(({ kind }) => kind === "state");
      track.number = numbers ? NumberSeries.from(withGaps(numbers, gaps)) : null;
      track.state = states ? StateSeries.from(withGaps(states, gaps)) : null;
      track.after = 1 + Math.min(to, Math.max(-1, ...own.map(({ until }) => until ?? -1)));
      track.note = noteOf(track, from, to, evicted.includes(track.name));
    }
    this.#next = this.#app.store.log.first;
    this.#heard.clear();
    this.update();
  }

  #withoutHistory() {
    this.problem = (this.#app.clu.capabilities ?? null) !== null ? "This server keeps no history: values are shown from when this page was loaded." : "";
    if (!this.#known) this.#fromStore();
  }

  /** Begins with the last values that the page knows. */
  #fromStore() {
    for (const track of this.tracks) {
      const keywords = this.#app.store.actors.get(track.actor)?.keywords;
      const found = keywords && track.number === null && track.state === null ? valueOf(track.path, (name) => keywords.get(name)?.value) : null;
      if (found) this.#add(track, keywords.get(found.name).time, found.value);
    }
  }

  /** Takes the replies that have arrived. @returns {boolean} whether there are values among them */
  update() {
    const { log } = this.#app.store;
    let any = false;
    for (const { reply, time } of log.from(this.#next)) {
      if (reply === null || reply.internal) continue;  // the history has no internal ones either
      this.#noteSilence(reply.sender, time);
      for (const track of this.tracks) {
        if (track.actor !== reply.sender || time < track.after) continue;
        const found = valueOf(track.path, (name) => memberOf(reply.keywords, name));
        if (found === null) continue;
        this.#add(track, time, found.value);
        any = true;
      }
    }
    this.#next = log.next;
    return any;
  }

  /** Notes that an actor is heard: if it said nothing for longer than its rhythm allows, its values were not known meanwhile. */
  #noteSilence(actor, time) {
    const before = this.#heard.get(actor);
    this.#heard.set(actor, time);
    const interval = this.#app.store.actors.get(actor)?.interval ?? null;
    if (before === undefined || interval === null || time - before <= quietAfter(interval)) return;
    for (const { number, state } of this.tracks.filter((track) => track.actor === actor && time > track.after)) {
      for (const series of [number, state]) series?.silent.push([before, time]);
    }
  }

  /** Adds what a keyword is from a time on. While it is a number it is no word, and the other way round. */
  #add(track, time, value) {
    const none = value === undefined || value === null;  // there is no value now
    const numeric = isNumeric(value);
    if (numeric) track.number ??= new NumberSeries();
    else if (!none) track.state ??= new StateSeries();
    track.number?.add(time, numeric ? value : null);
    track.state?.add(time, numeric || none ? null : value);
  }
}

/**
 * Finds the value of a path such as keyword.member.0. A name may have dots itself: the longest one wins, as in the
 * bridge's history.
 * @param {string} path
 * @param {(name: string) => *} get  the keyword or member with a name; undefined if there is none
 * @returns {{name: string, value: *}|null} the keyword, and undefined if it has no such member; null without the keyword
 */
export function valueOf(path, get) {
  let without = null;
  for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
    const name = path.slice(0, end);
    const value = get(name);
    if (value === undefined) continue;
    const below = end === path.length ? { value } : valueOf(path.slice(end + 1), (member) => memberOf(value, member));
    if (below !== null && below.value !== undefined) return { name, value: below.value };
    without = { name, value: undefined };
  }
  return without;
}

function memberOf(value, name) {
  const has = typeof value === "object" && value !== null && Object.hasOwn(value, name) && !(Array.isArray(value) && name === "length");
  return has ? value[name] : undefined;
}

/** A series of the history in which gaps of the bridge are silence, too. */
function withGaps(series, gaps) {
  return gaps.length === 0 ? series : { ...series, silent: [...series.silent ?? [], ...gaps].sort(([a], [b]) => a - b) };
}

function noteOf({ number, state }, from, to, evicted) {
  if (number === null && state === null) {
    return evicted ? "If there were values, they were dropped: the bridge's memory for values (--values-bytes) is full." : "The bridge has heard no such keyword.";
  }
  const oldest = Math.min(...[number, state].filter(Boolean).map((series) => series.oldest ?? -Infinity));
  const any = [number, state].some((series) => series !== null && series.t.some((time, at) => time <= to && series.endOf(at) >= from));
  if (evicted) return `Earlier values were dropped: the bridge's memory for values (--values-bytes) is full.${oldest > from ? ` There are none before ${formatTime(oldest)}.` : ""}`;
  if (!any) return "There is no value in this span.";
  if (oldest > from) return `The bridge has no value before ${formatTime(oldest)}.`;
  return "";
}
