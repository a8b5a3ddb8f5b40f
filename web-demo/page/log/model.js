/**
 * The entries that the log shows: what this page has heard, and before that what the bridge still has.
 *
 *     clu.log (before, after) ──> pages ─┐
 *                                        ├─> items, oldest first, those that the query accepts
 *     store.log ── newest replies ───────┘
 *
 * It is bounded. While one reads far back, the newest entries are dropped (`detached`) and fetched again on the way
 * forward. What the page does not know it says: `head` is a sentence about what is before the first item.
 */

import { compactJSON, describeGap, formatTime } from "../core/format.js";

/** Limits of what is kept. */
export const LIMITS = Object.freeze({ items: 20_000, chars: 48 << 20 });

/** Entries in a page of the bridge's log. */
const PAGE = 500;

/** Pages that are searched in one go for entries that the query accepts, and how many of these are enough. */
const PAGES_AT_ONCE = 6;
const ENOUGH = 100;

/**
 * @typedef {object} Item
 * @property {number} time     ms by the bridge's clock
 * @property {import("../../client/reply.js").Reply|null} reply
 * @property {string|null} mark  what is missing here, in words
 */

export class LogModel {
  #clu;
  #ring;
  #changed;
  #limits;
  #chars = 0;
  #next;            // number of the ring's next entry that was not looked at
  #counted = 0;     // of the ring's next entry that is not among those that wait
  #turn = 0;        // what was asked before the query changed is ignored
  #edges = { older: null, newer: null };  // cursors of the bridge's log: {seq, epoch}, or null where it has no more

  /**
   * @param {import("../../client/clu.js").Clu} clu
   * @param {import("../core/logring.js").LogRing} ring
   * @param {import("./query.js").LogQuery} query
   * @param {(what: {prepended?: number}) => void} changed  called when a page has arrived, with how many items are new at the top
   */
  constructor(clu, ring, query, changed, limits = LIMITS) {
    this.#clu = clu;
    this.#ring = ring;
    this.#changed = changed;
    this.#limits = limits;
    this.query = query;
    this.reset();
  }

  /** Begins anew with what this page has heard. */
  reset() {
    this.#turn += 1;
    /** @type {Item[]} */ this.items = [];
    this.#chars = 0;
    this.#next = this.#ring.first;
    this.#edges = { older: undefined, newer: null };
    /** Whether the newest entries are not among the items. */ this.detached = false;
    /** What is before the first item, in a sentence. */ this.head = "";
    /** Why a page did not come, in a sentence. */ this.problem = "";
    this.busy = false;
    /** Entries that have arrived since the items were last updated, and that the query accepts. */ this.waiting = 0;
    this.update(true);
    this.#describeHead();
  }

  setQuery(query) {
    this.query = query;
    this.reset();
  }

