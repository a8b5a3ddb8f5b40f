/**
 * A list of replies with what belongs to it: why words are not understood, the envelope of the chosen one, what is before
 * the first, and the way back to the newest. The log is one of these with a toolbar; the view of an actor and boards hold others.
 *
 *     const panel = new LogPanel(app, { query: new LogQuery({ senders: ["dome"] }), label: "Replies of dome" });
 *     panel.mount(root); panel.update(changes); panel.unmount();
 */

import { button, element, setHidden, setText } from "../shell/dom.js";
import { EnvelopeView } from "./envelope.js";
import { LogModel } from "./model.js";
import { LogQuery } from "./query.js";
import { rowMaker } from "./rows.js";
import { VirtualList } from "./virtual.js";

/** Replies of one update beyond which the list is written once a second: nobody reads them one by one. */
const MANY = 8;

export class LogPanel {
  #app;
  #arrived = 0;  // replies since the list was last updated
  #model = null;
  #query;
  #on;
  #error;  // of the query, when the replies were chosen: one that is given up later has hidden some of them
  #marked = null;   // {epoch, seq} of the reply that the URL names
  #paused = false;
  #capabilities = null;  // of the server, when they were last looked at
  #greeted = null;  // goes on with opening at one reply, which needs the bridge
  #list;
  #envelope;
  #refused = element("p", { class: "log-error", role: "alert" });
  #head = element("span", { class: "log-head" });
  #older = button("Search on", () => this.#model.loadOlder(), { class: "log-older" });
  #newest = button("", () => this.toNewest(), { class: "log-newest" });

  /**
   * @param {object} app
   * @param {{query?: LogQuery, label?: string, onChange?: () => void}} [options]  onChange is called when what is shown has changed
   */
  constructor(app, { query = new LogQuery(), label = "Replies, newest last", onChange = () => {} } = {}) {
    this.#app = app;
    this.#query = query;
    this.#error = query.error;
    this.#on = onChange;
    const isMarked = ({ reply }) => this.#marked !== null && reply?.seq === this.#marked.seq && reply?.epoch === this.#marked.epoch;
    this.#list = new VirtualList(label, rowMaker(isMarked, () => app.store.now()), {
      pick: (item) => item.reply && this.#envelope.open(item),
      top: () => this.#model?.loadOlder(),  // a scroll may still be reported after unmount
      bottom: () => this.#model?.detached && this.#model.loadNewer(),
      scrolled: () => this.#refresh(),
    });
    this.#envelope = new EnvelopeView({ closed: () => this.#list.focus() });
  }

  /** @param {HTMLElement} root */
  mount(root) {
    this.#model = new LogModel(this.#app.clu, this.#app.store.log, this.#query, (what) => this.#loaded(what));
    root.append(element("div", { class: "log-panel" }, this.#refused,
      element("p", { class: "log-before" }, this.#head, this.#older),
      element("div", { class: "log-area" }, this.#list.node, this.#newest, this.#envelope.node)));
    this.#show();
    this.#linked();
  }

  unmount() {
    this.#list.stop();
    this.#model = null;
    this.#greeted?.();
  }

  /** Takes changes of the store. @param {import("../core/store.js").Changes} changes */
  update(changes) {
    if (changes.link) this.#linked();
    this.#arrived += changes.replies;
    if (!changes.link && (this.#arrived === 0 || (this.#arrived > MANY && !changes.tick))) return;
    this.#arrived = 0;
    const { dropped, added } = this.#model.update(this.#list.following, this.frozen && !this.#reading);
    if (this.#query.error !== this.#error) this.setQuery(this.#query);
    else if (added > 0 || dropped > 0) this.#show(-dropped);
    else this.#refresh();
  }

  /** Whether one has scrolled up: entries are added at the end, out of sight. */
  get #reading() { return !this.#paused && !this.#list.following && !this.#list.hasSelection; }

  /** Whether the list does not move. */
  get frozen() { return this.#paused || !this.#list.following || this.#list.hasSelection; }

  get paused() { return this.#paused; }
  get query() { return this.#query; }
  get items() { return this.#model.items; }
  get problem() { return this.#model.problem; }

  pause(paused) {
    this.#paused = paused;
    if (!paused) this.toNewest();
    this.#refresh();
  }

  /** Shows other replies. */
  setQuery(query) {
    this.#query = query;
    this.#error = query.error;
    this.#list.following = true;
    this.#model.setQuery(query);
    this.#show();
    this.#fill();
  }

  /** Opens the log at one reply and marks it. @returns {Promise<boolean>} whether it is still there */
  async open(at) {
    this.#marked = at;
    if ((this.#app.clu.capabilities ?? null) === null) await new Promise((resolve) => { this.#greeted = resolve; });
    if (this.#model === null) return true;  // the log is not shown any more
    this.#list.following = false;
    const index = await this.#model.open(at);
    if (this.#model === null) return true;
    if (index < 0) {
      this.#model.reset();
      this.toNewest();
      this.#fill();
      return false;
    }
    this.#show();
    this.#list.reveal(this.#model.items[index]);
    return true;
  }

  toNewest() {
    this.#paused = false;
    if (this.#list.hasSelection) getSelection().removeAllRanges();
    if (this.#model.detached) {
      this.#model.reset();
      this.#fill();
    } else {
      this.#model.update(true);
    }
    this.#list.show(this.#model.items);
    this.#list.toEnd();
    this.#refresh();
    this.#list.focus();
  }

  focus() { this.#list.focus(); }

  /** Handles that the link, or what is known of the server, has changed. */
  #linked() {
    const { capabilities } = this.#app.clu;
    if (capabilities === this.#capabilities) return;
    this.#capabilities = capabilities;
    this.#model.greeted();
    if (this.#greeted !== null && (capabilities ?? null) !== null) {
      this.#greeted();
      this.#greeted = null;
    } else {
      this.#fill();
    }
  }

  /** Fetches what was before the page was loaded, if the list is not full. */
  #fill() {
    if (this.#model.items.length < 200) this.#model.loadOlder();
  }

  #loaded({ prepended = 0 }) {
    if (!this.#model) return;
    if (this.#query.error !== this.#error) this.setQuery(this.#query);
    else this.#show(prepended);
  }

  #show(atTop = 0) {
    this.#list.show(this.#model.items, atTop);
    this.#refresh();
  }

  #refresh() {
    const { head, problem, busy, hasOlder, waiting, detached } = this.#model;
    setText(this.#refused, this.#query.error ?? "");
    setText(this.#head, busy ? "Asking the bridge for earlier replies …" : problem || head);
    setHidden(this.#older, busy || !hasOlder || head === "");
    setHidden(this.#newest, this.#list.following && !this.#paused && !detached && !this.#list.hasSelection);
    const more = waiting === 0 ? "" : ` · ${waiting} new`;
    setText(this.#newest, `${this.#paused ? "Paused" : "Scrolled up"}${more} · show newest ↓`);
    this.#on();
  }
}
