/**
 * A plot: panels with one cursor, a legend, what happened, tables.
 *
 *     Source, Marks ── load when the span changes, update when replies arrive ─> Chart, Legend, PlotTable
 *
 * The panels are drawn when a pixel's worth of time has passed, at most four times a second.
 */

import { element, setText } from "../shell/dom.js";
import { Chart, linesHeight } from "./chart.js";
import { Palette } from "./colors.js";
import { plotCSV } from "./csv.js";
import { groupTracks, shapeOf } from "./groups.js";
import { Key } from "./key.js";
import { Legend, textAt } from "./legend.js";
import { Marks } from "./marks.js";
import { MetaOfTracks } from "./meta.js";
import { PlotControls } from "./controls.js";
import { boundsOf, isLive } from "./range.js";
import { rawCSV } from "./raw.js";
import { MAX_KEYWORDS, pointsFor, Source } from "./source.js";
import { markText, PlotTable } from "./table.js";

const LOAD_AFTER = 120;   // ms after the span has changed: who zooms does it again
const FILLING = 3_000;    // ms until the bridge is asked again that is still reading its past
const SAY_AFTER = 500;    // ms after the cursor has stopped
const NEAR = 6;           // CSS pixels: a mark is at the cursor
const RESERVED = 172;     // CSS pixels for the toolbar and the titles
const ITEM_RESERVED = 112;  // in an item of a board
const LEGEND_ROW = 30;
let plots = 0;

export class PlotPanel {
  #app;
  #range;
  #on;
  #source;
  #marks;
  #meta;
  #charts = [];
  #groups = [];
  #shape = "";
  #palette;
  #legend;
  #table;
  #controls;
  #area = element("div", { class: "plot-charts", tabindex: "0", role: "group", "aria-label": "Plot. Left and right move the cursor, with Shift the span; plus and minus zoom; End goes to now." });
  #note = element("p", { class: "plot-note", role: "status" });
  #key = new Key();
  #event = element("p", { class: "plot-event" });
  #said = element("p", { class: "aside", role: "status", "aria-live": "polite" });
  #view;
  #cursor = null;
  #stopped = false;
  #drawn = -Infinity;
  #loaded = { at: 0, capabilities: undefined };
  #timers = { load: 0, say: 0 };
  #sync = `plot-${plots += 1}`;
  #resized = new ResizeObserver(() => this.#resize());
  #unhooks = [];

