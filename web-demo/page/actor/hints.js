/**
 * The list of completions under a field: the pattern of an editable combobox with a list (WAI-ARIA 1.2). The focus stays
 * in the field; the arrow keys move through the list, and Enter takes the chosen one into the line, which sends nothing.
 */

import { element, setText } from "../shell/dom.js";

/** What is drawn; who has more actors than this types another letter. */
const MAX_SHOWN = 1_000;

/** Kinds that are named, because the text does not show them. */
const KINDS = { recent: "sent before" };

export class Hints {
  #input;
  #onTake;
  #candidates = [];
  #chosen = -1;
  #list = element("ul", { id: "command-hints", role: "listbox", "aria-label": "Completions" });
  #hint = element("p", { class: "expected" });
  root = element("div", { class: "hints", hidden: true }, this.#hint, this.#list);

  /** @param {HTMLInputElement} input @param {(candidate: import("./completion.js").Candidate) => void} onTake */
  constructor(input, onTake) {
    this.#input = input;
    this.#onTake = onTake;
    input.setAttribute("aria-controls", "command-hints");
    // The field keeps the focus: a click in the list must not close it before it is one.
    this.root.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) onTake(this.#candidates[Number(option.dataset.index)]);
    });
    this.close();
  }

  get open() { return !this.root.hidden; }

  /** The one that the arrow keys are at, or null. */
  get chosen() { return this.#candidates[this.#chosen] ?? null; }

  get count() { return this.#candidates.length; }

  /** @param {import("./completion.js").Completion} completion */
  show({ candidates, hint }) {
    this.#candidates = candidates.slice(0, MAX_SHOWN);
    this.#list.replaceChildren(...this.#candidates.map(option));
    const more = candidates.length - this.#candidates.length;
    setText(this.#hint, [hint, more > 0 ? `${more} more: type another letter` : null].filter(Boolean).join(" · "));
    this.#hint.hidden = this.#hint.textContent === "";
    this.#list.hidden = this.#candidates.length === 0;
    this.#choose(-1);
    this.root.hidden = this.#list.hidden && this.#hint.hidden;
    this.#input.setAttribute("aria-expanded", String(!this.root.hidden && !this.#list.hidden));
  }

  close() {
    this.root.hidden = true;
    this.#candidates = [];
    this.#choose(-1);
    this.#input.setAttribute("aria-expanded", "false");
  }

  /** Moves through the list. @returns {boolean} false if it is not open, or at its end */
  move(step) {
    if (!this.open || this.#candidates.length === 0) return false;
    const at = this.#chosen + step;
    if (at < -1) return false;
    this.#choose(Math.min(at, this.#candidates.length - 1));
    return true;
  }

  /** Takes the chosen one. @returns {boolean} whether there is one */
  take() {
    const { chosen } = this;
    if (chosen) this.#onTake(chosen);
    return chosen !== null;
  }

  #choose(at) {
    this.#list.children[this.#chosen]?.setAttribute("aria-selected", "false");
    this.#chosen = at;
    const option = this.#list.children[at];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.#input.setAttribute("aria-activedescendant", option.id);
    else this.#input.removeAttribute("aria-activedescendant");
  }
}

function option({ text, detail, kind, reason }, index) {
  return element("li", { id: `command-hint-${index}`, role: "option", "aria-selected": "false", data: { index, kind, ...(reason && { warned: "" }) } },
    element("span", { class: "text", text }),
    element("span", { class: "kind", text: KINDS[kind] ?? "" }),
    element("span", { class: "detail", text: reason ? `⚠ ${reason}` : detail }));
}
