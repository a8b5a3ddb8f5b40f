/** Selects the replies that are shown: by words, by code, with or without internal ones. */

import { CODES } from "../client/clu.js";
import { compactJSON } from "./format.js";

export class Filter {
  #words = [];
  #hidden = new Set();  // codes; "?" stands for all unknown ones
  hideInternal = false;

  /** All words must occur; a leading minus excludes. Case does not matter. */
  set text(text) {
    this.#words = text.toLowerCase().split(/\s+/).filter((word) => word !== "" && word !== "-");
  }

  /** @returns {boolean} whether the code is shown now */
  toggle(code) {
    if (!this.#hidden.delete(code)) this.#hidden.add(code);
    return !this.#hidden.has(code);
  }

  get active() {
    return this.#words.length > 0 || this.#hidden.size > 0 || this.hideInternal;
  }

  /**
   * Whether an entry is shown. One without a reply marks missing replies, and is always shown.
   * @param {{reply: import("../client/reply.js").Reply|null, text?: string}} entry  `text` caches what is searched
   */
  accepts(entry) {
    const { reply } = entry;
    if (reply === null) return true;
    if (this.hideInternal && reply.internal) return false;
    if (this.#hidden.has(Object.hasOwn(CODES, reply.code) ? reply.code : "?")) return false;
    if (this.#words.length === 0) return true;
    entry.text ??= [reply.sender, reply.code, reply.commandId, reply.commanderId, compactJSON(reply.body)].join(" ").toLowerCase();
    return this.#words.every((word) => (word.startsWith("-") ? !entry.text.includes(word.slice(1)) : entry.text.includes(word)));
  }
}
