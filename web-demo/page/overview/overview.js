/**
 * The overview, `#/?q=TEXT&sort=level`: a row for each actor, all of them on one screen as long as they fit. Only rows
 * that are in sight, or nearly, are in the document.
 */

import { hearing } from "../core/hearing.js";
import { byName } from "../core/order.js";
import { button, element, rank, setText } from "../shell/dom.js";
import { formatRoute } from "../shell/router.js";
import { drawn, layOut, moved, placeOf } from "./layout.js";
import { lifeOf } from "./life.js";
import { Row } from "./row.js";

/** px of a row; on a phone it has two lines. */
const ROW = 24;
const PHONE_ROW = 48;
const PHONE = 640;

/** ms after the first rows at which their lines are loaded: an operator reads values first. */
const LINES_AFTER = 100;

/** After somebody pointed at the list or moved in it, the rows keep their places for this time, ms. */
const HANDS_OFF = 6_000;

export class OverviewView {
  #app;
  #trends = null;     // the lines; null before they are loaded
  #lines = null;      // the timer that loads them
  #rows = new Map();  // actor -> Row, those in the document
  #order = [];
  #room = { width: 1, height: 1, top: 0, phone: false, scrolled: 0 };
  #layout = layOut({ count: 0, width: 1, height: 1, rowHeight: ROW });
  #current = null;    // the actor whose row is in the tab order
  #touched = -Infinity;
  #dirty = new Set(); // actors whose rows are to be written
  #known = -1;        // how many actors there were when the order was found
  #query = "";
  #sort = "name";
  #parts;
  #ends = [];

  constructor(app) {
    this.#app = app;
  }

  get title() { return "Overview"; }

