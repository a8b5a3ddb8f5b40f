/**
 * The problems, the worst first, beside every view: what each says, since when, and who has acknowledged it. The bridge
 * keeps them, so that a reload changes nothing, and an acknowledgement counts for all pages.
 *
 * Keys in the list: arrows, Home and End move, Enter goes to the actor, a acknowledges, A all of the actor.
 */

import { formatAge } from "../core/format.js";
import { hearing } from "../core/hearing.js";
import { compare, hasEnded, isOpen } from "../core/problems.js";
import { acknowledge } from "./acknowledge.js";
import { button, element, keepFocus, setAttribute, setLevel, levelMark, setText } from "./dom.js";

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
    if (changes.problems || changes.link) this.#render();
    else if (changes.tick) for (const row of this.#rows.values()) row.age(this.#app.store);
  }

  #render() {
    const { store } = this.#app;
    const order = [...store.problems].sort(compare);
    const shown = order.slice(0, MAX_SHOWN);
    const unknown = this.#unknown();
    setText(this.#count, unknown ? "not known" : countsOf(order));
    const note = [unknown, unknown ? "" : this.#limits(), order.length > 0 || unknown ? "" : "Nobody has reported a problem.",
      order.length > MAX_SHOWN ? `The first ${MAX_SHOWN} of ${order.length} are listed.` : ""].filter(Boolean).join(" ");
    this.#note.hidden = note === "";
    setText(this.#note, note);
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

  /** Why it is not known which problems there are, or "". What is listed is from before, then. */
  #unknown() {
    const { problemsUnknown } = this.#app.store;
    const why = { link: "Not connected.", broker: "No replies come." }[document.body.dataset.dead] ?? problemsUnknown;
    if (!why) return "";
    return `${why} It is not known whether there are ${this.#app.store.problems.length > 0 ? "others, or whether these are still so" : "problems"}.`;
  }

  /** What the list lacks even if it is known. */
  #limits() {
    const { clu, store } = this.#app;
    const omitted = [...store.actors.values()].reduce((sum, actor) => sum + actor.omitted, 0);
    return [
      store.problemList.kept ? "" : "This server keeps no problems: these are what this page has seen since it was loaded.",
      hearing(clu.access) === "all" ? "" : "There may be problems of which you may not hear.",
      omitted > 0 ? `Not listed, since there are too many: ${omitted} more ${omitted === 1 ? "reply" : "replies"} that told of problems.` : "",
    ].filter(Boolean).join(" ");
  }

  /** Acknowledges a problem, or all of its actor's. */
  async acknowledge(problem, all) {
    const { store, notify } = this.#app;
    const those = all ? store.problems.filter((other) => other.actor === problem.actor && !ended(other)) : [problem];
    const why = await acknowledge(store, those);
    if (why !== null) notify(why, { urgent: true });
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

/** Says how many problems there are of each kind. */
function countsOf(problems) {
  const over = problems.filter(hasEnded).length;
  const open = problems.filter(isOpen).length;
  const acked = problems.length - open - over;
  return [`${open} open`, over > 0 ? `${over} ended` : "", acked > 0 ? `${acked} acknowledged` : ""].filter(Boolean).join(", ");
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
    setText(this.#age, `${formatAge(store.shownAge(time))} ago${often}`);
    setAttribute(this.#age, "title", `${new Date(began).toISOString().slice(0, 19).replace("T", " ")} UTC`);
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
