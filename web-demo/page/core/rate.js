/** How many replies come in a second. */

/** Seconds over which it is averaged. */
const WINDOW = 3;

export class Rate {
  #seconds = [];
  #count = 0;
  #since = 0;
  /** Replies in a second, averaged. */ value = 0;

  reply() { this.#count += 1; }

  /** Ends a second. @param {number} now  ms */
  second(now) {
    const passed = this.#since === 0 ? 1 : Math.max(0.5, (now - this.#since) / 1_000);
    this.#since = now;
    this.#seconds.push(this.#count / passed);
    this.#count = 0;
    if (this.#seconds.length > WINDOW) this.#seconds.shift();
    this.value = this.#seconds.reduce((sum, n) => sum + n, 0) / this.#seconds.length;
  }
}
