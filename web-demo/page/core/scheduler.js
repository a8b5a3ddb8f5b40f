/**
 * When views are told of changes: at most four times a second, however many replies arrive, and once a second for ages.
 *
 * More often than that nobody reads, and a page that writes each reply falls behind on a slow machine. A change after a
 * quiet time is told at once.
 */

/** Shortest ms between two updates. */
export const INTERVAL = 250;

/** ms between two updates that come by themselves. */
export const TICK = 1_000;

export class Scheduler {
  #run;
  #timer = null;
  #last = -Infinity;
  #ticker = null;
  #monotonic;

  /**
   * @param {(tick: boolean) => void} run  `tick`: ages have to be written, too
   * @param {() => number} [monotonic]  a monotonic clock, ms
   */
  constructor(run, monotonic = () => performance.now()) {
    this.#run = run;
    this.#monotonic = monotonic;
  }

  /** Begins the ticks. */
  start() {
    this.#ticker ??= setInterval(() => this.#now(true), TICK);
  }

  /** Ends the ticks, and forgets what was to come. */
  stop() {
    clearInterval(this.#ticker);
    clearTimeout(this.#timer);
    this.#ticker = this.#timer = null;
  }

  /** Asks for an update. */
  request() {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#last + INTERVAL - this.#monotonic());
    this.#timer = setTimeout(() => this.#now(false), wait);
  }

  #now(tick) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#run(tick);
    this.#last = this.#monotonic();  // after the work: a slow page gets the whole interval for other things
  }
}
