/**
 * Buffers what arrives while several subscriptions resume.
 *
 * Each subscription brings what it alone missed, in order, one subscription after the other, with live replies between
 * them. All of it is buffered until the bridge's pong marks the end, and then delivered in order of publication. A gap
 * notice arrives once for each subscription: one is kept, at the latest of its positions, because the subscription that
 * selects the most replies places it best.
 *
 * If the connection is lost before the end, the buffer is kept, and each subscription resumes from where it had come: so a
 * network that breaks again and again only delays the end.
 */

import { Progress } from "./progress.js";

/**
 * @typedef {object} Item
 * @property {"reply"|"snapshot"|"gap"|"result"} kind
 * @property {*} value
 * @property {number} seq      a gap has that of the reply before it
 * @property {number} arrival  position in the order of arrival
 */

/** One and a half times what a bridge keeps by default, in replies and in characters. */
export const LIMITS = Object.freeze({ replies: 15_000, chars: 96 << 20 });

export class CatchUp {
  #items = [];
  #gaps = new Map();  // key of a notice -> its item
  #seqs = new Set();  // the numbers of the buffered replies
  #gapSeq;            // the number of the reply before the next notice
  #start;
  #chars = 0;
  #limits;
  #progress = new Progress();

  /**
   * @param {string} epoch  of the connection
   * @param {number} start  the cursor: the bridge sends what follows it
   * @param {{replies: number, chars: number}} limits  of the buffer
   */
  constructor(epoch, start, limits) {
    /** @type {string} */ this.epoch = epoch;
    this.#start = this.#gapSeq = start;
    this.#limits = limits;
    /** How many items have arrived. */
    this.arrivals = 0;
  }

  /** From where a subscription resumes on the next connection; undefined if that is the cursor. @param {string} id */
  since(id) {
    const seq = this.#progress.get(id);
    return seq === undefined ? undefined : { epoch: this.epoch, seq };
  }

  /** Handles a lost connection. */
  lost() {
    this.#progress.lost();
    this.#gaps.delete("");  // what the next one cannot resume is missing at another place
  }

  /** Notes the answer to a request; what its subscription missed follows. */
  answered(id, answer) {
    this.#gapSeq = this.#progress.get(id) ?? this.#start;
    this.#progress.answered(id, answer);
  }

  /** Notes that a reply has arrived, also one that was received before. */
  arrived({ epoch, seq }) {
    if (epoch === this.epoch) this.#progress.reply(seq);
  }

  /** @param {import("./reply.js").Reply} reply  with a number, and not received before */
  reply(reply) {
    this.#gapSeq = reply.seq;
    if (this.#seqs.has(reply.seq)) return;
    this.#seqs.add(reply.seq);
    this.#chars += reply.size;
    this.#add("reply", reply, reply.seq);
  }

  /** @param {{seq: number}} value  includes everything up to its number */
  snapshot(value) {
    this.#progress.snapshot(value.id);
    this.#items = this.#items.filter(({ kind, value: { id } }) => kind !== "snapshot" || id !== value.id);  // from a connection that was lost
    this.#add("snapshot", value, value.seq);
  }

  /** @param {object} value  the end of a command, which comes after its replies */
  result(value) {
    this.#add("result", value, Infinity);
  }

  gap(value, key, seq = this.#gapSeq) {
    const known = this.#gaps.get(key) ?? (key === "" ? this.#items.find((item) => item.kind === "gap" && !item.value.key && item.seq === seq) : undefined);
    if (known) {
      known.seq = Math.max(known.seq, seq);
      known.value = value;
      return;
    }
    this.#gaps.set(key, this.#add("gap", value, seq));
  }

  /** Whether a gap is buffered. */
  hasGap(key) { return this.#gaps.has(key); }

  #add(kind, value, seq) {
    this.arrivals += 1;
    const item = { kind, value, seq, arrival: this.arrivals };
    this.#items.push(item);
    return item;
  }

  /** Whether the buffer exceeds its limits: then it must be delivered as it is. */
  get full() {
    return this.#seqs.size > this.#limits.replies || this.#chars > this.#limits.chars;
  }

  /** Empties the buffer, in order: of equal numbers first the reply, then the snapshot that includes it. @returns {Item[]} */
  drain() {
    const rank = { reply: 0, snapshot: 1, gap: 2, result: 3 };
    const items = this.#items.sort((a, b) => (a.seq === b.seq ? rank[a.kind] - rank[b.kind] : a.seq - b.seq));
    this.#items = [];
    this.#gaps.clear();
    this.#chars = 0;
    return items;
  }
}
