/** The settings of this browser: theme, sound, keys; and what this server cannot give. */

import { button, element, setText } from "./dom.js";
import { THEMES } from "./theme.js";

export class Menu {
  #app;
  #root = document.getElementById("menu");
  #sound;
  #soundWaits = element("span", { class: "dim" });
  #missing = element("ul", { id: "missing" });
  #shown = null;

  /** @param {object} app */
  constructor(app) {
    this.#app = app;
    const { theme, sound } = app;
    const themes = element("select", { id: "theme", on: { change: () => theme.set(themes.value) } },
      ...Object.entries(THEMES).map(([value, text]) => element("option", { value, text })));
    themes.value = theme.choice;
    this.#sound = element("input", { type: "checkbox", id: "sound", on: { change: () => sound.set(this.#sound.checked) } });
    this.#root.querySelector(".panel-below").append(
      element("label", {}, "Theme ", themes),
      element("label", { class: "check" }, this.#sound, "a sound for new problems"), this.#soundWaits,
      button("Test the sound", () => sound.test(), { id: "sound-test" }),
      button("Keys and help", () => {
        this.#root.open = false;
        app.help.show();
      }, { id: "help-open" }),
      button("Print", () => print()),
      element("section", { "aria-label": "What this server cannot give" }, element("h2", { text: "What this server cannot give" }), this.#missing));
    closesItself(this.#root);
    this.update();
  }

  /** Shows what may have changed elsewhere. */
  update() {
    const { sound, store, clu } = this.#app;
    this.#sound.checked = sound.wanted;
    setText(this.#soundWaits, sound.waiting ? "The browser stays silent until you click or type here." : "");
    const { missing } = store;
    if (this.#shown !== missing) {
      this.#shown = missing;
      this.#missing.replaceChildren(...missing.map(({ text }) => element("li", { text })));
      this.#missing.parentElement.hidden = missing.length === 0;
    }
    this.#root.toggleAttribute("data-missing", missing.length > 0 && clu.state === "open");
  }
}

/** Closes a `details` that lies over the page, on Esc or when the focus or a click goes elsewhere. */
function closesItself(details) {
  details.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !details.contains(relatedTarget)) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.preventDefault();
    event.stopPropagation();
    details.open = false;
    details.querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (details.open && !details.contains(target)) details.open = false;
  });
}
