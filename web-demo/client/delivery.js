/** Passes replies to the commands that they answer, to the subscriptions that select them, and to the page's listeners. */

import { fieldsOf } from "./filter.js";
import { LOST } from "./requests.js";

/**
 * @typedef {object} Port  what the session needs of its client
 * @property {(text: string) => void} send
 * @property {(text: string) => void} probeWith
 * @property {(type: string, detail: object) => void} emit      emits an event
 * @property {(reply: object) => void} deliver                  passes a reply to the command that it answers
 * @property {(reply: object) => boolean} isOwn                 whether it answers a command of this client
 * @property {(name: string|null, message: object) => void} hello  a bridge said hello, with its name
 * @property {() => void} plain                                  the server is CLU's own
 * @property {() => boolean} hasActive                          whether commands are in flight
 * @property {() => string[]} lostIds                           the ids of the commands of earlier connections, and of unknown ones
 * @property {() => string[]} ids                               the ids of all commands whose replies are followed
 * @property {(why: string) => void} markUnknown                replies to the commands in flight may have been missed
 * @property {(message: any) => boolean} commandError           handles an error about a command; whether it is this client's
 */

export class Delivery {
  #port;
  #subscriptions;
  #requests;
  #starts = new Map();  // id of a subscription -> arrivals before its answer are not for it

  /**
   * @param {Port} port
   * @param {import("./subscriptions.js").Subscriptions} subscriptions
   * @param {import("./requests.js").Requests} requests
   */
  constructor(port, subscriptions, requests) {
    this.#port = port;
    this.#subscriptions = subscriptions;
    this.#requests = requests;
    /** Whether the server evaluates filters. */ this.v1 = false;
    /** Whether the page wants every reply that arrives. */ this.everything = false;
    /** The ids of those that resume and have no answer yet. @type {Set<string>} */ this.resuming = new Set();
  }

  /** Handles a lost connection. */
  disconnected() {
    this.v1 = false;
    this.clear();
  }

  /** Forgets where subscriptions start: nothing is buffered any more. */
  clear() { this.#starts.clear(); }

  /** Starts a subscription that was made while others resume, after what has arrived before its answer. */
  startAfter(id, arrivals) { this.#starts.set(id, arrivals); }

  /** @param {import("./reply.js").Reply} reply @param {number} [arrival]  its position in the order of arrival */
  reply(reply, arrival = Infinity) {
    const own = this.#port.isOwn(reply);
    this.#port.deliver(reply);
    let wanted = !this.#subscriptions.any || this.everything || own;
    if (this.#subscriptions.size > 0) {
      const fields = fieldsOf(reply);
      for (const subscription of this.#subscriptions.list()) {
        if (!this.#isActive(subscription, arrival) || !subscription.selects(fields, own)) continue;
        wanted = true;
        subscription.receive(reply);
      }
    }
    if (wanted) this.#port.emit("reply", reply);
    if (this.#requests.isActive(LOST) && this.#port.lostIds().length === 0) this.#requests.unsubscribe(LOST);
  }

  /**
   * Whether a subscription gets this reply: it starts with its answer, since it may lack earlier ones that others have. One that
   * resumes lacks none, and the bridge does not send again what came for others.
   */
  #isActive({ id }, arrival) {
    return !this.v1 || this.resuming.has(id) || (this.#requests.isActive(id) && arrival > (this.#starts.get(id) ?? 0));
  }
}
