/** Which replies a page has had, by their numbers: up to where it has had all, and the last ones one by one. */

/** As many as a bridge remembers by default, three times over: a reply may come again by a subscription that was made since. */
const MAX_RECENT = 30_000;

export class Record {
  #cursor = null;
  #recent = new Set();
  #epoch = null;  // of the recent ones

  /** Up to here the page has had everything that it asked for. @type {{epoch: string, seq: number}|null} */
  get cursor() { return this.#cursor; }

  /** Begins anew: at a number, or at nothing. */
  begin(cursor) {
    this.#cursor = cursor;
  }

  /** Everything up to here was had. A reply that a bridge held back has a lower number than the last one. */
  moveTo(epoch, seq) {
    if (!Number.isSafeInteger(seq)) return;
    if (epoch === this.#cursor?.epoch && seq <= this.#cursor.seq) return;
    this.#cursor = { epoch, seq };
  }

  /** Whether exactly this reply was had lately. */
  has({ epoch, seq }) {
    return epoch === this.#epoch && this.#recent.has(seq);
  }

  /** Whether this reply is one of those up to the cursor. */
  covers({ epoch, seq }) {
    return epoch === this.#cursor?.epoch && seq <= this.#cursor.seq;
  }

  /** Notes that a reply was handed out. */
  note({ epoch, seq }) {
    if (epoch !== this.#epoch) this.#recent.clear();
    this.#epoch = epoch;
    this.#recent.add(seq);
    if (this.#recent.size > MAX_RECENT) this.#recent.delete(this.#recent.values().next().value);
  }
}
