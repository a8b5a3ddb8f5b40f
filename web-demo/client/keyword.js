/**
 * Keywords as stores: a value, its time, whether it is current, and a listener for changes. All keywords of a client share
 * one subscription; those that are asked for later add one for themselves, and from time to time they are joined again.
 *
 * A value is stale while it is not known to be current: without a connection, while what was missed still comes, while the
 * bridge hears no replies, and after a gap until it is heard again.
 */

import { guard } from "./errors.js";

/** How many subscriptions may serve keywords until they are joined. */
const MAX_PARTS = 4;

/** A filter that would name more than so many actors or keywords selects all of them. */
const MAX_NAMES = 200;

/** The longest name that a filter may have, bytes of UTF-8 with what escapes it. */
const MAX_BYTES = 255;

/** ms for which a keyword without a listener is kept, since a page often asks for it again at once. */
const LINGER = 250;

/** ms between looks at what no event tells. */
const TICK = 250;

/** Seconds for which a bridge may be silent. */
const SILENT_AFTER = 3;

const NOTHING = Object.freeze({ value: undefined, time: null, heard: null, code: null, seq: null, epoch: null, stale: true });

/** One keyword of an actor. */
export class Keyword {
  #port;
  #listeners = new Set();
  #snapshot = NOTHING;
  #doubted = false;  // it may have changed since it was heard

  constructor(actor, name, port) {
    /** @type {string} */ this.actor = actor;
    /** @type {string} */ this.name = name;
    this.#port = port;
  }

