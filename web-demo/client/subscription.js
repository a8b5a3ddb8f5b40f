/**
 * A subscription: the replies that a page wants, and the last value of each of their keywords.
 *
 * A value has the time of the reply that brought it. Values come from snapshots and replies, and not always in order: a
 * reply that the bridge delayed follows newer ones. So each value keeps its number, and an older value never replaces a
 * newer one.
 */

import { CompiledFilter } from "./filter.js";

/** The bridge's limits. The actor or keyword that has been known the longest is dropped. */
const MAX_ACTORS = 1_000;
const MAX_KEYWORDS = 1_000;

/**
 * @typedef {object} Value  the last value of a keyword
 * @property {*} value              any JSON value; undefined if it is too large for the bridge to keep
 * @property {Date} time            when it was heard, by the local clock
 * @property {number|null} heard    when the bridge heard it, ms since 1970 by the bridge's clock; null from CLU's own server
 * @property {string} code          the message code of its reply
 * @property {number|null} seq      the number of its reply; null from CLU's own server
 * @property {string|null} epoch    the numbering that `seq` belongs to
 * @property {boolean} internal     whether the reply was internal
 * @property {number} [tooLarge]    bytes of a value that the bridge does not keep
 */

/**
 * @typedef {object} SubscriptionOptions
 * @property {boolean} [snapshot]  request the last values at once; default true
 * @property {boolean} [values]    keep the last values in `values`; default true. A page that keeps them itself saves the work
 * @property {string[]} [notices]  of what the client's event `notice` tells: "actors", "problems", "commands", "models", "site".
 *                                 With the filter null the subscription is for these alone, and selects no replies
 * @property {number} [throttle]   ms; at most one reply of each actor in that time. Final replies and errors are never delayed
 * @property {number} [batch]      ms for which the bridge may delay a reply so that several leave in one write, 0 to 1 000;
 *                                 default: the client's
 * @property {object} [extra]      for an application that decides about the subscription; its answer is `data`
 * @property {boolean} [ordered]   drop replies whose header `order` is lower than that of an earlier one
 * @property {(reply: import("./reply.js").Reply) => void} [onReply]
 * @property {(values: Record<string, Record<string, Value>>, changes: Change[]) => void} [onValues]  values arrived, changed or not
 * @property {(snapshot: object) => void} [onSnapshot]  the bridge's message, before its values are stored
 * @property {(reason: string, code: string|null) => void} [onRefused]  the bridge has refused or ended it, for instance because
 *                                 the right to it was withdrawn (code `forbidden`)
 */

/** @typedef {Value & {actor: string, keyword: string, before: Value|undefined}} Change */

/** Made by Clu.subscribe. */
export class Subscription {
  #compiled = null;
  #filterError = null;
  #listeners;
  #options;
  #close;
  #resolvers;
  #keepsValues;
  #counts = new Map();  // actor -> how many keywords
  #values = Object.create(null);
  #frozen = Object.create(null);  // copies of these, for `values`
  #changed = new Set();           // actors whose copy is not of now
  #shown = null;                  // what `values` is, until something changes

