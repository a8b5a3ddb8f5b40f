/** The commands sent from this page, newest first, each with its state and replies. */

import { batched, element, hasSelection, setText } from "./dom.js";
import { compactJSON, formatElapsed, formatTime, shorten } from "./format.js";

const MAX_COMMANDS = 100;
const MAX_ANSWERS = 100;

/** ms between two updates of the list. */
const GAP = 100;

/** ms after which a command without a reply says so. */
const UNANSWERED = 5_000;

const MARKS = { sent: "↑", running: ">", done: ":", failed: "f", unknown: "?", rejected: "✕" };

export class Commands {
  #items = new Map();  // Command -> Item, oldest first
  #dirty = new Set();
  #onPick;
  #list = document.getElementById("commands");
  #refresh = batched(() => {
    for (const item of this.#dirty) item.render();
    this.#dirty.clear();
  }, GAP);

  constructor({ onPick }) {
    this.#onPick = onPick;
    setInterval(() => {
      for (const [command, item] of this.#items) if (command.active) item.renderTime();
    }, 200);
  }

  /** Shows a new command, or the changes of a known one. */
  update(command) {
    let item = this.#items.get(command);
    if (!item) {
      if (command.replyCount > 0) return;  // it was dropped from the list
      item = new Item(command, this.#onPick);
      this.#items.set(command, item);
      this.#list.prepend(item.root);
      this.#trim();
    }
    this.#dirty.add(item);
    this.#refresh();
  }

  /** Drops the oldest command that has ended, or the oldest if all are in flight. */
  #trim() {
    if (this.#items.size <= MAX_COMMANDS) return;
    const [oldest] = [...this.#items.keys()].filter((command) => !command.active).concat([...this.#items.keys()]);
    const item = this.#items.get(oldest);
    item.root.remove();
    this.#items.delete(oldest);
    this.#dirty.delete(item);
  }
}

class Item {
  #command;
  #open = false;
  #parts;

  constructor(command, onPick) {
    this.#command = command;
    const part = (tag, name) => element(tag, { class: name });
    const parts = this.#parts = {
      mark: part("span", "mark"), state: part("span", "state"), said: part("span", "said"), count: part("span", "replies"),
      elapsed: part("span", "elapsed"), answers: part("ol", "answers"),
    };
    parts.mark.ariaHidden = "true";
    parts.answers.hidden = true;
    parts.summary = element("button", { class: "summary", type: "button", "aria-expanded": "false", on: { click: () => this.#toggle() } },
      element("span", { class: "life" }, parts.mark, parts.state),
      element("span", { class: "line", text: `${command.consumer} ${command.commandString}`, title: `${command.consumer} ${command.commandString}` }),
      parts.said, parts.count, parts.elapsed);
    parts.answers.addEventListener("click", (event) => {
      const row = event.target.closest("li");
      if (row && !hasSelection(row)) onPick(command.replies[command.replies.length - row.dataset.fromEnd], row);
    });
    this.root = element("li", { data: { commandId: command.commandId, consumer: command.consumer, state: command.state } }, parts.summary, parts.answers);
    this.render();
  }

  render() {
    this.root.dataset.state = this.#command.state;
    const { mark, state, said, count } = this.#parts;
    const command = this.#command;
    const code = command.replies.at(-1)?.code;
    setText(mark, command.state === "failed" ? code ?? "f" : MARKS[command.state]);
    setText(state, command.state);
    setText(said, shorten(command.message ?? this.#lastBody() ?? "", 500));
    said.title = command.message ?? "";
    setText(count, `${command.replyCount} ${command.replyCount === 1 ? "reply" : "replies"}`);
    this.renderTime();
    if (this.#open) this.#renderAnswers();
  }

  renderTime() {
    const command = this.#command;
    setText(this.#parts.elapsed, command.state === "rejected" ? formatTime(command.sentAt) : formatElapsed(command.elapsed));
    if (command.state === "sent" && command.elapsed > UNANSWERED) setText(this.#parts.said, "no reply yet");
  }

  /** The last keywords, for a command without a message. */
  #lastBody() {
    const reply = this.#command.replies.findLast(({ keywords }) => Object.keys(keywords).length > 0);
    return reply ? compactJSON(reply.body, 300) : null;
  }

  #toggle() {
    this.#open = !this.#open;
    this.#parts.summary.setAttribute("aria-expanded", String(this.#open));
    this.#parts.answers.hidden = !this.#open;
    if (this.#open) this.#renderAnswers();
  }

  #renderAnswers() {
    const { commandId, replies, replyCount } = this.#command;
    const rows = replies.slice(-MAX_ANSWERS).map((reply, index, all) => element("li", {
      tabindex: "-1", data: { code: reply.code, fromEnd: all.length - index } },
      element("span", { class: "time", text: formatTime(reply.receivedAt, true) }),
      element("span", { class: "code", text: reply.code || "–" }),
      element("span", { class: "body", text: compactJSON(reply.body, 1_000) })));
    const earlier = replyCount - rows.length;
    const id = element("li", { class: "note", text: `command_id ${commandId}${earlier > 0 ? ` · ${earlier} earlier replies not shown` : ""}` });
    this.#parts.answers.replaceChildren(id, ...rows);
  }
}
