/**
 * The commands of everybody, newest first: who sent what, how it stands, and what was answered. They come from the bridge,
 * so they are the same after a reload and in another tab.
 */

import { formatElapsed, formatTime, shorten } from "../core/format.js";
import { element, hasSelection, setAttribute, setText } from "../shell/dom.js";
import { Answers } from "./answers.js";

/** What is drawn of what the store has. */
const MAX_SHOWN = 100;

/** ms after which a command without a reply says so. */
const UNANSWERED = 5_000;

const MARKS = { sent: "↑", running: "▶", done: "✔", failed: "✖", unknown: "?", rejected: "⊘" };

export class CommandList {
  #app;
  #actor;
  #items = new Map();  // entry -> Item
  #hidden = false;
  #stale = true;
  #none = element("p", { class: "empty" });
  list = element("ol", { class: "commands" });

  /** @param {object} app @param {{root: HTMLElement, actor?: string|null, id?: string|null}} options  without an actor: all of them */
  constructor(app, { root, actor = null, id = null }) {
    this.#app = app;
    this.#actor = actor;
    if (id) this.list.id = id;
    this.list.setAttribute("aria-label", actor === null ? "Commands of everybody, newest first" : `Commands to ${actor}, newest first`);
    root.append(this.list, this.#none);
    this.#render();
  }

  /** While it is hidden nothing is drawn. */
  set hidden(hidden) {
    this.#hidden = hidden;
    if (!hidden && this.#stale) this.#render();
  }

  /** @param {import("../core/store.js").Changes} changes */
  update({ commands, tick }) {
    if (commands) this.#stale = true;
    if (this.#hidden) return;
    if (this.#stale) this.#render();
    if (tick) for (const item of this.#items.values()) item.renderTime();
  }

  unmount() {
    this.list.remove();
    this.#none.remove();
  }

  #render() {
    this.#stale = false;
    const entries = [...this.#app.store.commands.values()].filter(({ consumer }) => this.#actor === null || isFor(consumer, this.#actor)).slice(-MAX_SHOWN).reverse();
    const wanted = new Set(entries);
    for (const [entry, item] of this.#items) {
      if (wanted.has(entry)) continue;
      item.root.remove();
      this.#items.delete(entry);
    }
    let at = this.list.firstChild;
    for (const entry of entries) {
      const item = this.#item(entry);
      if (item.root === at) at = at.nextSibling;
      else this.list.insertBefore(item.root, at);
      item.render();
    }
    this.#none.hidden = entries.length > 0;
    setText(this.#none, `${this.#actor === null ? "No command is known" : `No command to ${this.#actor} is known`}${this.#knowsAll ? "" : ": this server tells of those alone that this page has sent or whose replies it has seen"}.`);
  }

  get #knowsAll() { return this.#app.clu.capabilities?.includes("commands") ?? true; }

  #item(entry) {
    let item = this.#items.get(entry);
    if (!item) this.#items.set(entry, item = new Item(this.#app, entry));
    return item;
  }
}

/** Whether an actor runs the commands to a consumer: `dome` runs those to `dome.shutter`, too. */
const isFor = (consumer, actor) => consumer === actor || consumer.startsWith(`${actor}.`);

class Item {
  #app;
  #entry;
  #answers = null;
  #seen = "";
  #parts;

  constructor(app, entry) {
    this.#app = app;
    this.#entry = entry;
    const part = (name) => element("span", { class: name });
    const parts = this.#parts = { mark: part("mark"), state: part("state"), line: part("line"), who: part("who"), said: part("said"), elapsed: part("elapsed") };
    parts.mark.ariaHidden = "true";
    parts.summary = element("button", { class: "summary", type: "button", "aria-expanded": "false", on: { click: () => this.#toggle() } },
      element("span", { class: "life" }, parts.mark, parts.state), parts.line, parts.who, parts.said, parts.elapsed);
    parts.again = element("button", { class: "again", type: "button", text: "↻", title: "Write this command into the command line; nothing is sent", on: { click: () => this.#again() } });
    this.root = element("li", { data: { commandId: entry.command_id, consumer: entry.consumer } }, parts.summary, parts.again);
  }

  /** The whole line, or null if it is not known: the bridge keeps only the beginning of a long one. */
  get #line() {
    const { command_string: string, consumer, cut, own } = this.#entry;
    return string === null || (cut && !own) ? null : `${consumer} ${string}`;
  }

  get #lineText() {
    const { command_string: string, consumer } = this.#entry;
    return this.#line ?? (string === null ? `${consumer} (another client's command)` : `${consumer} ${string}…`);
  }

  render() {
    const { state, message, replies, own, client, commander, ended, message_code: code } = this.#entry;
    const seen = [state, message, replies, own?.replyCount, ended, code, this.#lineText, client].join("\n");
    if (seen === this.#seen) return;
    this.#seen = seen;
    const { mark, state: shown, line, who, said, again } = this.#parts;
    this.root.dataset.state = state;
    this.root.dataset.own = String(own !== null);
    setText(mark, MARKS[state] ?? "?");
    setText(shown, state === "failed" && code === "!" ? "failed !" : state);
    setText(line, this.#lineText);
    line.title = line.textContent;
    setText(who, own ? "this page" : client ?? senderOf(commander) ?? "not known");
    who.title = commander ?? "";
    setText(said, shorten(message ?? (replies > 0 ? `${replies} ${replies === 1 ? "reply" : "replies"}` : ""), 500));
    said.title = message ?? "";
    again.hidden = this.#line === null;
    again.setAttribute("aria-label", `Write ${this.#line ?? ""} into the command line`);
    this.renderTime();
    if (this.#answers) this.#answers.update();
  }

  /** Writes how long it runs, by the bridge's clock. */
  renderTime() {
    const { began, ended, state, replies } = this.#entry;
    const { store } = this.#app;
    const elapsed = (ended ?? store.now()) - began;
    const { elapsed: shown, said } = this.#parts;
    setText(shown, state === "rejected" || (state === "unknown" && ended === null) ? formatTime(began) : formatElapsed(elapsed));
    setAttribute(shown, "title", `Began ${formatTime(began)} UTC`);
    if (state === "sent" && replies === 0 && elapsed > UNANSWERED) setText(said, "no reply yet");
  }

  #toggle() {
    const { summary } = this.#parts;
    if (hasSelection(summary)) return;
    const open = this.#answers === null;
    summary.setAttribute("aria-expanded", String(open));
    if (open) {
      this.#answers = new Answers(this.#app, this.#entry);
      this.root.append(this.#answers.root);
      this.#answers.update();
    } else {
      this.#answers.root.remove();
      this.#answers = null;
    }
  }

  #again() {
    if (this.#line !== null) this.#app.prompt(this.#line);
  }
}

/** The client of a commander: `bridge.dome` is `bridge`. */
function senderOf(commander) {
  return commander === null ? null : commander.slice(0, commander.lastIndexOf(".")) || commander;
}
