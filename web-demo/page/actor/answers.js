/** The answers to a command: those that this page has, or those that the bridge keeps of somebody else's command. */

import { compactJSON, formatTime, shorten } from "../core/format.js";
import { element, setText } from "../shell/dom.js";

const MAX_ANSWERS = 100;
const MAX_CHARS = 4_000;

/** How many replies the bridge is asked for. */
const LIMIT = 200;

/**
 * What a reply says: the lines of a help text, its text, or else its keywords.
 * @param {{body: *, text: string|null, keywords: Record<string, *>}} reply
 */
function answerText({ body, text, keywords }) {
  const { help } = keywords;
  const lines = typeof help === "string" ? help : Array.isArray(help) ? help.join("\n") : null;
  const names = Object.keys(keywords);
  if (lines !== null && names.length === 1) return shorten(lines, MAX_CHARS);
  if (text !== null && names.every((name) => name === "text" || name === "error") && names.length < 2) return shorten(text, MAX_CHARS);
  return names.length === 0 && typeof body === "object" ? "" : compactJSON(body, MAX_CHARS);
}

/** A glob for exactly one text. @param {string} text */
const exactly = (text) => text.replace(/[*?[\]]/g, "[$&]");

export class Answers {
  #app;
  #entry;
  #replies = null;  // of somebody else's command
  #askedFor = -1;   // how many replies it had when the bridge was asked
  #note = element("p", { class: "note" });
  #list = element("ol");
  root = element("div", { class: "answers" }, this.#note, this.#list);

  /** @param {object} app @param {import("../core/commands.js").CommandEntry} entry */
  constructor(app, entry) {
    this.#app = app;
    this.#entry = entry;
  }

  update() {
    const { own } = this.#entry;
    if (own) this.#render(own.replies, own.replyCount);
    else this.#fetch();
  }

  #render(replies, count) {
    const shown = replies.slice(-MAX_ANSWERS);
    const earlier = count - shown.length;
    setText(this.#note, [`command_id ${this.#entry.command_id}`, this.#entry.commander, earlier > 0 ? `${earlier} earlier replies are not shown` : null].filter(Boolean).join(" · "));
    this.#list.replaceChildren(...shown.map(row));
  }

  /** Asks the bridge for the replies to somebody else's command, when there are more than before. */
  async #fetch() {
    const entry = this.#entry;
    if (this.#askedFor === entry.replies) return;
    this.#askedFor = entry.replies;
    if (this.#replies === null) setText(this.#note, `command_id ${entry.command_id} · asking the bridge for its replies`);
    try {
      const { entries } = await this.#app.clu.log({ limit: LIMIT, filter: { command_id: exactly(entry.command_id), sender: exactly(entry.consumer.split(".")[0]) } });
      this.#replies = entries.flatMap(({ reply }) => (reply?.commandId === entry.command_id ? [reply] : []));
      this.#render(this.#replies, Math.max(entry.replies, this.#replies.length));
    } catch (error) {
      setText(this.#note, `command_id ${entry.command_id} · its replies are not known here: ${error.message}`);
    }
  }
}

function row(reply) {
  const { code, heard, at } = reply;
  return element("li", { data: { code } },
    element("span", { class: "time", text: formatTime(heard ?? at, true) }),
    element("span", { class: "code", text: code || "–" }),
    element("span", { class: "body", text: answerText(reply) }));
}
