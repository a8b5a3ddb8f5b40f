/**
 * What views ask the bridge for: the site, which is kept, and the history of keywords. CLU's own server answers neither;
 * then the promise says so in a sentence, and the site is empty.
 */

import { TEMPORARY } from "../core/missing.js";

/** ms after which a site that the bridge did not tell is asked for again. */
const AGAIN = 1_000;

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
  #asked = 0;         // counts the requests for the site: only the last answer is what one may know now
  #awaited = false;   // the bridge has a site, and has not told it

  /** @param {object} clu */
  constructor(clu) {
    this.#clu = clu;
    clu.on("notice", ({ op }) => { if (op === "site") this.#askSite(); });
    clu.on("hello", () => this.#askSite());
    clu.on("access", ({ changed }) => { if (changed) this.#askSite(); });  // it tells of what one may hear and command
  }

  get site() { return this.#site; }

  /** Whether the site is what the bridge has now: until then, it is not known which commands are dangerous. */
  get siteKnown() { return !this.#awaited; }

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
    this.#asked += 1;
    const asked = this.#asked;
    this.#awaited = this.#clu.capabilities?.includes("site") ?? false;
    let site;
    try {
      site = await this.#ask("site");
    } catch ({ code }) {
      // What was known of it stays. A lost connection asks again by the next hello.
      if (TEMPORARY.has(code)) setTimeout(() => { if (asked === this.#asked) this.#askSite(); }, AGAIN);
      return;
    }
    if (asked !== this.#asked) return;
    this.#awaited = false;
    this.#site = { ...NO_SITE, ...site, keywords: withoutPrototype(site.keywords ?? {}), pins: withoutPrototype(site.pins ?? {}) };
    for (const listener of this.#siteListeners) listener(this.#site);
  }
}
