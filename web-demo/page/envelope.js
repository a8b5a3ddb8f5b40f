/** The whole envelope of one reply, pretty-printed, beside the list of replies. */

import { formatJSON } from "../client/json.js";
import { formatTime, shorten } from "./format.js";

const MAX_CHARS = 500_000;

const byId = (id) => document.getElementById(id);

export class EnvelopeView {
  #from = null;
  #view = byId("envelope");
  #json = byId("envelope-json");

  constructor() {
    byId("envelope-close").addEventListener("click", () => this.close());
    byId("envelope-copy").addEventListener("click", () => this.#copy());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#view.hidden) this.close();
    });
  }

  /** @param {HTMLElement} from  gets the focus back */
  open(reply, from) {
    if (!reply) return;
    this.#from = from;
    byId("envelope-title").textContent = `${reply.sender ?? "(no sender)"} ${reply.code} ${formatTime(reply.receivedAt, true)}`;
    this.#json.textContent = pretty(reply.envelope);
    this.#json.scrollTop = 0;
    this.#view.hidden = false;
    byId("envelope-close").focus();
  }

  close() {
    this.#view.hidden = true;
    this.#json.textContent = "";
    if (this.#from?.isConnected) this.#from.focus({ preventScroll: true });
    this.#from = null;
  }

  async #copy() {
    const button = byId("envelope-copy");
    const copied = await copy(this.#json);
    button.textContent = copied ? "Copied" : "Press Ctrl C";
    setTimeout(() => { button.textContent = "Copy"; }, 1_500);
  }
}

/** Copies a node's text. The clipboard API needs a secure context; on a LAN with plain http execCommand works, or the text stays selected. */
async function copy(node) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(node);
    const copied = document.execCommand("copy");
    if (copied) getSelection().removeAllRanges();
    return copied;
  }
}

function pretty(envelope) {
  try {
    return shorten(formatJSON(envelope, 2), MAX_CHARS);
  } catch {
    return "(nested too deep to show)";
  }
}
