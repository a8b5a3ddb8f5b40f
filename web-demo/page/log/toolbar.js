/** What chooses the replies of the log: words, codes, senders, internal ones; pause; files. */

import { CODES } from "../../client/clu.js";
import { button, element, setAttribute, setText } from "../shell/dom.js";
import { ALL_CODES, OTHER } from "./query.js";

const nameOf = (code) => (code === OTHER ? "any other code" : CODES[code].name);

/** ms after the last key until the words are searched for. */
const TYPING = 250;

export class LogToolbar {
  #on;
  #query;
  #typing = 0;
  #text;
  #codes = new Map();
  #internal;
  #pause = button("Pause", () => this.#on.pause(), { class: "log-pause", "aria-pressed": "false" });
  #senders = element("div", { class: "log-senders panel-below", role: "group", "aria-label": "Senders" });
  #summary = element("summary", { text: "All senders" });
  #facet;
  #count = element("span", { class: "log-count count" });

  /**
   * @param {import("./query.js").LogQuery} query
   * @param {{query: (query: import("./query.js").LogQuery) => void, pause: () => void, save: (kind: "ndjson"|"csv") => void,
   *   senders: () => [string, number][]}} on
   */
  constructor(query, on) {
    this.#on = on;
    this.#query = query;
    this.#text = element("input", {
      id: "log-text", type: "search", placeholder: "words, -without, /expression/", autocomplete: "off", spellcheck: "false",
      "aria-label": "Filter replies: all words must occur; a leading minus excludes; an expression stands between slashes",
      on: { input: () => this.#typed(), keydown: (event) => this.#key(event) },
    });
    this.#internal = element("input", { type: "checkbox", class: "log-internal", on: { change: () => this.#set({ hideInternal: this.#internal.checked }) } });
    for (const code of ALL_CODES) {
      this.#codes.set(code, button(code, () => this.#toggle(code), { title: `Show or hide: ${nameOf(code)}`, "aria-label": nameOf(code), data: { toggleCode: code } }));
    }
    this.#facet = element("details", { class: "log-facet", on: { toggle: () => this.facets() } }, this.#summary, this.#senders);
    this.#facet.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#facet.open) return;
      event.stopPropagation();
      this.#facet.open = false;
      this.#summary.focus();
    });
    this.node = element("div", { class: "log-toolbar", role: "search", "aria-label": "What the log shows" },
      this.#text,
      element("div", { class: "log-codes", role: "group", "aria-label": "Message codes" }, ...this.#codes.values()),
      this.#facet,
      element("label", { class: "check" }, this.#internal, "hide internal"),
      this.#pause,
      button("NDJSON", () => on.save("ndjson"), { title: "Save what is listed: an envelope in each line" }),
      button("CSV", () => on.save("csv"), { title: "Save what is listed, for a spreadsheet" }),
      this.#count);
    this.show(query);
  }

  /** Shows a query. */
  show(query) {
    this.#query = query;
    if (this.#text.value !== query.text) this.#text.value = query.text;
    for (const [code, toggle] of this.#codes) setAttribute(toggle, "aria-pressed", String(query.codes.has(code)));
    this.#internal.checked = query.hideInternal;
    setText(this.#summary, query.senders.size === 0 ? "All senders" : query.senders.size === 1 ? [...query.senders][0] : `${query.senders.size} senders`);
    this.#told();
  }

  /** Marks words that are not understood. It may turn out when they are looked for; the panel says why. */
  #told() {
    setAttribute(this.#text, "aria-invalid", this.#query.error === null ? null : "true");
  }

  /** Says how many entries are listed, and whether the list is paused. */
  status(listed, paused) {
    this.#told();
    setText(this.#count, this.#query.selectsAll ? `${listed} listed` : `filtered: ${listed} listed`);
    this.#count.classList.toggle("filtered", !this.#query.selectsAll);
    setText(this.#pause, paused ? "Resume" : "Pause");
    setAttribute(this.#pause, "aria-pressed", String(paused));
  }

  focus() { this.#text.select(); }

  /** Writes the senders and their numbers, while they can be seen. */
  facets() {
    if (!this.#facet.open) return;
    const counts = this.#on.senders();
    const known = new Map([...this.#senders.children].map((label) => [label.dataset.sender, label]));
    const order = counts.map(([name, count]) => {
      const label = known.get(name) ?? this.#sender(name);
      label.box.checked = this.#query.senders.has(name);
      setText(label.number, String(count));
      return label;
    });
    const same = order.length === known.size && order.every((label, at) => this.#senders.children[at] === label);
    if (!same && !this.#senders.contains(document.activeElement)) this.#senders.replaceChildren(...order);
    else if (!same) this.#senders.append(...order.filter((label) => label.parentNode === null));
  }

  #sender(name) {
    const box = element("input", { type: "checkbox", on: { change: () => this.#toggleSender(name, box.checked) } });
    const number = element("span", { class: "count" });
    const label = element("label", { class: "check", data: { sender: name } }, box, element("span", { text: name || "(no sender)" }), number);
    return Object.assign(label, { box, number });
  }

  #toggleSender(name, chosen) {
    const senders = new Set(this.#query.senders);
    if (chosen) senders.add(name);
    else senders.delete(name);
    this.#set({ senders });
  }

  #toggle(code) {
    const codes = new Set(this.#query.codes);
    if (!codes.delete(code)) codes.add(code);
    this.#set({ codes });
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#set({ text: this.#text.value }), TYPING);
  }

  #key(event) {
    if (event.key === "Enter") {
      clearTimeout(this.#typing);
      this.#set({ text: this.#text.value });
    } else if (event.key === "Escape") {
      this.#text.blur();  // what was typed stays
    }
  }

  #set(changes) {
    this.show(this.#query.with(changes));
    this.#on.query(this.#query);
  }

  stop() { clearTimeout(this.#typing); }
}
