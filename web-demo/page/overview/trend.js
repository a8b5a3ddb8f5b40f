/** The last hour of a number, for a sparkline. Nothing here depends on the page. */

/** How far back a line goes, ms. */
export const SPAN = 3_600_000;

/** Points that are kept; more than a sparkline has pixels. */
const MAX_POINTS = 160;

/** A line is drawn as if it were at least this long, ms: the noise of some seconds must not fill it. */
const SHORTEST = 60_000;

export class Trend {
  #points = [];  // [time, min, max], by time
  #coarse = 0;   // ms that a point covers at least

  /** Takes a value. @param {number} time  ms @param {*} value  anything but a finite number is left out */
  add(time, value) {
    this.span(time, value, value);
  }

  /** Takes the least and the greatest value of a time. Times may come in any order. */
  span(time, min, max) {
    if (!Number.isFinite(min) || !Number.isFinite(max)) return;
    let at = this.#points.length;
    while (at > 0 && this.#points[at - 1][0] > time) at -= 1;
    const before = this.#points[at - 1];
    if (before && time - before[0] < this.#coarse) {
      before[1] = Math.min(before[1], min);
      before[2] = Math.max(before[2], max);
      return;
    }
    this.#points.splice(at, 0, [time, min, max]);
    if (this.#points.length > MAX_POINTS) this.#thin();
  }

  /** Drops what is older than the line, and joins points if there are still too many. */
  #thin() {
    const newest = this.#points.at(-1)[0];
    const kept = this.#points.filter(([time]) => time > newest - SPAN);
    this.#points = kept;
    if (kept.length <= 0.75 * MAX_POINTS) return;
    this.#coarse = Math.max(2 * this.#coarse, 2 * (newest - kept[0][0]) / MAX_POINTS);
    this.#points = [];
    for (const [time, min, max] of kept) this.span(time, min, max);
  }

  /** The points of the line at a time. */
  #shown(now) {
    return this.#points.filter(([time]) => time > now - SPAN && time <= now + 1_000);
  }

  /** Since when there are values, ms; at most an hour before `now`. */
  start(now) {
    return Math.max(now - SPAN, Math.min(this.#points[0]?.[0] ?? now, now - SHORTEST));
  }

  /**
   * The path of the line in a box of 60 x 10, "" if there is nothing to draw. It begins where the values begin, and a
   * value that keeps for a while is a line to the next one.
   * @param {number} now  ms
   */
  path(now) {
    const shown = this.#shown(now);
    if (shown.length < 2) return "";
    const [least, most] = extent(shown);
    const start = this.start(now);
    const x = (time) => (60 * (time - start) / (now - start)).toFixed(1);
    const y = (value) => (most === least ? 5 : 9.5 - 9 * (value - least) / (most - least)).toFixed(1);
    let last = shown[0][1];
    return shown.map(([time, min, max], at) => {
      // First the end that is nearer to where the line is: the other way it would jump to and fro at each point.
      const [first, then] = Math.abs(last - max) < Math.abs(last - min) ? [max, min] : [min, max];
      last = then;
      return `${at === 0 ? "M" : "L"}${x(time)} ${y(first)}${then === first ? "" : `L${x(time)} ${y(then)}`}`;
    }).join("");
  }

  /** The least and the greatest of the values that are drawn, or null. @param {number} now  ms */
  extent(now) {
    const shown = this.#shown(now);
    return shown.length === 0 ? null : extent(shown);
  }
}

function extent(points) {
  let [least, most] = [Infinity, -Infinity];
  for (const [, min, max] of points) {
    least = Math.min(least, min);
    most = Math.max(most, max);
  }
  return [least, most];
}
