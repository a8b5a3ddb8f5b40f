/** What the marks of a plot mean: those that are in sight, each drawn as in the plot. */

import { element } from "../shell/dom.js";
import { drawGap, drawShape, drawUnknown, SIZE } from "./symbols.js";

const SWATCH = 16;  // CSS pixels

/** What there may be, in the order in which it is listed. */
const ENTRIES = [
  { name: "command ok", text: "command" }, { name: "command error", text: "command that failed" },
  { name: "problem warn", text: "warning" }, { name: "problem error", text: "error" }, { name: "problem critical", text: "critical problem" },
  { name: "gap", text: "replies may be missing" }, { name: "unknown", text: "nothing is known" },
];

export class Key {
  #shown = "";
  #swatches = [];  // [name, canvas]

  node = element("ul", { class: "plot-key", "aria-label": "What the marks mean" });

  /**
   * Lists what is in sight.
   * @param {import("./marks.js").Mark[]} marks
   * @param {boolean} unknown  whether there are spans in which nothing is known
   */
  update(marks, unknown, palette) {
    const names = new Set(marks.map(({ kind, level }) => (kind === "gap" ? kind : `${kind} ${level}`)));
    if (unknown) names.add("unknown");
    const entries = ENTRIES.filter(({ name }) => names.has(name));
    const shown = entries.map(({ name }) => name).join();
    if (shown !== this.#shown) this.#list(entries);
    this.#shown = shown;
    for (const [name, canvas] of this.#swatches) paint(canvas, name, palette);
  }

  #list(entries) {
    this.#swatches = entries.map(({ name }) => [name, element("canvas", { "aria-hidden": "true" })]);
    this.node.replaceChildren(...entries.map(({ name, text }, at) => element("li", { data: { mark: name } }, this.#swatches[at][1], text)));
  }
}

function paint(canvas, name, palette) {
  const ratio = devicePixelRatio;
  const size = SWATCH * ratio;
  canvas.width = canvas.height = size;
  const ctx = canvas.getContext("2d");
  const [kind, level] = name.split(" ");
  if (kind === "gap") drawGap(ctx, 0, 0, size, size, ratio, palette);
  else if (kind === "unknown") drawUnknown(ctx, 0, 0, size, size, ratio, palette);
  else drawShape(ctx, kind, level, size / 2, size / 2 - SIZE * ratio, SIZE * ratio, palette);
}
