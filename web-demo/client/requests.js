/**
 * The subscriptions of one connection as the bridge knows them: requested, accepted, or to be ended. The bridge must accept
 * one before it can end, which may take a bridge on a stream a while.
 */

/** How many may wait for their answers: a bridge closes a connection on which 64 requests of all kinds do. */
const AT_ONCE = 24;

/** The ids of requests that the page did not make. The page's own subscriptions have numbers. */
export const ALL = "clu.js: all";
export const COMMANDS = "clu.js: mine";  // replies to this connection's commands, if no subscription selects them
export const LOST = "clu.js: lost";      // replies to commands of earlier connections
export const OWN = "clu.js: replied";    // a ping after those replies
export const URL_ID = "url";
export const CAUGHT_UP = "clu.js: caught up";
export const TIME = "clu.js: time";

export class Requests {
  #send;
  #pending = new Map();  // id of a request without an answer -> its subscription, or null
  #unsent = [];          // those of them that wait until others are answered, as text
  #active = new Set();   // ids of subscriptions that the bridge has
  #toEnd = new Set();    // ids of pending subscriptions to unsubscribe once accepted

  /** @param {(text: string) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** Forgets everything: the connection is lost. */
  clear() {
    this.#pending.clear();
    this.#unsent = [];
    this.#active.clear();
    this.#toEnd.clear();
  }

  /** Whether the bridge has a subscription. */
  isActive(id) { return this.#active.has(id); }

  /** Whether the bridge was asked for a subscription and has not answered. */
  isPending(id) { return this.#pending.has(id); }

  /** Requests a subscription, unless it was requested before. */
  subscribe(id, request, subscription = null) {
    if (this.#active.has(id) || this.#pending.has(id)) return;
    this.#pending.set(id, subscription);
    this.#unsent.push(JSON.stringify({ op: "subscribe", id, ...request }));
    this.#flush();
  }

  #flush() {
    while (this.#unsent.length > 0 && this.#pending.size - this.#unsent.length < AT_ONCE) this.#send(this.#unsent.shift());
  }

  /** Expects an answer to what the URL has requested. */
  expect(id) {
    this.#pending.set(id, null);
  }

  /** Ends a subscription. */
  unsubscribe(id) {
    if (this.#pending.has(id)) this.#toEnd.add(id);
    else if (this.#active.delete(id)) this.#send(JSON.stringify({ op: "unsubscribe", id }));
  }

  /** Handles an answer. @returns {import("./subscription.js").Subscription|null|undefined} undefined if no request is pending */
  accept(id) {
    const subscription = this.#pending.get(id);
    if (!this.#pending.delete(id)) return undefined;  // it answers an unsubscribe, or the URL
    this.#active.add(id);
    if (this.#toEnd.delete(id)) this.unsubscribe(id);
    this.#flush();
    return subscription;
  }

  /** Handles an error. @returns {import("./subscription.js").Subscription|null|undefined} undefined if no request is pending */
  refuse(id) {
    const subscription = this.#pending.get(id);
    if (!this.#pending.delete(id)) return undefined;
    this.#toEnd.delete(id);
    this.#flush();
    return subscription;
  }

  /** Handles that the bridge has ended a subscription. */
  ended(id) {
    this.#active.delete(id);
  }
}
