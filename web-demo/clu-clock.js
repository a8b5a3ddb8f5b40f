/**
 * The bridge's clock, seen from here. A page shows how old a value is, and an observatory's computers and an astronomer's
 * laptop do not always agree on the time.
 */

/** ms by which two clocks may differ and count as one: a message takes time to come, too. */
const TOLERANCE = 2_000;

export class Clock {
  #ahead = 0;  // ms by which the clock here is ahead of the bridge's

  /** The bridge has said what time it is. @param {string|undefined} time  undefined by one that does not say it */
  hear(time, now = Date.now()) {
    const ahead = now - Date.parse(time ?? "");
    this.#ahead = Math.abs(ahead) > TOLERANCE ? ahead : 0;  // false for NaN
  }

  /** Brings a snapshot's times to the clock here, as ISO texts. */
  translate(snapshot) {
    if (this.#ahead === 0) return snapshot;
    const actors = Object.entries(snapshot.actors ?? {}).map(([name, actor]) => {
      const keywords = Object.entries(actor.keywords ?? {}).map(([keyword, entry]) => [keyword, this.#moved(entry)]);
      return [name, { ...this.#moved(actor), keywords: Object.fromEntries(keywords) }];
    });
    return { ...snapshot, actors: Object.fromEntries(actors) };
  }

  #moved(entry) {
    const time = new Date(Date.parse(entry.time) + this.#ahead);
    return Number.isNaN(time.getTime()) ? entry : { ...entry, time: time.toISOString() };
  }
}
