/**
 * A card for each actor that was heard, with the last value of each of its keywords.
 *
 * A reply only changes the model and marks what it touched. The page follows once a frame, so that a keyword that comes a
 * hundred times between two frames is written once.
 */

import { batched, element, setText } from "./dom.js";
import { compactJSON, formatAge, formatValue, shorten } from "./format.js";

const MAX_ACTORS = 100;
const MAX_KEYWORDS = 300;

/** What an actor says rather than what it is: shown as its message, not as a keyword. */
const TALK = new Set(["text", "error", "help", "traceback"]);

/** A value that changes all the time would blink all the time: within so many ms only two changes flash. */
const FLASH_SPAN = 6_000;

/** A sender whose steady broadcasts stay away this many times their interval is called quiet. */
const QUIET_FACTOR = 5;
const QUIET_AT_LEAST = 10_000;
const STEADY_AFTER = 5;  // broadcasts heard
const STEADY_INTERVAL = 30_000;

/** A problem older than this is still there, but dimmed. */
const OLD_PROBLEM = 300_000;

export class Actors {
  #cards = new Map();
  #dirty = new Set();
  #unshown = 0;
  #on;
  #root = document.getElementById("actors");
  #count = document.getElementById("actors-count");
  #refresh = batched(() => {
    for (const card of this.#dirty) card.render();
    this.#dirty.clear();
  });

  /** @param {{onPick: Function, onAddress: Function, onNew: Function}} on */
  constructor(on) {
    this.#on = on;
  }

  take(reply) {
    if (reply.refused) return;  // the bridge's own words to this page
    const name = reply.sender ?? "(no sender)";
    let card = this.#cards.get(name);
    if (!card) {
      if (reply.returned) return;  // there is no such actor
      if (this.#cards.size >= MAX_ACTORS) {
        this.#unshown += 1;
        return;
      }
      card = new Card(name, this.#on);
      this.#cards.set(name, card);
      insertSorted(this.#root, card.root, (node) => node.dataset.actor);
      this.#renderCount();
      if (reply.sender !== null) this.#on.onNew(name);
    }
    card.take(reply);
    this.#dirty.add(card);
    this.#refresh();
  }

  /** Once a second: the ages. */
  tick() {
    const now = Date.now();
    for (const card of this.#cards.values()) card.age(now);
    this.#renderCount();
  }

  #renderCount() {
    const more = this.#unshown > 0 ? `, ${this.#unshown} replies of others not shown` : "";
    setText(this.#count, `${this.#cards.size}${more}`);
  }
}

class Card {
  #rows = new Map();
  #dirty = new Set();
  #unshown = 0;
  #seenAt = 0;
  #said = null;     // the last reply with words
  #problem = null;  // the last warning or error that nobody dismissed
  #broadcasts = { count: 0, last: 0, interval: Infinity };
  #parts;

  constructor(name, { onPick, onAddress }) {
    const part = (tag, attributes) => element(tag, attributes);
    const parts = this.#parts = {
      quiet: part("span", { class: "quiet", text: "quiet", title: "Its regular broadcasts have stopped" }),
      seen: part("span", { class: "seen", title: "Since its last reply" }),
      code: part("span", { class: "code" }),
      words: part("span", { class: "words" }),
      wordsAge: part("span", { class: "age" }),
      dismiss: part("button", { class: "dismiss", type: "button", text: "✓", title: "Dismiss", "aria-label": `Dismiss the problem of ${name}` }),
      more: part("p", { class: "more", hidden: "" }),
      body: part("tbody", { role: "rowgroup" }),
    };
    parts.message = element("button", { class: "words-button", type: "button", title: "Show the envelope" }, parts.code, parts.words, parts.wordsAge);
    parts.line = element("div", { class: "message", data: { code: "" } }, parts.message, parts.dismiss);
    parts.quiet.hidden = parts.dismiss.hidden = true;
    parts.message.disabled = true;
    parts.message.addEventListener("click", () => onPick(this.#problem ?? this.#said, parts.message));
    parts.dismiss.addEventListener("click", () => {
      this.#problem = null;
      this.#renderMessage(Date.now());
    });

    this.root = element("article", { class: "card", "aria-label": `Actor ${name}`, data: { actor: name, level: "ok" } },
      element("header", {},
        element("h3", {}, element("button", { type: "button", text: name, title: `Write a command to ${name}`, on: { click: () => onAddress(name) } })),
        parts.quiet, parts.seen),
      parts.line,
      element("div", { class: "keywords scroll" },
        element("table", { role: "table", "aria-label": `Keywords of ${name}` }, parts.body), parts.more));
  }

  take(reply) {
    const now = reply.receivedAt;
    this.#seenAt = now;
    if (reply.commandId === null) this.#countBroadcast(now);
    if (reply.level !== "ok") this.#problem = reply;
    else if (reply.text !== null) this.#said = reply;
    for (const [name, value] of Object.entries(reply.keywords)) {
      if (!TALK.has(name)) this.#set(name, value, now);
    }
  }

  #set(name, value, now) {
    let row = this.#rows.get(name);
    if (!row) {
      if (this.#rows.size >= MAX_KEYWORDS) {
        this.#unshown += 1;
        return;
      }
      row = new Row(name);
      this.#rows.set(name, row);
      insertSorted(this.#parts.body, row.root, (node) => node.dataset.keyword);
    }
    row.latest = value;
    row.heardAt = now;
    this.#dirty.add(row);
  }

  #countBroadcast(now) {
    const { count, last, interval } = this.#broadcasts;
    const gap = now - last;
    const mean = count < 2 ? gap : 0.8 * interval + 0.2 * gap;
    this.#broadcasts = { count: count + 1, last: now, interval: count === 0 ? Infinity : mean };
  }

  render() {
    const now = Date.now();
    for (const row of this.#dirty) row.render(now);
    this.#dirty.clear();
    this.#renderMessage(now);
    this.age(now);
    if (this.#unshown > 0) {
      this.#parts.more.hidden = false;
      setText(this.#parts.more, `more than ${MAX_KEYWORDS} keywords: the others are not shown`);
    }
  }

  #renderMessage(now) {
    const { line, code, words, dismiss, message } = this.#parts;
    const reply = this.#problem ?? this.#said;
    const level = this.#problem?.level ?? "ok";
    if (this.root.dataset.level !== level) this.root.dataset.level = level;
    dismiss.hidden = this.#problem === null;
    message.disabled = reply === null;
    line.dataset.code = reply?.code ?? "";
    setText(code, reply?.code ?? "");
    setText(words, reply === null ? "" : shorten(reply.text ?? compactJSON(reply.body, 300), 300));
    this.#ageMessage(now);
  }

  #ageMessage(now) {
    const reply = this.#problem ?? this.#said;
    setText(this.#parts.wordsAge, reply === null ? "" : formatAge(now - reply.receivedAt));
    this.#parts.line.classList.toggle("old", reply !== null && now - reply.receivedAt > OLD_PROBLEM);
  }

  age(now) {
    setText(this.#parts.seen, formatAge(now - this.#seenAt));
    this.#ageMessage(now);
    const { count, last, interval } = this.#broadcasts;
    const steady = count >= STEADY_AFTER && interval < STEADY_INTERVAL;
    const quiet = steady && now - last > Math.max(QUIET_AT_LEAST, QUIET_FACTOR * interval);
    this.#parts.quiet.hidden = !quiet;
    this.root.toggleAttribute("data-quiet", quiet);
    for (const row of this.#rows.values()) row.age(now);
  }
}

class Row {
  latest = undefined;  // the value to show next
  heardAt = 0;
  #text = null;
  #changes = [-Infinity, -Infinity];  // when the last two were
  #shownAge = "";
  #value = element("td", { class: "value", role: "cell" });
  #age = element("td", { class: "age", role: "cell" });

  constructor(name) {
    // The roles are spelled out because the rows are laid out as grids, which hides the table from assistive technology.
    const key = element("th", { class: "key", scope: "row", role: "rowheader", text: name });
    this.root = element("tr", { role: "row", data: { keyword: name } }, key, this.#value, this.#age);
  }

  render(now) {
    const value = this.latest;
    this.latest = undefined;  // it may be large
    const text = formatValue(value);
    if (text === this.#text) return;
    const first = this.#text === null;
    this.#text = text;
    this.#value.textContent = text;
    this.#value.dataset.type = text.includes("\n") ? "nested" : value === null ? "null" : "scalar";
    if (!first) this.#flash(now);
  }

  #flash(now) {
    const [before] = this.#changes;
    this.#changes = [this.#changes[1], now];
    if (now - before < FLASH_SPAN) return;
    const { classList } = this.root;
    const next = classList.contains("flash-a") ? "flash-b" : "flash-a";  // another animation of the same kind starts anew
    classList.remove("flash-a", "flash-b");
    classList.add(next);
  }

  age(now) {
    const text = formatAge(now - this.heardAt);
    if (text === this.#shownAge) return;
    this.#shownAge = text;
    this.#age.textContent = text;
  }
}

/** Inserts a node where its name belongs, so that everything keeps its place from one night to the next. */
function insertSorted(parent, node, nameOf) {
  const name = nameOf(node);
  const next = Array.prototype.find.call(parent.children, (other) => nameOf(other).localeCompare(name, "en", { numeric: true }) > 0);
  parent.insertBefore(node, next ?? null);
}
