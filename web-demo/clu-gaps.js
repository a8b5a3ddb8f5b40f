/**
 * Gaps: where replies may be missing, told once each. The bridge gives notice of those in what it heard itself; those
 * between two connections are known here.
 *
 * While a page catches up they are held with all else, for their place among the replies is known only then.
 */

/** The notices that are remembered, for one comes again with each subscription that is resumed. */
const MAX_NOTICES = 20;

export class Gaps {
  #notices = [];
  #interrupted = false;  // the page was told of this connection's gap
  #tell;

  /** @param {(gap: {from: Date|null, to: Date, seconds: number|null, reason: string|null}) => void} tell */
  constructor(tell) {
    this.#tell = tell;
    /** Since when nothing was heard, ms since 1970; null when nothing is owed. @type {number|null} */ this.away = null;
  }

  /** A connection is lost. @param {number|null} lastHeard  ms; null when nobody spoke on it */
  lost(lastHeard) {
    if (lastHeard !== null) this.away ??= lastHeard;
    this.#interrupted = false;
  }

  /** The bridge gives notice. @param {import("./clu-catchup.js").CatchUp|null} catchUp  holds it */
  notice({ from, to, seconds }, catchUp) {
    const key = `${from} ${to}`;
    if (this.#notices.includes(key)) return;
    const gap = { from: from === null ? null : new Date(from), to: new Date(to), seconds, reason: null, key };
    if (catchUp) catchUp.gap(gap, key);
    else this.tell(gap);
  }

  /** Once for each connection: what was said since the last one was lost may be missing. */
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
