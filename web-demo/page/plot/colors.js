/** Colours of plots, from the style sheet: they change with the theme. On paper those of the day are used. */

/** Lines that can be told apart: beyond it colours come again, with another dash. */
const COLORS = 6;

/** Dashes, in CSS pixels: in the night theme there is one colour for all. */
const DASHES = [[], [6, 3], [2, 3], [10, 3, 2, 3], [12, 4], [4, 2, 1, 2]];

export class Palette {
  #node;
  #style = null;

  /** @param {HTMLElement} node  whose style has the colours */
  constructor(node) {
    this.#node = node;
  }

  /** Reads the colours anew: the theme has changed. */
  forget() {
    this.#style = null;
  }

  get(name) {
    this.#style ??= getComputedStyle(this.#node);
    return this.#style.getPropertyValue(`--${name}`).trim() || "#888";
  }

  /** The colour of a line by its place in the plot. */
  line(index) { return this.get(`plot-${(index % COLORS) + 1}`); }

  /** The dash of a line. In the themes with colours the first six are whole. */
  dash(index) {
    const distinct = this.get("plot-dashed") === "1";
    return DASHES[(distinct ? index : Math.floor(index / COLORS)) % DASHES.length];
  }

  /** The ground of a state, and how it is hatched: the same for the same word. */
  state(text) {
    if (text === "true") return { fill: this.get("plot-true"), hatch: 0 };
    if (text === "false" || text === "null") return { fill: this.get("plot-false"), hatch: 0 };
    let hash = 0;
    for (let i = 0; i < text.length; i += 1) hash = (hash * 31 + text.charCodeAt(i)) | 0;
    const index = Math.abs(hash);
    return { fill: this.get(`plot-state-${(index % COLORS) + 1}`), hatch: Math.floor(index / COLORS) % 3 };
  }
}
