/**
 * Keys. Single letters work outside fields only, and can be switched off, for those who speak to their computer. Esc in
 * a field leaves it, and what was written stays.
 */

import { BROWSER, isTyping, recall, remember } from "./dom.js";

const KEY = "clu-ws.letters";

export class Keys {
  #app;
  #letters = recall(BROWSER, KEY) !== "off";

  constructor(app) {
    this.#app = app;
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Whether single letters are shortcuts. */
  get letters() { return this.#letters; }
  set letters(on) {
    this.#letters = on;
    remember(BROWSER, KEY, on ? null : "off");
  }

  #key(event) {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (document.querySelector("dialog[open]") === null) this.#app.palette.show();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.#escape(event);
    else if (event.key.length === 1 && this.#letters && !isTyping(event) && document.querySelector("dialog[open]") === null) this.#letter(event);
    else if (!isTyping(event) && document.querySelector("dialog[open]") === null && this.#app.views.key(event)) event.preventDefault();
  }

  /** Leaves a field, without a change to it: browsers empty a search field on Esc. */
  #escape(event) {
    if (document.querySelector("dialog[open]") !== null) return;
    if (isTyping(event)) {
      if (event.target.closest("#login")) return;
      event.preventDefault();
      event.target.blur();
    } else if (this.#app.drawer.open) {
      this.#app.drawer.close();
    }
  }

  #letter(event) {
    const { router, drawer, arm, views } = this.#app;
    const go = (hash) => () => router.go(hash);
    const action = {
      c: () => this.#app.focusLine(), "/": () => views.search(), p: () => drawer.toggle(), "?": () => this.#app.help.show(),
      o: go("#/"), l: go("#/log"), g: go("#/plot"), b: go("#/board"), a: () => arm.set(!arm.armed),
    }[event.key];
    if (event.repeat && action) return;
    if (action) action();
    else if (!views.key(event)) return;
    event.preventDefault();
  }
}
