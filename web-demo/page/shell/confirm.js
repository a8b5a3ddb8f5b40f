/** Asks again before a command that is dangerous at this site. Whatever is unclear is a no. */

import { button, element } from "./dom.js";

export class Confirm {
  #dialog = document.getElementById("confirm");
  #line = element("code", { class: "command" });
  #text = element("p", { id: "confirm-text" });
  #cancel = button("Do not send", () => this.#dialog.close("no"), { id: "confirm-cancel" });
  #send = button("Send", () => this.#dialog.close("yes"), { id: "confirm-send" });
  #answer = null;

  constructor() {
    this.#dialog.append(element("h2", { id: "confirm-title", text: "Send this command?" }), this.#text, this.#line,
      element("div", { class: "buttons" }, this.#cancel, this.#send));
    this.#dialog.addEventListener("close", () => {
      this.#answer?.(this.#dialog.returnValue === "yes" ? null : "it was not confirmed");
      this.#answer = null;
    });
    // A key that is held down since the line was sent must not answer.
    this.#dialog.addEventListener("keydown", (event) => {
      if (event.repeat && event.key !== "Tab") event.preventDefault();
    });
  }

  /**
   * Asks. The focus is on the harmless answer.
   * @returns {Promise<string|null>} null for yes, else why not
   */
  ask(line, why) {
    if (this.#answer !== null) return Promise.resolve("another command waits to be confirmed");
    this.#text.textContent = why;
    this.#line.textContent = line;
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    this.#cancel.focus();
    return new Promise((resolve) => { this.#answer = resolve; });
  }

  /** Ends a question without an answer. The focus goes back to the field, whose line takes two Enters from then on. */
  abandon(why) {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(why);
    if (answer) this.#dialog.close("no");
  }
}
