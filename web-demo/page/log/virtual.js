/**
 * A list of very many rows of the same height, of which only those in sight are in the page.
 *
 * To screen readers it is a grid with all of its rows: each row in the page says its number. The grid has the focus, and
 * `aria-activedescendant` names the row that the arrow keys have chosen, so that a row that leaves the page never takes
 * the focus with it.
 */

import { element, setAttribute, setHidden } from "../shell/dom.js";

/** Rows beyond both edges, so that a short scroll shows no empty place. */
const MARGIN = 6;

let lists = 0;

/**
 * @template Item
 * @typedef {object} RowMaker
 * @property {() => HTMLElement} make                        makes an empty row
 * @property {(row: HTMLElement, item: Item) => void} fill   writes an item into it
 */

/** @template Item */
export class VirtualList {
  #items = [];
  #rows = [];           // by index modulo their number
  #maker;
  #on;
  #active = null;       // the chosen item
  #height = 0;          // of a row, px
  #seen = 0;            // height of what is in sight, px
  #drawing = 0;
  #selected = false;
  #selecting = () => this.#select();
  #id = `rows-${lists += 1}`;
  #body = element("div", { role: "rowgroup", class: "rows-body" });
  #resized = new ResizeObserver(() => this.#measure());

  /**
   * @param {string} label
   * @param {RowMaker<Item>} maker
   * @param {{pick: (item: Item) => void, top?: () => void, bottom?: () => void, scrolled?: () => void}} on
   */
  constructor(label, maker, on) {
    this.#maker = maker;
    this.#on = on;
    /** Whether the list stays at its end when items are added. */ this.following = true;
    this.node = element("div", { class: "rows scroll", role: "grid", tabindex: "0", "aria-label": label, "aria-rowcount": "0" }, this.#body);
    this.node.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row?.item && !this.#selected) this.#choose(row.item, true);
    });
    document.addEventListener("selectionchange", this.#selecting);
    this.#resized.observe(this.node);
  }

