/** The theme: as the system has it, day, dark, or red for the night. The choice is kept in this browser (see early.js). */

import { BROWSER, recall, remember } from "./dom.js";

const KEY = "clu-ws.theme";

export const THEMES = { system: "as the system", day: "day", dark: "dark", night: "night (red)" };

export class Theme {
  #choice;
  #listeners = new Set();
  #light = matchMedia("(prefers-color-scheme: light)");

  constructor() {
    const kept = recall(BROWSER, KEY);
    this.#choice = Object.hasOwn(THEMES, kept) ? kept : "system";
    this.#light.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  /** What was chosen, one of THEMES. */
  get choice() { return this.#choice; }

  /** What is shown: "day", "dark" or "night". */
  get shown() {
    if (this.#choice !== "system") return this.#choice;
    return this.#light.matches ? "day" : "dark";
  }

  set(choice) {
    this.#choice = Object.hasOwn(THEMES, choice) ? choice : "system";
    remember(BROWSER, KEY, this.#choice === "system" ? null : this.#choice);
    this.#apply();
  }

  /** Goes from one theme to the next. */
  next() {
    const all = Object.keys(THEMES);
    this.set(all[(all.indexOf(this.#choice) + 1) % all.length]);
  }

  /** Calls `listener` after each change, for what draws with colours of its own. @returns {() => void} ends it */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #apply() {
    document.documentElement.dataset.theme = this.shown;
    for (const listener of this.#listeners) listener(this.shown);
  }
}
