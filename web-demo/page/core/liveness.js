/**
 * Whether an actor is alive, by its rhythm: how often it usually broadcasts.
 *
 * The bridge knows the rhythm of actors from before this page was loaded, and sends it. From CLU's own server nothing of
 * that comes, and the page finds the rhythm itself, for as long as it has been open.
 */

/** Seconds for which a bridge does not answer until nothing is known any more. */
export const SILENT_AFTER = 3;

/** Whether the bridge hears replies when its link to the broker is in this state. CLU's own server does not say it. */
export function hears(state) {
  return state !== "down" && state !== "no_replies";
}

/** An actor is quiet after so many times its interval, as the bridge has it for its problem `silent`. */
const FACTOR = 4;

/** An actor is not quiet before this time, ms. */
const AT_LEAST = 5_000;

/** Broadcasts after which an interval counts as a rhythm. */
const STEADY_AFTER = 5;

/** An actor that broadcasts less often than this has no rhythm that a page could find, ms. */
const LONGEST = 60_000;

/**
 * What is known of an actor's life:
 *
 * - "alive": it keeps its rhythm, or has none
 * - "quiet": it has been silent for too long
 * - "absent": nothing takes its commands: it is not running
 * - "unknown": this page is not connected, or the bridge hears no replies
 * @typedef {"alive"|"quiet"|"absent"|"unknown"} Liveness
 */

/**
 * @param {{time: number, interval: number|null, consumer: boolean|null}} actor  `time` of its last reply, ms
 * @param {number} now   by the same clock, ms
 * @param {boolean} heard  whether replies could be heard all the time
 * @returns {Liveness}
 */
export function livenessOf({ time, interval, consumer }, now, heard) {
  if (!heard) return "unknown";
  if (consumer === false) return "absent";
  return interval !== null && now - time > quietAfter(interval) ? "quiet" : "alive";
}

/** How long an actor with this interval may be silent, ms. */
export function quietAfter(interval) {
  return Math.max(AT_LEAST, FACTOR * interval);
}

/** The rhythm of an actor, found from its broadcasts. */
export class Rhythm {
  #count = 0;
  #last = 0;
  #mean = 0;

  /** Counts a broadcast. @param {number} time  ms */
  broadcast(time) {
    if (time < this.#last) return;
    const gap = time - this.#last;
    this.#count += 1;
    this.#last = time;
    if (this.#count === 2) this.#mean = gap;
    else if (this.#count > 2) this.#mean = 0.8 * this.#mean + 0.2 * gap;
  }

  /** The usual interval, ms; null without a rhythm. @returns {number|null} */
  get interval() {
    return this.#count >= STEADY_AFTER && this.#mean <= LONGEST ? this.#mean : null;
  }
}
