/**
 * A card for each actor, with the last value of each of its keywords.
 *
 * Values come from the snapshot, with their own times, and then from each reply. Both only change the model and mark
 * cards as dirty. The page is updated once a frame, so a keyword that changes a hundred times between two frames is
 * written once.
 */

import { CODES } from "../client/clu.js";
import { batched, element, setText } from "./dom.js";
import { compactJSON, formatAge, formatValue, shorten } from "./format.js";

const MAX_ACTORS = 100;
const MAX_KEYWORDS = 300;

/** Keywords that are messages: shown as the card's message, not as rows. */
const MESSAGE_KEYWORDS = new Set(["text", "error", "help", "traceback"]);

/** A value that changes all the time would flash all the time: at most two changes in so many ms do. */
const FLASH_SPAN = 6_000;

/** A sender is quiet when its regular broadcasts have stopped for this many times their interval. */
const QUIET_FACTOR = 5;
const QUIET_AT_LEAST = 10_000;
const STEADY_AFTER = 5;  // broadcasts
const STEADY_INTERVAL = 30_000;

/** A problem older than this is dimmed. */
const OLD_PROBLEM = 300_000;

/** A number so long that the column of values would wrap it. */
const LONG = /\d{16}/;

/** The name of the card for replies without a sender. */
const NO_SENDER = "(no sender)";

export class Actors {
  #cards = new Map();
  #dirty = new Set();
  #unshown = 0;
  #rights = { refusal: () => null, unheard: () => null };
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

