/** The lines that were sent from this tab, for the arrow keys. They survive a reload, and end with the tab. */

const MAX_LINES = 100;
const KEY = "clu-ws.history";

export class Recall {
  #lines = load();
  #at = null;   // index into the lines while they are browsed
  #draft = "";  // what was in the field before

  /** The newest first. */
  get newest() { return [...this.#lines].reverse(); }

  get browsing() { return this.#at !== null; }

  /** Adds a line that was sent. */
  add(line) {
    this.#at = null;
    if (this.#lines.at(-1) === line) return;
    this.#lines = [...this.#lines, line].slice(-MAX_LINES);
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#lines));
    } catch { /* private mode, or full: the lines last as long as the page */ }
  }

  /** Ends the browsing: the line was edited. */
  leave() {
    this.#at = null;
  }

  /**
   * Returns the line one step older (-1) or newer (1); after the newest comes what was in the field before.
   * @param {string} current  what is in the field
   */
  browse(step, current) {
    if (this.#at === null) this.#draft = current;
    const at = Math.max(0, (this.#at ?? this.#lines.length) + step);
    this.#at = at < this.#lines.length ? at : null;
    return this.#at === null ? this.#draft : this.#lines[at];
  }
}

function load() {
  try {
    const lines = JSON.parse(sessionStorage.getItem(KEY));
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string").slice(-MAX_LINES) : [];
  } catch {
    return [];
  }
}