  /** Ends it. */
  stop() {
    this.#resized.disconnect();
    document.removeEventListener("selectionchange", this.#selecting);
    cancelAnimationFrame(this.#drawing);
  }

  /**
   * Shows items. What is in sight stays where it is when some were added or dropped at the top, or the end stays in sight.
   * @param {Item[]} items
   * @param {number} [atTop]  how many were added at the top, or dropped there if it is negative
   */
  show(items, atTop = 0) {
    this.#items = items;
    const top = this.following ? null : this.node.scrollTop + atTop * (this.#height || 0);
    this.#resize();
    const end = items.length * this.#height;
    // The rows are written before the list is scrolled, which makes the browser lay them out; else it did so twice.
    this.#drawAt(top ?? Math.max(0, end - this.#sight));
    if (top === null) this.node.scrollTop = end;
    else if (atTop !== 0) this.node.scrollTop = top;
  }

  /** Shows the end, and stays there. */
  toEnd() {
    this.following = true;
    this.show(this.#items);
  }

  /** Shows one item in the middle, and chooses it. */
  reveal(item) {
    const index = this.#items.indexOf(item);
    if (index < 0) return;
    this.following = false;
    this.#active = item;
    this.node.scrollTop = (index + 0.5) * this.#height - this.node.clientHeight / 2;
    this.#drawNow();
  }

  /** Writes the rows in sight again. */
  refresh() {
    for (const row of this.#rows) row.item = null;
    this.#drawNow();
  }

  focus() { this.node.focus({ preventScroll: true }); }

  /** Whether text of a row is selected: then new rows must not replace it. */
  get hasSelection() { return this.#selected; }

  /** Looks at the selection when it changes: to look at each update would make the browser lay the page out again. */
  #select() {
    const selection = getSelection();
    this.#selected = !selection.isCollapsed && this.node.contains(selection.anchorNode);
  }

  #measure() {
    this.#height = 0;
    this.#seen = this.node.clientHeight;
    this.show(this.#items);
  }

  #resize() {
    this.#height ||= parseFloat(getComputedStyle(this.node).getPropertyValue("--row-height")) || 22;
    const height = `${this.#items.length * this.#height}px`;
    if (this.#body.style.height !== height) this.#body.style.height = height;
    setAttribute(this.node, "aria-rowcount", String(this.#items.length));
  }

  #draw() {
    if (this.#drawing !== 0) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      const { scrollTop, scrollHeight, clientHeight } = this.node;
      const was = this.following;
      this.following = scrollHeight - scrollTop - clientHeight < this.#height;
      this.#drawNow();
      if (was !== this.following) this.#on.scrolled?.();
      if (scrollTop < this.#height * MARGIN) this.#on.top?.();
      if (this.following) this.#on.bottom?.();
    });
  }

  /** The height of what is in sight: it is not asked for at each update, for that makes the browser lay the page out. */
  get #sight() { return this.#seen ||= this.node.clientHeight; }

  #drawNow() {
    this.#drawAt(this.node.scrollTop);
  }

  /** Draws the rows that are in sight when the list is scrolled to `top`, px. */
  #drawAt(top) {
    const inSight = Math.ceil(this.#sight / this.#height) + 1;
    const first = Math.max(0, Math.min(Math.floor(top / this.#height), this.#items.length - inSight) - MARGIN);
    const last = Math.min(this.#items.length, first + inSight + 2 * MARGIN);
    this.#provide(inSight + 2 * MARGIN);
    let active = null;
    for (const row of this.#rows) row.wanted = false;
    for (let index = first; index < last; index += 1) {
      const row = this.#rows[index % this.#rows.length];
      row.wanted = true;
      this.#place(row, index);
      const chosen = row.item === this.#active;
      row.classList.toggle("chosen", chosen);
      if (chosen) active = row.id;
    }
    for (const row of this.#rows) setHidden(row, !row.wanted);
    setAttribute(this.node, "aria-activedescendant", active);
  }

  /** Has enough rows in the page: a few more than now are made at once, so that resizing makes none one by one. */
  #provide(count) {
    if (count <= this.#rows.length) return;
    for (const row of this.#rows) row.item = null;  // their indexes fall elsewhere
    while (this.#rows.length < count + MARGIN) {
      const row = this.#maker.make();
      row.id = `${this.#id}-${this.#rows.length}`;
      row.classList.add("row");
      row.setAttribute("role", "row");
      row.hidden = true;
      this.#rows.push(row);
      this.#body.append(row);
    }
  }

  #place(row, index) {
    if (row.index !== index) {
      row.index = index;
      row.style.transform = `translateY(${index * this.#height}px)`;
      row.setAttribute("aria-rowindex", String(index + 1));
    } else if (row.top !== this.#height) {
      row.style.transform = `translateY(${index * this.#height}px)`;
    }
    row.top = this.#height;
    const item = this.#items[index];
    if (row.item === item) return;
    row.item = item;
    this.#maker.fill(row, item);
  }

  #choose(item, pick) {
    this.#active = item;
    this.#drawNow();
    if (pick) this.#on.pick(item);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#items.length === 0) return;
    const page = Math.max(1, Math.floor(this.node.clientHeight / this.#height) - 1);
    const at = this.#active === null ? -1 : this.#items.indexOf(this.#active);
    const from = at < 0 ? this.#items.length : at;
    const to = { ArrowUp: from - 1, ArrowDown: from + 1, PageUp: from - page, PageDown: from + page, Home: 0, End: this.#items.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.#move(Math.max(0, Math.min(this.#items.length - 1, to)), event.key === "End");
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      event.preventDefault();
      this.#on.pick(this.#active);
    }
  }

  #move(index, toEnd) {
    const top = index * this.#height;
    const { scrollTop, clientHeight } = this.node;
    if (top < scrollTop) this.node.scrollTop = top;
    else if (top + this.#height > scrollTop + clientHeight) this.node.scrollTop = top + this.#height - clientHeight;
    this.following = toEnd;
    this.#choose(this.#items[index], false);
    this.#on.scrolled?.();
    if (index === 0) this.#on.top?.();
    if (index === this.#items.length - 1) this.#on.bottom?.();
  }
}