  mount(root, route) {
    const search = element("input", { id: "search", type: "search", placeholder: "search", "aria-label": "Search actors by name, keyword or problem", autocomplete: "off", spellcheck: "false",
      on: { input: () => this.#changed(search.value, this.#sort), keydown: (event) => this.#searchKey(event) } });
    const sorts = ["name", "level"].map((sort) => button(`by ${sort}`, () => this.#changed(this.#query, sort), { "data-by": sort, "aria-pressed": "false" }));
    this.#parts = {
      search, sorts, count: element("span", { id: "actors-count", class: "count", role: "status" }),
      list: element("ul", { id: "actors", "aria-label": "Actors" }),
      nothing: element("p", { class: "nothing", hidden: true }),
    };
    const { list, nothing, count } = this.#parts;
    root.classList.add("overview");
    root.append(element("div", { class: "tools" }, search, element("div", { id: "sort", role: "group", "aria-label": "Order" }, ...sorts), count), nothing, list);
    list.addEventListener("keydown", (event) => this.#listKey(event));
    list.addEventListener("focusin", ({ target }) => this.#setCurrent(target.closest("li")?.dataset.actor ?? null));
    list.addEventListener("pointermove", () => { this.#touched = performance.now(); }, { passive: true });
    this.#scroller = root.parentElement;
    const scrolled = () => {
      this.#measure();
      this.#draw();
    };
    this.#scroller.addEventListener("scroll", scrolled, { passive: true });
    const resized = new ResizeObserver(() => this.#arrange());
    resized.observe(this.#scroller);
    this.#ends = [() => this.#scroller.removeEventListener("scroll", scrolled), () => resized.disconnect(), this.#app.onSite(() => this.#renderAll())];
    this.route(route);
  }

  #scroller = null;

  /** Shows another search or order. */
  route({ query }) {
    this.#query = query.get("q") ?? "";
    this.#sort = query.get("sort") === "level" ? "level" : "name";
    this.#parts.search.value = this.#query;
    this.#showSort();
    this.#arrange();
  }

  unmount() {
    for (const end of this.#ends) end();
    clearTimeout(this.#lines);
    this.#lines = undefined;  // they are loaded in vain, if they are being loaded
    this.#trends?.stop();
    this.#rows.clear();
  }

  /** Loads the lines once there are rows. Without the bridge there are none; they are loaded when it is back. */
  #loadLines() {
    if (this.#trends !== null || this.#lines !== null || this.#rows.size === 0) return;
    const timer = this.#lines = setTimeout(async () => {
      const { Trends } = await import("./trends.js").catch(() => ({}));
      if (this.#lines !== timer) return;
      this.#lines = null;
      if (Trends === undefined) return;
      this.#trends = new Trends(this.#app, (actor) => this.#rows.get(actor)?.redraw(this.#trends));
      this.#renderAll();
    }, LINES_AFTER);
  }

  search() {
    this.#parts.search.focus();
    this.#parts.search.select();
  }

  update(changes) {
    this.#trends?.take(changes.keywords);
    if (changes.link) this.#loadLines();
    if (changes.access) this.#rights();
    if (changes.link || this.#mayReorder(changes)) this.#reorder();
    for (const name of changes.actors) this.#dirty.add(name);
    if (changes.tick || changes.problems || changes.link) this.#write(changes);
    if (changes.tick || changes.problems || changes.link) this.#count();
  }

  /** Writes rows: once a second with their ages, for values are read at a glance here; problems at once. */
  #write({ tick, link }) {
    for (const [name, row] of this.#rows) {
      if (this.#dirty.has(name) || link) row.render(this.#trends);
      else if (tick) row.age();
    }
    this.#dirty.clear();
  }

  /** Takes a search or an order, and keeps it in the URL. */
  #changed(query, sort) {
    this.#query = query;
    this.#sort = sort;
    this.#touched = -Infinity;
    this.#app.router.replace(formatRoute([], { q: query, sort: sort === "name" ? "" : sort }));
    this.#showSort();
    this.#arrange();
  }

  #showSort() {
    for (const choice of this.#parts.sorts) choice.setAttribute("aria-pressed", String(choice.dataset.by === this.#sort));
    this.#parts.list.dataset.sort = this.#sort;
  }

  #wanted() {
    const words = this.#query.toLowerCase().split(/\s+/).filter(Boolean);
    const { actors } = this.#app.store;
    this.#known = actors.size;
    const names = [...actors.keys()].filter((name) => words.length === 0 || matches(actors.get(name), words));
    if (this.#sort === "name") return names.sort(byName);
    const badness = new Map(names.map((name) => [name, 2 * rank(actors.get(name).level) + Number(this.#silent(actors.get(name)))]));
    return names.sort((a, b) => badness.get(b) - badness.get(a) || byName(a, b));
  }

  #silent(actor) {
    return lifeOf(actor, this.#app.store.age(actor.time)).silent;
  }

  /** Whether an update may change which rows there are, or their order. Values do not, and they come all the time. */
  #mayReorder({ problems, tick }) {
    if (this.#app.store.actors.size !== this.#known) return true;
    return (this.#sort === "level" || this.#query !== "") && (problems || tick);
  }

  /** Finds the order anew, unless somebody is about to press a row. */
  #reorder() {
    const wanted = this.#wanted();
    if (wanted.length === this.#order.length && wanted.every((name, at) => name === this.#order[at])) return;
    const hands = this.#parts.list.contains(document.activeElement) || performance.now() - this.#touched < HANDS_OFF;
    const same = wanted.length === this.#order.length && new Set([...wanted, ...this.#order]).size === wanted.length;
    if (hands && same) return;
    this.#arrange(wanted);
  }

  /** Lays the rows out. */
  #arrange(order = this.#wanted()) {
    this.#order = order;
    const { list, nothing } = this.#parts;
    nothing.hidden = order.length > 0;
    setText(nothing, this.#nothing());
    this.#count();
    if (order.length > 0) this.#measure();
    const { width, height, top, phone } = this.#room;
    this.#layout = layOut({ count: order.length, width, height: height - top, rowHeight: phone ? PHONE_ROW : ROW });
    this.#room.scrolled = Math.min(this.#room.scrolled, Math.max(0, top + this.#layout.height - height));  // as the browser will have it
    list.style.setProperty("height", `${this.#layout.height}px`);
    list.dataset.columns = this.#layout.columns;
    this.#draw();
  }

  /**
   * Notes the room for rows. Each look at it may make the browser lay the page out, so there is one for an arrangement, before
   * its rows are written, and none for a page that shows no actor yet.
   */
  #measure() {
    const { clientWidth, clientHeight } = this.#scroller;
    const { list } = this.#parts;
    this.#room = { width: list.clientWidth || clientWidth, height: clientHeight, top: list.offsetTop, phone: clientWidth <= PHONE, scrolled: this.#scroller.scrollTop };
  }

  #nothing() {
    if (this.#query !== "") return `No actor has "${this.#query}" in its name, keywords or problems.`;
    if (this.#app.store.link.state !== "open") return "Not connected: it is not known which actors there are.";
    return hearing(this.#app.clu.access) === "all" ? "No actor has replied yet." : "No actor that you may hear has replied yet.";
  }

  /** Puts the rows that are in sight into the document, and takes the others out. */
  #draw() {
    const { list } = this.#parts;
    const { top, height, scrolled } = this.#room;
    const { from, to } = drawn(this.#layout, Math.max(0, scrolled - top), height);
    const focused = list.contains(document.activeElement) ? this.#current : null;
    const names = new Set(this.#order.slice(from, to));
    for (const [name, row] of this.#rows) {
      if (names.has(name) || name === focused) continue;  // the focus must not get lost by scrolling
      row.root.remove();
      this.#rows.delete(name);
    }
    for (let index = from; index < to; index += 1) this.#place(this.#order[index], index);
    this.#loadLines();
    if (this.#current === null || !this.#rows.has(this.#current)) this.#setCurrent(this.#order[from] ?? null);
  }

  #place(name, index) {
    let row = this.#rows.get(name);
    const { columns, width, rowHeight, count } = this.#layout;
    const { column, row: line } = placeOf(this.#layout, index);
    if (!row) {
      row = new Row(this.#app, this.#app.store.actors.get(name));
      this.#rows.set(name, row);
      this.#mark(name, row);
      row.render(this.#trends);
    }
    row.place({ x: Math.round(column * width), y: line * rowHeight, width: Math.floor(width) - (columns > 1 ? 8 : 0), index, count });
    // The order in the document is that of reading.
    const list = this.#parts.list;
    const before = this.#rows.get(this.#order[index - 1])?.root;
    const wanted = before?.parentElement === list ? before.nextElementSibling : list.firstElementChild;
    if (wanted !== row.root) list.insertBefore(row.root, wanted);
  }

  #renderAll() {
    for (const row of this.#rows.values()) row.render(this.#trends);
  }

  #rights() {
    for (const [name, row] of this.#rows) this.#mark(name, row);
  }

  #mark(name, row) {
    row.rights(this.#app.refusal(name), this.#app.clu.refusal({ hear: name }));
  }

  #count() {
    const all = [...this.#app.store.actors.values()];
    const bad = all.filter(({ level }) => level !== "ok").length;
    const quiet = all.filter((actor) => this.#silent(actor)).length;
    const shown = this.#order.length === all.length ? `${all.length}` : `${this.#order.length} of ${all.length}`;
    const more = this.#app.store.unkept > 0 ? `, and replies of more actors than this page keeps` : "";
    setText(this.#parts.count, `${shown} ${all.length === 1 ? "actor" : "actors"}${bad > 0 ? `, ${bad} with problems` : ""}${quiet > 0 ? `, ${quiet} silent` : ""}${more}`);
  }

  // Keys.

  #setCurrent(name) {
    if (this.#current === name) return;
    this.#rows.get(this.#current)?.link.setAttribute("tabindex", "-1");
    this.#current = name;
    this.#rows.get(name)?.link.setAttribute("tabindex", "0");
  }

  #searchKey(event) {
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    if (this.#order.length > 0) this.#focus(0);
  }

  #listKey(event) {
    const index = this.#order.indexOf(this.#current);
    const to = moved(this.#layout, index, event.key);
    if (to === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#focus(to);
  }

  #focus(index) {
    const { rowHeight } = this.#layout;
    const y = this.#parts.list.offsetTop + placeOf(this.#layout, index).row * rowHeight;
    const { scrollTop, clientHeight } = this.#scroller;
    if (y < scrollTop + rowHeight) this.#scroller.scrollTop = y - 2 * rowHeight;
    else if (y + rowHeight > scrollTop + clientHeight) this.#scroller.scrollTop = y + rowHeight - clientHeight;
    this.#measure();
    this.#draw();
    this.#rows.get(this.#order[index])?.link.focus({ preventScroll: true });
  }
}

/** Whether each word occurs in an actor's name, its keywords' names or its problems. */
function matches({ name, keywords, problems }, words) {
  return words.every((word) => name.toLowerCase().includes(word)
    || problems.some(({ text }) => text.toLowerCase().includes(word))
    || [...keywords.keys()].some((keyword) => keyword.toLowerCase().includes(word)));
}