  constructor(id, filter, options, { guard, close }) {
    const { snapshot = filter === null ? undefined : true, throttle, batch, ordered, extra, notices, values = true, onReply, onValues, onSnapshot, onRefused } = options;
    if (typeof filter !== "object") throw new TypeError('a filter is an object, such as {sender: "dome"}; listeners are options: subscribe(filter, {onReply})');
    /** @type {string} */ this.id = id;
    /** A copy of the filter. @type {import("./filter.js").Filter|null} */ this.filter = JSON.parse(JSON.stringify(filter));
    /** What an application that decides about it has for this page; null if there is none. @type {*} */ this.data = null;
    /** Whether it has ended, by `close` or because the bridge refused it. */ this.closed = false;
    /** Fulfilled when the bridge, or CLU's own server, serves it; rejected when it is refused or closed before that.
     * @type {Promise<Subscription>} */
    this.ready = new Promise((resolve, reject) => { this.#resolvers = { resolve, reject }; });
    this.ready.catch(() => {});
    this.#keepsValues = values;
    this.#options = { filter: this.filter ?? undefined, throttle_ms: throttle, batch_ms: batch, ordered, extra, notices, snapshot };
    this.#listeners = Object.fromEntries(Object.entries({ onReply, onValues, onSnapshot, onRefused })
      .map(([name, listener]) => [name, listener && ((...details) => guard(() => listener(...details)))]));
    this.#close = close;
    try {
      if (this.filter !== null) this.#compiled = new CompiledFilter(this.filter);
    } catch (error) {
      this.#filterError = error;
    }
  }

  /**
   * The last value of each keyword of each actor: `values.dome?.dome_shutter?.value`. It is frozen: with each change there
   * is a new object, in which the actors that did not change are the same objects as before.
   * @type {Readonly<Record<string, Readonly<Record<string, Value>>>>}
   */
  get values() {
    if (this.#shown === null) {
      for (const actor of this.#changed) if (actor in this.#values) this.#frozen[actor] = freeze(this.#values[actor]);
      this.#changed.clear();
      this.#shown = freeze(this.#frozen);
    }
    return this.#shown;
  }

  /** Ends it. Its values stay as they are. */
  close() {
    if (this.closed) return;
    this.#end(new Error("the subscription was closed"));
    this.#close(this);
  }

  // The members below are used by Clu.

  /** Whether the page wants the last values. */
  get wantsValues() { return this.#options.snapshot ?? false; }

  get wantsNotices() { return this.#options.notices !== undefined; }

  /** ms for which the bridge may hold back a reply. */
  get held() { return (this.#options.throttle_ms ?? 0) + (this.#options.batch_ms ?? 0); }

  /** Whether it selects every reply, without delay. */
  get selectsAll() {
    return (this.#compiled?.selectsAll ?? false) && !this.#options.throttle_ms && !this.#options.ordered;
  }

  /** What is wrong with the filter, as far as the page can tell. @type {Error|null} */
  get filterError() { return this.#filterError; }

  /** Returns the request to the bridge. Replies that throttling delayed are lost with the connection, so it asks for the values again. */
  request(since, resubscribing, expectsValues = false) {
    const { snapshot, ...options } = this.#options;
    if (this.filter === null) return options;  // it selects no replies
    const again = expectsValues || (resubscribing ? Boolean(options.throttle_ms) || undefined : snapshot);
    return { ...options, snapshot: again, since: since ?? undefined };
  }

  accept(data = null) {
    this.data = data;
    this.#resolvers.resolve(this);
  }

  /** @param {string} reason @param {string|null} [code]  the bridge's error code */
  reject(reason, code = null) {
    this.#end(new Error(reason));
    this.#listeners.onRefused?.(reason, code);
  }

  selects(fields, own) {
    return !this.closed && (this.#compiled?.selects(fields, own) ?? false);
  }

  /** Handles a reply that it selects. */
  receive(reply) {
    const changes = [];
    if (reply.sender !== null && this.#keepsValues) {
      const { code, seq, epoch, internal, heard } = reply;
      const time = new Date(reply.at);
      for (const [keyword, value] of Object.entries(reply.keywords)) {
        if (this.#compiled.includesKeyword(keyword)) this.#store(reply.sender, keyword, { value, time, heard, code, seq, epoch, internal }, changes);
      }
    }
    this.#listeners.onReply?.(reply);
    if (changes.length > 0 && !this.closed) this.#listeners.onValues?.(this.values, changes);
  }

  /** Handles a snapshot. @param {object} snapshot @param {number} [ahead]  ms by which the local clock is ahead of the bridge's */
  applySnapshot(snapshot, ahead = 0) {
    if (this.closed) return;
    const { epoch } = snapshot;
    this.#listeners.onSnapshot?.(snapshot);
    if (!this.#keepsValues) return;
    const changes = [];
    for (const [actor, { keywords }] of Object.entries(snapshot.actors ?? {})) {
      for (const [keyword, { value, time, code, seq, internal = false, too_large: tooLarge }] of Object.entries(keywords ?? {})) {
        const heard = Date.parse(time);
        const entry = { value, time: new Date(heard + ahead), heard, code, seq, epoch, internal };
        this.#store(actor, keyword, tooLarge === undefined ? entry : { ...entry, tooLarge }, changes);
      }
    }
    if (changes.length > 0 && !this.closed) this.#listeners.onValues?.(this.values, changes);
  }

  #store(actor, keyword, entry, changes) {
    const keywords = this.#values[actor] ?? this.#actor(actor);
    const before = keywords[keyword];
    if (before && before.epoch === entry.epoch && entry.seq !== null && before.seq >= entry.seq) return;
    if (!before) {
      const count = this.#counts.get(actor);
      if (count >= MAX_KEYWORDS) delete keywords[firstKey(keywords)];
      else this.#counts.set(actor, count + 1);
    }
    keywords[keyword] = Object.freeze(entry);
    this.#changed.add(actor);
    this.#shown = null;
    changes.push(Object.freeze({ ...entry, actor, keyword, before }));
  }

  #actor(actor) {
    if (this.#counts.size >= MAX_ACTORS) {
      const [oldest] = this.#counts.keys();
      this.#counts.delete(oldest);
      delete this.#values[oldest];
      delete this.#frozen[oldest];
    }
    this.#counts.set(actor, 0);
    this.#values[actor] = Object.create(null);  // a keyword may have any name
    return this.#values[actor];
  }

  #end(why) {
    this.closed = true;
    this.#resolvers.reject(why);
  }
}

/** Returns a frozen copy. */
function freeze(object) {
  return Object.freeze(Object.assign(Object.create(null), object));
}

function firstKey(object) {
  for (const key in object) return key;
  return undefined;
}
