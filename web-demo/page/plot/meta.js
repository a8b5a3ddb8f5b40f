/** What is known of the keywords of a plot beside their values: units and limits, from the site and the models of actors. */

import { memberOf } from "./source.js";

/** @typedef {{unit: string, limits: {value: number, name: "warn"|"error"}[]}} Meta */

const UNKNOWN = Object.freeze({ unit: "", limits: [] });

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
  of({ name, actor, path }) {
    const own = this.#app.site?.keywords?.[name];
    const told = this.#told(actor, path);
    if (!own && !told) return UNKNOWN;
    const limits = [["low", "warn"], ["high", "warn"], ["low_critical", "error"], ["high_critical", "error"]]
      .filter(([key]) => own?.[key] !== null && own?.[key] !== undefined)
      .map(([key, level]) => ({ value: Number(own[key]), name: level }));
    return { unit: own?.unit || told?.unit || "", limits };
  }

  #told(actor, path) {
    if (!this.#models.has(actor)) this.#ask(actor);
    const model = this.#models.get(actor);
    if (!model?.keywords) return null;
    return path.slice(1).reduce((found, name) => memberOf(found, ["members", name]) ?? memberOf(found, ["items"]) ?? null, memberOf(model.keywords, [path[0]]) ?? null);
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
