/**
 * Gaps: places where replies may be missing, each reported once. The bridge sends notices of gaps in its own link; gaps
 * between two connections are detected here.
 *
 * While a page catches up they are buffered with everything else, because their place among the replies is known only
 * afterwards.
 */

/** How many notices are remembered: each is repeated for every subscription that resumes. */
const MAX_NOTICES = 20;

/**
 * How long a reply may be on its way from the broker to a bridge that does not say that it hears none, ms. One that was published so
 * shortly before a connection was last heard of may not have come over it.
 */
export const BROKER_DELAY = 5_000;

export class Gaps {
  #notices = [];
  #reported = false;  // the gap before this connection was reported
  #held = null;       // {since, reason} of one that is reported on the next connection
  #emit;
  #ahead;

  /**
   * @param {(gap: {from: Date|null, to: Date, seconds: number|null, reason: string|null}) => void} emit
   * @param {() => number} ahead  ms by which this computer's clock is ahead of the bridge's
   */
  constructor(emit, ahead = () => 0) {
    this.#emit = emit;
    this.#ahead = ahead;
    /** Since when nothing was received, ms since 1970 by this computer's clock; null without a gap. @type {number|null} */ this.since = null;
  }

  /** Handles a lost connection. @param {number|null} lastHeard  ms; null if nothing was received on it */
  disconnected(lastHeard) {
    if (lastHeard !== null) this.since ??= lastHeard;
    this.#reported = false;
  }

  /** Notes that from here on, or since the last connection was lost, replies are missing until the next connection. */
  hold(reason) { this.#held ??= { since: this.since ?? Date.now(), reason }; }

  /** Reports on a new connection what was missed on the last one. */
  reportHeld(catchUp) {
    if (this.#held === null) return;
    const { since, reason } = this.#held;
    this.#held = null;
    this.since = Math.min(this.since ?? since, since);
    this.reportInterruption(reason, catchUp);
  }

  /**
   * Handles a notice of the bridge.
   * @param {{from: string|null, to: string, seconds: number|null}} message
   * @param {import("./catchup.js").CatchUp|null} catchUp  buffers it, if present
   */
  notice({ from, to, seconds }, catchUp) {
    const key = `${from} ${to}`;
    if (this.#notices.includes(key)) return;
    const gap = { from: from === null ? null : new Date(from), to: new Date(to), seconds, reason: null, key };
    if (catchUp) catchUp.gap(gap, key);
    else this.report(gap);
  }

  /**
   * Reports, once for each connection, that replies since the last one was lost may be missing.
   * @param {number} [after]  the last number before them, while catching up
   */
  reportInterruption(reason, catchUp, after = -1) {
    if (this.since === null || (this.#reported && !catchUp?.hasGap(""))) return;
    this.#reported = true;
    const to = Date.now();
    const ahead = this.#ahead();  // the times of notices are the bridge's, too
    const from = this.since - BROKER_DELAY;
    const gap = { from: new Date(from - ahead), to: new Date(to - ahead), seconds: (to - from) / 1_000, reason };
    if (catchUp) catchUp.gap(gap, "", after);
    else this.report(gap);
  }

  /** @param {{from: Date|null, to: Date, seconds: number|null, reason: string|null, key?: string}} gap  with the key of a notice */
  report({ key = "", ...gap }) {
    if (key) this.#notices = [...this.#notices.slice(1 - MAX_NOTICES), key];
    this.#emit(gap);
  }
}
