/**
 * The list of replies, newest last.
 *
 * Every reply, and every mark for missing replies, goes into a bounded store; the list shows the entries that the filter
 * accepts. While it is paused or scrolled up the list does not move: new replies are counted and stay in the store.
 */

import { CODES } from "../client/clu.js";
import { batched, element, hasSelection, setText } from "./dom.js";
import { Filter } from "./filter.js";
import { compactJSON, formatTime, shortId } from "./format.js";

const MAX_REPLIES = 1_000;
const DROP_AT_ONCE = 200;
const MAX_CHARS = 8_000_000;
const SHOWN_CHARS = 400;

/** ms between two updates: fast enough to read, and cheap at hundreds of replies a second. */
const GAP = 100;

const byId = (id) => document.getElementById(id);

export class Replies {
  #store = [];       // {seq, size, reply}, with reply null for a mark; seq without gaps
  #storeChars = 0;
  #seq = 0;          // of the newest entry
  #shown = 0;        // seq of the newest entry that the list has shown
  #shownChars = 0;
  #paused = false;
  #following = true;
  #filter = new Filter();
  #entryOf = new WeakMap();
  #onPick;
  #list = byId("replies");
  #refresh = batched(() => this.#render(), GAP);

  /** @param {{onPick: (reply: object, row: HTMLElement) => void}} on */
  constructor({ onPick }) {
    this.#onPick = onPick;
    this.#list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#list.addEventListener("click", (event) => this.#pick(event.target.closest("li")));
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    byId("pause").addEventListener("click", () => this.togglePause());
    byId("clear").addEventListener("click", () => this.#clear());
    byId("newest").addEventListener("click", () => this.#toNewest());
    byId("filter-text").addEventListener("input", (event) => this.#refilter(() => { this.#filter.text = event.target.value; }));
    byId("filter-text").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#refilter(() => { this.#filter.text = event.target.value = ""; });
    });
    byId("hide-internal").addEventListener("change", (event) => this.#refilter(() => { this.#filter.hideInternal = event.target.checked; }));
    this.#addToggles();
    this.#renderStatus();
  }

  add(reply) {
    this.#push({ reply, size: reply.size });
  }

  /** Marks missing replies at this place. */
  mark(text) {
    this.#push({ reply: null, mark: text, at: Date.now(), size: text.length });
  }

  #push(entry) {
    this.#seq += 1;
    this.#store.push({ ...entry, seq: this.#seq });
    this.#storeChars += entry.size;
    if (this.#store.length >= MAX_REPLIES + DROP_AT_ONCE || this.#storeChars > MAX_CHARS) this.#trim();
    this.#refresh();
  }

  togglePause() {
    this.#paused = !this.#paused;
    byId("pause").setAttribute("aria-pressed", String(this.#paused));
    this.#refresh();
  }

  focusFilter() {
    byId("filter-text").select();
  }

  #addToggles() {
    const codes = [...Object.entries(CODES).map(([code, { name }]) => [code, name]), ["?", "any other code"]];
    byId("filter-codes").append(...codes.map(([code, name]) => element("button", {
      type: "button", text: code, title: `Show or hide: ${name}`, "aria-label": name, "aria-pressed": "true", data: { toggleCode: code },
      on: { click: ({ currentTarget }) => this.#refilter(() => currentTarget.setAttribute("aria-pressed", String(this.#filter.toggle(code)))) },
    })));
  }

  #trim() {
    while (this.#store.length > MAX_REPLIES || (this.#storeChars > MAX_CHARS / 2 && this.#store.length > 1)) {
      this.#storeChars -= this.#store.shift().size;
    }
  }

  get #frozen() {
    return this.#paused || !this.#following;
  }

  #render() {
    if (!this.#frozen) {
      this.#append(this.#between(this.#shown, this.#seq));
      this.#shown = this.#seq;
      this.#list.scrollTop = this.#list.scrollHeight;
    }
    this.#renderStatus();
  }

  /** The stored entries after one seq, up to another. */
  #between(after, upTo) {
    const first = this.#store[0]?.seq ?? 0;
    return this.#store.slice(Math.max(0, after + 1 - first), Math.max(0, upTo + 1 - first));
  }

