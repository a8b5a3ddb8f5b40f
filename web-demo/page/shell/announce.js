/**
 * Tells screen readers, and the sound, of problems that are new: politely of warnings and errors, at once of critical
 * ones. A storm of problems is one announcement that counts them, at most one in a few seconds.
 */

import { rank, recall, remember, TAB } from "./dom.js";

/** Shortest ms between two announcements of the same urgency. */
const GAP = 5_000;

/** Problems that are remembered as known. */
const MAX_KNOWN = 5_000;

/** Which problems are new since the last look. Nothing in it depends on the page. */
export class NewProblems {
  #known = new Map();  // id -> rank of its level when it was told

  /**
   * Returns the problems that were not there before, or have become worse. What is gone, or was acknowledged, is new
   * when it comes again.
   * @param {{actor: string, key: string, level: string}[]} open
   */
  of(open) {
    const now = new Map();
    const fresh = [];
    for (const problem of open) {
      if (now.size >= MAX_KNOWN) break;
      const id = `${problem.actor} ${problem.key}`;
      const level = rank(problem.level);
      if (level > (this.#known.get(id) ?? -1)) fresh.push(problem);
      now.set(id, Math.max(level, this.#known.get(id) ?? 0));
    }
    this.#known = now;
    return fresh;
  }
}

const KEY = "clu-ws.sounded";

/** Difference, ms, between the clocks of two bridges of which both tell when a problem began. */
const CLOCKS = 2_000;

/**
 * For which problems this tab has sounded, over reloads: these do not sound again, unless they are worse or have begun anew.
 * In a tab that is new, of what was there before it only what is critical sounds.
 */
export class Sounded {
  #before;  // id -> [rank, when it began], of the page that was in this tab before; null if there was none
  #kept;

  constructor() {
    this.#kept = recall(TAB, KEY);
    try {
      this.#before = new Map(JSON.parse(this.#kept ?? "null"));
    } catch { /* another version's */ }
    this.first = this.#kept === null || this.#before === undefined;
  }

  /** Whether a problem that is new to this page is to sound. */
  sounds({ actor, key, level, began }) {
    if (this.first) return level === "critical";
    const [worst = -1, since = 0] = this.#before.get(`${actor} ${key}`) ?? [];
    return rank(level) > worst || began > since + CLOCKS;
  }

  /** Keeps which problems there are. */
  keep(open) {
    const text = JSON.stringify(open.slice(0, MAX_KNOWN).map(({ actor, key, level, began }) => [`${actor} ${key}`, [rank(level), began]]));
    this.#before ??= new Map();
    this.first = false;
    if (text !== this.#kept) remember(TAB, KEY, this.#kept = text);
  }
}

/** Describes new problems in a sentence. */
export function describe(problems) {
  const worst = worstOf(problems);
  const said = `${worst.level === "critical" ? "Critical" : worst.level === "error" ? "Error" : "Warning"}, ${worst.actor}: ${worst.text.replace(/\.$/, "")}`;
  return problems.length === 1 ? `${said}.` : `${problems.length} new problems. The worst: ${said}.`;
}

const worstOf = (problems) => problems.reduce((a, b) => (rank(b.level) > rank(a.level) ? b : a));

export class Announcer {
  #news = new NewProblems();
  #sounded = new Sounded();
  #waiting = { polite: [], now: [] };
  #last = { polite: -Infinity, now: -Infinity };
  #timer = null;
  #onNew;
  #clock;
  #nodes;

  /**
   * @param {{onNew: (level: string) => void, clock?: () => number, nodes?: {polite: HTMLElement, now: HTMLElement}}} on
   *   `onNew`: problems are announced that are to sound, of which the worst has this level
   */
  constructor({ onNew, clock = () => performance.now(), nodes = { polite: document.getElementById("say"), now: document.getElementById("say-now") } }) {
    this.#onNew = onNew;
    this.#clock = clock;
    this.#nodes = nodes;
  }

  /** Looks for new problems. @param {object[]} open  those that nobody has acknowledged @param {boolean} known  whether these are all */
  look(open, known = true) {
    const fresh = this.#news.of(open).map((problem) => ({ ...problem, sounds: this.#sounded.sounds(problem) }));
    if (known) this.#sounded.keep(open);
    if (fresh.length === 0) return;
    for (const problem of fresh) this.#waiting[problem.level === "critical" ? "now" : "polite"].push(problem);
    this.#tell();
  }

  #tell() {
    clearTimeout(this.#timer);
    const at = this.#clock();
    let wait = Infinity;
    for (const how of ["now", "polite"]) {
      if (this.#waiting[how].length === 0) continue;
      const left = this.#last[how] + GAP - at;
      if (left > 0) {
        wait = Math.min(wait, left);
        continue;
      }
      const told = this.#waiting[how];
      this.#waiting[how] = [];
      this.#last[how] = at;
      this.#nodes[how].textContent = describe(told);
      const loud = told.filter(({ sounds }) => sounds);
      if (loud.length > 0) this.#onNew(worstOf(loud).level);
    }
    if (wait < Infinity) this.#timer = setTimeout(() => this.#tell(), wait);
  }
}
