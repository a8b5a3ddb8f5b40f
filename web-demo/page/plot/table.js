/** What a plot shows as tables: for screen readers, and for whoever wants the figures. They are made when they are opened. */

import { element, setText } from "../shell/dom.js";
import { sampled } from "./csv.js";
import { textAt } from "./legend.js";

const ROWS = 13;
const MARKS = 50;

const timeText = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

export class PlotTable {
  #values = element("table", { class: "plot-values" });
  #marks = element("ol", { class: "plot-marks" });
  #note = element("p", { class: "dim" });
  #read;

  /** @param {() => {tracks: object[], from: number, to: number, marks: object[], omitted: number, since: number|null}} read */
  constructor(read) {
    this.#read = read;
    this.node = element("details", { class: "plot-table", on: { toggle: () => this.update() } },
      element("summary", { text: "As a table" }),
      element("div", { class: "plot-scroll scroll", tabindex: "0", role: "region", "aria-label": "Values as a table" }, this.#values),
      element("h2", { text: "What happened" }), this.#marks, this.#note);
  }

  /** Writes it, if it is open. */
  update() {
    if (!this.node.open) return;
    const { tracks, from, to, marks, omitted, since } = this.#read();
    const head = ["Time, UTC", ...tracks.map(({ name }) => name)].map((text) => element("th", { scope: "col", text }));
    const rows = sampled(tracks, from, to, ROWS, (track, time) => textAt(track, time).text)
      .map(({ time, cells }) => element("tr", {}, element("th", { scope: "row", text: timeText(time) }), ...cells.map((text) => element("td", { text }))));
    this.#values.replaceChildren(element("caption", { text: "Values that held at these times" }), element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
    this.#marks.replaceChildren(...marks.slice(-MARKS).map((mark) => element("li", { text: markText(mark) })));
    const left = omitted + Math.max(0, marks.length - MARKS);
    setText(this.#note, [
      marks.length === 0 ? "Nothing is known to have happened to these actors in this span." : "",
      left > 0 ? `${left} earlier ones are not listed.` : "",
      since !== null && since > from ? `Problems before ${timeText(since)} were not looked for: the log has them.` : "",
    ].filter(Boolean).join(" "));
  }
}

/** What happened, in words. @param {import("./marks.js").Mark} mark */
export function markText({ time, kind, level, actor, text }) {
  if (kind === "gap") return `${timeText(time)} ${text}`;
  return `${timeText(time)} ${actor}: ${kind === "command" ? "" : `${level}: `}${text}`;
}