  /**
   * @param {object} app
   * @param {{keywords: string[], range: import("./range.js").Range, onRange?: (range: object) => void, onRemove?: (name: string) => void}} options
   */
  constructor(app, { keywords, range, onRange = () => {}, onRemove = null }) {
    this.#app = app;
    this.#range = range;
    this.#on = { range: onRange };
    this.#source = new Source(app, keywords);
    this.#marks = new Marks(app, this.#source.tracks.map(({ actor }) => actor));
    this.#meta = new MetaOfTracks(app, () => this.#draw());
    this.#legend = new Legend({ remove: onRemove });
    this.#palette = new Palette(this.#area);
    const { tracks } = this.#source;
    this.#view = {
      from: 0, to: 1, marks: [], omitted: 0,
      indexOf: (track) => tracks.indexOf(track),
      limitsOf: (track) => this.#meta.of(track).limits,
      unknown: (group) => this.#unknown(group),
    };
    this.#table = new PlotTable(() => ({ tracks, since: this.#marks.since, ...this.#view }));
  }

  /** @param {HTMLElement} root */
  mount(root) {
    root.append(element("div", { class: "plot-panel" }, this.#note, this.#area, this.#key.node, this.#event, this.#legend.node, this.#table.node, this.#said));
    this.#controls = new PlotControls(this.#area, {
      range: () => this.#range, now: () => this.#app.store.now(), cursor: () => this.#cursor,
      setRange: (range) => this.setRange(range), setCursor: (time) => this.#keyCursor(time),
    });
    this.#legend.show(this.#source.tracks);
    this.#resized.observe(this.#area);
    const themed = () => { this.#palette.forget(); this.#draw(); };
    this.#unhooks = [this.#app.theme?.onChange?.(themed), onPrint(this.#area, themed)].filter(Boolean);
    this.#load();
    this.#draw();
  }

  unmount() {
    this.#stopped = true;
    clearTimeout(this.#timers.load);
    clearTimeout(this.#timers.say);
    this.#resized.disconnect();
    this.#meta.stop();
    for (const unhook of this.#unhooks) unhook();
    for (const chart of this.#charts) chart.destroy();
    this.#charts = [];
  }

  get range() { return this.#range; }
  get bounds() { return boundsOf(this.#range, this.#app.store.now()); }

  /** Shows another span. */
  setRange(range) {
    this.#range = range;
    this.#draw();
    this.#loadSoon();
    this.#on.range(range);
  }

  /** Takes changes of the store. @param {import("../core/store.js").Changes} changes */
  update(changes) {
    const { capabilities } = this.#app.clu;
    if (changes.link && capabilities !== this.#loaded.capabilities && this.#app.store.link.state === "open") this.#load();
    const any = this.#source.update();
    this.#marks.update();
    if (!isLive(this.#range)) {
      if (changes.commands || changes.problems) this.#draw();
      return;
    }
    const { span } = this.#range;
    if (this.#source.hasHistory && this.#app.store.now() - this.#loaded.at > Math.max(60_000, span / 8)) this.#loadSoon();
    const perPixel = span / Math.max(1, this.#area.clientWidth);
    if (performance.now() - this.#drawn >= Math.min(5_000, perPixel) || (any && this.#charts.length === 0)) this.#draw();
    else if (any) this.#write();
  }

  /** The values as CSV: those that are shown, or as fine as the bridge has them. @returns {Promise<string>} */
  async csv(raw) {
    const { from, to } = this.bounds;
    const { tracks } = this.#source;
    if (!raw || !this.#source.hasHistory) return plotCSV(tracks, from, to);
    const { text, problem } = await rawCSV(this.#app, tracks.map(({ name }) => name), from, to);
    if (problem !== "") this.#app.notify(problem);
    return text;
  }

  #loadSoon(after = LOAD_AFTER) {
    clearTimeout(this.#timers.load);
    if (this.#stopped) return;
    this.#timers.load = setTimeout(() => this.#load(), after);
  }

  async #load() {
    const { from, to } = this.bounds;
    const points = pointsFor(this.#source.tracks.length, Math.max(200, this.#area.clientWidth));
    this.#loaded = { at: this.#app.store.now(), capabilities: this.#app.clu.capabilities };
    clearTimeout(this.#timers.load);
    this.#marks.load(from).then(() => this.#draw(), () => {});  // without it there are fewer marks
    if (await this.#source.load(from, isLive(this.#range) ? null : to, points)) this.#draw();
    if (this.#source.filling) this.#loadSoon(FILLING);
  }

  /** The spans in which nothing can be known of the keywords of a panel. */
  #unknown({ tracks }) {
    const series = tracks.flatMap(({ number, state }) => [number, state]).filter(Boolean);
    const oldest = Math.min(...series.map((one) => one.oldest ?? -Infinity));
    const sameActor = tracks.every(({ actor }) => actor === tracks[0].actor);
    return [...this.#source.gaps, ...(oldest > this.#view.from ? [[this.#view.from, oldest]] : []), ...(sameActor ? series[0]?.silent ?? [] : [])];
  }

  #draw() {
    if (!this.#area.isConnected) return;
    this.#drawn = performance.now();
    Object.assign(this.#view, this.bounds);
    Object.assign(this.#view, this.#marks.list(this.#view.from, this.#view.to));
    this.#arrange();
    for (const chart of this.#charts) chart.update();
    this.#key.update(this.#view.marks, this.#groups.some((group) => this.#unknown(group).some(([from, to]) => to > this.#view.from && from < this.#view.to)), this.#palette);
    this.#write();
    this.#table.update();
    setText(this.#note, [this.#source.problem, this.#source.omitted > 0 ? `A plot has ${MAX_KEYWORDS} keywords at most: ${this.#source.omitted} are left out.` : ""].filter(Boolean).join(" "));
  }

  /** Makes the panels anew if other keywords share one now. */
  #arrange() {
    const groups = groupTracks(this.#source.tracks, (track) => this.#meta.of(track).unit);
    const shape = shapeOf(groups);
    if (shape === this.#shape) return;
    this.#shape = shape;
    for (const chart of this.#charts) chart.destroy();
    this.#area.replaceChildren();
    this.#groups = groups;
    const height = linesHeight(groups, this.#room);
    this.#charts = groups.map((group) => {
      const place = element("div", { class: "plot-chart", data: { kind: group.kind, unit: group.unit } }, element("p", { class: "plot-title", text: titleOf(group) }));
      this.#area.append(place);
      return new Chart(place, group, height, {
        palette: this.#palette, sync: this.#sync, view: this.#view,
        selected: (a, b) => this.#controls.select(a, b), pointed: (time) => this.#point(time),
      });
    });
    this.#palette.forget();
  }

  #write() {
    this.#legend.paint(this.#palette, this.#view.indexOf);
    this.#legend.write(this.#cursor, this.#view.to, (track) => this.#meta.of(track).unit);
    const near = this.#cursor === null ? [] : this.#near(this.#cursor);
    setText(this.#event, near.map(markText).join("; "));
  }

  #near(time) {
    const reach = (NEAR * (this.#view.to - this.#view.from)) / Math.max(1, this.#area.clientWidth);
    return this.#view.marks.filter((mark) => mark.time - reach <= time && (mark.until ?? mark.time) + reach >= time).slice(-4);
  }

  #point(time) {
    if (time === this.#cursor) return;
    this.#cursor = time;
    this.#write();
  }

  /** Moves the cursor by a key, and says what is there. */
  #keyCursor(time) {
    this.#charts[0]?.point(time);
    this.#point(time);
    clearTimeout(this.#timers.say);
    if (time === null) return;
    this.#timers.say = setTimeout(() => setText(this.#said, this.#words(time)), SAY_AFTER);
  }

  #words(time) {
    const values = this.#source.tracks.map((track) => `${track.name} ${textAt(track, time).text} ${track.number ? this.#meta.of(track).unit : ""}`.trim());
    return [new Date(time).toISOString().slice(11, 19), ...values, ...this.#near(time).map(markText)].join(", ");
  }

  #resize() {
    const height = linesHeight(this.#groups, this.#room);
    for (const chart of this.#charts) chart.resize(this.#area.clientWidth, height);
    this.#draw();
  }

  /** The height for panels, so that the legend is in sight, too. */
  get #room() {
    const item = this.#area.closest(".item-body");  // of a board: small, and without a toolbar
    const height = item ? item.clientHeight + RESERVED - ITEM_RESERVED : this.#area.closest("#view")?.clientHeight ?? innerHeight;
    return height - RESERVED - LEGEND_ROW * this.#source.tracks.length;
  }
}

function titleOf({ kind, unit, tracks }) {
  if (kind === "state") return "states";
  return unit === "" ? `${tracks[0].name}, unit not known` : unit;
}

/** Draws in the colours of paper while the page is printed. @returns {() => void} ends it */
function onPrint(node, draw) {
  const on = () => { node.dataset.paper = ""; draw(); };
  const off = () => { delete node.dataset.paper; draw(); };
  addEventListener("beforeprint", on);
  addEventListener("afterprint", off);
  return () => {
    removeEventListener("beforeprint", on);
    removeEventListener("afterprint", off);
  };
}
