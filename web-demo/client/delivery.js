/** Passes replies to the commands that they answer, to the subscriptions that select them, and to the page's listeners. */

import { fieldsOf } from "./filter.js";
import { UNKNOWN } from "./requests.js";

export class Delivery {
  #port;
  #subscriptions;
  #requests;
  #starts = new Map();  // id of a subscription -> arrivals before its answer are not for it

  /**
   * @param {import("./session.js").Port} port
   * @param {import("./subscriptions.js").Subscriptions} subscriptions
   * @param {import("./requests.js").Requests} requests
   */
  constructor(port, subscriptions, requests) {
    this.#port = port;
    this.#subscriptions = subscriptions;
    this.#requests = requests;
    /** Whether the server evaluates filters. */ this.v1 = false;
    /** Whether the page wants every reply that arrives. */ this.everything = false;
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
    if (this.#requests.isActive(UNKNOWN) && this.#port.unknownIds().length === 0) this.#requests.unsubscribe(UNKNOWN);
  }

  /** Whether a subscription gets this reply: it starts with its answer, since it may lack earlier ones that others have. */
  #isActive({ id }, arrival) {
    return !this.v1 || (this.#requests.isActive(id) && arrival > (this.#starts.get(id) ?? 0));
  }
}
