/**
 * One panel: uPlot gives axes, grid, cursor, selection and one cursor for all panels; what is in it is drawn by draw.js,
 * since each keyword has times of its own, and uPlot wants one list of times for all.
 */

import uPlot from "../libraries/uplot/uPlot.esm.js";
import { drawEnvelope, drawLimit, drawLine, drawName, drawStates } from "./draw.js";
import { axisBounds } from "./groups.js";
import { drawMarks, drawUnknown } from "./symbols.js";
import { timeLabels, valueText } from "./ticks.js";

const AXIS_WIDTH = 64;
const NARROW_AXIS = 46;
const BAND = 22;      // of a state
const BAND_NAME = 17; // above it
const BAND_GAP = 3;
const AXIS_HEIGHT = 34;
const ROW = BAND + BAND_NAME + BAND_GAP;

/** Heights of a panel of lines, CSS pixels. */
const LINES_HEIGHT = { least: 150, most: 340 };

/**
 * The height that each panel of lines gets in a place of some height.
 * @param {import("./groups.js").Group[]} groups
 */
export function linesHeight(groups, available) {
  const bands = groups.filter(({ kind }) => kind === "state").reduce((sum, group) => sum + bandsHeight(group), 0);
  const lines = groups.filter(({ kind }) => kind === "number").length;
  return Math.min(LINES_HEIGHT.most, Math.max(LINES_HEIGHT.least, Math.floor((available - bands) / Math.max(1, lines))));
}

const bandsHeight = ({ tracks }) => tracks.length * ROW + AXIS_HEIGHT + 10;

export class Chart {
  #group;
  #plot;
  #palette;
  #view;    // what the panels share: {from, to, marks, unknown, colorOf, limitsOf}
  #bounds = [0, 1];
  #width = 0;
  #lines;   // height of lines

  /**
   * @param {HTMLElement} root
   * @param {import("./groups.js").Group} group
   * @param {number} height  of lines; bands have a height of their own
   * @param {{palette: import("./colors.js").Palette, sync: string, view: object, selected: (from: number, to: number) => void,
   *   pointed: (time: number|null) => void}} shared
   */
  constructor(root, group, height, { palette, sync, view, selected, pointed }) {
    this.#group = group;
    this.#lines = height;
    this.#palette = palette;
    this.#view = view;
    this.#width = root.clientWidth;
    this.#plot = new uPlot(this.#options(sync, selected, pointed), [[0, 1], [null, null]], root);
    this.#plot.root.setAttribute("aria-hidden", "true");  // the legend and the table say it in words
  }

