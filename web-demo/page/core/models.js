/**
 * The models of actors, for code that needs one now: it asks once when somebody first wants it, and tells when the answer
 * has come or has changed. An actor whose model is not known has a model without commands, and the reason in `problem`.
 */

import { formatJSON } from "../../client/json.js";

/**
 * @typedef {object} ActorModel  the answer to op `model`, see docs/protocol.md
 * @property {"known"|"partial"|"none"|"asking"} state
 * @property {import("../actor/usage.js").CommandModel[]} commands
 * @property {Record<string, object>} keywords
 * @property {string|null} problem
 */

const NOTHING = Object.freeze({ state: "asking", commands: [], keywords: {}, problem: null });

/** Models that are kept: more than any view needs at a time, since one that is not kept is asked for again. */
const MAX_MODELS = 500;

export class Models {
  #ask;
  #known = new Map();
  #asked = new Map();  // actor -> whether it has changed since it was asked
  #listeners = new Set();

  /** @param {(actor: string) => Promise<ActorModel>} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /** Returns what is known now, and asks for what is not. @param {string} actor @returns {ActorModel} */
  get(actor) {
    if (!this.#known.has(actor) && !this.#asked.has(actor)) this.#fetch(actor);
    return this.#known.get(actor) ?? NOTHING;
  }

  /** The model of an actor has changed: it is asked for again if somebody has wanted it. */
  changed(actor) {
    if (this.#known.has(actor) || this.#asked.has(actor)) this.#fetch(actor);
  }

  /** Asks again for all that is known: the link is back, perhaps to another bridge. */
  refresh() {
    for (const actor of this.#known.keys()) this.#fetch(actor);
  }

  /** @param {(actor: string) => void} listener  @returns {() => void} removes it */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #fetch(actor) {
    if (this.#asked.has(actor)) {
      this.#asked.set(actor, true);
      return;
    }
    this.#asked.set(actor, false);
    const model = await this.#answer(actor);
    const stale = this.#asked.get(actor);
    this.#asked.delete(actor);
    if (stale) this.#fetch(actor);
    // One that is as it was stays the same object: a form that somebody fills in is not made anew.
    if (isSame(model, this.#known.get(actor))) return;
    if (this.#known.size >= MAX_MODELS) this.#known.delete(this.#known.keys().next().value);
    this.#known.set(actor, model);
    for (const listener of this.#listeners) listener(actor);
  }

  async #answer(actor) {
    try {
      const { state = "none", commands, keywords, problem = null, ...more } = await this.#ask(actor);
      return { ...more, state, commands: commands ?? [], keywords: keywords ?? {}, problem };
    } catch (error) {
      return { state: "none", commands: [], keywords: {}, problem: error?.message ?? String(error) };
    }
  }
}

/** Whether two answers say the same, whenever they were asked for. */
function isSame({ asked: _, id: __, ...one }, other) {
  if (other === undefined) return false;
  const { asked, id, ...two } = other;
  return formatJSON(one) === formatJSON(two);
}
