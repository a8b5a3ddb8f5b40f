/** What is known of the keywords of a plot beside their values: units and limits, from the site and the models of actors. */

import { metaOf } from "../actor/reading.js";

/** @typedef {{unit: string, limits: {value: number, name: "warn"|"error"}[]}} Meta */

const NO_MODEL = Object.freeze({ keywords: {} });

export class MetaOfTracks {
  #app;
  #models = new Map();  // actor -> model, or null while it is asked for
  #changed;
  #unhooks;

  /** @param {object} app @param {() => void} changed  called when something has become known */
  constructor(app, changed) {
    this.#app = app;
    this.#changed = changed;
    this.#unhooks = [app.onSite?.(changed), app.onModel?.((actor) => { this.#models.delete(actor); changed(); })].filter(Boolean);
  }

  stop() {
    for (const unhook of this.#unhooks) unhook();
  }

  /** @param {import("./source.js").Track} track @returns {Meta} */
  of({ actor, path }) {
    if (!this.#models.has(actor)) this.#ask(actor);
    const { unit, low, high, lowCritical, highCritical } = metaOf(actor, path.join("."), this.#models.get(actor) ?? NO_MODEL, this.#app.site);
    const limits = [[low, "warn"], [high, "warn"], [lowCritical, "error"], [highCritical, "error"]]
      .filter(([value]) => value !== null).map(([value, name]) => ({ value: Number(value), name }));
    return { unit, limits };
  }

  async #ask(actor) {
    this.#models.set(actor, null);
    try {
      const model = await this.#app.model(actor);
      if (model.state === "asking") return;  // a notice will follow
      this.#models.set(actor, model);
      this.#changed();
    } catch {
      // Without a model there is no unit, and the axis says so by having none.
    }
  }
}
