/** The last hour of a number, in minutes, for a sparkline. Nothing here depends on the page. */

const MINUTE = 60_000;

/** Minutes that are kept. */
export const MINUTES = 60;

export class Trend {
  #minutes = new Map();  // minute -> [min, max]

  /** Takes a value. @param {number} time  ms @param {*} value  anything but a finite number is left out */
  add(time, value) {
    this.span(time, value, value);
  }

  /** Takes the least and the greatest value of a time. */
  span(time, min, max) {
    if (!Number.isFinite(min) || !Number.isFinite(max)) return;
    const minute = Math.floor(time / MINUTE);
    const known = this.#minutes.get(minute);
    if (known) {
      known[0] = Math.min(known[0], min);
      known[1] = Math.max(known[1], max);
      return;
    }
    this.#minutes.set(minute, [min, max]);
    if (this.#minutes.size <= 2 * MINUTES) return;
    for (const old of [...this.#minutes.keys()].sort((a, b) => a - b).slice(0, this.#minutes.size - MINUTES)) this.#minutes.delete(old);
  }

  /**
   * The path of the line in a box of MINUTES x 10, "" if there is nothing to draw. A value that keeps for a while is a
   * line to the next one, as keywords are published on change.
   * @param {number} now  ms
   */
  path(now) {
    const last = Math.floor(now / MINUTE);
    const shown = [...this.#minutes].filter(([minute]) => minute > last - MINUTES && minute <= last).sort(([a], [b]) => a - b);
    if (shown.length < 2) return "";
    const [min, max] = extent(shown);
    const y = (value) => (max === min ? 5 : 9.5 - 9 * (value - min) / (max - min)).toFixed(1);
    return shown.map(([minute, [low, high]], at) => {
      const x = minute - (last - MINUTES);
      return `${at === 0 ? "M" : "L"}${x} ${y(low)}${high === low ? "" : `L${x} ${y(high)}`}`;
    }).join("");
  }

  /** The least and the greatest of the values that are kept, or null. */
  get extent() {
    return this.#minutes.size === 0 ? null : extent([...this.#minutes]);
  }
}

function extent(minutes) {
  let [min, max] = [Infinity, -Infinity];
  for (const [, [low, high]] of minutes) {
    min = Math.min(min, low);
    max = Math.max(max, high);
  }
  return [min, max];
}
