/** What is known of the keywords of a plot beside their values: units and limits, from the site and the models of actors. */

import { metaOf } from "../core/meta.js";

/** @typedef {{unit: string, limits: {value: number, name: "warn"|"error"}[]}} Meta */

export class MetaOfTracks {
  #app;
  #unhooks;

  /** @param {object} app @param {() => void} changed  called when something has become known */
  constructor(app, changed) {
    this.#app = app;
    this.#unhooks = [app.onSite(() => changed()), app.models.onChange(() => changed())];
  }

  stop() {
    for (const unhook of this.#unhooks) unhook();
  }

  /** @param {import("./source.js").Track} track @returns {Meta} */
  of({ actor, path }) {
    const { unit, low, high, lowCritical, highCritical } = metaOf(actor, path, this.#app.models.get(actor), this.#app.site);
    const limits = [[low, "warn"], [high, "warn"], [lowCritical, "error"], [highCritical, "error"]]
      .filter(([value]) => value !== null).map(([value, name]) => ({ value: Number(value), name }));
    return { unit, limits };
  }
}
