/**
 * The plot: `#/plot?s=weather.wind_speed_ms,dome.dome_shutter&r=6h`.
 *
 * Test contract:
 *
 *   #plot-add                 takes a keyword; Enter adds it. [data-span="6h"] (aria-pressed), .plot-live (aria-pressed),
 *                             .plot-earlier, .plot-later, .plot-in, .plot-out, .plot-csv, .plot-raw
 *   .plot-charts              has the keys; a .plot-chart for each panel: data-kind="number|state", data-unit
 *   .plot-legend tr[data-keyword]   .value at the cursor, or the newest; .unit, .range, .note, .plot-remove
 *   .plot-note                why there is no history;  .plot-event  what happened at the cursor
 *   .plot-key li[data-mark="command ok|command error|problem warn|problem error|problem critical|gap|unknown"]
 *   .plot-table               details: .plot-values, .plot-marks
 */

import { fileName } from "../core/files.js";
import { readNames, writeNames } from "../core/names.js";
import { button, element, setAttribute } from "../shell/dom.js";
import { formatRoute } from "../shell/router.js";
import { save } from "../shell/save.js";
import { liveOf, ZOOM } from "./controls.js";
import { PlotPanel } from "./panel.js";
import { boundsOf, formatSpan, isLive, panned, parseSpan, readRange, writeRange, zoomed } from "./range.js";

const SPANS = ["5m", "15m", "1h", "6h", "24h"];

export class PlotView {
  #app;
  #keywords = [];
  #range = null;
  #panel = null;
  #place = element("div", { class: "plot-place" });
  #spans = new Map();
  #live;
  #add;
  #hints = element("datalist", { id: "plot-hints" });
  #embedded = false;

  /** @param {object} app */
  constructor(app) {
    this.#app = app;
    this.title = "Plot";
  }

  mount(root, route) {
    this.#embedded = route.embedded === true;
    const view = element("div", { class: "plot-view" });
    if (!this.#embedded) view.append(this.#toolbar());
    view.append(this.#place);
    root.append(view);
    this.route(route);
  }

  /** Takes another route of the plot. */
  route(route) {
    this.#keywords = readNames(route.query.get("s") ?? "");
    this.#range = readRange(route.query);
    this.#remake();
  }

  update(changes) {
    this.#panel?.update(changes);
  }

  unmount() {
    this.#panel?.unmount();
    this.#panel = null;
  }

  search() { this.#add?.focus(); }

  #toolbar() {
    for (const span of SPANS) this.#spans.set(span, button(span, () => this.#show({ span: parseSpan(span) }), { "aria-pressed": "false", data: { span } }));
    const now = () => this.#app.store.now();
    const moves = [
      ["plot-earlier", "◀", "Earlier", () => panned(this.#range, now(), -0.5)], ["plot-later", "▶", "Later", () => panned(this.#range, now(), 0.5)],
      ["plot-in", "+", "Zoom in", () => zoomed(this.#range, now(), 1 / ZOOM)], ["plot-out", "−", "Zoom out", () => zoomed(this.#range, now(), ZOOM)],
    ].map(([name, text, title, move]) => button(text, () => this.#show(move()), { class: name, title, "aria-label": title }));
    this.#live = button("Live", () => this.#show(liveOf(this.#range)), { class: "plot-live", title: "Up to now, and go on" });
    this.#add = element("input", {
      id: "plot-add", list: "plot-hints", placeholder: "add actor.keyword", "aria-label": "Add a keyword: actor.keyword", autocomplete: "off", spellcheck: "false",
      autocapitalize: "off", on: { focus: () => this.#hint() },
    });
    const form = element("form", { class: "plot-adding", on: { submit: (event) => { event.preventDefault(); this.#addKeyword(); } } }, this.#add, this.#hints, element("button", { type: "submit", text: "Add" }));
    return element("div", { class: "plot-toolbar", role: "toolbar", "aria-label": "What the plot shows" }, form,
      element("div", { class: "plot-spans", role: "group", "aria-label": "Span" }, ...this.#spans.values(), this.#live), element("div", { class: "plot-moves" }, ...moves),
      element("div", { class: "plot-files" }, button("CSV", () => this.#save(false), { class: "plot-csv", title: "Save what is shown" }),
        button("CSV raw", () => this.#save(true), { class: "plot-raw", title: "Save every value that the bridge still has of this span" })));
  }

  /** Offers the keywords that are known. */
  #hint() {
    const all = [...this.#app.store.actors.values()].flatMap(({ name, keywords }) => [...keywords.keys()].map((keyword) => writeNames([`${name}.${keyword}`])));
    this.#hints.replaceChildren(...all.sort().slice(0, 5_000).map((value) => element("option", { value })));
  }

  #addKeyword() {
    const names = readNames(this.#add.value);
    const wrong = names.find((name) => !/^[^.].*\../s.test(name)) ?? (names.length === 0 ? "" : undefined);
    if (wrong !== undefined) {
      this.#app.notify(`"${wrong}" is no keyword: write actor.keyword, for instance weather.wind_speed_ms.`);
      return;
    }
    this.#add.value = "";
    if (names.some((name) => !this.#keywords.includes(name))) this.#choose([...new Set([...this.#keywords, ...names])]);
  }

  #choose(keywords) {
    this.#keywords = keywords;
    this.#write();
    this.#remake();
  }

  #show(range) {
    this.#range = range;
    if (this.#panel) this.#panel.setRange(range);
    else this.#write();
    this.#press();
  }

  #remake() {
    this.#panel?.unmount();
    this.#panel = null;
    this.#place.replaceChildren();
    this.#press();
    if (this.#keywords.length === 0) {
      this.#place.append(element("p", { class: "nothing", text: "There is nothing to plot yet. Add a keyword above, or press the name of one in the view of its actor." }));
      return;
    }
    this.#panel = new PlotPanel(this.#app, {
      keywords: this.#keywords, range: this.#range,
      onRange: (range) => { this.#range = range; this.#write(); this.#press(); },
      onRemove: this.#embedded ? null : (name) => this.#choose(this.#keywords.filter((other) => other !== name)),
    });
    this.#panel.mount(this.#place);
  }

  #write() {
    if (!this.#embedded) this.#app.router.replace(formatRoute(["plot"], { s: writeNames(this.#keywords), ...writeRange(this.#range) }));
  }

  #press() {
    if (this.#embedded) return;
    const span = isLive(this.#range) ? formatSpan(this.#range.span) : null;
    for (const [name, toggle] of this.#spans) setAttribute(toggle, "aria-pressed", String(formatSpan(parseSpan(name)) === span));
    setAttribute(this.#live, "aria-pressed", String(span !== null));
  }

  async #save(raw) {
    if (this.#panel === null) return;
    const { from, to } = boundsOf(this.#range, this.#app.store.now());
    const text = await this.#panel.csv(raw);
    const rows = text.split("\r\n").length - 2;
    const name = fileName("plot", from, to, "csv");
    save(name, "text/csv", text);
    this.#app.notify(`${rows} rows were saved as ${name}.`);
  }
}
