/**
 * When views are told of changes: of problems, commands and the link at most four times a second, of values twice,
 * however many replies arrive, and once a second for ages.
 *
 * More often than that nobody reads, and a page that writes each reply falls behind on a slow machine. A change after a
 * quiet time is told at once, and so is what a page that shows nothing yet has waited for.
 */

/** Shortest ms between two updates. */
export const INTERVAL = 250;

/** Shortest ms between two updates, if only values have changed: each update costs a layout of the page. */
export const CALM = 500;

/** ms between two updates that come by themselves. */
export const TICK = 1_000;

/** ms by which a timer may come early. */
const SLACK = 50;

/** ms after which an update is made without its timer. */
const OVERDUE = 2 * CALM;

/** Ticks of which is kept how late they were, and the most ms that count: of a page that is behind more, the bar says so. */
const TICKS = 10;
const LONGEST = 3_000;

export class Scheduler {
  #run;
  #monotonic;
  #timer = null;
  #due = 0;            // when it runs
  #ticker = null;
  #requested = null;   // when the update that is to come was asked for
  #last = -Infinity;   // when the last update ended
  #ticked = -Infinity;
  #stays = [];         // how long what the last ticks had written stayed, ms

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
    this.#ticker ??= setInterval(() => this.now(), TICK);
  }

  /** Ends the ticks, and forgets what was to come. */
  stop() {
    clearInterval(this.#ticker);
    clearTimeout(this.#timer);
    this.#ticker = this.#timer = this.#requested = null;
  }

  /** How long what a tick writes may stay, ms: until the next one, which may be as late, and take as long, as one of the last. */
  get stay() { return Math.max(TICK, ...this.#stays); }

  /**
   * Asks for an update. Browsers run the timers of a hidden page once a minute, but not so what handles a message: an
   * update that is overdue is made at once, so that an alarm sounds from a hidden page, too.
   * @param {boolean} [calm]  only values have changed
   */
  request(calm = false) {
    this.#requestAfter(calm ? CALM : INTERVAL);
  }

  /** Asks for an update that waits for no interval. Only for what is rare. */
  requestAtOnce() {
    this.#requestAfter(0);
  }

  #requestAfter(interval) {
    const now = this.#monotonic();
    const due = Math.max(now, this.#last + interval);
    if (this.#requested !== null && now - this.#requested > OVERDUE) this.now();
    else if (this.#requested === null || due < this.#due) {
      clearTimeout(this.#timer);
      this.#requested ??= now;
      this.#due = due;
      this.#timer = setTimeout(() => this.now(), due - now);
    }
  }

  /** Makes an update, whatever was asked for. */
  now() {
    clearTimeout(this.#timer);
    this.#timer = this.#requested = null;
    const now = this.#monotonic();
    const before = this.#ticked;
    const tick = now - before >= TICK - SLACK;
    if (tick) this.#ticked = now;
    this.#run(tick);
    this.#last = this.#monotonic();  // after the work: a slow page gets the whole interval for other things
    if (tick && before > -Infinity) this.#stays = [...this.#stays.slice(1 - TICKS), Math.min(LONGEST, this.#last - before)];
  }
}
