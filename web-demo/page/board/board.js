/**
 * Boards, `#/board/NAME` and `#/board?title=...&plot=...`: plots, keywords, actors and logs together. Those of the site
 * come from the bridge's configuration; one's own is a URL, which is kept as a bookmark and passed on as a link.
 */

import { writeNames } from "../core/names.js";
import { LogPanel } from "../log/panel.js";
import { LogQuery } from "../log/query.js";
import { button, element, setText } from "../shell/dom.js";
import { formatRoute } from "../shell/router.js";
import { VIEWS } from "../views.js";
import { formatBoard, hasItems, kindOf, KINDS, MAX_ITEMS, parseBoard, parseItem } from "./items.js";
import { ValuesItem } from "./values.js";

const HINTS = {
  plot: "weather.wind_speed_ms, dome.dome_shutter ~ 6h", keywords: "weather.wind_speed_ms, dome.dome_shutter", actor: "dome", log: "words that must occur",
};

export class BoardView {
  #app;
  #root = null;
  #route = null;
  #board = null;   // {title, items}, null while it is not known
  #parts = [];     // the items that are mounted
  #known = "";     // the boards of the site when this was rendered
  #turn = 0;
  #off = () => {};

  constructor(app) {
    this.#app = app;
  }

  get title() {
    return this.#board ? `Board ${this.#board.title || this.#route.path[1] || "of one's own"}` : "Boards";
  }

