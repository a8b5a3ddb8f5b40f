/**
 * An estimate of the bridge's clock. A page shows the age of values and gives commands an expiry time, but an
 * observatory's computers and an astronomer's laptop do not always agree on the time.
 *
 * The bridge's time arrives late by the message's travel time, so this clock is behind the bridge's rather than ahead
 * of it, and a command expires early rather than late. Between readings it follows the monotonic clock, since the wall
 * clock may be set. The monotonic clock stops while some computers sleep, and drifts: then the time is uncertain until
 * the bridge has answered a ping. Meanwhile `latest` is for ages, which must not be too short.
 */

/** ms by which two clocks may differ and count as equal: messages take time to arrive. */
const TOLERANCE = 2_000;

/** ms after which the bridge is asked again. A computer's clock drifts by up to 0.1 s in that time. */
const MAX_AGE = 600_000;

export class Clock {
  #reading = null;    // {bridge, monotonic, wall}: the bridge's time and the local clocks at that moment, ms
  #asked = null;      // when the bridge was asked, by the monotonic clock; null if no answer is outstanding
  #ask;
  #monotonic;

  /**
   * @param {() => void} ask  asks the bridge for its time
   * @param {() => number} [monotonic]  a monotonic clock, ms
   */
  constructor(ask, monotonic = () => performance.now()) {
    this.#ask = ask;
    this.#monotonic = monotonic;
  }

  /** Starts from the time in a hello. @param {string|undefined} time  undefined if the server does not send it */
  start(time) {
    const bridge = Date.parse(time ?? "");
    this.#asked = null;
    this.#reading = null;
    if (!Number.isNaN(bridge)) this.#note(bridge);
  }

  /** Whether the time is uncertain. If so, the bridge is being asked. */
  isUncertain() {
    if (this.#reading === null) return false;
    const uncertain = this.#monotonic() - this.#reading.monotonic > MAX_AGE || this.#slept() !== 0;
    if (uncertain) this.ask();
    return uncertain;
  }

  /** Asks the bridge, unless an answer is outstanding. */
  ask() {
    if (this.#asked !== null || this.#reading === null) return;
    this.#asked = this.#monotonic();
    this.#ask();
  }

  /** Handles the bridge's answer: its time now is between the given one and that plus the round trip. */
  synchronize(time) {
    if (this.#asked === null || this.#reading === null) return;
    const took = this.#monotonic() - this.#asked;
    this.#asked = null;
    const bridge = Date.parse(time ?? "");
    const known = this.now();
    this.#note(Number.isNaN(bridge) ? known : Math.min(Math.max(known, bridge), bridge + took));
  }

  /** The bridge's time, or a little earlier, ms since 1970; null if unknown. @returns {number|null} */
  now() {
    return this.#reading && this.#reading.bridge + this.#monotonic() - this.#reading.monotonic;
  }

  /** The latest that the bridge's time may be: if the wall clock went on without the other one, the computer has slept. */
  latest() {
    const now = this.now();
    return now === null ? null : now + Math.max(0, this.#slept());
  }

  /** ms by which the wall clock went on while the monotonic one stood; negative if it was set back; 0 if too little to tell. */
  #slept() {
    const { monotonic, wall } = this.#reading;
    const slept = Date.now() - wall - (this.#monotonic() - monotonic);
    return Math.abs(slept) > TOLERANCE ? slept : 0;
  }

  /** The bridge's time in `ms` from now, in seconds since 1970; undefined if unknown. */
  secondsIn(ms) {
    return this.#reading === null ? undefined : Math.floor(this.now() + ms) / 1_000;
  }

  /** Takes a time at which the bridge heard something: it is not before that. @param {number} heard  ms */
  observe(heard) {
    if (this.#reading !== null && heard > this.latest()) this.#note(heard);
  }

  /** Dates a reply by when the bridge heard it. @param {{heard: number|null, at: number}} reply */
  date(reply) {
    const { heard } = reply;
    if (!heard) return;
    this.observe(heard);
    reply.at = this.toLocal(heard);
  }

  /** ms by which the local clock is ahead of the bridge's; 0 if that is too little to tell, or not known. */
  get ahead() {
    if (this.#reading === null) return 0;
    const ahead = Date.now() - this.latest();
    return Math.abs(ahead) > TOLERANCE ? ahead : 0;
  }

  /** Converts a time of the bridge's clock to the local one, ms. */
  toLocal(time) {
    return time + this.ahead;
  }

  #note(bridge) {
    this.#reading = { bridge, monotonic: this.#monotonic(), wall: Date.now() };
  }
}