  get isStates() { return this.#group.kind === "state"; }

  #options(sync, selected, pointed) {
    const stroke = (name) => () => this.#palette.get(name);
    const grid = { stroke: stroke("line"), width: 1 };
    const font = () => `11px ${this.#palette.get("sans")}`;
    return {
      width: this.#width, height: this.#height, ms: 1, legend: { show: false }, padding: [10, 30, 0, 0],
      cursor: {
        sync: { key: sync, scales: ["x", null] }, y: false, points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 5 },
      },
      scales: { x: { time: true, auto: false, range: boundsOr }, y: { auto: false, range: boundsOr } },
      series: [{}, { points: { show: false }, paths: () => null }],
      axes: [
        { stroke: stroke("dim"), grid, ticks: grid, font: font(), size: AXIS_HEIGHT, space: 70, values: (u, times, axis, space, step) => timeLabels(times, step) },
        {
          stroke: stroke("dim"), grid: { ...grid, show: !this.isStates }, ticks: { ...grid, show: !this.isStates }, font: font(),
          size: () => (this.#width < 560 ? NARROW_AXIS : AXIS_WIDTH), values: (u, values) => (this.isStates ? [] : values.map(valueText)),
        },
      ],
      hooks: {
        drawClear: [(u) => this.#drawGround(u)],
        draw: [(u) => this.#draw(u)],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          const [from, to] = [u.select.left, u.select.left + u.select.width].map((at) => u.posToVal(at, "x"));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          selected(from, to);
        }],
        setCursor: [(u) => pointed(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      },
    };
  }

  get #height() {
    return this.isStates ? bandsHeight(this.#group) : this.#lines;
  }

  /** Fits it to its place. */
  resize(width, height) {
    if ((width === this.#width && height === this.#lines) || width === 0) return;
    this.#width = width;
    this.#lines = height;
    this.#plot.setSize({ width, height: this.#height });
  }

  /** Draws it anew. */
  update() {
    const { from, to } = this.#view;
    this.#bounds = this.isStates ? [0, 1] : axisBounds(this.#extents(from, to));
    this.#plot.batch(() => {
      this.#plot.setScale("x", { min: Math.round(from), max: Math.round(to) });  // the ticks of a fraction are one ms early
      this.#plot.setScale("y", { min: this.#bounds[0], max: this.#bounds[1] });
      this.#plot.redraw(false, true);
    });
  }

  #extents(from, to) {
    return this.#group.tracks.map(({ number }) => number?.extent(from, to)).filter(Boolean);
  }

  /** Puts the cursor at a time; null removes it. */
  point(time) {
    const left = time === null ? -10 : this.#plot.valToPos(time, "x");
    this.#plot.setCursor({ left, top: time === null ? -10 : 1 }, true);
  }

  #frame({ ctx, bbox, valToPos }) {
    const { from, to } = this.#view;
    return {
      ctx, from, to, ratio: uPlot.pxRatio,
      x: (time) => valToPos(time, "x", true), y: (value) => valToPos(value, "y", true),
      left: bbox.left, top: bbox.top, width: bbox.width, height: bbox.height,
    };
  }

  /** Hatches the spans in which nothing can be known, behind everything. */
  #drawGround(u) {
    const frame = this.#frame({ ctx: u.ctx, bbox: u.bbox, valToPos: u.valToPos });
    for (const [from, to] of this.#view.unknown(this.#group)) {
      const left = frame.x(Math.max(from, frame.from));
      drawUnknown(frame.ctx, left, frame.top, frame.x(Math.min(to, frame.to)) - left, frame.height, frame.ratio, this.#palette);
    }
  }

  #draw(u) {
    const frame = this.#frame({ ctx: u.ctx, bbox: u.bbox, valToPos: u.valToPos });
    const { ctx } = frame;
    ctx.save();
    ctx.beginPath();
    ctx.rect(frame.left, frame.top, frame.width, frame.height);
    ctx.clip();
    if (this.isStates) this.#drawBands(frame);
    else this.#drawLines(frame);
    ctx.restore();
    drawMarks({ ...frame, top: frame.top - 8 * frame.ratio, height: frame.height + 8 * frame.ratio }, this.#view.marks, this.#palette);
  }

  #drawLines(frame) {
    for (const track of this.#group.tracks) {
      const index = this.#view.indexOf(track);
      for (const { value, name } of this.#view.limitsOf(track)) drawLimit(frame, value, this.#palette.get(name));
      drawEnvelope(frame, track.number, this.#palette.line(index));
    }
    for (const track of this.#group.tracks) {
      const index = this.#view.indexOf(track);
      drawLine(frame, track.number, this.#palette.line(index), this.#palette.dash(index));
    }
  }

  #drawBands(frame) {
    this.#group.tracks.forEach((track, row) => {
      const top = frame.top + row * ROW * frame.ratio;
      drawName(frame, track.name, top + BAND_NAME * frame.ratio, this.#palette);
      drawStates(frame, track.state, top + BAND_NAME * frame.ratio, BAND * frame.ratio, this.#palette, track.number !== null);
    });
  }

  destroy() {
    this.#plot.destroy();
  }
}

/** The bounds that were set; until then, any: uPlot asks before there are some. */
function boundsOr(u, low, high) {
  return Number.isFinite(low) && low < high ? [low, high] : [0, 1];
}
