/**
 * The replies to this client's own commands, and how these end.
 *
 * Where the page's subscriptions may lack them, clu.js subscribes to them itself. The bridge also tells the end of each command
 * by a `result` after its last reply, which says what has become of it even if this client may not hear that reply. A result
 * that overtakes replies which a subscription is still to bring waits for them.
 */

import { filterForIds } from "./filter.js";
import { COMMANDS, LOST, OWN } from "./requests.js";

const OWN_COMMANDS = Object.freeze({ commander: "me" });

export class OwnReplies {
  #port;
  #requests;
  #waiting = [];  // results that have overtaken replies: {command, answer}

  /** @param {import("./delivery.js").Port} port @param {import("./requests.js").Requests} requests */
  constructor(port, requests) {
    this.#port = port;
    this.#requests = requests;
    /** Where replies to earlier connections' commands resume, if nothing else does. @type {{epoch: string, seq: number}|null} */ this.since = null;
  }

  /** The requests for replies to the commands in flight, and to those of earlier connections: id and request. @param {{epoch: string, seq: number}|null} since */
  requests(since) { return [...this.inFlight(since), ...this.lost(since)]; }

  /**
   * The request for replies to the commands in flight. Those to a command that was sent before the hello have numbers after the
   * hello's.
   */
  inFlight(since) {
    return this.#port.hasActive() ? [[COMMANDS, { filter: OWN_COMMANDS, since: since ?? undefined }, null]] : [];
  }

  /** The request for replies to commands of earlier connections. One that runs again still needs it: to the bridge it is nobody's. */
  lost(since) {
    const filter = filterForIds(this.#port.lostIds());
    return filter ? [[LOST, { filter, since: this.since ?? since ?? undefined }, null]] : [];
  }

  /** Handles the end of a command. @param {boolean} resuming  replies that precede it may be still to come */
  result(result, resuming) {
    if (resuming || this.#requests.isPending(COMMANDS)) this.#waiting.push(result);
    else this.deliver(result);
  }

  /** Handles an answer. Once nothing resumes any more, replies that were still to come are before the answer to a ping. */
  settled(resuming) {
    if (resuming.size === 0 && this.#waiting.length > 0 && !this.#requests.isPending(COMMANDS)) this.#port.send(JSON.stringify({ op: "ping", id: OWN }));
  }

  /** Passes on the results that wait: the replies before them have come, or the connection is lost. */
  release() {
    for (const result of this.#waiting.splice(0)) this.deliver(result);
  }

  deliver({ command, answer }) { command.conclude(answer); }
}