  #append(entries) {
    const accepted = entries.filter((entry) => this.#filter.accepts(entry)).slice(-MAX_REPLIES);
    const rows = document.createDocumentFragment();
    for (const entry of accepted) {
      const row = entry.reply ? replyRow(entry.reply) : markRow(entry);
      this.#entryOf.set(row, entry);
      rows.append(row);
    }
    this.#list.append(rows);
    this.#shownChars += accepted.reduce((sum, { size }) => sum + size, 0);
    this.#dropOldest();
  }

  /** The list has limits of its own, since with a filter it keeps rare replies that the store has dropped. */
  #dropOldest() {
    const rows = this.#list.children;
    let surplus = rows.length >= MAX_REPLIES + DROP_AT_ONCE ? rows.length - MAX_REPLIES : 0;
    for (let n = 0; n < surplus || (this.#shownChars > MAX_CHARS && n < rows.length - 1); n += 1) {
      this.#shownChars -= this.#entryOf.get(rows[n]).size;
      surplus = Math.max(surplus, n + 1);
    }
    if (surplus === 0) return;
    const range = document.createRange();
    range.setStartBefore(rows[0]);
    range.setEndAfter(rows[surplus - 1]);
    range.deleteContents();
  }

  #refilter(change) {
    change();
    this.#empty();
    this.#append(this.#between(0, this.#shown));
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#following = true;
    this.#refresh();
  }

  #clear() {
    this.#store = [];
    this.#storeChars = 0;
    this.#shown = this.#seq;
    this.#empty();
    this.#following = true;
    this.#renderStatus();
  }

  #empty() {
    this.#list.replaceChildren();
    this.#shownChars = 0;
  }

  #toNewest() {
    this.#following = true;
    if (this.#paused) this.togglePause();
    this.#list.focus({ preventScroll: true });
    this.#refresh();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    this.#following = scrollHeight - scrollTop - clientHeight < 12;
    this.#refresh();
  }

  #renderStatus() {
    const hidden = this.#seq - this.#shown;
    const count = hidden > MAX_REPLIES ? `${hidden} new, the last ${MAX_REPLIES} kept` : `${hidden} new`;
    setText(byId("pause"), this.#paused ? "Resume" : "Pause");
    const newest = byId("newest");
    newest.hidden = !this.#frozen;
    if (this.#frozen) setText(newest, `${this.#paused ? "Paused" : "Scrolled up"} · ${count} · show ↓`);
    const rows = this.#list.childElementCount;
    setText(byId("replies-count"), this.#filter.active ? `filtered: ${rows}` : `${rows} shown`);
    byId("replies-count").classList.toggle("filtered", this.#filter.active);
  }

  #pick(row) {
    if (row && !hasSelection(row)) this.#onPick(this.#entryOf.get(row).reply, row);
  }

  #key(event) {
    const row = event.target.closest("li");
    const next = {
      ArrowUp: row ? row.previousElementSibling : this.#list.lastElementChild,
      ArrowDown: row ? row.nextElementSibling : null,
      Home: this.#list.firstElementChild,
    }[event.key];
    if (next) {
      event.preventDefault();
      next.focus();
      this.#following = false;
      this.#refresh();
    } else if (event.key === "End") {
      event.preventDefault();
      this.#toNewest();
    } else if (row && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      this.#onPick(this.#entryOf.get(row).reply, row);
    }
  }
}

function replyRow(reply) {
  const { code, sender, internal, late } = reply;
  const time = late
    ? { class: "time", text: formatTime(reply.at), title: "Published while this page was not connected" }
    : { class: "time", text: formatTime(reply.at, true) };
  return element("li", { tabindex: "-1", data: { code, sender: sender ?? "", internal: String(internal), ...(late && { late: "" }) } },
    element("span", time),
    element("span", { class: "code", text: code || "–", title: Object.hasOwn(CODES, code) ? CODES[code].name : "unknown code" }),
    element("span", { class: "sender", text: sender ?? "(no sender)" }),
    element("span", { class: "body", text: compactJSON(reply.body, SHOWN_CHARS) }),
    element("span", { class: "id", text: shortId(reply.commandId) }));
}

function markRow({ mark, at }) {
  return element("li", { tabindex: "-1", class: "gap", title: mark },
    element("span", { class: "time", text: formatTime(at, true) }),
    element("span", { class: "words", text: mark }));
}
