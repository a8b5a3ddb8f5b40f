/**
 * A subscription: which replies a page wants, and the last value of each keyword that they brought.
 *
 * A value is as old as the reply by which it came. Values come by snapshots and by replies, and not always in their order: a
 * reply that the bridge held back comes behind newer ones. So each value knows its number, and an older one never takes the
 * place of a newer one.
 */

import { CompiledFilter } from "./filter.js";

/** As many as the bridge knows. The actor or the keyword that is known for the longest time is forgotten. */
const MAX_ACTORS = 1_000;
const MAX_KEYWORDS = 1_000;

/**
 * @typedef {object} Value  the last value of a keyword
 * @property {*} value              any JSON value; undefined when it was too large to be kept
 * @property {Date} time            when it was heard, by the clock of this computer
 * @property {string} code          the message code of its reply
 * @property {number|null} seq      the number of its reply; null from CLU's own server
 * @property {string|null} epoch    what the number counts in
 * @property {boolean} internal     whether it came by an internal reply
 * @property {number} [tooLarge]    the bytes of a value that the bridge does not keep
 */

/**
 * @typedef {object} SubscriptionOptions
 * @property {boolean} [snapshot]  ask for the last values at once; true
 * @property {number} [throttle]   ms; of each actor no more than one reply in that time, but never hold back an end or an error
 * @property {number} [batch]      ms for which the bridge may let a reply wait for others, 0 to 1 000; that of the client, see there
 * @property {boolean} [ordered]   leave out replies whose header `order` is lower than that of one that came
 * @property {(reply: import("./reply.js").Reply) => void} [onReply]
 * @property {(values: Record<string, Record<string, Value>>, news: News[]) => void} [onValues]  values came, new or again
 * @property {(snapshot: object) => void} [onSnapshot]  the bridge's message, before its values are noted
 */

/** @typedef {Value & {actor: string, keyword: string, before: Value|undefined}} News */

/** Made by Clu.subscribe. */
export class Subscription {
  #compiled = null;
  #mistake = null;
  #on;
  #wish;
  #close;
  #settle;
  #counts = new Map();  // actor -> how many keywords

  constructor(id, filter, options, { guard, close }) {
    const { snapshot = true, throttle, batch, ordered, onReply, onValues, onSnapshot } = options;
    /** @type {string} */ this.id = id;
    /** As it was given. @type {import("./filter.js").Filter} */ this.filter = JSON.parse(JSON.stringify(filter));
    /** The last value of each keyword of each actor: `values.dome?.dome_shutter?.value`. @type {Record<string, Record<string, Value>>} */
    this.values = Object.create(null);
    /** Whether it has ended, by `close` or because the bridge refused it. */ this.closed = false;
    /** Fulfilled when the bridge, or CLU's server, is known to serve it; rejected in words when it is refused or closed before.
     * @type {Promise<Subscription>} */
    this.ready = new Promise((resolve, reject) => { this.#settle = { resolve, reject }; });
    this.ready.catch(() => {});
    this.#wish = { filter: this.filter, throttle_ms: throttle, batch_ms: batch, ordered, snapshot };
    this.#on = Object.fromEntries(Object.entries({ onReply, onValues, onSnapshot })
      .map(([name, listener]) => [name, listener && ((...details) => guard(() => listener(...details)))]));
    this.#close = close;
    try {
      this.#compiled = new CompiledFilter(this.filter);
    } catch (error) {
      this.#mistake = error;
    }
  }

  /** Ends it. Its values stay as they are. */
  close() {
    if (this.closed) return;
    this.#end(new Error("the subscription was closed"));
    this.#close(this);
  }

  // What follows is called by Clu.

  /** Whether it brings every reply, as it comes. */
  get everything() {
    return (this.#compiled?.everything ?? false) && !this.#wish.throttle_ms && !this.#wish.ordered;
  }

  /** What is wrong with the filter, as far as this page knows. @type {Error|null} */
  get mistake() { return this.#mistake; }

  /** The request to the bridge. What a throttled subscription held back is gone with its connection, so it asks for the values. */
  request(since, again) {
    const { snapshot, ...wish } = this.#wish;
    return { ...wish, snapshot: again ? Boolean(wish.throttle_ms) || undefined : snapshot, since: since ?? undefined };
  }

  accept() {
    this.#settle.resolve(this);
  }

  /** @param {string} words  why not */
  refuse(words) {
    this.#end(new Error(words));
  }

  selects(facts, mine) {
    return !this.closed && (this.#compiled?.selects(facts, mine) ?? false);
  }

  /** Takes a reply that it selects. */
  take(reply) {
    const news = [];
    if (reply.sender !== null) {
      const { code, seq, epoch, internal } = reply;
      const time = new Date(reply.at);
      for (const [keyword, value] of Object.entries(reply.keywords)) {
        if (this.#compiled.keeps(keyword)) this.#note(reply.sender, keyword, { value, time, code, seq, epoch, internal }, news);
      }
    }
    this.#on.onReply?.(reply);
    if (news.length > 0 && !this.closed) this.#on.onValues?.(this.values, news);
  }

  /** Takes a snapshot. */
  show(snapshot) {
    if (this.closed) return;
    const { epoch } = snapshot;
    this.#on.onSnapshot?.(snapshot);
    const news = [];
    for (const [actor, { keywords }] of Object.entries(snapshot.actors ?? {})) {
      for (const [keyword, { value, time, code, seq, internal = false, too_large: tooLarge }] of Object.entries(keywords ?? {})) {
        const entry = { value, time: new Date(time), code, seq, epoch, internal };
        this.#note(actor, keyword, tooLarge === undefined ? entry : { ...entry, tooLarge }, news);
      }
    }
    if (news.length > 0 && !this.closed) this.#on.onValues?.(this.values, news);
  }

  #note(actor, keyword, entry, news) {
    const keywords = this.values[actor] ?? this.#actor(actor);
    const before = keywords[keyword];
    if (before && before.epoch === entry.epoch && entry.seq !== null && before.seq >= entry.seq) return;
    if (!before) {
      const count = this.#counts.get(actor);
      if (count >= MAX_KEYWORDS) delete keywords[firstKey(keywords)];
      else this.#counts.set(actor, count + 1);
    }
    keywords[keyword] = entry;
    news.push({ ...entry, actor, keyword, before });
  }

  #actor(actor) {
    if (this.#counts.size >= MAX_ACTORS) {
      const [oldest] = this.#counts.keys();
      this.#counts.delete(oldest);
      delete this.values[oldest];
    }
    this.#counts.set(actor, 0);
    this.values[actor] = Object.create(null);  // a keyword may have any name
    return this.values[actor];
  }

  #end(why) {
    this.closed = true;
    this.#settle.reject(why);
  }
}

function firstKey(object) {
  for (const key in object) return key;
  return undefined;
}
