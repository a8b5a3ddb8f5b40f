/**
 * Draws values into a chart. `frame` says where: x and y turn a time and a value into pixels of the canvas.
 *
 * However many values there are, at most one stroke is drawn for each column of pixels, from the least to the greatest
 * value in it, so that no peak is lost.
 */

import { lastBefore, stateText } from "./series.js";

/**
 * @typedef {object} Frame
 * @property {CanvasRenderingContext2D} ctx
 * @property {(time: number) => number} x
 * @property {(value: number) => number} y
 * @property {number} from
 * @property {number} to
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {number} ratio  pixels of the canvas in a CSS pixel
 */

/** Draws the area between the least and the greatest value of each bucket. @param {Frame} frame */
export function drawEnvelope({ ctx, x, y, from, to, ratio }, series, color) {
  if (series.bucket === 0 && series.fineFrom === -Infinity) return;
  ctx.save();
  ctx.fillStyle = color;
  ctx.globalAlpha = 0.28;
  ctx.beginPath();
  for (let i = Math.max(0, lastBefore(series.t, from)); i < series.t.length && series.t[i] <= to; i += 1) {
    const { min, max, t } = series;
    if (!(min[i] < max[i])) continue;
    const left = x(t[i]);
    const width = Math.max(ratio, x(Math.min(to, t[i] + series.widthOf(i))) - left);
    ctx.rect(left, y(max[i]), width, Math.max(ratio, y(min[i]) - y(max[i])));
  }
  ctx.fill();
  ctx.restore();
}

/** Draws a line that holds each value until the next one, and ends where nothing is known. @param {Frame} frame */
export function drawLine({ ctx, x, y, from, to, ratio }, series, color, dash) {
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.5 * ratio;
  ctx.lineJoin = "round";
  ctx.setLineDash(dash.map((length) => length * ratio));
  ctx.beginPath();
  const pen = new Pen(ctx);
  for (let i = Math.max(0, lastBefore(series.t, from)); i < series.t.length && series.t[i] <= to; i += 1) {
    const value = series.last[i];
    if (!Number.isFinite(value)) {
      pen.lift();
      continue;
    }
    let end = series.t[i];
    for (const [start, until] of series.spansOf(i)) {
      if (start > end) pen.lift();
      end = until;
      if (until >= from && start <= to) pen.hold(x(Math.max(from, start)), x(Math.min(to, until)), y(value));
    }
    if (end < series.endOf(i)) pen.lift();
  }
  pen.lift();
  ctx.stroke();
  ctx.restore();
}

/** Draws steps, and joins those that fall into the same column of pixels. */
class Pen {
  #ctx;
  #down = false;
  #column = NaN;
  #low = 0;
  #high = 0;
  #y = 0;

  constructor(ctx) {
    this.#ctx = ctx;
  }

  /** Goes to a place, and stays at its height until another one. */
  hold(left, right, y) {
    const column = Math.round(left);
    if (this.#down && column === this.#column) {
      this.#low = Math.min(this.#low, y);
      this.#high = Math.max(this.#high, y);
    } else {
      this.#flush();
      if (this.#down) this.#ctx.lineTo(column, this.#y);
      else this.#ctx.moveTo(column, y);
      this.#ctx.lineTo(column, y);
      this.#column = column;
      this.#low = Math.min(y, this.#down ? this.#y : y);
      this.#high = Math.max(y, this.#down ? this.#y : y);
      this.#down = true;
    }
    this.#y = y;
    if (Math.round(right) > column) {
      this.#flush();
      this.#ctx.lineTo(Math.round(right), y);
      this.#column = Math.round(right);
      this.#low = this.#high = y;
    }
  }

  #flush() {
    if (!this.#down || this.#low === this.#high) return;
    this.#ctx.lineTo(this.#column, this.#low);
    this.#ctx.lineTo(this.#column, this.#high);
    this.#ctx.lineTo(this.#column, this.#y);
    this.#low = this.#high = this.#y;
  }

  /** Ends the line: nothing is known from here on. */
  lift() {
    this.#flush();
    this.#down = false;
    this.#column = NaN;
  }
}

/**
 * Draws the states of a keyword as a band, each with its word where there is room. States that are too short to be seen
 * are drawn together.
 * @param {Frame} frame
 */
export function drawStates({ ctx, x, from, to, ratio }, series, top, height, palette, isNumber = false) {
  ctx.save();
  ctx.font = `${11 * ratio}px ${palette.get("mono")}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  let many = null;  // [left, right] of states that are too short
  const flush = () => {
    if (many === null) return;
    ctx.fillStyle = palette.get("plot-many");
    ctx.fillRect(many[0], top, Math.max(ratio, many[1] - many[0]), height);
    many = null;
  };
  const draw = (i, start, end) => {
    const left = x(Math.max(from, start));
    const right = x(Math.min(to, end));
    if (right - left < 2 * ratio || series.count[i] > 1) {
      if (many !== null && left - many[1] > ratio) flush();
      many = many === null ? [left, right] : [many[0], right];
      return;
    }
    flush();
    drawState(ctx, stateText(series.value[i]), left, right, top, height, ratio, palette);
  };
  for (let i = Math.max(0, lastBefore(series.t, from)); i < series.t.length && series.t[i] <= to; i += 1) {
    if (isNumber && series.value[i] === null) continue;  // it was a number then
    for (const [start, end] of series.spansOf(i)) if (end >= from && start <= to) draw(i, start, end);
  }
  flush();
  ctx.restore();
}

function drawState(ctx, text, left, right, top, height, ratio, palette) {
  const { fill, hatch } = palette.state(text);
  const width = right - left;
  ctx.fillStyle = fill;
  ctx.fillRect(left, top, width, height);
  if (hatch > 0) drawHatch(ctx, left, top, width, height, 4 * ratio * hatch, palette.get("plot-hatch"));
  ctx.strokeStyle = palette.get("ground");
  ctx.lineWidth = ratio;
  ctx.strokeRect(left, top, width, height);
  if (width < 22 * ratio) return;
  ctx.save();
  ctx.fillStyle = fill;
  ctx.beginPath();
  ctx.rect(left, top, width - 2 * ratio, height);
  ctx.clip();
  if (hatch > 0) ctx.fillRect(left + 3 * ratio, top + 3 * ratio, ctx.measureText(text).width + 4 * ratio, height - 6 * ratio);  // no lines behind the word
  ctx.fillStyle = palette.get("bright");
  ctx.fillText(text, left + 5 * ratio, top + height / 2);
  ctx.restore();
}

/** Writes the name of a band above it. @param {Frame} frame */
export function drawName({ ctx, left, ratio }, name, bottom, palette) {
  ctx.save();
  ctx.font = `${11 * ratio}px ${palette.get("sans")}`;
  ctx.fillStyle = palette.get("dim");
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  ctx.fillText(name, left + 2 * ratio, bottom - ratio);
  ctx.restore();
}

/** Draws slanted lines over a place. */
export function drawHatch(ctx, left, top, width, height, step, color) {
  if (width <= 0) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.lineWidth = Math.max(1, step / 6);
  ctx.beginPath();
  for (let at = left - height; at < left + width; at += step) {
    ctx.moveTo(at, top + height);
    ctx.lineTo(at + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Draws a limit of the site: a dashed line across. @param {Frame} frame */
export function drawLimit({ ctx, y, left, width, top, height, ratio }, value, color) {
  const at = y(value);
  if (!(at >= top && at <= top + height)) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 5 * ratio]);
  ctx.beginPath();
  ctx.moveTo(left, at);
  ctx.lineTo(left + width, at);
  ctx.stroke();
  ctx.restore();
}
