/** The problems of one actor, the worst first, each with a button that acknowledges it for everybody. */

import { formatAge, formatTime } from "../core/format.js";
import { element, levelMark, setLevel, setText } from "../shell/dom.js";

export class ActorProblems {
  #app;
  #actor;
  #items = new Map();  // by key
  #list = element("ul", { class: "actor-problems" });

  /** @param {object} app @param {{root: HTMLElement, actor: string}} options */
  constructor(app, { root, actor }) {
    this.#app = app;
    this.#actor = actor;
    this.#list.setAttribute("aria-label", `Problems of ${actor}`);
    root.append(this.#list);
    this.#render();
  }

  /** @param {import("../core/store.js").Changes} changes */
  update({ problems, tick }) {
    if (problems) this.#render();
    else if (tick) for (const item of this.#items.values()) item.age();
  }

  unmount() {
    this.#list.remove();
  }

  #render() {
    const problems = this.#app.store.actors.get(this.#actor)?.problems ?? [];
    const items = new Map(problems.map((problem) => [problem.key, this.#items.get(problem.key) ?? new Item(this.#app, problem)]));
    for (const [key, item] of this.#items) if (!items.has(key)) item.root.remove();
    this.#items = items;
    problems.forEach((problem, at) => {
      const item = items.get(problem.key);
      item.show(problem);
      if (this.#list.children[at] !== item.root) this.#list.insertBefore(item.root, this.#list.children[at] ?? null);
    });
    this.#list.hidden = problems.length === 0;
  }
}

class Item {
  #app;
  #problem;
  #level = levelMark("warn");
  #text = element("span", { class: "text" });
  #state = element("span", { class: "state" });
  #ack = element("button", { type: "button", class: "ack", text: "Acknowledge", on: { click: () => this.#acknowledge() } });
  root = element("li", { class: "actor-problem" }, this.#level, this.#text, this.#state, this.#ack);

  constructor(app, problem) {
    this.#app = app;
    this.#problem = problem;
  }

  show(problem) {
    this.#problem = problem;
    const { key, level, text, acked, active } = problem;
    Object.assign(this.root.dataset, { key, level, acked: String(Boolean(acked)), active: String(active) });
    setLevel(this.#level, level);
    setText(this.#text, text);
    this.#ack.hidden = Boolean(acked);
    this.#ack.setAttribute("aria-label", `Acknowledge: ${text}`);
    this.age();
  }

  age() {
    const { time, began, count, acked, active } = this.#problem;
    const said = [`${formatAge(this.#app.store.shownAge(ms(time)))} ago`, count > 1 ? `${count} times since ${formatTime(ms(began))}` : "",
      active === false ? "ended" : "", acked ? `acknowledged${acked.by ? ` by ${acked.by}` : ""}` : ""];
    setText(this.#state, said.filter(Boolean).join(" · "));
  }

  async #acknowledge() {
    this.#ack.disabled = true;
    try {
      await this.#app.store.acknowledge(this.#problem);
    } catch (error) {
      this.#app.notify(`Not acknowledged: ${error.message}`, { urgent: true });
    }
    this.#ack.disabled = false;
  }
}

const ms = (time) => (typeof time === "number" ? time : Date.parse(time));
