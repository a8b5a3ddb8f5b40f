/**
 * Keys. Single letters work outside fields only, and can be switched off, for those who speak to their computer. Esc in
 * a field leaves it, and what was written stays.
 *
 * A field may lose the focus without a hand: it was disabled, or taken away. Who is typing looks at the field and not at
 * the focus, and the next letter is no shortcut: it goes back into the field, or nowhere. Only a key that leaves a field,
 * or the pointer, gives the letters back their meaning.
 */

import { BROWSER, isTyping, recall, remember } from "./dom.js";

/** Keys that leave a field, wherever the focus is then. After others it was left only if something else has the focus. */
const LEAVING = new Set(["Escape", "Tab"]);

const KEY = "clu-ws.letters";

export class Keys {
  #app;
  #letters = recall(BROWSER, KEY) !== "off";
  #field = null;      // where somebody typed last, null once it was left by hand
  #hand = "";         // what was done last: "typed", "left", or "other", which may have moved the focus

  constructor(app) {
    this.#app = app;
    document.addEventListener("keydown", (event) => this.#done(event), true);
    document.addEventListener("pointerdown", () => { this.#hand = "left"; }, true);
    document.addEventListener("focusin", (event) => this.#focused(event));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Whether single letters are shortcuts. */
  get letters() { return this.#letters; }
  set letters(on) {
    this.#letters = on;
    remember(BROWSER, KEY, on ? null : "off");
  }

  #done(event) {
    if (LEAVING.has(event.key)) this.#hand = "left";
    else if (event.key.length > 1 || event.ctrlKey || event.metaKey || event.altKey) this.#hand = this.#hand === "left" ? "left" : "other";
    else if (isTyping(event)) this.#hand = "typed";
  }

  #focused(event) {
    if (isTyping(event)) {
      this.#field = event.target;
      this.#hand = "typed";
    } else if (this.#hand !== "typed") {
      this.#field = null;
    }
  }

  /** Whether a letter was meant for a field that has lost the focus. If the field is still there it has the focus again. */
  #typedOn() {
    const field = this.#field;
    if (field === null || this.#hand === "left" || document.activeElement !== document.body) return false;
    if (field.isConnected && !field.disabled && field.checkVisibility()) field.focus();
    else this.#app.notify("Not typed: the field where you wrote has been closed. Press Esc, and letters are shortcuts again.", { urgent: true });
    return true;
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
    if (this.#typedOn()) return;
    const { router, drawer, arm, views } = this.#app;
    const go = (hash) => () => router.go(hash);
    const action = {
      c: () => this.#app.focusLine(), "/": () => views.search(), p: () => drawer.toggle(), "?": () => this.#app.help.show(),
      o: go("#/"), l: go("#/log"), g: go("#/plot"), b: go("#/board"), a: () => this.#arm(arm, drawer),
    }[event.key];
    if (event.repeat && action) return;
    if (action) action();
    else if (!views.key(event)) return;
    event.preventDefault();
  }

  /** Arms or disarms the tab, unless `a` may have been meant for a problem: in the open drawer it acknowledges. */
  #arm(arm, drawer) {
    if (drawer.open && document.activeElement?.closest("#view, #dock, #bar") == null) {
      this.#app.notify("Nothing was done: no problem has the focus. To arm or disarm this tab by the key a, close the problems first.");
    } else {
      arm.set(!arm.armed);
    }
  }
}
