/** The whole envelope of one reply, beside the list of replies. */

import { formatJSON } from "../../client/json.js";
import { formatTime, shorten } from "../core/format.js";
import { button, element } from "../shell/dom.js";

const MAX_CHARS = 500_000;

/** How long a button says what it has done, ms. */
const DONE = 1_500;

export class EnvelopeView {
  #item = null;
  #closed;
  #title = element("h2");
  #json = element("pre", { class: "envelope-json scroll", tabindex: "0" });
  #link;

  /** @param {{closed: () => void}} on  called when it was closed: the list gets the focus back */
  constructor({ closed }) {
    this.#closed = closed;
    const copyJSON = button("Copy", () => copied(copyJSON, whole(this.#item.reply.envelope), this.#json), { class: "envelope-copy" });
    this.#link = button("Copy link", () => copied(this.#link, linkTo(this.#item), this.#json), { class: "envelope-link" });
    this.node = element("section", { class: "envelope", "aria-label": "Envelope of the chosen reply", hidden: true },
      element("div", { class: "envelope-bar" }, this.#title, copyJSON, this.#link, button("Close", () => this.close(), { class: "envelope-close" })), this.#json);
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  get isOpen() { return this.#item !== null; }

  /** @param {import("./model.js").Item} item */
  open(item) {
    this.#item = item;
    const { reply } = item;
    this.#title.textContent = `${reply.sender ?? "(no sender)"} ${reply.code} ${formatTime(item.time, true)}`;
    this.#json.textContent = pretty(reply.envelope);
    this.#json.setAttribute("aria-label", `Envelope of ${this.#title.textContent}`);
    this.#json.scrollTop = 0;
    this.#link.hidden = linkTo(item) === null;
    this.node.hidden = false;
    this.#json.focus({ preventScroll: true });  // it scrolls by the arrow keys; Escape closes it
  }

  close() {
    if (!this.isOpen) return;
    this.#item = null;
    this.node.hidden = true;
    this.#json.textContent = "";
    this.#closed();
  }
}

/** Returns the URL at which the log opens at a reply; null if the server does not number replies. */
function linkTo({ reply }) {
  if (reply.seq === null) return null;
  return `${location.href.split("#")[0]}#/log?at=${encodeURIComponent(reply.epoch)}:${reply.seq}`;
}

/** Copies a text, and lets the button say so. */
async function copied(from, text, fallback) {
  const label = from.textContent;
  from.textContent = await copy(text, fallback) ? "Copied" : "Press Ctrl C";
  setTimeout(() => { from.textContent = label; }, DONE);
}

/**
 * Copies a text. The clipboard API needs a secure context; on a LAN with plain http the old command works, or the text of
 * the node stays selected for the user.
 */
async function copy(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "aside" });
    area.value = text;
    node.parentNode.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) getSelection().selectAllChildren(node);
    return done;
  }
}

/** An envelope with all that it has. */
function whole(envelope) {
  try {
    return formatJSON(envelope, 2);
  } catch {
    return "(nested too deep to show)";
  }
}

/** An envelope as it is shown: the beginning of a very long one, which says so. Exported for tests. */
export function pretty(envelope) {
  const text = whole(envelope);
  if (text.length <= MAX_CHARS) return text;
  return `${shorten(text, MAX_CHARS)}\n\n(cut here: these are ${MAX_CHARS} of ${text.length} characters; "Copy" copies all of them)`;
}
