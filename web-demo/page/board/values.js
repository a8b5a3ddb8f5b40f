/** A table of keywords on a board: those that are named, or all of an actor. */

import { formatAge, OUTDATED } from "../core/format.js";
import { splitKeyword } from "../core/names.js";
import { byName } from "../core/order.js";
import { limitOf, unitOf } from "../overview/pins.js";
import { element, setAttribute, setHidden, setText } from "../shell/dom.js";

/** Rows of a table; of an actor with more keywords, the number is told. */
const MAX_ROWS = 200;

/** Characters of a value that are in sight in any width; of a longer one the title has all. */
const SHORT = 12;

export class ValuesItem {
  #app;
  #names;
  #actor;
  #rows = new Map();  // "actor.keyword" -> cells
  #body = element("tbody");
  #note = element("p", { class: "nothing" });

  /** @param {object} app @param {{keywords?: string[], actor?: string}} item */
  constructor(app, { keywords, actor }) {
    this.#app = app;
    this.#names = keywords ?? null;
    this.#actor = actor ?? null;
  }

  mount(root) {
    const label = this.#actor === null ? "Keywords" : `Keywords of ${this.#actor}`;
    root.append(element("table", { class: "values", "aria-label": label }, this.#body), this.#note);
    this.#render();
  }

  update(changes) {
    if (changes.tick || changes.link || (this.#actor === null ? changes.keywords.size > 0 : changes.keywords.has(this.#actor))) this.#render();
  }

  unmount() {}

  #wanted() {
    const { actors } = this.#app.store;
    if (this.#actor === null) return this.#names.map((name) => splitKeyword(name, (actor) => actors.has(actor)));
    const names = [...actors.get(this.#actor)?.keywords.keys() ?? []].sort(byName);
    return names.slice(0, MAX_ROWS).map((keyword) => ({ actor: this.#actor, keyword }));
  }

  #render() {
    const { store } = this.#app;
    const wanted = this.#wanted();
    for (const [at, { actor, keyword }] of wanted.entries()) this.#renderRow(actor, keyword, at);
    const all = this.#actor === null ? wanted.length : store.actors.get(this.#actor)?.keywords.size ?? 0;
    setText(this.#note, all === 0 ? "Nothing is known of it yet." : all > wanted.length ? `${all - wanted.length} more keywords are on the page of ${this.#actor}.` : "");
    setHidden(this.#note, this.#note.textContent === "");
  }

  #renderRow(actor, keyword, at) {
    const { store, site } = this.#app;
    const id = `${actor}.${keyword}`;
    const row = this.#rows.get(id) ?? this.#addRow(id, actor, keyword, at);
    const known = store.actors.get(actor)?.keywords.get(keyword);
    const unit = unitOf(site, actor, keyword);
    const limit = limitOf(site, actor, keyword, known?.value);
    const text = known === undefined ? "–" : `${{ warn: "▲ ", critical: "✖ " }[limit] ?? ""}${known.outdated ? "? " : ""}${known.text}${unit === "" ? "" : ` ${unit}`}`;
    setText(row.value, text);
    const outdated = known?.outdated === true;
    setAttribute(row.root, "data-outdated", outdated ? "" : null);
    setAttribute(row.value, "title", outdated ? `${text}: ${OUTDATED}` : text.length > SHORT ? text : null);
    setText(row.age, known === undefined ? "never" : formatAge(store.shownAge(known.time)));
    setAttribute(row.root, "data-limit", limit === "ok" ? null : limit);
  }

  #addRow(id, actor, keyword, at) {
    const value = element("td", { class: "value" });
    const age = element("td", { class: "age" });
    const name = element("a", { href: `#/actor/${encodeURIComponent(actor)}?f=${encodeURIComponent(keyword)}`, text: this.#actor === null ? id : keyword });
    const row = { value, age, root: element("tr", { data: { keyword: id } }, element("th", { scope: "row" }, name), value, age) };
    this.#rows.set(id, row);
    this.#body.insertBefore(row.root, this.#body.children[at] ?? null);
    return row;
  }
}
