/**
 * What comes while a page catches up on what it missed with several subscriptions.
 *
 * Each subscription brings what it alone missed, in order, one behind the other, with live replies between them. All of it
 * is held here until the bridge has said that it was all, and then handed out in the order in which it was said. Gap
 * notices come once for each subscription: one of them is kept, at the latest of its places, for the subscription that
 * selects most knows the place best.
 */

/**
 * @typedef {object} Item
 * @property {"reply"|"snapshot"|"gap"} kind
 * @property {*} value
 * @property {number} seq      a gap has that of the reply before it
 * @property {number} arrival  counts what came
 */

/** As many replies as a bridge remembers by default, and half as many again, by number and by length. */
export const HELD = Object.freeze({ replies: 15_000, chars: 96 << 20 });

export class CatchUp {
  #items = [];
  #gaps = new Map();  // what a notice says -> its item
  #had = new Set();   // the numbers that came
  #before;            // the number of the reply before the next notice
  #begin;
  #chars = 0;
  #limits;

  /**
   * @param {number} begin  the number behind which everything is brought
   * @param {{replies: number, chars: number}} limits  of what is held
   */
  constructor(begin, limits) {
    this.#begin = this.#before = begin;
    this.#limits = limits;
    /** How many have come. */
    this.arrivals = 0;
  }

  /** A request was answered; what its subscription missed follows. */
  answered() {
    this.#before = this.#begin;
  }

  /** @param {import("./reply.js").Reply} reply  with a number, which the page did not have before */
  reply(reply) {
    this.#before = reply.seq;
    if (this.#had.has(reply.seq)) return;
    this.#had.add(reply.seq);
    this.#chars += reply.size;
    this.#add("reply", reply, reply.seq);
  }

  /** @param {{seq: number}} value  holds everything up to its number */
  snapshot(value) {
    this.#add("snapshot", value, value.seq);
  }

  gap(value, key, seq = this.#before) {
    const known = this.#gaps.get(key);
    if (known) {
      known.seq = Math.max(known.seq, seq);
      return;
    }
    this.#gaps.set(key, this.#add("gap", value, seq));
  }

  #add(kind, value, seq) {
    this.arrivals += 1;
    const item = { kind, value, seq, arrival: this.arrivals };
    this.#items.push(item);
    return item;
  }

  /** Whether more is held than may be: then it is to be handed out as it is. */
  get full() {
    return this.#had.size > this.#limits.replies || this.#chars > this.#limits.chars;
  }

  /** What is held, in order: with equal numbers the reply, the snapshot that has it, and what followed. @returns {Item[]} */
  drain() {
    const rank = { reply: 0, snapshot: 1, gap: 2 };
    const items = this.#items.sort((a, b) => a.seq - b.seq || rank[a.kind] - rank[b.kind]);
    this.#items = [];
    this.#gaps.clear();
    this.#chars = 0;
    return items;
  }
}
