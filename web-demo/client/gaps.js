/**
 * Gaps: where replies may be missing, each reported once. The bridge sends notices of gaps in its own link; gaps
 * between two connections are found here.
 *
 * While a page catches up they are held with everything else, because their place among the replies is known only
 * afterwards.
 */

/** How many notices are remembered: each comes again with every subscription that resumes. */
const MAX_NOTICES = 20;

export class Gaps {
  #notices = [];
  #interrupted = false;  // the gap before this connection was reported
  #tell;

  /** @param {(gap: {from: Date|null, to: Date, seconds: number|null, reason: string|null}) => void} tell */
  constructor(tell) {
    this.#tell = tell;
    /** Since when nothing was heard, ms since 1970; null without a gap. @type {number|null} */ this.away = null;
  }

  /** Notes a lost connection. @param {number|null} lastHeard  ms; null if nothing was heard on it */
  lost(lastHeard) {
    if (lastHeard !== null) this.away ??= lastHeard;
    this.#interrupted = false;
  }

  /** Handles a notice of the bridge. @param {import("./catchup.js").CatchUp|null} catchUp  holds it */
  notice({ from, to, seconds }, catchUp) {
    const key = `${from} ${to}`;
    if (this.#notices.includes(key)) return;
    const gap = { from: from === null ? null : new Date(from), to: new Date(to), seconds, reason: null, key };
    if (catchUp) catchUp.gap(gap, key);
    else this.tell(gap);
  }

  /** Reports, once for each connection, that replies since the last one was lost may be missing. */
  interrupt(reason, catchUp) {
    if (this.away === null || this.#interrupted) return;
    this.#interrupted = true;
    const to = Date.now();
    const gap = { from: new Date(this.away), to: new Date(to), seconds: (to - this.away) / 1_000, reason };
    if (catchUp) catchUp.gap(gap, "", -1);
    else this.tell(gap);
  }

  tell({ key, ...gap }) {
    if (key) this.#notices = [...this.#notices.slice(1 - MAX_NOTICES), key];
    this.#tell(gap);
  }
}