  mount(root, route) {
    this.#root = root;
    root.classList.add("board");
    this.#off = this.#app.onSite(() => {
      // The site is read at each reconnect. What is as it was is not made anew: somebody may be writing in it.
      const known = JSON.stringify(this.#app.site.boards);
      if (known === this.#known) return;
      if (!this.#own) this.route(this.#route);
      else if (this.#board === null) this.#render();
    });
    this.route(route);
  }

  unmount() {
    this.#off();
    this.#empty();
  }

  /** Shows another board. */
  route(route) {
    this.#route = route;
    this.#board = this.#find(route);
    this.#render();
  }

  update(changes) {
    for (const part of this.#parts) part.update(changes);
  }

  #find({ path: [, name], query }) {
    if (name === undefined) return hasItems(query) || query.has("title") ? parseBoard(query) : null;
    const found = this.#app.site.boards.find((board) => board.name === name);
    return found ? { title: found.title || found.name, items: found.items.slice(0, MAX_ITEMS) } : null;
  }

  get #own() { return this.#route.path.length < 2; }

  #empty() {
    this.#turn += 1;
    for (const part of this.#parts) part.unmount();
    this.#parts = [];
    this.#root.replaceChildren();
  }

  #render() {
    const writing = document.activeElement?.id === "item-text" && this.#root.contains(document.activeElement);
    this.#empty();
    this.#known = JSON.stringify(this.#app.site.boards);
    const name = this.#route.path[1];
    if (this.#board === null && name !== undefined) this.#root.append(element("p", { class: "nothing", text: `This site has no board "${name}".` }));
    if (this.#board === null) {
      this.#root.append(this.#list(), this.#form([]));
      return;
    }
    const { title, items } = this.#board;
    const copy = button("Change a copy", () => this.#app.router.go(formatRoute(["board"], formatBoard(this.#board))));
    this.#root.append(element("header", { class: "tools" }, element("h2", { text: title || "A board of one's own" }), ...(this.#own ? [] : [copy])));
    const grid = element("div", { class: "grid" });
    this.#root.append(grid);
    const turn = this.#turn;
    items.forEach((item, at) => this.#mountItem(grid, item, at, turn));
    if (this.#own) this.#root.append(this.#form(items));
    if (writing) this.#root.querySelector("#item-text")?.focus({ preventScroll: true });  // for the next item
  }

  /** The boards there are. */
  #list() {
    const { boards } = this.#app.site;
    const links = boards.map(({ name, title }) => element("li", {}, element("a", { href: formatRoute(["board", name]), text: title || name })));
    return element("section", { "aria-label": "Boards of this site" }, element("h2", { text: "Boards of this site" }),
      links.length > 0 ? element("ul", { class: "boards" }, ...links) : element("p", { class: "nothing", text: this.#app.clu.protocol === "plain" ? "CLU's own server has no boards. You can make one here." : "There is none. They are in the section site of the bridge's configuration." }));
  }

  async #mountItem(grid, item, at, turn) {
    const kind = kindOf(item);
    const body = element("div", { class: "item-body" });
    const title = titleOf(item, kind);
    const heading = kind === "actor" ? element("a", { href: formatRoute(["actor", item.actor]), text: title }) : element("span", { text: title });
    const remove = this.#own ? [button("✕", () => this.#change(this.#board.items.filter((_, index) => index !== at)), { "aria-label": `Remove ${title}` })] : [];
    grid.append(element("section", { class: "item", data: { item: kind ?? "unknown" }, "aria-label": title }, element("header", {}, element("h3", {}, heading), ...remove), body));
    try {
      const part = await this.#make(item, kind);
      if (turn !== this.#turn) return;
      part.mount(body, routeOf(item, kind));
      this.#parts.push(part);
    } catch (error) {
      setText(body, `This item cannot be shown: ${error.message}`);
    }
  }

  async #make(item, kind) {
    if (kind === "keywords" || kind === "actor") return new ValuesItem(this.#app, { [kind]: kind === "actor" ? item.actor : [item.keywords].flat() });
    if (kind === "log") return new LogPanel(this.#app, { query: LogQuery.read(routeOf(item, kind).query), label: `Replies: ${item.log}` });
    if (kind === null || !Object.hasOwn(VIEWS, kind)) throw new Error("this page knows no such item.");
    const View = await VIEWS[kind].load();
    return new View(this.#app);
  }

  // One's own board.

  #change(items) {
    const query = formatBoard({ title: this.#board?.title ?? this.#route.query.get("title") ?? "", items });
    this.#app.router.go(formatRoute(["board"], query));
  }

  #form(items) {
    const kind = element("select", { id: "item-kind", "aria-label": "Kind", on: { change: () => { text.placeholder = HINTS[kind.value]; } } },
      ...KINDS.map((value) => element("option", { value, text: value })));
    const text = element("input", { id: "item-text", "aria-label": "What it shows", placeholder: HINTS.plot, autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
    const full = items.length >= MAX_ITEMS;
    const add = element("button", { type: "submit", text: full ? `a board has ${MAX_ITEMS} items` : "Add", disabled: full });
    const title = element("input", { id: "board-title", "aria-label": "Title", placeholder: "title", autocomplete: "off", on: { change: () => {
      this.#app.router.go(formatRoute(["board"], formatBoard({ title: title.value, items })));
    } } });
    title.value = this.#board?.title ?? "";
    return element("form", { class: "tools add", "aria-label": "Make a board of your own", on: { submit: (event) => {
      event.preventDefault();
      const item = parseItem(kind.value, text.value);
      if (item === null) text.focus();
      else this.#change([...items, item]);
    } } }, element("span", { text: "Your own board:" }), kind, text, add, title, element("span", { class: "dim", text: "It is in the URL: keep it as a bookmark." }));
  }
}

function titleOf(item, kind) {
  if (kind === null) return "unknown";
  if (kind === "log") return `log ${item.log}`;
  return [item[kind], kind === "plot" ? item.range ?? "6h" : []].flat().join(", ");
}

function routeOf(item, kind) {
  const query = kind === "plot" ? { s: writeNames([item.plot].flat()), r: item.range ?? "6h" }  : {};
  if (kind === "log") return { path: ["log"], query: new URLSearchParams(item.log.includes("=") ? item.log : { q: item.log }), embedded: true };
  return { path: [kind], query: new URLSearchParams(query), embedded: true };
}
