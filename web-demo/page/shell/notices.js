/** The last event as a sentence, below the command line; and the ones before it, which the drawer lists. */

import { setText } from "./dom.js";

const MAX_KEPT = 50;
const MAX_CHARS = 500;

export class Notices {
  #line = document.getElementById("notice");
  #now;
  /** The newest first. @type {{time: number, text: string}[]} */
  kept = [];

  /** @param {() => number} now  the bridge's clock, ms */
  constructor(now) {
    this.#now = now;
  }

  /** @param {string} text  a sentence @param {{urgent?: boolean}} [options] */
  show(text, { urgent = false } = {}) {
    const time = this.#now();
    this.kept = [{ time, text: text.slice(0, MAX_CHARS) }, ...this.kept].slice(0, MAX_KEPT);
    this.#line.setAttribute("role", urgent ? "alert" : "status");
    setText(this.#line, `${new Date(time).toISOString().slice(11, 19)} ${text.slice(0, MAX_CHARS)}`);
    this.#line.title = text;
    this.#line.toggleAttribute("data-urgent", urgent);
  }
}
