/**
 * How long replies may wait at a bridge for others, so that all leave in one write, which costs it no more than a single
 * reply does. A bridge that does not say that it can is not asked: it would refuse the request.
 */

/** ms that no eye sees, and that save a bridge most of its writes. */
const DEFAULT = 50;

/** ms that a bridge takes. */
const MAX = 1_000;

export class Batch {
  #ms;             // undefined when the URL says it
  #known = false;  // the bridge knows what a batch is

  /**
   * @param {number} [ms]  what the page has chosen
   * @param {boolean} [inURL]  the URL says it
   */
  constructor(ms, inURL = false) {
    if (ms !== undefined && !(Number.isInteger(ms) && ms >= 0 && ms <= MAX)) throw new TypeError(`the option batch is a whole number of ms from 0 to ${MAX}`);
    this.#ms = ms ?? (inURL ? undefined : DEFAULT);
  }

  /** Hears what the bridge of a new connection can do. */
  greeted(capabilities) {
    this.#known = Array.isArray(capabilities) && capabilities.includes("batch");
  }

  /** Whether what comes unasked must be asked for, because it would not wait. */
  get matters() { return this.#known && this.#ms > 0; }

  /** What a request says of it, which may have chosen for itself; undefined is nothing. */
  of({ batch_ms: chosen }) {
    return this.#known ? chosen ?? this.#ms : undefined;
  }
}
