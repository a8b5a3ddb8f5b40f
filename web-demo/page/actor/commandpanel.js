/**
 * The commands of everybody over the command line, on every view: a button that says how many run and how the last of this
 * page ended, and the list. A command that is sent opens it, unless it was closed in this tab. The list
 * comes with the view of an actor, which has one, too: when it is first opened, or a moment after the page.
 */

import { TAB, element, recall, remember, setText } from "../shell/dom.js";
import { Later } from "../shell/later.js";

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
    this.#list = new Later(async () => new (await import("./actor.js")).CommandList(app, { root: this.#panel, id: "commands" }),
      ({ message }) => app.notify(`The commands cannot be listed: ${message}.`, { urgent: true }));
    this.#render();
  }

  /** The list, and the button that opens it. */
  get parts() { return { panel: this.#panel, button: this.#button }; }

  /** A command was sent from the command line. */
  sent() {
    if (!this.#shut) this.#show(true);
  }

  update(changes) {
    this.#list.made?.update(changes);
    if (changes.commands) this.#render();
  }

  #render() {
    const { store } = this.#app;
    const all = [...store.commands.values()];
    const running = all.filter(({ state }) => state === "sent" || state === "running").length;
    const last = all.findLast(({ own }) => own !== null);
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
    if (open || this.#list.made !== null) this.#list.with((list) => { list.hidden = this.#panel.hidden; });
    this.#button.setAttribute("aria-expanded", String(open));
  }
}
