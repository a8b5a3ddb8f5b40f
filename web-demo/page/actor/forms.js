/** The commands of an actor from its model, each with a form. Without a model there is the plain line, and the reason. */

import { element, setText } from "../shell/dom.js";
import { firstSentence, inOrder, isHousekeeping } from "./completion.js";
import { CommandForm } from "./form.js";
import { allPaths, findPath, pathName } from "./usage.js";

export class Forms {
  #app;
  #actor;
  #models;
  #form;
  #unhooks;
  #wanted = null;  // the name of a command to open once the model is known
  #list = element("ul", { class: "form-commands" });
  #state = element("p", { class: "model-state", role: "status" });

  /** @param {object} app @param {{root: HTMLElement, actor: string, onOpen?: (name: string) => void}} options  "" is none */
  constructor(app, { root, actor, onOpen = () => {} }) {
    this.#app = app;
    this.#actor = actor;
    this.#models = app.models;
    this.#unhooks = [this.#models.onChange((name) => name === actor && this.#renderModel()), app.onSite(() => this.#renderRights())];
    this.#list.setAttribute("aria-label", `Commands of ${actor}`);
    this.#form = new CommandForm(app, { actor, commands: [], onPath: (path) => {
      this.#mark(path);
      onOpen(pathName(path));
    } });
    root.append(this.#state, this.#list, this.#form.root);
    this.#renderModel();
  }

  /** Opens the form of a command by its name, "status weather", once the model is known. */
  open(name) {
    const path = findPath(this.#models.get(this.#actor).commands, name.split(" "));
    this.#wanted = path === null ? name : null;
    if (path) this.#form.open(path);
  }

  /** @param {import("../core/store.js").Changes} changes */
  update(changes) {
    this.#form.update(changes);
    if (changes.link || changes.access) this.#renderRights();
  }

  unmount() {
    for (const unhook of this.#unhooks) unhook();
    this.#form.unmount();
  }

  #renderModel() {
    const model = this.#models.get(this.#actor);
    this.#list.replaceChildren(...allPaths(inOrder(model.commands)).map((path) => this.#item(path)));
    this.#form.commands = model.commands;
    setText(this.#state, stateText(this.#actor, model));
    this.#state.hidden = this.#state.textContent === "";
    this.#renderRights();
    if (this.#wanted !== null) this.open(this.#wanted);
  }

  #item(path) {
    const { help, deprecated } = path.at(-1);
    const name = pathName(path);
    return element("li", { data: { command: name, ...(deprecated && { deprecated: "" }), ...(isHousekeeping(path[0]) && { common: "" }) } },
      element("button", { type: "button", text: name, title: firstSentence(help ?? ""), "aria-pressed": "false", on: { click: () => this.#form.open(path) } }),
      element("span", { class: "mark" }));
  }

  /** Marks the commands that are deprecated, dangerous or not granted, with the reason. */
  #renderRights() {
    for (const item of this.#list.children) {
      const name = item.dataset.command;
      const refusal = this.#app.refusal(this.#actor, name);
      const danger = this.#app.danger(this.#actor, name) ?? null;
      item.toggleAttribute("data-denied", refusal !== null);
      item.toggleAttribute("data-dangerous", danger !== null);
      const mark = refusal !== null ? "⊘ not granted" : danger !== null ? "⚠ dangerous" : item.dataset.deprecated !== undefined ? "deprecated" : "";
      setText(item.lastChild, mark);
      item.lastChild.title = refusal ?? danger ?? "";
    }
  }

  #mark(path) {
    const name = pathName(path);
    for (const item of this.#list.children) item.firstChild.setAttribute("aria-pressed", String(item.dataset.command === name));
  }
}

/** Says what is known of an actor's commands, and why not more is. */
function stateText(actor, { state, commands, problem }) {
  if (state === "asking" && commands.length === 0) return `${actor} is asked for its commands; until it has answered, write one by hand.`;
  if (commands.length === 0) return `The commands of ${actor} are not known${problem ? `: ${problem.replace(/\.$/, "")}` : ""}. Write one by hand.`;
  return state === "partial" && problem ? problem : "";
}
