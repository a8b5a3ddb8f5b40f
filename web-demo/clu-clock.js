/**
 * The bridge's clock, seen from here. A page shows how old a value is, and says until when a command may be sent; an
 * observatory's computers and an astronomer's laptop do not always agree on the time.
 *
 * What the bridge says is older than it seems by the time that the message took, so this clock is behind the bridge's
 * rather than ahead of it, and a command expires early rather than late. In between it counts on the monotonic clock,
 * for the other one may be set. The monotonic one stands still while some computers sleep, and runs a little wrong: then
 * the clock is in doubt until the bridge has been asked.
 */

/** ms by which two clocks may differ and count as one: a message takes time to come, too. */
const TOLERANCE = 2_000;

/** ms after which the bridge is asked again. A computer's clock gains or loses up to 0.1 s in that time. */
const OLD = 600_000;

export class Clock {
  #ahead = 0;         // ms by which the clock here is ahead of the bridge's
  #reading = null;    // {bridge, monotonic, wall}: the bridge's time, and the clocks here at that moment; ms
  #asked = null;      // when the bridge was asked, by the monotonic clock; null while it is not
  #ask;
  #monotonic;

  /**
   * @param {() => void} ask  asks the bridge for its time
   * @param {() => number} [monotonic]  ms, of a clock that nobody sets
   */
  constructor(ask, monotonic = () => performance.now()) {
    this.#ask = ask;
    this.#monotonic = monotonic;
  }

  /** Whose clock it is, and what it shows. @param {string|undefined} time  undefined by a server that does not say it */
  hear(time) {
    const bridge = Date.parse(time ?? "");
    const ahead = Date.now() - bridge;
    this.#ahead = Math.abs(ahead) > TOLERANCE ? ahead : 0;  // false for NaN
    this.#asked = null;
    this.#reading = null;
    if (!Number.isNaN(bridge)) this.#note(bridge);
  }

  /** Whether it is in doubt what time it is, so that the bridge is asked. */
  isAsked() {
    if (this.#reading === null) return false;
    const { monotonic, wall } = this.#reading;
    const passed = this.#monotonic() - monotonic;
    const doubtful = passed > OLD || Math.abs(Date.now() - wall - passed) > TOLERANCE;
    if (doubtful) this.ask();
    return doubtful;
  }

  /** Asks, once until there is an answer. */
  ask() {
    if (this.#asked !== null || this.#reading === null) return;
    this.#asked = this.#monotonic();
    this.#ask();
  }

  /** The bridge has answered: it is now between this time, and as much later as asking took. */
  answered(time) {
    if (this.#asked === null || this.#reading === null) return;
    const took = this.#monotonic() - this.#asked;
    this.#asked = null;
    const bridge = Date.parse(time ?? "");
    const known = this.now();
    this.#note(Number.isNaN(bridge) ? known : Math.min(Math.max(known, bridge), bridge + took));
  }

  /** What time it is at the bridge, or a little earlier, ms since 1970; null when none has said it. @returns {number|null} */
  now() {
    return this.#reading && this.#reading.bridge + this.#monotonic() - this.#reading.monotonic;
  }

  /** What time it will be at the bridge in so many ms, in seconds since 1970; undefined when none has said it. */
  secondsIn(ms) {
    return this.#reading === null ? undefined : Math.floor(this.now() + ms) / 1_000;
  }

  /** Brings a snapshot's times to the clock here, as ISO texts. */
  translate(snapshot) {
    if (this.#ahead === 0) return snapshot;
    const actors = Object.entries(snapshot.actors ?? {}).map(([name, actor]) => {
      const keywords = Object.entries(actor.keywords ?? {}).map(([keyword, entry]) => [keyword, this.#moved(entry)]);
      return [name, { ...this.#moved(actor), keywords: Object.fromEntries(keywords) }];
    });
    return { ...snapshot, actors: Object.fromEntries(actors) };
  }

  #note(bridge) {
    this.#reading = { bridge, monotonic: this.#monotonic(), wall: Date.now() };
  }

  #moved(entry) {
    const time = new Date(Date.parse(entry.time) + this.#ahead);
    return Number.isNaN(time.getTime()) ? entry : { ...entry, time: time.toISOString() };
  }
}
