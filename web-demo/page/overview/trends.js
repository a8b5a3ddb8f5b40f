/** The sparklines of the overview: the first number among each actor's pins, from the bridge's history and from then on. */

import { formatAge } from "../core/format.js";
import { choose } from "./pins.js";
import { SPAN, Trend } from "./trend.js";

/** Keywords of one request. */
const AT_ONCE = 16;

/** ms after which a history that the bridge is still reading is asked for again. */
const FILLING = 10_000;

/** ms for which rows are drawn before their lines begin: an operator reads values first. */
const AFTER_ROWS = 100;

/** Points of the history of an hour. */
const POINTS = SPAN / 60_000;

export class Trends {
  #app;
  #onCome;
  #of = new Map();     // actor -> {keyword, trend}
  #wanted = new Set(); // actors whose history was not asked for yet
  #asking = false;
  #timer = null;
  #new = new Set();    // actors whose lines are to begin
  #starting = null;

  /** @param {object} app @param {(actor: string) => void} onCome  the history of an actor has come */
  constructor(app, onCome) {
    this.#app = app;
    this.#onCome = onCome;
  }

  /** Takes the values that have changed. @param {Map<string, Set<string>>} keywords  by actor */
  take(keywords) {
    for (const [name, changed] of keywords) {
      const known = this.#of.get(name);
      if (!known || !changed.has(known.keyword)) continue;
      const { time, value } = this.#app.store.actors.get(name).keywords.get(known.keyword);
      if (typeof value === "number" || typeof value === "bigint") known.trend.add(time, Number(value));  // null is not 0
    }
  }

  /** The line of an actor. @param {import("../core/actors.js").Actor} actor @param {number} now  ms @returns {{path: string, title: string}} */
  of(actor, now) {
    const { keyword, trend } = this.#of.get(actor.name) ?? {};
    if (trend === undefined) this.#beginLater(actor);
    const path = trend?.path(now) ?? "";
    if (path === "") return { path, title: "" };
    const [min, max] = trend.extent(now);
    return { path, title: `${keyword}: ${Number(min.toPrecision(5))} to ${Number(max.toPrecision(5))} in the last ${formatAge(now - trend.start(now))}` };
  }

  /** Begins the lines of new actors once their rows have been drawn. */
  #beginLater(actor) {
    if (this.#new.size === 0) this.#starting = setTimeout(() => this.#beginAll(), AFTER_ROWS);
    this.#new.add(actor);
  }

  #beginAll() {
    for (const actor of this.#new) this.#begin(actor);
    this.#new.clear();
    if (this.#wanted.size > 0) this.#ask();
  }

  #begin(actor) {
    const keyword = choose(actor.keywords, this.#app.site.pins[actor.name]).find((name) => typeof actor.keywords.get(name)?.value === "number");
    if (keyword === undefined) return;
    const trend = new Trend();
    const { time, value } = actor.keywords.get(keyword);
    trend.add(time, value);
    this.#of.set(actor.name, { keyword, trend });
    this.#wanted.add(actor.name);
  }

  /** Asks for what was before, a few actors at a time. Without a history the lines begin now. */
  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (this.#wanted.size > 0) {
        const names = [...this.#wanted].slice(0, AT_ONCE);
        for (const name of names) this.#wanted.delete(name);
        const { series, filling } = await this.#app.history(names.map((name) => `${name}.${this.#of.get(name).keyword}`), { from: "-1h", points: POINTS });
        for (const name of names) this.#fill(name, series);
        if (filling) this.#askAgain(names);
      }
    } catch { /* there is none, or not now */ }
    this.#asking = false;
  }

  /** The bridge is still reading the past from its stream. */
  #askAgain(names) {
    this.#timer = setTimeout(() => {
      for (const name of names) this.#wanted.add(name);
      this.#ask();
    }, FILLING);
  }

  /** Ends everything. */
  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#starting);
  }

  /** Takes an actor's part of an answer, which has two series of a keyword that was also something else than a number. */
  #fill(name, all) {
    const { keyword, trend } = this.#of.get(name);
    const series = all.find((one) => one.kind === "number" && one.keyword === `${name}.${keyword}`);
    if (series === undefined) return;
    const { t, last, min = last, max = last } = series;
    t.forEach((time, at) => trend.span(time, min[at], max[at]));
    this.#onCome(name);
  }
}