  /**
   * Takes what has arrived.
   * @param {boolean} following  whether the newest entry is in sight. Otherwise nothing is dropped from the top
   * @param {boolean} [paused]   only counts
   * @returns {{dropped: number, added: number}} how many items at the top have gone, and how many were added at the end
   */
  update(following, paused = false) {
    if (paused || this.detached) {
      this.#count();
      return { dropped: 0, added: 0 };
    }
    if (this.#next < this.#ring.first) {  // it was paused so long that the ring dropped some: the bridge has them
      this.reset();
      return { dropped: 0, added: this.items.length };
    }
    let added = 0;
    for (const entry of this.#ring.from(this.#next)) {
      if (entry.reply && (!this.query.accepts(entry.reply) || this.#isListed(entry.reply))) continue;
      this.#chars += entry.reply?.size ?? 0;
      this.items.push(entry);
      added += 1;
    }
    this.#next = this.#ring.next;
    this.waiting = 0;
    if (!following && this.#tooMany) {
      this.detached = true;
      this.#dropNewest();
    }
    return { dropped: following ? this.#dropOldest() : 0, added };
  }

  /**
   * Whether a reply that has just arrived is among the items: the bridge holds replies back for a moment to send several
   * together (batch_ms), and a page of the log may overtake them.
   */
  #isListed({ seq, epoch }) {
    if (seq === null) return false;
    for (let at = this.items.length - 1; at >= 0; at -= 1) {
      const { reply } = this.items[at];
      if (!isNumbered(reply)) continue;
      if (reply.epoch !== epoch || reply.seq < seq) return false;
      if (reply.seq === seq) return true;
    }
    return false;
  }

  #count() {
    if (this.waiting === 0) this.#counted = this.#next;
    for (const { reply } of this.#ring.from(this.#counted)) {
      if (!reply || this.query.accepts(reply)) this.waiting += 1;
    }
    this.#counted = this.#ring.next;
  }

  get #tooMany() { return this.items.length > this.#limits.items || this.#chars > this.#limits.chars; }

  #dropOldest() {
    if (!this.#tooMany) return 0;
    const keep = Math.floor(this.#limits.items * 0.9);
    let n = Math.max(0, this.items.length - keep);
    let chars = 0;
    for (let at = 0; at < this.items.length && (at < n || this.#chars - chars > this.#limits.chars * 0.9); at += 1) {
      chars += this.items[at].reply?.size ?? 0;
      n = Math.max(n, at + 1);
    }
    this.items.splice(0, n);
    this.#chars -= chars;
    this.#edges.older = undefined;  // from the first item
    this.#describeHead();
    return n;
  }

  #dropNewest() {
    const keep = Math.floor(this.#limits.items * 0.9);
    while (this.items.length > keep || this.#chars > this.#limits.chars * 0.9) {
      const last = this.items.pop();
      if (!last) break;
      this.#chars -= last.reply?.size ?? 0;
    }
    this.#edges.newer = cursorOf(this.items.findLast(hasNumber));
  }

  /** Says anew what is before the first item: what the server can give has become known. */
  greeted() {
    if (this.#edges.older === undefined) this.#describeHead();
  }

  get #hasLog() { return this.#clu.capabilities?.includes("log") ?? false; }

  /** Whether the bridge may have older entries. */
  get hasOlder() { return this.#hasLog && this.#edges.older !== null; }

  /** Fetches what is before the first item. It does nothing while it waits for an answer. */
  async loadOlder() {
    if (this.busy || !this.hasOlder) return;
    const found = await this.#search("older", async (cursor) => {
      const answer = await this.#clu.log({ before: cursor?.seq ?? null, epoch: cursor?.epoch, limit: PAGE, filter: this.query.serverFilter });
      return { ...answer, page: answer.entries, cursor: answer.more ? { seq: answer.next, epoch: answer.epoch } : null };
    }, () => this.#edges.older ?? cursorOf(this.items.find(hasNumber)), (found, page) => page.concat(found));
    if (!found) return;
    const { items, answer } = found;
    const known = this.items.find(hasNumber)?.reply;
    const older = known ? items.filter(({ reply }) => !isNumbered(reply) || reply.epoch !== known.epoch || reply.seq < known.seq) : items;
    this.items = older.concat(this.items);
    for (const { reply } of older) this.#chars += reply?.size ?? 0;
    if (this.#tooMany) {
      this.detached = true;
      this.#dropNewest();
    }
    this.#describeHead(answer);
    this.#changed({ prepended: older.length });
  }

  /** Fetches what is after the last item, when the newest are not there. */
  async loadNewer() {
    if (this.busy || !this.detached || !this.#hasLog) return;
    const found = await this.#search("newer", async (cursor) => {
      const answer = await this.#clu.log({ after: cursor.seq, epoch: cursor.epoch, limit: PAGE, filter: this.query.serverFilter });
      return { ...answer, page: answer.entries, cursor: answer.more ? { seq: answer.next, epoch: answer.epoch } : null };
    }, () => this.#edges.newer, (found, page) => found.concat(page));
    if (!found) return;
    for (const item of found.items) {
      this.#chars += item.reply?.size ?? 0;
      this.items.push(item);
    }
    if (this.#edges.newer === null) this.#attach();
    const dropped = this.#dropOldest();
    this.#changed({ prepended: -dropped });
  }

  /** Goes on with what this page hears itself. */
  #attach() {
    const last = this.items.findLast(hasNumber)?.reply;
    this.detached = false;
    this.#next = this.#ring.first;
    if (!last) return;
    for (const { n, reply } of this.#ring.from(this.#ring.first)) {
      if (isNumbered(reply) && reply.epoch === last.epoch && reply.seq <= last.seq) this.#next = n + 1;
    }
    this.update(true);
  }

  /** Fetches pages until enough of their entries are accepted. @returns the items, or null if there are none to add */
  async #search(edge, ask, first, join) {
    const turn = this.#turn;
    this.busy = true;
    this.problem = "";
    this.#changed({});
    let items = [];
    let answer = null;
    try {
      let cursor = first();
      for (let n = 0; n < PAGES_AT_ONCE && items.length < ENOUGH; n += 1) {
        answer = await ask(cursor);
        if (turn !== this.#turn) return null;
        items = join(items, answer.page.map(itemOf).filter(({ reply }) => reply === null || this.query.accepts(reply)));
        cursor = answer.cursor;
        this.#edges[edge] = cursor;
        if (cursor === null) break;
      }
    } catch (error) {
      if (turn !== this.#turn) return null;
      this.#failed(error, edge);
      return null;
    }
    this.busy = false;
    return { items, answer };
  }

  #failed(error, edge) {
    this.busy = false;
    if (error.code === "gone") {  // another epoch: the bridge has started anew
      this.#edges[edge] = null;
      this.head = "The bridge has started anew since: what was before this is not there any more.";
    } else {
      this.problem = `The bridge did not give its log: ${error.message}.`;
    }
    this.#changed({});
  }

  /** Opens the log at one reply. @returns {Promise<number>} its index among the items, or -1 if it is not there any more */
  async open({ epoch, seq }) {
    this.reset();
    const turn = this.#turn;
    this.busy = true;
    try {
      const { serverFilter: filter } = this.query;
      const before = await this.#clu.log({ before: seq + 1, epoch, limit: PAGE, filter });
      const after = await this.#clu.log({ after: seq, epoch, limit: PAGE, filter });
      if (turn !== this.#turn) return -1;
      this.busy = false;
      const accepted = (entries) => entries.map(itemOf).filter(({ reply }) => reply === null || isAt(reply, epoch, seq) || this.query.accepts(reply));
      this.items = [...accepted(before.entries), ...accepted(after.entries)];
      this.#chars = this.items.reduce((sum, { reply }) => sum + (reply?.size ?? 0), 0);
      this.#edges = { older: before.more ? { seq: before.next, epoch } : null, newer: after.more ? { seq: after.next, epoch } : null };
      this.detached = true;
      if (this.#edges.newer === null) this.#attach();
      this.#describeHead(before);
    } catch (error) {
      if (turn === this.#turn) this.#failed(error, "older");
    }
    this.#changed({});
    return this.indexOf({ epoch, seq });
  }

  /** The index of a reply among the items, or -1. */
  indexOf({ epoch, seq }) {
    return this.items.findIndex(({ reply }) => reply !== null && isAt(reply, epoch, seq));
  }

  #describeHead(answer = null) {
    if ((this.#clu.capabilities ?? null) === null) {
      this.head = "";
    } else if (!this.#hasLog) {
      this.head = "This server keeps no log: the list begins when this page was loaded.";
    } else if (this.#edges.older === null) {
      const first = this.items[0];
      this.head = first ? `The bridge has nothing before ${formatTime(first.time)} that matches.` : "The bridge has nothing that matches.";
    } else if (answer?.entries?.length) {
      this.head = `Searched back to ${formatTime(itemOf(answer.entries[0]).time)}; there is more before that.`;
    } else {
      this.head = "";
    }
  }
}

const isNumbered = (reply) => reply !== null && reply.seq !== null;
const hasNumber = ({ reply }) => isNumbered(reply);
const isAt = (reply, epoch, seq) => reply.seq === seq && reply.epoch === epoch;
const cursorOf = (item) => (item ? { seq: item.reply.seq, epoch: item.reply.epoch } : null);

/** Returns the item of an entry of the bridge's log. @param {{reply: object}|{gap: object}} entry @returns {Item} */
function itemOf(entry) {
  if (entry.gap) return { time: entry.gap.to.getTime(), reply: null, mark: describeGap(entry.gap) };
  const { reply } = entry;
  if (reply.size === 0) reply.size = compactJSON(reply.envelope).length;  // its frame had many
  return { time: reply.heard ?? reply.at, reply, mark: null };
}
