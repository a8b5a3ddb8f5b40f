/**
 * How far each subscription has come while several resume, so that the next connection goes on there if this one is lost.
 *
 * A bridge answers a request and at once sends what that subscription missed, in order and up to the number in the answer;
 * what follows has higher numbers, for all that were answered so far. So a reply shows how far one or all of them have come.
 */
export class Progress {
  #at = new Map();       // id of a subscription -> up to this number it has everything
  #answered = new Set(); // ids of those that were answered on this connection, and have what they missed
  #last = -1;            // the number of the last reply that none of them had missed
  #current = null;       // {id, upTo, replays}: what this one missed comes now

  /** The number from which a subscription resumes, or undefined. */
  get(id) { return this.#at.get(id); }

  /** Handles an answer. @param {{resumed?: boolean, seq?: number}} answer */
  answered(id, { resumed, seq }) {
    this.#complete();
    if (resumed !== undefined && Number.isSafeInteger(seq)) this.#current = { id, upTo: seq, replays: resumed };
  }

  /** Handles the last values that a subscription gets after, or in place of, what it missed. */
  snapshot(id) {
    if (this.#current?.id === id) this.#complete();
  }

  /** Handles a reply, also one that was received before. */
  reply(seq) {
    if (this.#current === null || seq > this.#current.upTo) {
      this.#complete();
      this.#last = Math.max(this.#last, seq);
    } else if (this.#current.replays) {
      this.#set(this.#current.id, seq);
    }
  }

  /** Handles a lost connection. */
  lost() {
    if (this.#last >= 0) for (const id of this.#answered) this.#set(id, this.#last);
    this.#answered.clear();
    this.#last = -1;
    this.#current = null;
  }

  #complete() {
    if (this.#current === null) return;
    const { id, upTo } = this.#current;
    this.#set(id, upTo);
    this.#answered.add(id);
    this.#current = null;
  }

  #set(id, seq) { this.#at.set(id, Math.max(seq, this.#at.get(id) ?? -1)); }
}
