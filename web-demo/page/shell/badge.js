/** The tab's title and icon, which tell of problems to somebody who looks at another tab. */

import { rank } from "./dom.js";

const SIGNS = { ok: "", warn: "▲", error: "◆", critical: "✖" };

/** Fill, ink and outline of the icon. They are the same in all themes: the browser draws the tab. */
const ICONS = {
  ok: '<path d="M2 13V9a6 6 0 0 1 12 0v4z" fill="#5b9bcb"/><path d="M7.2 3h2.6v10H7.2z" fill="#0b0e13"/>',
  warn: '<path d="M8 1 15.5 15H.5z" fill="#e0a82e"/>',
  error: '<path d="M8 0 16 8 8 16 0 8z" fill="#e0503a"/>',
  critical: '<path d="M0 0h16v16H0z" fill="#b3261e"/>',
  dead: '<path d="M2 13V9a6 6 0 0 1 12 0v4z" fill="#888"/><path d="m2 2 12 12M14 2 2 14" stroke="#d22" stroke-width="2.5"/>',
};
const INK = { warn: "#000", error: "#fff", critical: "#fff" };

export class Badge {
  #icon = document.getElementById("icon");
  #shown = "";
  #view = "clu-ws";
  #site = "";
  #state = { dead: true, level: "ok", count: 0, worst: null };

  /** The title of the view. */
  view(title) {
    this.#view = title;
    this.#render();
  }

  /** The title of the site, of its configuration. */
  site(title) {
    this.#site = title ?? "";
    this.#render();
  }

  /** @param {{dead: boolean, problems: {level: string, actor: string, text: string}[]}} of  the problems that nobody has acknowledged */
  show({ dead, problems }) {
    const worst = problems.reduce((a, b) => (a === null || rank(b.level) > rank(a.level) ? b : a), null);
    this.#state = { dead, level: worst?.level ?? "ok", count: problems.length, worst };
    this.#render();
  }

  #render() {
    const { dead, level, count, worst } = this.#state;
    const end = [this.#view, this.#site || "clu-ws"].join(" · ");
    const start = dead ? "✕ not connected · " : worst ? `${SIGNS[level]}${count} ${worst.actor}: ${worst.text.slice(0, 60)} · ` : "";
    if (document.title !== start + end) document.title = start + end;
    const icon = dead ? "dead" : level;
    const digits = dead || count === 0 ? "" : count > 9 ? "9+" : String(count);
    const key = icon + digits;
    if (key === this.#shown) return;
    this.#shown = key;
    const text = digits === "" ? "" : `<text x="8" y="13" font-size="${digits.length > 1 ? 8 : 10}" font-weight="700" font-family="sans-serif" text-anchor="middle" fill="${INK[icon]}">${digits}</text>`;
    this.#icon.href = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${ICONS[icon]}${text}</svg>`)}`;
    this.#icon.dataset.level = icon;
    this.#icon.dataset.count = String(count);
  }
}
