/** Which replies a page has received, by number: all up to the cursor, and the last ones individually. */

/** Three times what a bridge keeps by default: a reply may arrive again through a newer subscription. */
const MAX_RECENT = 30_000;

export class Received {
  #cursor = null;
  #recent = new Set();
  #epoch = null;  // of #recent

  /** Up to here the page has received everything that it subscribed to. @type {{epoch: string, seq: number}|null} */
  get cursor() { return this.#cursor; }

  /** Starts over at a position, or without one. */
  reset(cursor) {
    this.#cursor = cursor;
  }

  /** Moves the cursor forward. A reply that the bridge delayed has a lower number than the last one. */
  advance(epoch, seq) {
    if (!Number.isSafeInteger(seq)) return;
    if (epoch === this.#cursor?.epoch && seq <= this.#cursor.seq) return;
    this.#cursor = { epoch, seq };
  }

  /** Whether exactly this reply was received recently. */
  has({ epoch, seq }) {
    return epoch === this.#epoch && this.#recent.has(seq);
  }

  /** Whether this reply is not after the cursor. */
  covers({ epoch, seq }) {
    return epoch === this.#cursor?.epoch && seq <= this.#cursor.seq;
  }

  /** Notes a reply that was delivered. */
  add({ epoch, seq }) {
    if (epoch !== this.#epoch) this.#recent.clear();
    this.#epoch = epoch;
    this.#recent.add(seq);
    if (this.#recent.size > MAX_RECENT) this.#recent.delete(this.#recent.values().next().value);
  }
}
