/**
 * The newest replies, and the places where replies are missing among them. Bounded by number and by size: older ones are
 * at the bridge.
 */

/**
 * @typedef {object} LogEntry
 * @property {number} n          its number in this page, which grows by one with each entry
 * @property {number} time       ms by the bridge's clock
 * @property {import("../../client/reply.js").Reply|null} reply
 * @property {string|null} mark  what is missing here, in words
 * @property {{from: number|null, to: number, count: number|null}|null} gap
 */

/** Limits of what is kept. */
export const LIMITS = Object.freeze({ entries: 5_000, chars: 16 << 20 });

export class LogRing {
  #entries = [];
  #start = 0;  // of the entries that are kept
  #chars = 0;
  #limits;

  /** @param {{entries: number, chars: number}} [limits] */
  constructor(limits = LIMITS) {
    this.#limits = limits;
    /** The number of the next entry. */ this.next = 0;
  }

  get size() { return this.#entries.length - this.#start; }

  /** The number of the oldest entry that is kept. */
  get first() { return this.next - this.size; }

  /** @param {import("../../client/reply.js").Reply} reply @param {number} time */
  reply(reply, time) {
    this.#chars += reply.size;
    this.#push({ n: this.next, time, reply, mark: null, gap: null });
  }

  /** Marks a place where replies are missing. */
  mark(text, time, gap = null) {
    this.#push({ n: this.next, time, reply: null, mark: text, gap });
  }

  /** The entries from a number on, the oldest first. @returns {LogEntry[]} */
  from(n) {
    return this.#entries.slice(this.#start + Math.max(0, n - this.first));
  }

  /** The entry with a number; undefined if it is not kept. @returns {LogEntry|undefined} */
  at(n) {
    return n < this.first ? undefined : this.#entries[this.#start + n - this.first];
  }

  clear() {
    this.#entries = [];
    this.#start = this.#chars = 0;
  }

  #push(entry) {
    this.#entries.push(entry);
    this.next += 1;
    while (this.size > this.#limits.entries || (this.#chars > this.#limits.chars && this.size > 1)) {
      this.#chars -= this.#entries[this.#start].reply?.size ?? 0;
      this.#entries[this.#start] = undefined;
      this.#start += 1;
    }
    if (this.#start > this.#limits.entries) {  // seldom: moving the rest at each reply would cost more
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
  }
}
