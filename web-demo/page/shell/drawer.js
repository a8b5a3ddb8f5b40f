/**
 * The problems, the worst first, beside every view: what each says, since when, and who has acknowledged it. The bridge
 * keeps them, so that a reload changes nothing, and an acknowledgement counts for all pages.
 *
 * Keys in the list: arrows, Home and End move, Enter goes to the actor, a acknowledges, A all of the actor.
 */

import { formatAge } from "../core/format.js";
import { compare } from "../core/problems.js";
import { button, element, keepFocus, setLevel, levelMark, setText } from "./dom.js";

/** Problems that are listed; of more, the number is told. */
const MAX_SHOWN = 300;

export class Drawer {
  #app;
  #rows = new Map();  // id -> Row
  #from = null;
  #phone = matchMedia("(max-width: 640px)");
  #root = document.getElementById("drawer");
  #toggle = document.getElementById("worst");
  #list = element("ul", { class: "problems", "aria-labelledby": "drawer-title" });
  #count = element("span", { class: "count" });
  #note = element("p", { class: "nothing" });
  #notices = element("ol", { class: "notices" });
  #scroll = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Problems and notices" });

  constructor(app) {
    this.#app = app;
    this.#root.append(
      element("header", {}, element("h2", { id: "drawer-title", text: "Problems" }), this.#count,
        button("Close", () => this.close(), { id: "drawer-close", title: "Esc" })),
      this.#scroll);
    this.#scroll.append(this.#note, this.#list, element("details", {}, element("summary", { text: "What this page said" }), this.#notices));
    this.#root.addEventListener("keydown", (event) => this.#key(event));
    this.#root.querySelector("details").addEventListener("toggle", () => this.#listNotices());
  }

