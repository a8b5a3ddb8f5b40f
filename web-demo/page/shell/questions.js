/**
 * What views ask the bridge for, and what is kept of the answers: the site, models of actors, the history of keywords.
 * CLU's own server answers none of it; then the promise says so in a sentence, and the site is empty.
 */

/** A site about which nothing is known. */
export const NO_SITE = Object.freeze({ title: "", keywords: byName({}), conditions: [], pins: byName({}), dangerous: [], boards: [] });

/** What is looked up by the names of actors, which may be `constructor` or `__proto__`. */
function byName(object) {
  return Object.assign(Object.create(null), object);
}

export class Questions {
  #clu;
  #site = NO_SITE;
  #siteListeners = new Set();
  #models = new Map();  // actor -> promise
  #modelListeners = new Set();

  /** @param {object} clu */
  constructor(clu) {
    this.#clu = clu;
    clu.on("notice", ({ op, actor }) => {
      if (op === "site") this.#askSite();
      if (op !== "model") return;
      this.#models.delete(actor);
      for (const listener of this.#modelListeners) listener(actor);
    });
    clu.on("hello", () => {
      this.#models.clear();
      this.#askSite();
    });
  }

  get site() { return this.#site; }

  /** Calls `listener` with the site, whenever it has changed. @returns {() => void} ends it */
  onSite(listener) {
    this.#siteListeners.add(listener);
    return () => this.#siteListeners.delete(listener);
  }

  /** Calls `listener` with the name of an actor whose model has changed. @returns {() => void} ends it */
  onModel(listener) {
    this.#modelListeners.add(listener);
    return () => this.#modelListeners.delete(listener);
  }

  /** The model of an actor, as the bridge has it. @returns {Promise<object>} */
  model(actor) {
    let asked = this.#models.get(actor);
    if (!asked) {
      asked = this.#ask("model", actor);
      this.#models.set(actor, asked);
      // A model that is still being asked for is asked again when the bridge says that it has come.
      const forget = () => { if (this.#models.get(actor) === asked) this.#models.delete(actor); };
      asked.then(({ state }) => { if (state === "asking") forget(); }, forget);
    }
    return asked;
  }

  /** The history of keywords. @returns {Promise<object>} */
  history(keywords, range) {
    return this.#ask("history", keywords, range);
  }

  async #ask(what, ...rest) {
    return this.#clu[what](...rest);
  }

  async #askSite() {
    try {
      const site = await this.#ask("site");
      this.#site = { ...NO_SITE, ...site, keywords: byName(site.keywords ?? {}), pins: byName(site.pins ?? {}) };
    } catch {
      return;  // what was known of it stays
    }
    for (const listener of this.#siteListeners) listener(this.#site);
  }
}
