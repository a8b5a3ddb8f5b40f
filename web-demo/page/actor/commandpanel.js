/**
 * The commands of everybody over the command line, on every view: a button that says how many run and how the last of this
 * page ended, and the list. A command that is sent opens it, unless it was closed in this tab.
 */

import { TAB, element, recall, remember, setText } from "../shell/dom.js";
import { CommandList, countRunning } from "./commands.js";

const KEY = "clu-ws.commands";

export class CommandPanel {
  #app;
  #list;
  #shut = recall(TAB, KEY) === "shut";
  #button = element("button", { id: "commands-toggle", type: "button", "aria-expanded": "false", "aria-controls": "commands-panel" });
  #panel = element("section", { id: "commands-panel", "aria-label": "Commands", tabindex: "-1", hidden: true });

  constructor(app) {
    this.#app = app;
    this.#button.addEventListener("click", () => this.#toggle());
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#show(false);
      this.#button.focus();
    });
    this.#list = new CommandList(app, { root: this.#panel, id: "commands" });
    this.#list.hidden = true;
    this.#render();
  }

  /** The list, and the button that opens it. */
  get parts() { return { panel: this.#panel, button: this.#button }; }

  /** A command was sent from the command line. */
  sent() {
    if (!this.#shut) this.#show(true);
  }

  update(changes) {
    this.#list.update(changes);
    if (changes.commands) this.#render();
  }

  #render() {
    const { store } = this.#app;
    const running = countRunning(store);
    const last = [...store.commands.values()].findLast(({ own }) => own !== null);
    this.#button.dataset.state = last?.state ?? "";
    this.#button.dataset.running = String(running);
    setText(this.#button, `${running} running${last ? ` · ${last.consumer} ${last.command_string}: ${last.state}` : ""}`);
  }

  #toggle() {
    const open = this.#panel.hidden;
    this.#shut = !open;
    remember(TAB, KEY, open ? null : "shut");
    this.#show(open);
  }

  #show(open) {
    this.#panel.hidden = !open;
    this.#list.hidden = !open;
    this.#button.setAttribute("aria-expanded", String(open));
  }
}