  /** The last value; undefined before there is one. */ get value() { return this.#snapshot.value; }
  /** When it was heard, by this computer's clock. @type {Date|null} */ get time() { return this.#snapshot.time; }
  /** The same by the bridge's clock, ms. @type {number|null} */ get heard() { return this.#snapshot.heard; }
  /** Whether it is not known to be current. */ get stale() { return this.#snapshot.stale; }

  /** All of this in a frozen object, the same one until something changes. */
  getSnapshot = () => this.#snapshot;

  /** Calls a listener without arguments at each change. @param {() => void} listener @returns {() => void} removes it */
  subscribe = (listener) => {
    const entry = () => listener();
    this.#listeners.add(entry);
    if (this.#listeners.size === 1) this.#port.wanted(this);
    return () => {
      if (this.#listeners.delete(entry) && this.#listeners.size === 0) this.#port.unwanted(this);
    };
  };

  // The members below are used by Keywords.

  get isWanted() { return this.#listeners.size > 0; }

  /** Takes a value, which may be outdated even if the connection is good. */
  take({ value, time, heard, code, seq, epoch }, stale, outdated) {
    this.#doubted = outdated;
    this.#set({ value, time, heard, code, seq, epoch, stale: stale || outdated });
  }

  /** Notes whether a message with all last values shows that what is known of it is current. */
  confirm(isCurrent) { this.#doubted = !isCurrent; }

  /** Notes that changes may have been missed. */
  doubt() { this.#doubted = true; }

  /** Sets whether it is current, as far as the connection goes. */
  look(stale) {
    const now = stale || this.#doubted;
    if (now !== this.#snapshot.stale) this.#set({ ...this.#snapshot, stale: now });
  }

  /** Forgets the value: nothing is heard of it any more. */
  forget() { this.#snapshot = NOTHING; }

  #set(snapshot) {
    this.#snapshot = Object.freeze(snapshot);
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) this.#port.guard(listener);
  }
}

/** Whether the bridge itself may have missed a newer value: it was heard before the last gap that a snapshot told. */
function isOutdated({ epoch, seq }, part) { return epoch === part.epoch && seq !== null && seq <= part.gapAfter; }

export class Keywords {
  #clu;
  #all = new Map();      // actor -> Map of name -> Keyword
  #served = new Map();   // Keyword -> its part
  #parts = new Set();    // {subscription, keywords, has}
  #due = false;          // an update is to come
  #tick = null;
  #unhooks = [];

  /** @param {import("./index.js").Clu} clu */
  constructor(clu) { this.#clu = clu; }

  get(actor, name) {
    for (const text of [actor, name]) {
      if (typeof text !== "string" || text === "") throw new TypeError("a keyword is named by two strings: its actor and its name");
    }
    const known = this.#all.get(actor)?.get(name);
    if (known) return known;
    const keyword = new Keyword(actor, name, { wanted: () => this.#update(0), unwanted: () => this.#update(LINGER), guard: (listener) => guard(this.#clu, listener) });
    if (!this.#all.has(actor)) this.#all.set(actor, new Map());
    this.#all.get(actor).set(name, keyword);
    return keyword;
  }

  /** Soon adds what is wanted, and ends what is not: all that was asked for in one turn shares a subscription. */
  #update(ms) {
    if (ms > 0) {
      setTimeout(() => this.#now(), ms).unref?.();
    } else if (!this.#due) {
      this.#due = true;
      queueMicrotask(() => { this.#due = false; this.#now(); });
    }
  }

  #now() {
    const all = [...this.#all.values()].flatMap((names) => [...names.values()]);
    const wanted = all.filter((keyword) => keyword.isWanted);
    if (wanted.length === 0) this.#stop();
    else this.#start();
    for (const part of [...this.#parts]) if (![...part.keywords].some((keyword) => keyword.isWanted)) this.#end(part);
    const fresh = wanted.filter((keyword) => !this.#served.has(keyword));
    if (fresh.length === 0) return;
    const joined = this.#parts.size >= MAX_PARTS;
    const before = joined ? [...this.#parts] : [];
    const part = this.#begin(joined ? wanted : fresh);
    // The old ones end when the new one has all last values: until then they keep their keywords up to date.
    if (before.length > 0) part.whenReady = () => before.forEach((old) => this.#end(old));
  }

  #begin(keywords) {
    const part = { keywords: new Set(keywords), has: false, gapAfter: 0, epoch: null, whenReady: () => {}, subscription: null };
    for (const keyword of keywords) if (!this.#served.has(keyword)) this.#served.set(keyword, part);
    this.#parts.add(part);
    part.subscription = this.#clu.subscribe(filterFor(keywords), {
      values: true,
      onSnapshot: (snapshot) => this.#confirm(part, snapshot),
      onValues: (_, changes) => this.#take(part, changes),
      onRefused: () => this.#end(part),
    });
    // CLU's own server has no last values: there a keyword has a value once it is heard.
    part.subscription.ready.then(() => { if (this.#clu.protocol === "plain") this.#ready(part); }, () => {});
    return part;
  }

  #end(part) {
    this.#parts.delete(part);
    for (const keyword of part.keywords) {
      if (this.#served.get(keyword) !== part) continue;
      this.#served.delete(keyword);
      if (keyword.isWanted) keyword.look(true);
      else keyword.forget();
    }
    part.subscription?.close();
  }

  #ready(part) {
    if (part.has) return;
    part.has = true;
    for (const keyword of part.keywords) {
      if (this.#served.get(keyword) === part) continue;
      this.#served.set(keyword, part);
      const known = part.subscription.values[keyword.actor]?.[keyword.name];
      if (known) keyword.take(known, this.#isStale(), isOutdated(known, part));
    }
    part.whenReady();
    this.#look();
  }

  #confirm(part, { actors = {}, epoch, gap_after: gapAfter = 0 }) {
    Object.assign(part, { epoch, gapAfter });
    for (const keyword of part.keywords) {
      if (this.#served.get(keyword) !== part) continue;
      const keywords = actors[keyword.actor]?.keywords ?? {};
      if (Object.hasOwn(keywords, keyword.name)) keyword.confirm(!isOutdated({ epoch, seq: keywords[keyword.name].seq }, part));
      else keyword.confirm(keyword.time === null && gapAfter === 0);  // nothing was heard of it here, and nothing missed there
    }
    queueMicrotask(() => this.#ready(part));  // after its values
  }

  #take(part, changes) {
    const stale = this.#isStale();
    for (const change of changes) {
      const keyword = this.#all.get(change.actor)?.get(change.keyword);
      if (keyword && this.#served.get(keyword) === part) keyword.take(change, stale, isOutdated(change, part));
    }
  }

  /** Whether nothing is known to be current now. */
  #isStale() {
    const { state, protocol, resuming, broker, silence, lag } = this.#clu;
    return state !== "open" || protocol === null || resuming || broker === "down" || broker === "no_replies" || silence > SILENT_AFTER || lag > SILENT_AFTER;
  }

  #look() {
    const stale = this.#isStale();
    for (const [keyword, part] of this.#served) keyword.look(stale || !part.has);
  }

  #start() {
    if (this.#tick !== null) return;
    const look = () => this.#look();
    this.#unhooks = ["state", "hello", "broker", "lag"].map((type) => this.#clu.on(type, look));
    // After a gap, or messages that the bridge has left out, nothing is known to be as it was.
    this.#unhooks.push(this.#clu.on("gap", () => this.#doubt()), this.#clu.on("dropped", ({ from }) => { if (from === undefined) this.#doubt(); }));
    this.#tick = setInterval(look, TICK);
    this.#tick.unref?.();
  }

  #stop() {
    clearInterval(this.#tick);
    this.#tick = null;
    for (const unhook of this.#unhooks.splice(0)) unhook();
  }

  #doubt() {
    for (const keyword of this.#served.keys()) keyword.doubt();
    this.#look();
  }
}

/** Returns a filter that selects the keywords, and perhaps others. */
function filterFor(keywords) {
  return { sender: globs(keywords.map(({ actor }) => actor)), keyword: globs(keywords.map(({ name }) => name)) };
}

/** Returns the names as globs; undefined, which is any, if they are too many, too long, or patterns themselves. */
function globs(names) {
  const all = [...new Set(names)];
  const fits = (name) => !/[*?[\]]/.test(name) && new TextEncoder().encode(name).length <= MAX_BYTES;
  return all.length <= MAX_NAMES && all.every(fits) ? all.sort() : undefined;
}
