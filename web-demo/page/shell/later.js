/** A part of the shell that is loaded when somebody first wants it, or once the page has been connected for a moment. */

import { isTyping } from "./dom.js";

export class Later {
  #load;
  #failed;
  #loading = null;
  /** The part, null before it is loaded. */
  made = null;

  /** @param {() => Promise<object>} load @param {(error: Error) => void} failed  it could not be loaded for somebody who wants it */
  constructor(load, failed) {
    this.#load = load;
    this.#failed = failed;
  }

  /** Loads it. A failure is forgotten: the next attempt may succeed. */
  async prepare() {
    this.#loading ??= this.#load();
    try {
      this.made = await this.#loading;
    } catch (error) {
      this.#loading = null;
      throw error;
    }
  }

  /** Does something that takes the focus; but not if somebody has begun to type while it was loaded. */
  show(work) {
    const from = document.activeElement;
    return this.with((part) => { if (document.activeElement === from || !isTyping({ target: document.activeElement })) work(part); });
  }

  /** Does something with it, as soon as it is there. @param {(part: object) => void} work */
  async with(work) {
    try {
      if (this.made === null) await this.prepare();
    } catch (error) {
      this.#failed(error);
      return;
    }
    work(this.made);
  }
}
