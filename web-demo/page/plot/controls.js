/** How a plot is moved: by dragging over it, by keys, and by the wheel with Ctrl or Shift. */

import { between, boundsOf, isLive, panned, zoomed } from "./range.js";

/** Parts of the span: of a step of the cursor, of a step of the span. */
const CURSOR_STEP = 1 / 100;
const PAN_STEP = 1 / 10;
export const ZOOM = 2;

export class PlotControls {
  #on;

  /**
   * @param {HTMLElement} area
   * @param {{range: () => object, now: () => number, cursor: () => number|null, setRange: (range: object) => void,
   *   setCursor: (time: number|null) => void}} on
   */
  constructor(area, on) {
    this.#on = on;
    area.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.#key(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    area.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** Shows what was selected. */
  select(a, b) {
    this.#on.setRange(between(a, b, this.#on.now()));
  }

  #key({ key, shiftKey }) {
    const range = this.#on.range();
    const now = this.#on.now();
    switch (key) {
      case "ArrowLeft": case "ArrowRight": {
        const direction = key === "ArrowLeft" ? -1 : 1;
        if (shiftKey) this.#on.setRange(panned(range, now, direction * PAN_STEP));
        else this.#step(direction);
        return true;
      }
      case "+": case "=": this.#on.setRange(zoomed(range, now, 1 / ZOOM, this.#on.cursor())); return true;
      case "-": this.#on.setRange(zoomed(range, now, ZOOM, this.#on.cursor())); return true;
      case "End": this.#on.setRange(liveOf(range)); return true;
      case "Escape":
        if (this.#on.cursor() === null) return false;
        this.#on.setCursor(null);
        return true;
      default: return false;
    }
  }

  #step(direction) {
    const { from, to } = boundsOf(this.#on.range(), this.#on.now());
    const at = this.#on.cursor() ?? (direction < 0 ? to : from);
    this.#on.setCursor(Math.min(to, Math.max(from, at + direction * (to - from) * CURSOR_STEP)));
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.shiftKey) return;  // the page scrolls
    event.preventDefault();
    const by = event.deltaY || event.deltaX;
    if (by === 0) return;
    const range = this.#on.range();
    const now = this.#on.now();
    this.#on.setRange(event.ctrlKey ? zoomed(range, now, by > 0 ? 1.25 : 0.8, this.#on.cursor()) : panned(range, now, Math.sign(by) * PAN_STEP));
  }
}

/** The same span, up to now and going on. */
export function liveOf(range) {
  return isLive(range) ? range : { span: range.to - range.from };
}
