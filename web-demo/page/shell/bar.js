/**
 * The bar that stays: link, broker, how far this page is behind, the worst problem, the bridge's time. A bridge that
 * is gone makes the whole page look dead, on every view and however far one has scrolled.
 */

import { hearing } from "../core/hearing.js";
import { setAttribute, setHidden, setText, shape } from "./dom.js";
import { hears, SILENT_AFTER } from "../core/liveness.js";
import { deadness } from "./dead.js";

const MARKS = { open: "●", connecting: "◌", closed: "✕" };

const BROKER = {
  up: "broker up", blocked: "broker blocked: commands fail", no_replies: "no replies from the broker", down: "broker down",
  unknown: "broker ?",
};

/** Failed attempts after which "reconnecting" becomes "offline". */
const OFFLINE_AFTER = 4;

/** A clock that differs by more than this from the bridge's is said to be wrong, ms. */
const CLOCK_WRONG = 3_000;

export class Bar {
  #store;
  #clu;
  #countdown = null;
  #parts;
  #wasOpen = false;
  #since = null;  // when what is shown began to be old, by the bridge's clock

  /** @param {{clu: object, store: object}} app */
  constructor({ clu, store }) {
    this.#clu = clu;
    this.#store = store;
    this.#parts = Object.fromEntries(["link-state", "broker-state", "lag", "worst", "clock", "clock-wrong", "dead"]
      .map((id) => [id.replaceAll("-", "_"), document.getElementById(id)]));
    this.#parts.link_state.title = clu.url;
    this.link();
  }

  /** Shows the state of the link and of the broker, with a countdown to the next attempt. */
  link() {
    const { state, retryAt } = this.#store.link;
    const broker = state === "open" ? this.#store.broker.state ?? "unknown" : "unknown";
    const { link_state: link, broker_state: pill } = this.#parts;
    this.#wasOpen ||= state === "open";
    document.body.dataset.link = state;
    if (broker === "unknown") delete document.body.dataset.broker;
    else document.body.dataset.broker = broker;
    link.dataset.state = state;
    setText(link.querySelector(".mark"), MARKS[state]);
    setText(link.querySelector(".words"), this.#words(this.#store.link));
    pill.dataset.state = broker;
    setText(pill, BROKER[broker] ?? `broker ${broker}`);
    const silent = state === "open" && this.#clu.protocol === "plain" ? "CLU's own server does not tell it" : null;
    setAttribute(pill, "title", this.#store.broker.reason ?? silent);
    setAttribute(this.#parts.lag, "title", silent);
    clearTimeout(this.#countdown);
    if (retryAt !== null) this.#countdown = setTimeout(() => this.link(), 500);
    this.#lag();
    this.#clock();
  }

  #words({ state, retryAt, attempts }) {
    if (state === "open") return this.#clu.protocol === "plain" ? "CLU's own server" : "connected";
    if (state === "closed" && retryAt === null) return "not connected";
    const what = attempts > OFFLINE_AFTER ? "offline, trying" : attempts > 0 ? "reconnecting" : "connecting";
    if (state === "connecting") return `${what}…`;
    return `${what} in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000))} s`;
  }

  /** Shows what has changed. */
  update(changes) {
    if (changes.link) this.link();
    else if (changes.tick) this.#lag();
    if (changes.tick) this.#clock();
    if (changes.problems || changes.link || changes.tick) this.problems();
  }

  /** Shows the worst problem and how many there are. */
  problems() {
    const { worst } = this.#parts;
    const { worst: first, openProblems: open, endedProblems, problemsUnknown: why } = this.#store;
    const unknown = first === null && (!this.#hears || why !== null);  // calm must not be claimed then
    const calm = hearing(this.#clu.access) === "all" ? "no problems" : "no problems that you may hear of";
    const ended = unknown ? 0 : endedProblems;
    const level = first?.level ?? "ok";
    setAttribute(worst, "data-ended", String(ended));
    const over = worst.querySelector(".ended");
    setHidden(over, ended === 0);
    setText(over, ` ${ended} ended`);
    const mark = worst.querySelector(".level");
    for (const node of [worst, mark]) setAttribute(node, "data-level", unknown ? "unknown" : level);
    setAttribute(worst, "data-count", String(open));
    setText(mark, unknown ? "?" : shape(level));
    setText(worst.querySelector(".words"), unknown ? "problems are not known" : first === null ? calm : `${open} · ${first.actor}: ${first.text}`);
    const title = first !== null ? `${first.level}: ${first.actor}: ${first.text}` : unknown && why ? why : "Problems (p)";
    setAttribute(worst, "title", ended > 0 ? `${title} – ended, and not acknowledged: ${ended}` : title);
  }

  /** Whether replies can come: through the bridge, and to it. */
  get #hears() {
    const { link, silence, broker } = this.#store;
    return link.state === "open" && silence <= SILENT_AFTER && hears(broker.state);
  }

  #lag() {
    const { lag, dead } = this.#parts;
    const now = this.#store.now();
    const { kind, text } = deadness({
      link: this.#store.link.state, silence: this.#store.silence, broker: document.body.dataset.broker, lag: this.#store.lag, behind: this.#store.behind, first: !this.#wasOpen,
    });
    const behind = kind === "behind";
    lag.toggleAttribute("data-behind", behind);
    const seconds = this.#store.lag;
    setText(lag, this.#store.link.state !== "open" || !hears(this.#store.broker.state) || this.#clu.protocol === "plain" ? "lag ?"
      : `lag ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`);
    if (kind === null) {
      this.#since = null;
      delete document.body.dataset.dead;
      setText(dead, "");
      return;
    }
    setAttribute(document.body, "data-dead", kind);
    const since = kind === "behind" ? now - seconds * 1_000 : this.#currentUntil(kind, now);
    setText(dead, `${text}${since > 0 && (this.#wasOpen || kind !== "link") ? ` What is shown is as of ${new Date(since).toISOString().slice(11, 19)} UTC.` : ""}`);
  }

  /** Up to when what is shown is what was, as far as is known: that nothing comes any more is noticed late. */
  #currentUntil(kind, now) {
    if (kind === "broker") return this.#store.lastReply;
    this.#since ??= now - Math.max(0, Date.now() - this.#clu.lastHeard);
    return this.#since;
  }

  #clock() {
    const { clock, clock_wrong: wrong } = this.#parts;
    const now = this.#store.now();
    setText(clock, `${new Date(now).toISOString().slice(0, 19).replace("T", " ")} UTC`);
    const off = Date.now() - now;
    setHidden(wrong, Math.abs(off) < CLOCK_WRONG || this.#store.link.state !== "open");
    if (wrong.hidden) return;
    const seconds = Math.round(Math.abs(off) / 1_000);
    const span = seconds < 120 ? `${seconds} s` : seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
    setText(wrong, `this computer's clock is ${span} ${off > 0 ? "fast" : "slow"}`);
  }
}
