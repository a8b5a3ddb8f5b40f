/**
 * Keys. Single letters work outside fields only, and can be switched off, for those who speak to their computer. Esc in
 * a field leaves it, and what was written stays.
 */

import { BROWSER, element, button, isTyping, recall, remember } from "./dom.js";

const KEY = "clu-ws.letters";

const HELP = [
  ["Ctrl K", "find anything: actors, keywords, commands, views, boards"],
  ["c", "to the command line"],
  ["/", "search in this view"],
  ["p", "problems, open or close"],
  ["o l g b", "overview, log, plot, boards"],
  ["a", "arm or disarm commands"],
  ["?", "this help"],
  ["Esc", "leave a field (what is written stays), close what is open"],
  ["arrows, Home, End", "move in lists; Enter opens"],
  ["in Problems: a, A", "acknowledge one, all of its actor"],
];

export class Keys {
  #app;
  #letters = recall(BROWSER, KEY) !== "off";
  #help = document.getElementById("help");

  constructor(app) {
    this.#app = app;
    this.#buildHelp();
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  showHelp() {
    if (!this.#help.open) this.#help.showModal();
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
      c: () => this.#app.focusLine(), "/": () => views.search(), p: () => drawer.toggle(), "?": () => this.showHelp(),
      o: go("#/"), l: go("#/log"), g: go("#/plot"), b: go("#/board"), a: () => arm.set(!arm.armed),
    }[event.key];
    if (event.repeat && action) return;
    if (action) action();
    else if (!views.key(event)) return;
    event.preventDefault();
  }

  #buildHelp() {
    const letters = element("input", { type: "checkbox", id: "letters", on: { change: () => {
      this.#letters = letters.checked;
      remember(BROWSER, KEY, letters.checked ? null : "off");
    } } });
    letters.checked = this.#letters;
    this.#help.append(element("h2", { id: "help-title", text: "Keys" }),
      element("dl", { class: "keys-list" }, ...HELP.map(([keys, what]) => element("div", {}, element("dt", {}, element("kbd", { text: keys })), element("dd", { text: what })))),
      element("label", { class: "check" }, letters, "single letters are shortcuts"),
      element("div", { class: "buttons" }, button("Close", () => this.#help.close())));
    this.#help.addEventListener("click", (event) => { if (event.target === this.#help) this.#help.close(); });
  }
}
