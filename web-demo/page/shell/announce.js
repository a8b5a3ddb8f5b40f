/**
 * Tells screen readers, and the sound, of problems that are new: politely of warnings and errors, at once of critical
 * ones. A storm of problems is one announcement that counts them, at most one in a few seconds.
 */

import { rank } from "./dom.js";

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

/** Describes new problems in a sentence. */
export function describe(problems) {
  const worst = problems.reduce((a, b) => (rank(b.level) > rank(a.level) ? b : a));
  const said = `${worst.level === "critical" ? "Critical" : worst.level === "error" ? "Error" : "Warning"}, ${worst.actor}: ${worst.text.replace(/\.$/, "")}`;
  return problems.length === 1 ? `${said}.` : `${problems.length} new problems. The worst: ${said}.`;
}

export class Announcer {
  #news = new NewProblems();
  #waiting = { polite: [], now: [] };
  #last = { polite: -Infinity, now: -Infinity };
  #timer = null;
  #onNew;
  #clock;
  #nodes;

  /**
   * @param {{onNew: (level: string) => void, clock?: () => number, nodes?: {polite: HTMLElement, now: HTMLElement}}} on
   *   `onNew`: problems are announced, of which the worst has this level
   */
  constructor({ onNew, clock = () => performance.now(), nodes = { polite: document.getElementById("say"), now: document.getElementById("say-now") } }) {
    this.#onNew = onNew;
    this.#clock = clock;
    this.#nodes = nodes;
  }

  /** Looks for new problems. @param {object[]} open  those that nobody has acknowledged */
  look(open) {
    const fresh = this.#news.of(open);
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
      this.#onNew(told.reduce((a, b) => (rank(b.level) > rank(a.level) ? b : a)).level);
    }
    if (wait < Infinity) this.#timer = setTimeout(() => this.#tell(), wait);
  }
}
