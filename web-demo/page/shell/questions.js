/**
 * What views ask the bridge for: the site, which is kept, and the history of keywords. CLU's own server answers neither;
 * then the promise says so in a sentence, and the site is empty.
 */

/** A site about which nothing is known. */
const NO_SITE = Object.freeze({ title: "", keywords: withoutPrototype({}), conditions: [], pins: withoutPrototype({}), dangerous: [], boards: [] });

/** What is looked up by the names of actors, which may be `constructor` or `__proto__`. */
function withoutPrototype(object) {
  return Object.assign(Object.create(null), object);
}

export class Questions {
  #clu;
  #site = NO_SITE;
  #siteListeners = new Set();

  /** @param {object} clu */
  constructor(clu) {
    this.#clu = clu;
    clu.on("notice", ({ op }) => { if (op === "site") this.#askSite(); });
    clu.on("hello", () => this.#askSite());
  }

  get site() { return this.#site; }

  /** Calls `listener` with the site, whenever it has changed. @returns {() => void} ends it */
  onSite(listener) {
    this.#siteListeners.add(listener);
    return () => this.#siteListeners.delete(listener);
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
      this.#site = { ...NO_SITE, ...site, keywords: withoutPrototype(site.keywords ?? {}), pins: withoutPrototype(site.pins ?? {}) };
    } catch {
      return;  // what was known of it stays
    }
    for (const listener of this.#siteListeners) listener(this.#site);
  }
}
