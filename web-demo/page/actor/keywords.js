/**
 * The keywords of an actor: value, unit, limits, age and the last hour of each. A row that is not in sight is not drawn;
 * an actor may have a thousand.
 */

import { metaOf } from "../core/meta.js";
import { writeNames } from "../core/names.js";
import { element, setText } from "../shell/dom.js";
import { formatRoute } from "../shell/router.js";
import { KeywordRow } from "./keywordrow.js";
import { arrange } from "./reading.js";
import { Past, spanFor } from "./sparkline.js";

/**
 * @typedef {object} TableContext  what all rows share
 * @property {string} actor
 * @property {() => number} now                 the bridge's clock, ms
 * @property {(time: number) => number} age   of what was heard then, to be shown
 * @property {(name: string) => import("../core/meta.js").Meta} metaOf
 * @property {(name: string) => object|undefined} keyword
 * @property {(path: string) => string} plotLink
 * @property {(text: string) => void} notify
 * @property {[number, string]} span            of the sparklines
 */

const SORTS = [["name", "by name"], ["limits", "out of limits first"], ["age", "newest first"]];

export class KeywordTable {
  #app;
  #actor;
  #only;
  #models;
  #context;
  #rows = new Map();
  #shown = [];
  #filter = "";
  #sort = "name";
  #onState;
  #past;
  #unhooks;
  #observer = new IntersectionObserver((entries) => this.#sighted(entries), { rootMargin: "120px 0px" });
  #count = element("span", { class: "count" });
  #search = element("input", { type: "search", class: "keyword-filter", placeholder: "filter keywords", "aria-label": "Filter keywords: all words must occur", autocomplete: "off", spellcheck: "false" });
  #order = element("select", { class: "keyword-sort", "aria-label": "Order of keywords" }, ...SORTS.map(([value, text]) => element("option", { value, text })));
  #body = element("div", { role: "rowgroup", class: "keyword-rows" });
  #spanName = element("div", { role: "columnheader" });
  #none = element("p", { class: "empty", hidden: true });

  /**
   * @param {object} app
   * @param {{root: HTMLElement, actor: string, only?: string[]|null, filter?: string, sort?: string,
   *   onState?: (state: {f: string, sort: string}) => void}} options  `onState`: what the URL has to say;  `only`: these keywords, without the controls
   */
  constructor(app, { root, actor, only = null, filter = "", sort = "name", onState = () => {} }) {
    const { store } = app;
    this.#app = app;
    this.#actor = actor;
    this.#only = only && new Set(only);
    this.#onState = onState;
    this.#models = app.models;
    this.#unhooks = [this.#models.onChange((name) => name === actor && this.#remeta()), app.onSite(() => this.#remeta())];
    this.#context = {
      actor, now: () => store.now(), age: (time) => store.shownAge(time), notify: (text) => app.notify(text),
      metaOf: (name) => metaOf(actor, name, this.#models.get(actor), app.site),
      keyword: (name) => store.actors.get(actor)?.keywords.get(name),
      span: spanFor(0),
      plotLink: (path) => formatRoute(["plot"], { s: writeNames([path]) }),
    };
    this.#past = new Past((keywords, options) => app.history(keywords, options), () => store.now(), (path) => this.#rows.get(path.slice(actor.length + 1))?.draw());
    this.#setUp(root, filter, sort);
    this.#arrange();
    this.#chooseSpan();
  }

