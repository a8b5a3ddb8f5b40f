/** One row of the table of keywords. It writes only what differs, and only when it is asked to. */

import { formatAge, OUTDATED } from "../core/format.js";
import { element, setAttribute, setHidden, setText } from "../shell/dom.js";
import { copyButton } from "./copy.js";
import { decodeStatus, describeLimits, kindOf, labelsOf, limitOf } from "./reading.js";
import { render as renderSpark, Series, sparkElement } from "./sparkline.js";
import { Tree } from "./tree.js";
import { isBranch, summary } from "./treemodel.js";

/** Labels that are older or newer than their status word by more than this, ms, are not of the same reply. */
const SAME_REPLY = 1_000;

/** ms between two drawings of a sparkline: in an hour over 84 pixels nothing happens sooner. */
const REDRAW = 10_000;

/** Characters of a value that are in sight in any width; of a longer one the title has all. */
const SHORT = 12;

const WORST = { warn: 1, critical: 2 };

export class KeywordRow {
  /** Whether it is in sight. */ visible = false;
  /** Whether something of it is not drawn. */ dirty = true;
  series = new Series();
  #keyword;  // of the store: the same object as long as the page is open
  #table;
  #meta = null;
  #tree = null;
  #details = null;
  #limit = null;
  #drawnAt = -Infinity;
  #parts;

  /**
   * @param {import("../core/actors.js").Keyword} keyword
   * @param {import("./keywords.js").TableContext} table  what all rows share
   */
  constructor(keyword, table) {
    const { name } = keyword;
    const path = `${table.actor}.${name}`;
    this.#keyword = keyword;
    this.#table = table;
    const parts = this.#parts = {
      name: element("a", { class: "key", href: table.plotLink(path), text: name }),
      description: element("span", { class: "description" }),
      value: element("span", { class: "value", tabindex: "-1" }), unit: element("span", { class: "unit" }), limit: element("span", { class: "limit" }),
      bits: element("span", { class: "bits" }),
      spark: sparkElement(),
      age: element("span", { class: "age" }),
    };
    parts.cell = element("div", { role: "cell", class: "value-cell" }, parts.value, parts.unit, parts.limit, parts.bits);
    // The roles are explicit, because rows are grids, which hides a table from assistive technology.
    this.root = element("div", { role: "row", class: "keyword", data: { keyword: name } },
      element("div", { role: "rowheader", class: "name-cell" }, parts.name, copyButton(path, table.notify), parts.description),
      parts.cell,
      element("div", { role: "cell", class: "spark-cell" }, parts.spark),
      element("div", { role: "cell", class: "age-cell" }, parts.age));
  }

  get name() { return this.#keyword.name; }
  get time() { return this.#keyword.time; }

  /** How far it is out of its limits: 0 for not at all. */
  get badness() {
    this.#meta ??= this.#table.metaOf(this.name);
    return WORST[limitOf(this.#keyword.value, this.#meta)?.level] ?? 0;
  }

  /** Takes a new value. */
  changed() {
    this.series.add(this.#keyword.value, this.#keyword.time);
    this.dirty = true;
  }

  /** The model or the site has changed. */
  forgetMeta() {
    this.#meta = null;
    this.dirty = true;
  }

  render() {
    this.dirty = false;
    this.#meta ??= this.#table.metaOf(this.name);
    const { value, text, tooLarge } = this.#keyword;
    const { unit, description, value: shown, limit } = this.#parts;
    const kind = tooLarge === undefined ? kindOf(value) : "text";
    this.#limit = tooLarge === undefined ? limitOf(value, this.#meta) : null;
    if (kind === "tree" && isBranch(value)) this.#renderTree(value);
    else this.#renderText(kind === "null" ? "null" : text, kind);
    setText(unit, kind === "tree" || kind === "null" ? "" : this.#meta.unit);
    setAttribute(unit, "title", this.#meta.unitFrom === "suffix" ? "From the ending of the name: the actor does not say" : null);
    const level = this.#limit?.level ?? "";
    setAttribute(this.root, "data-limit", level);
    setAttribute(limit, "data-level", level);
    setText(description, this.#meta.description);
    const limits = describeLimits(this.#meta) || null;
    setAttribute(description, "title", limits);
    setAttribute(shown, "title", text.length > SHORT ? [text, limits].filter(Boolean).join("\n\n") : limits);
    this.#renderBits();
    this.draw(REDRAW);
    this.age();
  }

  /** Draws the sparkline, unless that was done less than so many ms ago. */
  draw(notSince = 0) {
    const now = this.#table.now();
    if (now - this.#drawnAt < notSince) return;
    this.#drawnAt = now;
    renderSpark(this.#parts.spark, this.series, now, this.#table.span);
  }

  /** Writes what does not change with the value alone: its age, by the bridge's clock, and whether it is outdated. */
  age() {
    const { outdated } = this.#keyword;
    setAttribute(this.root, "data-outdated", outdated ? "" : null);
    setAttribute(this.#parts.limit, "title", outdated ? OUTDATED : null);
    setText(this.#parts.limit, [this.#limit?.words, outdated ? "may be outdated" : null].filter(Boolean).join("; "));
    setText(this.#parts.age, formatAge(this.#table.age(this.#keyword.time)));
  }

  #renderText(text, kind) {
    const { value } = this.#parts;
    if (this.#details) {
      this.#details.remove();
      this.#details = this.#tree = null;
    }
    setHidden(value, false);
    setText(value, kind === "nan" ? `⚠ ${text}: not a number` : text);
    setAttribute(value, "data-kind", kind);
  }

  #renderTree(value) {
    if (!this.#details) {
      this.#parts.value.hidden = true;
      const words = element("span", { class: "summary-words" });
      this.#details = element("details", { class: "tree-root", on: { toggle: () => this.#openTree() } }, element("summary", {}, words));
      this.#parts.cell.prepend(this.#details);
    }
    setText(this.#details.firstChild.firstChild, summary(value));
    if (this.#details.open) this.#tree?.update(value);
  }

  #openTree() {
    if (!this.#details?.open) return;
    if (!this.#tree) {
      const { actor, metaOf, notify, plotLink } = this.#table;
      this.#tree = new Tree(`${actor}.${this.name}`, { notify, plotLink, metaOf: (path) => metaOf(path.slice(actor.length + 1)) });
      this.#details.append(this.#tree.root);
    }
    this.#tree.update(this.#keyword.value);
  }

  /** The meaning of a status word: the names of its bits stand in another keyword. */
  #renderBits() {
    const { bits } = this.#parts;
    const labels = this.#table.keyword(labelsOf(this.name));
    const status = labels ? decodeStatus(this.#keyword.value, labels.value) : null;
    setHidden(bits, status === null);
    if (status === null) return;
    const names = status.names.map((name, at) => (status.paired ? `${name} (bit ${status.bits[at]})` : name));
    const apart = Math.abs(labels.time - this.#keyword.time) > SAME_REPLY ? " — labels of another reply" : "";
    const unnamed = status.paired ? "" : ` — bits ${status.bits.join(", ") || "none"}: not one for each name`;
    setText(bits, (names.join(" · ") || "no bit is set") + unnamed + apart);
  }
}
