/**
 * Ctrl K: goes to anything by some of its letters. Views, boards, actors, keywords, and the commands of an actor whose
 * name one has written. It never sends: a command is put into the command line.
 */

import { button, element, setText } from "./dom.js";
import { best } from "./fuzzy.js";
import { formatRoute } from "./router.js";
import { VIEWS } from "../views.js";

const MAX_SHOWN = 40;
const MAX_KEYWORDS = 20_000;

export class Palette {
  #app;
  #dialog = document.getElementById("palette");
  #input;
  #list = element("ul", { id: "palette-list", role: "listbox", "aria-label": "Found", class: "scroll" });
  #note = element("p", { class: "dim", role: "status" });
  #found = [];
  #at = 0;
  #draft = "";  // what was written when it was closed: nothing that is typed is lost

  constructor(app) {
    this.#app = app;
    this.#input = element("input", {
      id: "palette-input", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
      "aria-label": "Find a view, actor, keyword or command", placeholder: "actor, keyword, command, view, board", autocomplete: "off", spellcheck: "false",
      on: { input: () => this.#search(), keydown: (event) => this.#key(event) },
    });
    this.#dialog.append(this.#input, this.#list, this.#note,
      element("p", { class: "dim keys" }, "Enter goes there; a command is written into the command line, not sent. Esc closes."),
      button("Close", () => this.#dialog.close(), { class: "aside-until-focus" }));
    this.#list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#choose(Number(option.dataset.at));
    });
    this.#dialog.addEventListener("click", (event) => { if (event.target === this.#dialog) this.#dialog.close(); });
    // The event "close" comes after the dialog may have been opened again, so the draft is kept while it is written.
    this.#input.addEventListener("input", () => { this.#draft = this.#input.value; });
    app.models.onChange((actor) => { if (this.#dialog.open && actor === this.#named(this.#input.value)) this.#search(); });
  }

  get open() { return this.#dialog.open; }

  show() {
    if (this.#dialog.open) return;
    this.#dialog.showModal();
    this.#input.value = this.#draft;
    this.#input.select();
    this.#search();
  }

  #search() {
    const query = this.#input.value;
    this.#found = best(query, this.#entries(query), ({ text, kind }) => `${text} ${kind}`, MAX_SHOWN);
    this.#at = 0;
    this.#render();
  }

  *#entries(query) {
    for (const [name, { title }] of Object.entries(VIEWS)) {
      if (name !== "actor") yield { kind: "view", text: title, go: formatRoute(name === "" ? [] : [name]) };
    }
    for (const { name, title } of this.#app.site.boards) yield { kind: "board", text: title || name, go: formatRoute(["board", name]) };
    const actors = [...this.#app.store.actors.keys()];
    for (const name of actors) yield { kind: "actor", text: name, go: formatRoute(["actor", name]) };
    if (query.trim() === "") return;
    const named = this.#named(query);
    if (named !== null) yield* commandEntries(named, this.#app.models.get(named).commands);
    let left = MAX_KEYWORDS;
    for (const [name, { keywords }] of this.#app.store.actors) {
      for (const keyword of keywords.keys()) {
        if (left-- <= 0) return;
        yield { kind: "keyword", text: `${name}.${keyword}`, go: formatRoute(["actor", name], { f: keyword }) };
      }
    }
  }

  /** The actor that a query begins with, whose commands are found, too; null if there is none. */
  #named(query) {
    const [word] = query.trim().split(/[\s.]/);
    return this.#app.store.actors.has(word) ? word : null;
  }

  /** Why the commands of the actor that is named are not found; null if they are, or if it names none. */
  #unknown() {
    const named = this.#named(this.#input.value);
    const { commands, problem } = named === null ? {} : this.#app.models.get(named);
    return problem && commands.length === 0 ? `The commands of ${named} are not known: ${problem.replace(/\.$/, "")}.` : null;
  }

  #render() {
    this.#list.replaceChildren(...this.#found.map((entry, at) => element("li", {
      id: `palette-${at}`, role: "option", "aria-selected": String(at === this.#at), data: { kind: entry.kind, at } },
      element("span", { class: "kind", text: entry.kind }), element("span", { class: "what", text: entry.text }),
      element("span", { class: "dim", text: entry.help ?? "" }))));
    setText(this.#note, this.#unknown() ?? (this.#found.length === 0 ? "Nothing has these letters." : ""));
    this.#select(0);
  }

  #select(at) {
    if (this.#found.length === 0) {
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    this.#list.children[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = (at + this.#found.length) % this.#found.length;
    const option = this.#list.children[this.#at];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", option.id);
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step) this.#select(Math.abs(step) === 1 ? this.#at + step : Math.max(0, Math.min(this.#found.length - 1, this.#at + step)));
    else if (event.key === "Enter" && !event.repeat) this.#choose(this.#at);
    else if (event.key !== "Enter") return;
    event.preventDefault();
  }

  #choose(at) {
    const entry = this.#found[at];
    if (!entry) return;
    this.#input.value = this.#draft = "";  // it was used
    this.#dialog.close();
    const focused = document.activeElement;
    if (focused === document.body || this.#dialog.contains(focused)) document.getElementById("view").focus({ preventScroll: true });  // it was left by hand
    if (entry.line !== undefined) this.#app.prompt(entry.line);
    else this.#app.router.go(entry.go);
  }
}

function* commandEntries(actor, commands, before = "") {
  for (const { name, help, deprecated, commands: subcommands } of commands) {
    const line = `${before}${name}`;
    yield { kind: "command", text: `${actor} ${line}`, help: `${deprecated ? "deprecated. " : ""}${(help ?? "").split("\n")[0].slice(0, 80)}`, line: `${actor} ${line} ` };
    yield* commandEntries(actor, subcommands ?? [], `${line} `);
  }
}
