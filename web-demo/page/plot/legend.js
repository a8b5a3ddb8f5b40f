/** The keywords of a plot, each with its value at the cursor, or the newest. */

import { formatTime } from "../core/format.js";
import { button, element, setText } from "../shell/dom.js";
import { formatRoute } from "../shell/router.js";
import { stateText } from "./series.js";
import { valueText } from "./ticks.js";

/** ms after which a value at the end says when it was said. */
const OLD = 5_000;

const SWATCH = { width: 26, height: 10 };

export class Legend {
  #rows = new Map();  // track -> parts
  #caption = element("caption");
  #body = element("tbody");
  #remove;

  /** @param {{remove: ((name: string) => void)|null}} on */
  constructor({ remove }) {
    this.#remove = remove;
    this.node = element("table", { class: "plot-legend" }, this.#caption, this.#body);
  }

  /** @param {import("./source.js").Track[]} tracks */
  show(tracks) {
    this.#rows.clear();
    this.#body.replaceChildren(...tracks.map((track) => this.#row(track)));
  }

  #row(track) {
    const { name, actor, keyword } = track;
    const parts = {
      swatch: element("canvas", { class: "swatch", "aria-hidden": "true" }), value: element("td", { class: "value" }),
      unit: element("td", { class: "unit" }), range: element("td", { class: "range dim" }), note: element("td", { class: "note" }),
    };
    this.#rows.set(track, parts);
    const link = element("a", { href: formatRoute(["actor", actor], { f: keyword }), text: name });
    const remove = this.#remove === null ? [] : [button("✕", () => this.#remove(name), { class: "plot-remove", "aria-label": `Remove ${name}`, title: `Remove ${name}` })];
    return element("tr", { data: { keyword: name } }, element("th", { scope: "row" }, parts.swatch, link),
      parts.value, parts.unit, parts.range, parts.note, element("td", { class: "act" }, ...remove));
  }

  /** Draws the line of each keyword as it is in the plot. */
  paint(palette, indexOf) {
    for (const [track, { swatch }] of this.#rows) {
      const ratio = devicePixelRatio;
      swatch.width = SWATCH.width * ratio;
      swatch.height = SWATCH.height * ratio;
      swatch.hidden = track.number === null;
      const ctx = swatch.getContext("2d");
      ctx.strokeStyle = palette.line(indexOf(track));
      ctx.lineWidth = 2.5 * ratio;
      ctx.setLineDash(palette.dash(indexOf(track)).map((length) => length * ratio));
      ctx.beginPath();
      ctx.moveTo(0, swatch.height / 2);
      ctx.lineTo(swatch.width, swatch.height / 2);
      ctx.stroke();
    }
  }

  /**
   * Writes the values.
   * @param {number|null} time  of the cursor; null is the newest
   * @param {number} newest     the time of the newest
   * @param {(track: object) => string} unitOf
   */
  write(time, newest, unitOf) {
    setText(this.#caption, time === null ? `Values at the end, ${formatTime(newest)} UTC` : `Values at ${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`);
    for (const [track, parts] of this.#rows) {
      const { text, range } = time === null ? newestOf(track, newest) : textAt(track, time);
      setText(parts.value, text);
      setText(parts.range, range);
      setText(parts.unit, track.number === null ? "" : unitOf(track));
      setText(parts.note, track.note);
    }
  }
}

/** The last value before the end, and when it was said if that was not just now. */
function newestOf(track, end) {
  const until = Math.min(end, Math.max(track.number?.until ?? 0, track.state?.until ?? 0));
  const { text, range } = textAt(track, until);
  return { text, range: end - until > OLD && until > 0 ? `said ${formatTime(until)}` : range };
}

/**
 * What a keyword was at a time, in words.
 * @returns {{text: string, range: string}} the range of values in a bucket, "" without one
 */
export function textAt({ number, state }, time) {
  const at = number?.at(time) ?? null;
  const word = state?.at(time) ?? null;
  const isWord = word !== null && word.value !== null;  // otherwise it was a number then, or nothing
  if (at !== null && !(isWord && (Number.isNaN(at.last) || word.time > at.time))) {
    return { text: valueText(at.last), range: at.min < at.max ? `${valueText(at.min)} … ${valueText(at.max)}` : "" };
  }
  if (word !== null) return { text: stateText(word.value), range: word.count > 1 ? `the last of ${word.count}` : "" };
  return { text: "not known", range: "" };
}
