/** The top line: the state of the link, the rate of replies, and the time. */

import { setText } from "./dom.js";
import { formatAge } from "./format.js";

const MARKS = { open: "●", connecting: "◌", closed: "✕" };

const BROKER = { up: "", blocked: "broker blocked: commands fail", no_replies: "no replies from the broker: commands are sent", down: "broker down: no replies, commands fail" };

/** Failed attempts after which "reconnecting" becomes "offline". */
const OFFLINE_AFTER = 4;

/** Seconds over which the rate is averaged. */
const WINDOW = 3;

export class Header {
  #clu;
  #attempts = 0;
  #total = 0;
  #now = 0;
  #lastReplyAt = 0;  // ms since 1970; 0 for never
  #window = [];
  #countdown = null;
  #parts;

  constructor(clu) {
    this.#clu = clu;
    this.#parts = Object.fromEntries(
      ["link-state", "broker-state", "link-url", "rate", "total", "heard", "clock"].map((id) => [id, document.getElementById(id)]),
    );
    setText(this.#parts["link-url"], clu.url);
    this.#parts["link-url"].title = clu.url;
    clu.on("state", ({ attempts }) => { this.#attempts = attempts; });
  }

  /** Shows the state of the broker, unless it is up. */
  broker({ state, reason }) {
    const pill = this.#parts["broker-state"];
    pill.hidden = state === "up";
    pill.dataset.state = state;
    setText(pill, BROKER[state] ?? `broker ${state}`);
    pill.title = reason ?? "";
  }

  /** Counts a reply. */
  count() {
    this.#total += 1;
    this.#now += 1;
  }

  /** Notes the time of a reply. */
  noteReply(at) {
    const first = this.#lastReplyAt === 0;
    this.#lastReplyAt = Math.max(this.#lastReplyAt, at);
    if (first) this.#showLastReply();
  }

  #showLastReply() {
    setText(this.#parts.heard, this.#lastReplyAt === 0 ? "–" : formatAge(Date.now() - this.#lastReplyAt));
  }

  /** Shows the state of the link, with a countdown to the next attempt. */
  update() {
    const { state, retryAt } = this.#clu;
    const pill = this.#parts["link-state"];
    pill.dataset.state = state;
    setText(pill.querySelector(".mark"), MARKS[state]);
    setText(pill.querySelector(".words"), this.#words(state, retryAt));
    if (state !== "open") this.#parts["broker-state"].hidden = true;  // its state is unknown
    document.title = state === "open" ? "clu-ws" : "✕ clu-ws: not connected";
    clearTimeout(this.#countdown);
    if (retryAt !== null) this.#countdown = setTimeout(() => this.update(), 250);
  }

  #words(state, retryAt) {
    if (state === "open") return "connected";
    if (state === "closed" && retryAt === null) return "not connected";
    const what = this.#attempts > OFFLINE_AFTER ? "offline, trying" : this.#attempts > 0 ? "reconnecting" : "connecting";
    if (state === "connecting") return `${what}…`;
    return `${what} in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000))} s`;
  }

  /** Updates the figures, once a second. */
  tick() {
    this.#window.push(this.#now);
    this.#now = 0;
    if (this.#window.length > WINDOW) this.#window.shift();
    const rate = this.#window.reduce((sum, n) => sum + n, 0) / this.#window.length;
    setText(this.#parts.rate, rate >= 10 || rate === 0 ? rate.toFixed(0) : rate.toFixed(1));
    setText(this.#parts.total, this.#total.toLocaleString("en").replaceAll(",", "\u2009"));
    this.#showLastReply();
    setText(this.#parts.clock, `${new Date().toISOString().slice(0, 19).replace("T", " ")} UTC`);
  }
}