  #setUp(root, filter, sort) {
    this.#filter = this.#search.value = filter;
    this.#order.value = this.#sort = SORTS.some(([value]) => value === sort) ? sort : "name";
    this.#search.addEventListener("input", () => this.#setState());
    this.#search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      event.preventDefault();  // a search field would be emptied
      this.#search.blur();
    });
    this.#order.addEventListener("change", () => this.#setState());
    if (this.#only === null) root.append(element("div", { class: "keyword-controls" }, this.#search, this.#order, this.#count));
    root.append(element("div", { role: "table", class: "keyword-table", "aria-label": `Keywords of ${this.#actor}` },
      element("div", { role: "rowgroup", class: "keyword-head" }, element("div", { role: "row" },
        ...["Keyword", "Value"].map((text) => element("div", { role: "columnheader", text })), this.#spanName, element("div", { role: "columnheader", text: "Age" }))),
      this.#body), this.#none);
  }

  /** Shows another filter and order, as the URL says. */
  show({ filter, sort }) {
    if (filter === this.#filter && sort === this.#sort) return;
    this.#search.value = filter;
    this.#order.value = sort;
    this.#setState(false);
  }

  focusFilter() {
    this.#search.focus();
    this.#search.select();
  }

  /** @param {import("../core/store.js").Changes} changes */
  update(changes) {
    const names = changes.keywords.get(this.#actor);
    let isNew = false;
    for (const name of names ?? []) {
      const row = this.#rows.get(name);
      if (row) row.changed();
      else isNew = true;
      this.#labelsChanged(name);
    }
    if (isNew || (changes.tick && this.#sort !== "name")) this.#arrange();
    this.#draw(changes.tick);
  }

  unmount() {
    this.#observer.disconnect();
    this.#past.close();
    for (const unhook of this.#unhooks) unhook();
  }

  /** The row of a status word shows the names of its bits. */
  #labelsChanged(name) {
    if (!name.endsWith("_labels")) return;
    const row = this.#rows.get(name.slice(0, -"_labels".length));
    if (row) row.dirty = true;
  }

  #draw(tick) {
    if (tick) this.#chooseSpan();
    for (const row of this.#shown) {
      if (!row.visible) continue;
      if (row.dirty) row.render();
      else if (tick) row.age();
      if (tick) this.#past.want(`${this.#actor}.${row.name}`, row.series);
    }
  }

  /** The sparklines of all rows have one span of time. */
  #chooseSpan() {
    const oldest = this.#shown.reduce((time, { series }) => Math.min(time, series.oldest), Infinity);
    const span = spanFor(oldest === Infinity ? 0 : this.#context.now() - oldest);
    setText(this.#spanName, `Last ${span[1]}`);
    if (span === this.#context.span) return;
    this.#context.span = span;
    for (const row of this.#shown) if (row.visible) row.draw();
  }

  #remeta() {
    for (const row of this.#rows.values()) row.forgetMeta();
    if (this.#sort === "limits") this.#arrange();
    this.#draw(false);
  }

  #setState(tell = true) {
    this.#filter = this.#search.value;
    this.#sort = this.#order.value;
    if (tell) this.#onState({ f: this.#filter, sort: this.#sort === "name" ? "" : this.#sort });
    this.#arrange();
    this.#draw(false);
  }

  /** Puts the rows in order, moving only those that are in the wrong place. */
  #arrange() {
    const keywords = this.#app.store.actors.get(this.#actor)?.keywords ?? new Map();
    const chosen = [...keywords.values()].filter(({ name }) => this.#only === null || this.#only.has(name));
    const names = arrange(chosen, { filter: this.#filter, sort: this.#sort, worst: (name) => this.#row(keywords.get(name)).badness });
    this.#shown = names.map((name) => this.#row(keywords.get(name)));
    const wanted = new Set(this.#shown);
    for (const child of [...this.#body.children]) if (!wanted.has(this.#rows.get(child.dataset.keyword))) child.remove();
    let at = this.#body.firstChild;
    for (const row of this.#shown) {
      if (row.root === at) at = at.nextSibling;
      else this.#body.insertBefore(row.root, at);
    }
    this.#renderCount(chosen.length);
  }

  #renderCount(all) {
    const unkept = this.#app.store.actors.get(this.#actor)?.unkept ?? 0;
    setText(this.#count, [`${this.#shown.length} shown`, unkept > 0 ? `${unkept} values of others are not kept` : null].filter(Boolean).join(", "));
    this.#none.hidden = this.#shown.length > 0;
    setText(this.#none, all === 0 ? "No keyword of this actor was heard." : "No keyword has all of these words.");
  }

  #row(keyword) {
    let row = this.#rows.get(keyword.name);
    if (row) return row;
    row = new KeywordRow(keyword, this.#context);
    this.#rows.set(keyword.name, row);
    this.#observer.observe(row.root);
    return row;
  }

  #sighted(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.#rows.get(target.dataset.keyword);
      row.visible = isIntersecting;
      if (!isIntersecting) continue;
      if (row.dirty) row.render();
      else row.age();
      this.#past.want(`${this.#actor}.${row.name}`, row.series);
    }
  }
}
