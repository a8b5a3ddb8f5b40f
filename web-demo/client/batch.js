/**
 * How long the bridge may delay replies so that several leave in one write, which costs it no more than a single reply
 * does. Only a bridge with the capability is asked for that: others would refuse the request.
 */

/** A delay in ms that no eye sees, and that saves a bridge most of its writes. */
const DEFAULT = 50;

/** The longest delay that a bridge accepts, ms. */
const MAX = 1_000;

export class Batch {
  #ms;                 // undefined if the URL sets it
  #supported = false;  // the bridge can batch

  /**
   * @param {number} [ms]  the page's choice
   * @param {boolean} [setByURL]  the URL sets it
   */
  constructor(ms, setByURL = false) {
    if (ms !== undefined && !(Number.isInteger(ms) && ms >= 0 && ms <= MAX)) throw new TypeError(`the option batch must be a whole number of ms from 0 to ${MAX}`);
    this.#ms = ms ?? (setByURL ? undefined : DEFAULT);
  }

  /** Takes the capabilities from the hello of a new connection. */
  setCapabilities(capabilities) {
    this.#supported = Array.isArray(capabilities) && capabilities.includes("batch");
  }

  /** Whether a page that gets everything must subscribe to it, because the implicit subscription does not batch. */
  get mustSubscribe() { return this.#supported && this.#ms > 0; }

  /** The batch_ms for a request, whose own choice comes first; undefined to leave it out. */
  forRequest({ batch_ms: chosen }) {
    return this.#supported ? chosen ?? this.#ms : undefined;
  }
}