  /** Adds a reply: the time of its sender, and its message. */
  addReply(reply) {
    if (reply.refused) return;  // it is from the bridge, and to this page alone
    if (reply.returned && !this.#cards.has(reply.sender)) return;  // there is no such actor
    this.#change(reply.sender ?? NO_SENDER, (card) => card.addReply(reply));
  }

  /** Sets values. @param {import("../client/subscription.js").Change[]} changes */
  setValues(changes) {
    for (const entry of changes) {
      if (this.#cards.has(entry.actor)) this.#change(entry.actor, (card) => card.setValue(entry));
    }
  }

  /** Adds the actors of a snapshot. Their values come by `setValues`. */
  applySnapshot(snapshot) {
    for (const [name, state] of Object.entries(snapshot.actors)) {
      if (!isAbsent(state)) this.#change(name, (card) => card.applySnapshot(state));
    }
  }

  #change(name, how) {
    const card = this.#cards.get(name) ?? this.#add(name);
    if (!card) return;
    how(card);
    this.#dirty.add(card);
    this.#refresh();
  }

  #add(name) {
    if (this.#cards.size >= MAX_ACTORS) {
      this.#unshown += 1;
      return null;
    }
    const card = new Card(name, this.#on);
    card.mark(this.#rights.refusal(name), this.#rights.unheard(name));
    this.#cards.set(name, card);
    insertSorted(this.#root, card.root, (node) => node.dataset.actor);
    this.#renderCount();
    if (name !== NO_SENDER) this.#on.onNew(name);
    return card;
  }

  /**
   * Marks the actors that this client may not command, and those that it may no longer hear.
   * @param {{refusal: (actor: string) => string|null, unheard: (actor: string) => string|null}} rights
   */
  mark(rights) {
    this.#rights = rights;
    for (const [name, card] of this.#cards) card.mark(rights.refusal(name), rights.unheard(name));
  }

  /** Updates the ages, once a second. */
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
  #address;
  #rows = new Map();
  #dirty = new Set();
  #unshown = 0;
  #seenAt = 0;
  #lastMessage = null;  // the last reply with a message
  #problem = null;      // the last warning or error that was not dismissed
  #broadcasts = { count: 0, last: 0, interval: Infinity };
  #parts;

  constructor(name, { onPick, onAddress }) {
    this.#address = element("button", { type: "button", text: name, on: { click: () => onAddress(name) } });
    const part = (tag, attributes) => element(tag, attributes);
    const parts = this.#parts = {
      quiet: part("span", { class: "quiet", text: "quiet", title: "Its regular broadcasts have stopped" }),
      unheard: part("span", { class: "unheard", text: "not heard", title: "You may not hear this actor: these are the last known values" }),
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
    parts.quiet.hidden = parts.unheard.hidden = parts.dismiss.hidden = true;
    parts.message.disabled = true;
    parts.message.addEventListener("click", () => onPick(this.#problem ?? this.#lastMessage, parts.message));
    parts.dismiss.addEventListener("click", () => {
      this.#problem = null;
      this.#renderMessage(Date.now());
    });

    this.root = element("article", { class: "card", "aria-label": `Actor ${name}`, data: { actor: name, level: "ok" } },
      element("header", {},
        element("h3", {}, this.#address),
        parts.unheard, parts.quiet, parts.seen),
      parts.line,
      element("div", { class: "keywords scroll" },
        element("table", { role: "table", "aria-label": `Keywords of ${name}` }, parts.body), parts.more));
  }

  addReply(reply) {
    this.#seenAt = Math.max(this.#seenAt, reply.at);
    if (reply.commandId === null) this.#countBroadcast(reply.at);
    this.#setMessage(reply);
    if (reply.sender !== null) return;  // its values come by setValue
    for (const [name, value] of Object.entries(reply.keywords)) this.#set(name, value, reply.at);
  }

  setValue({ keyword, value, time, tooLarge }) {
    this.#set(keyword, tooLarge === undefined ? value : `(${tooLarge} bytes: the bridge does not keep it)`, time.getTime());
  }

  /** Takes the actor's time and last message from a snapshot. */
  applySnapshot({ time, keywords }) {
    this.#seenAt = Math.max(this.#seenAt, Date.parse(time));
    const words = ["text", "error"].map((name) => keywords[name]).filter((word) => typeof word?.value === "string")
      .sort((a, b) => a.seq - b.seq).at(-1);
    if (!words || this.#lastMessage || this.#problem) return;
    const level = Object.hasOwn(CODES, words.code) ? CODES[words.code].level : "ok";
    this.#setMessage({ code: words.code, level, text: words.value, at: Date.parse(words.time), envelope: null });
  }

  #setMessage(reply) {
    if (reply.level !== "ok") this.#problem = reply;
    else if (reply.text !== null) this.#lastMessage = reply;
  }

  #set(name, value, now) {
    if (MESSAGE_KEYWORDS.has(name)) return;
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
    row.updatedAt = now;
    this.#dirty.add(row);
  }

  #countBroadcast(now) {
    const { count, last, interval } = this.#broadcasts;
    const gap = now - last;
    const mean = count < 2 ? gap : 0.8 * interval + 0.2 * gap;
    this.#broadcasts = { count: count + 1, last: now, interval: count === 0 ? Infinity : mean };
  }

  /** Shows whether this client may command and hear the actor. @param {string|null} refusal @param {string|null} unheard */
  mark(refusal, unheard) {
    this.root.toggleAttribute("data-denied", refusal !== null);
    this.root.toggleAttribute("data-unheard", unheard !== null);
    this.#parts.unheard.hidden = unheard === null;
    this.#address.title = refusal ?? `Write a command to ${this.#address.textContent}`;
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
    const reply = this.#problem ?? this.#lastMessage;
    const level = this.#problem?.level ?? "ok";
    if (this.root.dataset.level !== level) this.root.dataset.level = level;
    dismiss.hidden = this.#problem === null;
    message.disabled = !reply?.envelope;
    line.dataset.code = reply?.code ?? "";
    setText(code, reply?.code ?? "");
    setText(words, reply === null ? "" : shorten(reply.text ?? compactJSON(reply.body, 300), 300));
    this.#ageMessage(now);
  }

  #ageMessage(now) {
    const reply = this.#problem ?? this.#lastMessage;
    setText(this.#parts.wordsAge, reply === null ? "" : formatAge(now - reply.at));
    this.#parts.line.classList.toggle("old", reply !== null && now - reply.at > OLD_PROBLEM);
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
  updatedAt = 0;
  #text = null;
  #changes = [-Infinity, -Infinity];  // the times of the last two
  #shownAge = "";
  #value = element("td", { class: "value", role: "cell" });
  #age = element("td", { class: "age", role: "cell" });

  constructor(name) {
    // The roles are explicit because the rows are grids, which hides the table from assistive technology.
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
    this.#value.dataset.type = text.includes("\n") || LONG.test(text) ? "nested" : value === null ? "null" : "scalar";
    if (!first) this.#flash(now);
  }

  #flash(now) {
    const [before] = this.#changes;
    this.#changes = [this.#changes[1], now];
    if (now - before < FLASH_SPAN) return;
    const { classList } = this.root;
    const next = classList.contains("flash-a") ? "flash-b" : "flash-a";  // the other class restarts the animation
    classList.remove("flash-a", "flash-b");
    classList.add(next);
  }

  age(now) {
    const text = formatAge(now - this.updatedAt);
    if (text === this.#shownAge) return;
    this.#shownAge = text;
    this.#age.textContent = text;
  }
}

/** Whether the only reply in an actor's name is the bridge's: a command was sent to it, and it does not exist. */
function isAbsent({ code, keywords }) {
  const names = Object.keys(keywords);
  return code === "f" && names.length === 1 && names[0] === "error";
}

/** Inserts a node in the order of names, so that every actor and keyword has the same place every night. */
function insertSorted(parent, node, nameOf) {
  const name = nameOf(node);
  const next = Array.prototype.find.call(parent.children, (other) => nameOf(other).localeCompare(name, "en", { numeric: true }) > 0);
  parent.insertBefore(node, next ?? null);
}
