/** Says above the command line that the tab disarms itself soon, with a way to stay armed, or that it has done so. */

import { button, element, setHidden, setText } from "./dom.js";

/** ms before the end at which it says so. */
const WARNED = 60_000;

export class ArmNote {
  #arm;
  #root = document.getElementById("arm-note");
  #says = element("span", { role: "alert" });
  #left = element("span", { "aria-hidden": "true" });  // it counts down, which nobody wants to hear
  #stay = button("Stay armed", () => this.#act(() => this.#arm.set(true)), { id: "arm-stay" });
  #close = button("Close", () => this.#act(() => { this.#arm.ended = false; }), { id: "arm-note-close" });

  /** @param {import("./arm.js").Arm} arm */
  constructor(arm) {
    this.#arm = arm;
    this.#root.append(this.#says, this.#left, this.#stay, this.#close);
    arm.onChange(() => this.#render());
    setInterval(() => this.#render(), 1_000);
    this.#render();
  }

  /** Does what a button says. The note goes by that, and the focus to where another Enter does nothing. */
  #act(work) {
    work();
    this.#render();
    document.getElementById("view").focus({ preventScroll: true });
  }

  #render() {
    const { armed, left, ended } = this.#arm;
    const ending = armed && left <= WARNED;
    const focused = this.#root.contains(document.activeElement);
    setHidden(this.#root, !ending && !ended);
    setHidden(this.#stay, !ending);
    setHidden(this.#close, ending);
    setText(this.#says, ending ? "No command was sent for nearly eight hours: this tab disarms itself within a minute."
      : ended ? "No command was sent for eight hours: this tab has disarmed itself, and sends only commands that read." : "");
    setHidden(this.#left, !ending);
    setText(this.#left, ending ? `${Math.ceil(left / 1_000)} s` : "");
    if (focused && ended) this.#close.focus();
  }
}
