/**
 * The values of the keywords of a plot: from the bridge's history, and then from the replies that this page hears. The
 * history is asked again whenever another span is shown, at the resolution of the screen.
 */

import { splitKeyword } from "../board/items.js";
import { formatTime } from "../core/format.js";
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
 * @property {string[]} path    the keyword and the members below it
 * @property {NumberSeries|null} number
 * @property {StateSeries|null} state
 * @property {string} note      what is not shown, in a sentence, or ""
 */

export class Source {
  #app;
  #next = 0;   // of the log's entries
  #after = -Infinity;  // replies until then are in the history
  #turn = 0;
  #known = false;      // the history has answered

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
    const { actor, keyword } = splitKeyword(name, (known) => this.#app.store.actors.has(known));
    return { name, actor, path: keyword.split("."), number: null, state: null, note: "" };
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
    this.#after = to;
    for (const track of this.tracks) {
      const own = series.filter(({ keyword }) => keyword === track.name);
      const numbers = own.find(({ kind }) => kind === "number");
      const states = own.find(({ kind }) => kind === "state");
      track.number = numbers ? NumberSeries.from(withGaps(numbers, gaps)) : null;
      track.state = states ? StateSeries.from(withGaps(states, gaps)) : null;
      track.note = noteOf(track, from, to, evicted.includes(track.name));
    }
    this.#next = this.#app.store.log.first;
    this.update();
  }

  #withoutHistory() {
    this.problem = (this.#app.clu.capabilities ?? null) !== null ? "This server keeps no history: values are shown from when this page was loaded." : "";
    if (!this.#known) this.#fromStore();
  }

  /** Begins with the last values that the page knows. */
  #fromStore() {
    for (const track of this.tracks) {
      const keyword = this.#app.store.actors.get(track.actor)?.keywords.get(track.path[0]);
      if (keyword && keyword.value !== undefined && track.number === null && track.state === null) {
        this.#add(track, keyword.time, keyword.value);
      }
    }
  }

  /** Takes the replies that have arrived. @returns {boolean} whether there are values among them */
  update() {
    const { log } = this.#app.store;
    let any = false;
    for (const { reply, time } of log.from(this.#next)) {
      if (reply === null || reply.internal || time <= this.#after) continue;  // the history has no internal ones either
      for (const track of this.tracks) {
        if (track.actor === reply.sender && Object.hasOwn(reply.keywords, track.path[0])) {
          this.#add(track, time, reply.keywords[track.path[0]]);
          any = true;
        }
      }
    }
    this.#next = log.next;
    return any;
  }

  #add(track, time, value) {
    const found = memberOf(value, track.path.slice(1));
    if (found === undefined) return;
    if (found === null) {  // there is no value now
      (track.number ?? track.state)?.add(time, null);
    } else if (isNumeric(found)) {
      (track.number ??= new NumberSeries()).add(time, found);
    } else {
      (track.state ??= new StateSeries()).add(time, found);
    }
  }
}

/** The member of a value; undefined if it has none. */
export function memberOf(value, path) {
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
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
