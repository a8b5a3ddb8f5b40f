/** The dialog that lists the keys. */

import { button, element } from "./dom.js";

const KEYS = [
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

export class Help {
  #dialog = document.getElementById("help");

  /** @param {{letters: boolean}} keys  whether single letters are shortcuts, which can be changed here */
  constructor(keys) {
    const letters = element("input", { type: "checkbox", id: "letters", on: { change: () => { keys.letters = letters.checked; } } });
    letters.checked = keys.letters;
    this.#dialog.append(element("h2", { id: "help-title", text: "Keys" }),
      element("dl", { class: "keys-list" }, ...KEYS.map(([key, what]) => element("div", {}, element("dt", {}, element("kbd", { text: key })), element("dd", { text: what })))),
      element("label", { class: "check" }, letters, "single letters are shortcuts"),
      element("div", { class: "buttons" }, button("Close", () => this.#dialog.close())));
    this.#dialog.addEventListener("click", (event) => { if (event.target === this.#dialog) this.#dialog.close(); });
  }

  show() {
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}
