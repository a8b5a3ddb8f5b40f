/** A row of the overview: one actor. It writes only what has changed. */

import { OUTDATED } from "../core/format.js";
import { isOpen } from "../core/problems.js";
import { element, levelMark, setAttribute, setLevel, setText } from "../shell/dom.js";
import { lifeOf } from "./life.js";
import { choose, limitOf, PINS, roundForGlance, shortName, unitOf } from "./pins.js";

const SVG = "http://www.w3.org/2000/svg";

/** Characters of a value that are shown. */
const VALUE_CHARS = 24;

/** A row without an actor, of which the others are copies: to make each part of each would take several times as long. */
let blank = null;

function makeBlank() {
  const span = (name, ...children) => element("span", { class: name }, ...children);
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["viewBox", "0 0 60 10"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  svg.append(document.createElementNS(SVG, "path"));
  const pins = Array.from({ length: PINS }, () => span("pin", span("key"), element("span", { class: "beyond", "aria-hidden": "true" }), span("value")));
  return element("li", { "data-level": "ok" }, levelMark("ok"), element("a", { class: "name", tabindex: "-1" }), span("seen"), span("problem"), ...pins, span("spark", svg));
}

export class Row {
  #actor;
  #app;
  #mark;
  #link;
  #seen;
  #problem;
  #pins;
  #spark;
  #line;
  #drawnAt = -Infinity;
  #chosen = { size: -1, pinned: undefined, names: [] };
  #unheard = false;  // this client may not hear the actor: these are the last known values

  /** @param {object} app @param {import("../core/actors.js").Actor} actor */
  constructor(app, actor) {
    this.#app = app;
    this.#actor = actor;
    this.root = (blank ??= makeBlank()).cloneNode(true);
    let pins;
    [this.#mark, this.#link, this.#seen, this.#problem, ...pins] = this.root.children;
    this.#spark = pins.pop();
    this.#line = this.#spark.firstChild.firstChild;
    this.#pins = pins.map((root) => new Pin(root));
    this.root.dataset.actor = this.#link.textContent = this.#link.title = actor.name;
    this.#link.href = `#/actor/${encodeURIComponent(actor.name)}`;
  }

  /** The part that gets the focus. */
  get link() { return this.#link; }

  /** Moves the row. @param {{x: number, y: number, width: number, index: number, count: number}} place */
  place({ x, y, width, index, count }) {
    this.root.style.setProperty("transform", `translate(${x}px, ${y}px)`);
    this.root.style.setProperty("width", `${width}px`);
    setAttribute(this.root, "aria-posinset", String(index + 1));
    setAttribute(this.root, "aria-setsize", String(count));
  }

  /** Writes what may have changed. @param {import("./trends.js").Trends|null} trends  null before they are loaded */
  render(trends) {
    const { name, level, keywords, problems, consumer } = this.#actor;
    if (this.root.dataset.level !== level) this.root.dataset.level = level;
    setLevel(this.#mark, level);
    const worst = problems.find(isOpen);
    const open = problems.filter(isOpen).length;
    const text = worst ? `${open > 1 ? `${open} · ` : ""}${worst.text}` : "";
    setText(this.#problem, text);
    setAttribute(this.#problem, "title", worst ? text : null);
    setAttribute(this.root, "data-consumer", consumer === null ? "unknown" : String(consumer));
    const names = this.#choose(keywords, this.#app.site.pins[name]);
    this.#pins.forEach((pin, at) => pin.render(this.#app.site, name, names[at], keywords));
    this.age();
    this.#draw(trends);
  }

  /** The keywords to show. They are chosen anew when there are more, or the site pins others: not at each value. */
  #choose(keywords, pinned) {
    if (this.#chosen.size !== keywords.size || this.#chosen.pinned !== pinned) {
      this.#chosen = { size: keywords.size, pinned, names: choose(keywords, pinned) };
    }
    return this.#chosen.names;
  }

  /** Writes how long ago the actor was last heard, and whether it should have been. */
  age() {
    const { store } = this.#app;
    const { time } = this.#actor;
    const { words, silent, title } = lifeOf(this.#actor, store.age(time), store.shownAge(time));
    setText(this.#seen, this.#unheard ? `not heard ${words}` : words);
    this.root.toggleAttribute("data-quiet", silent);
    setAttribute(this.#seen, "title", title);
  }

  /** Shows whether this client may command and hear the actor. @param {string|null} refusal @param {string|null} unheard */
  rights(refusal, unheard) {
    this.root.toggleAttribute("data-denied", refusal !== null);
    this.#unheard = unheard !== null;
    this.root.toggleAttribute("data-unheard", this.#unheard);
    this.age();
    this.#link.title = [this.#actor.name, refusal, unheard].filter(Boolean).join(": ");
  }

  /** Draws the sparkline, at most every ten seconds. */
  #draw(trends) {
    if (trends === null) return;
    const now = this.#app.store.now();
    if (now - this.#drawnAt < 10_000 && this.#drawnAt <= now) return;
    const { path, title } = trends.of(this.#actor, now);
    if (path === "") return;
    this.#drawnAt = now;
    setAttribute(this.#line, "d", path);
    setAttribute(this.#spark, "title", title);
  }

  /** Draws the sparkline anew: its history has come. */
  redraw(trends) {
    this.#drawnAt = -Infinity;
    this.#draw(trends);
  }
}

class Pin {
  #name;
  #mark;
  #value;

  constructor(root) {
    this.root = root;
    [this.#name, this.#mark, this.#value] = root.children;
  }

  render(site, actor, keyword, keywords) {
    if (keyword === undefined) {
      setText(this.#name, "");
      setText(this.#value, "");
      setText(this.#mark, "");
      return;
    }
    const known = keywords.get(`${keyword}_labels`) ?? keywords.get(keyword);  // a status word, decoded
    setAttribute(this.root, "data-keyword", keyword);
    setText(this.#name, shortName(actor, keyword));
    const unit = unitOf(site, actor, keyword);
    const text = known === undefined ? "–" : known.text.split("\n")[0];
    const rounded = known !== undefined && typeof known.value === "number" ? roundForGlance(known.value, text) : text;
    const short = rounded.length > VALUE_CHARS ? `${rounded.slice(0, VALUE_CHARS)}…` : rounded;
    const limit = limitOf(site, actor, keyword, keywords.get(keyword)?.value);
    setAttribute(this.root, "data-limit", limit === "ok" ? null : limit);
    const outdated = known?.outdated === true;
    setAttribute(this.root, "data-outdated", outdated ? "" : null);
    setText(this.#mark, `${{ critical: "✖", warn: "▲" }[limit] ?? ""}${outdated ? "?" : ""}`);
    setText(this.#value, unit === "" || known === undefined ? short : `${short} ${unit}`);
    setAttribute(this.root, "title", `${keyword}: ${text}${unit === "" ? "" : ` ${unit}`}${limit === "ok" ? "" : ", beyond its limits"}${outdated ? `, ${OUTDATED}` : ""}`);
  }
}
