/**
 * Sparklines of the last hour, or of less if no more is known. The points come from the bridge's history, a few keywords a request and one request at a
 * time, for the rows that are in sight; what arrives later is added here. A server without history has only the latter.
 */

import { element } from "../shell/dom.js";

/** The longest span of time that is drawn, ms. */
export const SPAN = 3_600_000;

/** Spans with their names: the shortest that has everything is drawn, the same for all rows. */
const SPANS = [[300_000, "5 min"], [900_000, "15 min"], [SPAN, "hour"]];

/** The span for what began so many ms ago, and its name. @returns {[number, string]} */
export function spanFor(age) {
  return SPANS.find(([span]) => age <= span) ?? SPANS.at(-1);
}

const FROM = "-1h";
const POINTS = 90;

const MAX_POINTS = 360;
const AT_ONCE = 12;

/** ms between two questions for the same keyword. */
const REFRESH = 300_000;

/** ms until a question that has failed is asked again: without a link, or by a server without history. */
const RETRY = 30_000;

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 100;
const HEIGHT = 20;

/** The points of one keyword. */
export class Series {
  /** @type {{t: number, low: number, high: number}[]} */ points = [];
  /** Times at which a text or a boolean has changed. @type {number[]} */ changes = [];
  /** When the bridge was asked for it, ms by its clock; -Infinity for never. */ askedAt = -Infinity;
  #last;

  /** The time of its oldest point or change, or Infinity. */
  get oldest() { return Math.min(this.points[0]?.t ?? Infinity, this.changes[0] ?? Infinity); }

  /** Takes the answer of op `history`, and keeps what has arrived since. */
  load({ kind, t = [], min, max, last }) {
    const end = t.at(-1) ?? -Infinity;
    if (kind === "number") {
      const points = t.map((time, at) => ({ t: time, low: min?.[at] ?? last?.[at], high: max?.[at] ?? last?.[at] })).filter(({ low, high }) => Number.isFinite(low) && Number.isFinite(high));
      this.points = [...points, ...this.points.filter((point) => point.t > end)];
    } else if (kind === "state") {
      this.changes = [...t.slice(1), ...this.changes.filter((time) => time > end)];
    }
    this.#trim();
  }

  /** Adds a value that has just arrived. @returns {boolean} whether there is something new to draw */
  add(value, time) {
    const number = typeof value === "bigint" ? Number(value) : value;
    if (typeof value === "object" || (typeof number === "number" && !Number.isFinite(number))) return false;
    const changed = this.#last !== undefined && this.#last !== value;
    this.#last = value;
    if (typeof number === "number") this.points.push({ t: time, low: number, high: number });
    else if (changed) this.changes.push(time);
    else return false;
    this.#trim();
    return true;
  }

  #trim() {
    if (this.points.length > MAX_POINTS) this.points = thin(this.points);
    if (this.changes.length > MAX_POINTS) this.changes.splice(0, this.changes.length - MAX_POINTS);
  }
}

/** Halves the number of points, keeping the extremes. */
function thin(points) {
  const halved = [];
  for (let at = 0; at < points.length; at += 2) {
    const [one, two = one] = [points[at], points[at + 1]];
    halved.push({ t: two.t, low: Math.min(one.low, two.low), high: Math.max(one.high, two.high) });
  }
  return halved;
}

/**
 * Writes the path of a sparkline: a line through numbers, from the lowest to the highest of each point; a tick for each
 * change of a text.
 * @param {Series} series
 * @param {number} now
 * @param {[number, string]} [span]  of `spanFor`
 * @returns {{d: string, words: string}} `words` says the same to who does not see it
 */
export function draw({ points, changes }, now, [span, name] = SPANS.at(-1)) {
  const x = (t) => (((t - now + span) / span) * WIDTH).toFixed(1);
  const recent = points.filter(({ t }) => t > now - span);
  if (recent.length > 1) {
    const low = Math.min(...recent.map((point) => point.low));
    const high = Math.max(...recent.map((point) => point.high));
    const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - 1 - ((value - low) / (high - low)) * (HEIGHT - 2)).toFixed(1);
    const d = recent.map((point, at) => `${at === 0 ? "M" : "L"}${x(point.t)} ${y(point.high)}${point.low === point.high ? "" : `V${y(point.low)}`}`).join("");
    return { d, words: `last ${name}: ${short(low)} to ${short(high)}` };
  }
  const ticks = changes.filter((t) => t > now - span);
  return { d: ticks.map((t) => `M${x(t)} 3V${HEIGHT - 3}`).join(""), words: ticks.length > 0 ? `${ticks.length} ${ticks.length === 1 ? "change" : "changes"} in the last ${name}` : "" };
}

const short = (number) => String(Number(number.toPrecision(4)));

/** Returns an element for a sparkline. */
export function sparkElement() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  return element("span", { class: "spark" }, svg, element("span", { class: "spoken" }));
}

/** Draws a series into what `sparkElement` returned. */
export function render(spark, series, now, span) {
  const { d, words } = draw(series, now, span);
  const path = spark.firstChild.firstChild;
  if (path.getAttribute("d") !== d) path.setAttribute("d", d);
  if (spark.lastChild.textContent !== words) spark.lastChild.textContent = words;
}

/** Asks for the past of keywords: those in sight first, a few at a time. */
export class Past {
  #history;
  #now;
  #onLoad;
  #wanted = new Map();  // keyword -> Series
  #busy = false;
  #gone = false;

  /**
   * @param {(keywords: string[], options: object) => Promise<{series: object[]}>} history
   * @param {() => number} now
   * @param {(keyword: string) => void} onLoad
   */
  constructor(history, now, onLoad) {
    this.#history = history;
    this.#now = now;
    this.#onLoad = onLoad;
  }

  /** Asks for a keyword, unless that was done a short time ago. */
  want(keyword, series) {
    if (this.#gone || this.#now() - series.askedAt < REFRESH) return;
    this.#wanted.set(keyword, series);
    this.#next();
  }

  /** Ends it: answers that arrive later are not used. */
  close() {
    this.#gone = true;
    this.#wanted.clear();
  }

  async #next() {
    if (this.#busy || this.#wanted.size === 0) return;
    this.#busy = true;
    await Promise.resolve();  // the other rows that come into sight with this one
    const batch = [...this.#wanted].slice(0, AT_ONCE);
    for (const [keyword, series] of batch) {
      this.#wanted.delete(keyword);
      series.askedAt = this.#now();
    }
    try {
      const { series: answers, filling } = await this.#history(batch.map(([keyword]) => keyword), { from: FROM, points: POINTS });
      for (const answer of answers) this.#take(answer, new Map(batch).get(answer.keyword));
      if (filling) this.#soon(batch);  // the bridge has just started, and still reads the past
    } catch {
      this.#soon(batch);
    }
    this.#busy = false;
    if (!this.#gone) this.#next();
  }

  /** Asks for these again in a short time. */
  #soon(batch) {
    for (const [, series] of batch) series.askedAt = this.#now() - REFRESH + RETRY;
  }

  #take(answer, series) {
    if (this.#gone || !series) return;
    series.load(answer);
    this.#onLoad(answer.keyword);
  }
}