  get open() { return !this.#root.hidden; }

  toggle() {
    if (this.open) this.close();
    else this.show();
  }

  show() {
    this.#from = document.activeElement;
    this.#root.hidden = false;
    this.#toggle.setAttribute("aria-expanded", "true");
    this.#render();
    (this.#list.querySelector("li") ?? this.#root.querySelector("#drawer-close")).focus();
  }

  close() {
    this.#root.hidden = true;
    this.#toggle.setAttribute("aria-expanded", "false");
    const from = this.#from?.isConnected && this.#from !== document.body ? this.#from : this.#toggle;
    from.focus({ preventScroll: true });
  }

  /** @param {object} changes  of the store */
  update(changes) {
    if (!this.open) return;
    if (changes.problems) this.#render();
    else if (changes.tick) for (const row of this.#rows.values()) row.age(this.#app.store);
  }

  #render() {
    const { store } = this.#app;
    const order = [...store.problems].sort(compare);
    const shown = order.slice(0, MAX_SHOWN);
    const open = order.filter((problem) => !ended(problem)).length;
    setText(this.#count, `${open} open${order.length > open ? `, ${order.length - open} acknowledged or over` : ""}`);
    this.#note.hidden = order.length > 0 && order.length <= MAX_SHOWN;
    setText(this.#note, order.length > MAX_SHOWN ? `The first ${MAX_SHOWN} of ${order.length} are listed.` : this.#nothing());
    const focused = document.activeElement?.closest?.("[data-problem]")?.dataset.problem ?? null;
    const kept = new Map();
    const met = new Set();
    const rows = shown.map((problem) => {
      const id = `${problem.actor} ${problem.key}`;
      const row = this.#rows.get(id) ?? new Row(id, problem, this);
      kept.set(id, row);
      row.render(problem, store, !met.has(problem.actor));
      met.add(problem.actor);
      return row.root;
    });
    this.#rows = kept;
    // Moving a row takes the focus from it. Another row must not get it: the next key would acknowledge what nobody has read.
    keepFocus(() => place(this.#list, rows));
    if (focused !== null && !kept.has(focused)) this.#scroll.focus({ preventScroll: true });
    else if (focused !== null && (document.activeElement === document.body || !document.activeElement.checkVisibility())) kept.get(focused).root.focus({ preventScroll: true });
  }

  #nothing() {
    if (document.body.dataset.dead === "link") return "Not connected: it is not known whether there are problems.";
    if (document.body.dataset.dead === "broker") return "No replies come: it is not known whether there are problems.";
    const since = this.#app.clu.protocol === "plain" ? " CLU's own server keeps none: these are from the time since this page was loaded." : "";
    return `Nobody has reported a problem.${since}`;
  }

  /** Acknowledges a problem, or all of its actor's. */
  async acknowledge(problem, all) {
    const { store, notify } = this.#app;
    try {
      const those = all ? store.problems.filter((other) => other.actor === problem.actor && !ended(other)) : [problem];
      await Promise.all(those.map((one) => store.acknowledge(one)));
    } catch (error) {
      notify(`Nothing was acknowledged: ${error.message.replace(/\.$/, "")}.`, { urgent: true });
    }
  }

  /** Goes to the actor of a problem. */
  visit(problem) {
    this.#app.router.go(`#/actor/${encodeURIComponent(problem.actor)}`);
    if (this.#phone.matches) this.close();
  }

  #key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
      return;
    }
    const row = event.target.closest?.("li[data-problem]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = {
      ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling, Home: this.#list.firstElementChild, End: this.#list.lastElementChild,
    }[event.key];
    if (next) next.focus();
    else if (event.key === "a" || event.key === "A") this.acknowledge(this.#rows.get(row.dataset.problem).problem, event.key === "A");
    else if (event.key === "Enter" && event.target === row) this.visit(this.#rows.get(row.dataset.problem).problem);
    else if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #listNotices() {
    this.#notices.replaceChildren(...this.#app.notices.kept.map(({ time, text }) =>
      element("li", { text: `${new Date(time).toISOString().slice(11, 19)} ${text}` })));
  }
}

const ended = ({ acked, active }) => Number(acked !== null || active === false);

class Row {
  #mark = levelMark("ok");
  #actor = element("a", { class: "whose" });
  #text = element("span", { class: "text" });
  #age = element("span", { class: "age" });
  #state = element("span", { class: "state" });
  #ack;
  #all;

  constructor(id, problem, drawer) {
    this.problem = problem;
    this.#ack = button("Acknowledge", () => drawer.acknowledge(this.problem, false), { class: "ack", "aria-label": `Acknowledge: ${problem.actor}, ${problem.text}` });
    this.#all = button(`All of ${problem.actor}`, () => drawer.acknowledge(this.problem, true), { "data-ack-actor": problem.actor, title: `Acknowledge all of ${problem.actor}` });
    this.#actor.href = `#/actor/${encodeURIComponent(problem.actor)}`;
    this.#actor.textContent = problem.actor;
    this.root = element("li", { tabindex: "-1", data: { problem: id, actor: problem.actor } },
      this.#mark, this.#actor, this.#age, this.#text, this.#state, element("span", { class: "acks" }, this.#ack, this.#all));
    this.root.tabIndex = 0;
  }

  /** @param {boolean} first  whether it is the first of its actor, where all of them can be acknowledged */
  render(problem, store, first) {
    this.problem = problem;
    this.root.dataset.level = problem.level;
    this.root.toggleAttribute("data-ended", problem.active === false);
    this.root.toggleAttribute("data-acked", problem.acked !== null);
    setLevel(this.#mark, problem.level);
    const said = !problem.keyword || problem.text.includes(problem.keyword.slice(problem.keyword.indexOf(".") + 1));
    setText(this.#text, said ? problem.text : `${problem.text} (${problem.keyword})`);
    this.#ack.hidden = problem.acked !== null;
    this.#all.hidden = this.#ack.hidden || !first;
    const state = problem.active === false ? "is over" : problem.acked ? `acknowledged${problem.acked.by ? ` by ${problem.acked.by}` : ""}`
      : problem.active === true ? "still so" : "";
    setText(this.#state, state);
    this.age(store);
  }

  age(store) {
    const { time, began, count } = this.problem;
    const often = count > 1 ? `, ${count} times in ${formatAge(Math.max(0, time - began))}` : "";
    setText(this.#age, `${formatAge(store.now() - time)} ago${often}`);
    this.#age.title = `${new Date(began).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  }
}

/** Makes the children of a list these, in this order, and moves only what has another place. */
export function place(list, nodes) {
  let at = list.firstElementChild;
  for (const node of nodes) {
    if (node === at) at = at.nextElementSibling;
    else list.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}
