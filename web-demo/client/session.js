/**
 * What a page has subscribed to and which replies it has received, across all its connections: the protocol clu-ws.v1 of
 * docs/protocol.md. It handles messages and their numbers, and knows nothing of sockets.
 *
 *     a socket opens ──> hello ──> all subscriptions, with `since` ──> an answer to each ──> replies
 *                │                                                   └─ for several: buffered until a final pong
 *                └────> anything else, or silence: CLU's own server, which sends every reply to everyone
 *
 * A browser closes a socket whose server does not name the requested subprotocol, and CLU's own server names none. So a
 * page requests v1 by the URL, and the hello confirms it.
 */

import { Batch } from "./batch.js";
import { CatchUp, LIMITS } from "./catchup.js";
import { Clock } from "./clock.js";
import { fieldsOf, filterForIds } from "./filter.js";
import { Gaps } from "./gaps.js";
import { Received } from "./received.js";
import { dateLate } from "./reply.js";
import { ALL, CAUGHT_UP, COMMANDS, Requests, TIME, UNKNOWN, URL_ID } from "./requests.js";
import { Target } from "./url.js";

/** ms after which a silent server is taken for one without a hello. A later hello still counts. */
const HELLO_TIMEOUT = 3_000;

/** A bridge allows 64 subscriptions, and up to three of them are not the page's. */
const MAX_SUBSCRIPTIONS = 60;

/** Snapshots that are asked for at once: a bridge keeps 64 requests of a client, which are also its subscriptions. */
const MAX_REFRESHED = 30;

const OWN_COMMANDS = Object.freeze({ commander: "me" });

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
 * @property {() => string[]} unknownIds                        the ids of unknown commands
 * @property {(why: string) => void} markUnknown                replies to the commands in flight may have been missed
 * @property {(message: any) => boolean} commandError           handles an error about a command; whether it is this client's
 */

export class Session {
  #target;
  #port;
  #batch;
  #subscriptions = new Map();    // by id, in order of creation
  #accepted = new Set();         // ids of those that were accepted on any connection
  #subscribed = false;           // there was a subscription: the page no longer gets every reply
  #received = new Received();
  #clock;
  #gaps;

  // State of this connection.
  #protocol = null;              // "v1" or "plain" once that is known
  #first = true;                 // there was nothing to resume from
  #helloTimer = null;
  #requests;                     // what the bridge was asked for
  #resuming = new Set();         // ids of the requests sent after the hello and not answered yet
  #catchUp = null;               // buffers replies while several subscriptions resume
  #startAfter = new Map();       // id of a subscription made meanwhile -> arrivals before its answer are not for it
  #liveAfter = Infinity;         // the number of the last reply before this connection
  #disconnectedAt = null;        // when the previous connection last received something, ms

  /**
   * @param {string} base  the URL
   * @param {Port} port
   * @param {{monotonic?: () => number, batch?: number}} options
   */
  constructor(base, port, { monotonic, batch }) {
    this.#target = new Target(base);
    this.#port = port;
    this.#batch = new Batch(batch, this.#target.setsBatch);
    this.#requests = new Requests(port.send);
    this.#clock = new Clock(() => port.send(JSON.stringify({ op: "ping", id: TIME })), monotonic);
    this.#gaps = new Gaps((gap) => port.emit("gap", gap));
  }

  /** @type {"v1"|"plain"|null} */
  get protocol() { return this.#protocol; }

  /** The bridge's clock. @returns {Clock} */
  get clock() { return this.#clock; }

  /** The URL for the next attempt to connect. */
  target() {
    return this.#target.href(this.#subscribed || this.#received.cursor !== null, this.#received.cursor);
  }

  /** Handles a socket that has opened. @param {boolean} [isBridge]  the server will say hello */
  opened(isBridge = false) {
    // A server that has said hello before will do so again, however long that takes.
    if (this.#received.cursor === null && !isBridge) this.#helloTimer = setTimeout(() => this.#startPlain(), HELLO_TIMEOUT);
  }

  /** Handles a lost socket. @param {number} lastHeard  when something was last received */
  disconnected(lastHeard) {
    clearTimeout(this.#helloTimer);
    this.#gaps.disconnected(this.#protocol === null ? null : lastHeard);
    this.#protocol = null;
    this.#requests.clear();
    this.#resuming = new Set();
    this.#catchUp = null;  // the bridge sends all of it again
    this.#startAfter = new Map();
    this.#liveAfter = Infinity;
  }

  /** Adds a subscription of the page. */
  add(subscription) {
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      this.#refuse(subscription, `a page has at most ${MAX_SUBSCRIPTIONS} subscriptions; close some`, null);
      return;
    }
    if (this.#protocol === "plain" && subscription.filterError) {
      this.#refuse(subscription, subscription.filterError.message, subscription.filterError);
      return;
    }
    this.#subscribed = true;
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#protocol === "plain") subscription.accept();
    if (this.#protocol !== "v1") return;
    this.subscribeToCommands();
    this.#subscribe(subscription.id, subscription.request(null, false), subscription);
    this.#requests.unsubscribe(ALL);  // last, so that nothing is missed between them
  }

  /** Removes a subscription that was closed. */
  remove({ id }) {
    this.#subscriptions.delete(id);
    this.#accepted.delete(id);
    if (this.#protocol !== "v1") return;
    this.subscribeToCommands();
    this.#requests.unsubscribe(id);
  }

  /** Asks for the last values again, after this client has been granted to hear more. */
  refresh() {
    this.#accepted.clear();  // before the hello: what follows it brings the values
    if (this.#protocol !== "v1") return;
    const wanted = [...this.#subscriptions.values()].filter(({ wantsValues }) => wantsValues);
    for (const { id, filter } of wanted.slice(0, MAX_REFRESHED)) this.#port.send(JSON.stringify({ op: "snapshot", id, filter }));
  }

  /** Ensures that replies to this client's commands arrive even if no subscription selects them. */
  subscribeToCommands() {
    if (this.#protocol !== "v1" || !this.#needsCommandReplies) return;
    if (this.#port.hasActive()) this.#subscribe(COMMANDS, { filter: OWN_COMMANDS, since: this.#received.cursor ?? undefined });
    this.#unknownRequests().forEach(([id, request]) => this.#subscribe(id, request));
  }

  #unknownRequests() {
    const filter = filterForIds(this.#port.unknownIds());
    return filter ? [[UNKNOWN, { filter, since: this.#received.cursor ?? undefined }, null]] : [];
  }

  get #needsCommandReplies() {
    return this.#subscribed && ![...this.#subscriptions.values()].some((subscription) => subscription.selectsAll);
  }

  /** Handles a message. @returns {boolean} false if this is not a v1 connection */
  message(value) {
    if (this.#protocol !== "v1") {
      if (value.op !== "hello") return false;
      this.#hello(value);
      return true;
    }
    const { id } = value;
    switch (value.op) {
      case "ok": this.#accept(id, value); break;
      case "error": this.#error(value); break;
      case "snapshot": this.#snapshot(value); break;
      case "pong": this.#pong(value); break;
      case "unsubscribed": this.#unsubscribed(value); break;
      case "gap": this.#gaps.notice(value, this.#catchUp); break;
      case "broker": this.#port.emit("broker", { state: value.state, reason: value.reason ?? null }); break;
      case "dropped": this.#port.emit("dropped", { count: value.count }); break;
      default:  // a message of a later version
    }
    return true;
  }

  /** Handles a reply. */
  reply(reply) {
    if (this.#protocol === null) this.#startPlain();
    if (reply.seq === null) {
      this.#deliver(reply);
      return;
    }
    if (this.#isDuplicate(reply)) return;
    if (reply.seq <= this.#liveAfter && !this.#first) dateLate(reply, this.#disconnectedAt);
    if (this.#catchUp) {
      this.#catchUp.reply(reply);
      if (this.#catchUp.full) this.#deliverAll(this.#catchUp.drain());
      return;
    }
    this.#received.add(reply);
    // Replies that are still to be resumed come before those after the cursor.
    if (this.#resuming.size === 0) this.#received.advance(reply.epoch, reply.seq);
    this.#deliver(reply);
  }

  /** Whether the page has received this reply. While catching up, everything up to the cursor was received. */
  #isDuplicate(reply) {
    return this.#received.has(reply) || (this.#catchUp !== null && this.#received.covers(reply));
  }

  /** Passes a reply to its command and to the subscriptions that select it. */
  #deliver(reply, arrival = Infinity) {
    const own = this.#port.isOwn(reply);
    this.#port.deliver(reply);
    let wanted = !this.#subscribed || this.#target.subscribes || own;
    if (this.#subscriptions.size > 0) {
      const fields = fieldsOf(reply);
      for (const subscription of [...this.#subscriptions.values()]) {
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
    return this.#protocol !== "v1" || (this.#requests.isActive(id) && arrival > (this.#startAfter.get(id) ?? 0));
  }

  // Start of a connection.

  #startPlain() {
    clearTimeout(this.#helloTimer);
    if (this.#protocol !== null) return;
    this.#protocol = "plain";
    this.#port.plain();
    this.#clock.start(undefined);
    this.#received.reset(null);
    this.#reportGap("this server keeps no replies to resume from");
    this.#gaps.since = null;
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.filterError) this.#refuse(subscription, subscription.filterError.message, subscription.filterError);
      else subscription.accept();
    }
  }

  #hello(message) {
    const { name, epoch, seq, broker, time, capabilities } = message;
    this.#clock.start(time);
    this.#port.hello(typeof name === "string" ? name : null, message);
    clearTimeout(this.#helloTimer);
    this.#protocol = "v1";
    this.#batch.setCapabilities(capabilities);
    this.#first = this.#received.cursor === null;
    this.#liveAfter = seq ?? Infinity;
    this.#disconnectedAt = this.#gaps.since;
    this.#port.probeWith('{"op":"ping"}');
    this.#port.emit("broker", { state: broker, reason: null });
    const here = seq === null ? null : { epoch, seq };
    if (this.#first) this.#reportGap("there is nothing to resume from");
    if (this.#first) this.#received.reset(here);
    if (!this.#subscribed && !this.#target.subscribes && this.#received.cursor && this.#received.cursor.epoch !== epoch) {
      this.#reportGap(`the bridge's numbering has restarted: this is epoch ${epoch}`);
      this.#received.reset(here);  // resuming would bring a snapshot, which such a page has no use for
    }

    const requests = this.#initialRequests(this.#received.cursor, here);
    this.#resuming = new Set(requests.map(([id]) => id));
    // Replies of several subscriptions arrive one subscription after the other: they are put in order here.
    if (this.#received.cursor && requests.length > 1) this.#catchUp = new CatchUp(this.#received.cursor.epoch === epoch ? this.#received.cursor.seq : -1, LIMITS);
    for (const [id, request, subscription] of requests) {
      if (request) this.#subscribe(id, request, subscription);
      else this.#requests.expect(id);  // the URL has requested it
    }
    this.#resumed();
    // The implicit subscription does not batch; an explicit one replaces it without a gap.
    if (this.#first && !this.#subscribed && !this.#target.subscribes && this.#batch.mustSubscribe) this.#subscribe(ALL, { filter: {} });
  }

  /**
   * The requests for a new connection: id, request, and subscription. The replies to a command that was sent before the
   * hello have numbers after the hello's.
   */
  #initialRequests(since, here) {
    const requests = [];
    if (!this.#first && this.#target.resumes) requests.push([URL_ID, null, null]);
    if (!this.#subscribed && (this.#first || this.#target.subscribes)) return requests;  // the server sends all, or what the URL selects
    if (this.#port.hasActive()) requests.push([COMMANDS, { filter: OWN_COMMANDS, since: here ?? undefined }, null]);
    if (!this.#subscribed) return [...requests, [ALL, { filter: {}, since: since ?? undefined }, null]];
    if (this.#needsCommandReplies) requests.push(...this.#unknownRequests());
    for (const [id, subscription] of this.#subscriptions) {
      requests.push([id, subscription.request(since, this.#accepted.has(id)), subscription]);
    }
    return requests;
  }

  #subscribe(id, request, subscription = null) {
    this.#requests.subscribe(id, { ...request, batch_ms: this.#batch.forRequest(request) }, subscription);
  }

  // Answers of the bridge.

  #accept(id, answer) {
    const subscription = this.#requests.accept(id);
    if (subscription === undefined) return;
    if (answer.resumed === false) this.#notResumed(id, answer);
    if (this.#liveAfter === Infinity && Number.isSafeInteger(answer.seq)) this.#liveAfter = answer.seq;
    this.#catchUp?.answered();
    if (this.#catchUp && !this.#resuming.has(id)) this.#startAfter.set(id, this.#catchUp.arrivals);
    if (this.#resuming.delete(id)) this.#resumed();
    if (!subscription || subscription.closed) return;
    this.#accepted.add(id);
    subscription.accept(answer.data);
  }

  /** Once every resumed request is answered: asks for a pong, which marks the end of what was missed. */
  #resumed() {
    if (this.#resuming.size > 0) return;
    if (this.#catchUp) this.#port.send(JSON.stringify({ op: "ping", id: CAUGHT_UP }));
    else this.#gaps.since = null;
  }

  /** Handles an answer that replies after the cursor are gone. A subscription gets a snapshot in their place. */
  #notResumed(id, { reason, epoch, seq }) {
    if (!this.#resuming.has(id)) return;  // it did not resume anything
    if (id === COMMANDS) this.#port.markUnknown("the bridge no longer has its first replies; the actor may still be executing it");
    else this.#reportGap(reason ?? "the bridge does not say why");
    if (!this.#catchUp) this.#received.advance(epoch, seq);
  }

  #error(message) {
    const { id, command_id: commandId, message: text } = message;
    if (commandId !== undefined && this.#port.commandError(message)) return;
    const subscription = this.#requests.refuse(id);
    if (subscription === undefined) {
      this.#port.emit("error", { message: `The bridge refused a message: ${text}`, cause: message });
      return;
    }
    // A subscription that was accepted before is requested again on the next connection, unless the right to it is gone.
    this.#refuse(this.#accepted.has(id) && message.code !== "forbidden" ? null : subscription, text, message);
    if (this.#resuming.delete(id)) this.#resumed();
  }

  #refuse(subscription, text, cause) {
    if (subscription) {
      this.#subscriptions.delete(subscription.id);
      this.#accepted.delete(subscription.id);
      subscription.reject(text, cause?.code ?? null);
    }
    this.#port.emit("error", { message: `A subscription was refused: ${text}`, cause });
  }

  /** Handles that the bridge has ended a subscription, because the right to it is gone. */
  #unsubscribed(message) {
    const { id, message: text = "this client may no longer hear what it subscribed to" } = message;
    this.#requests.ended(id);
    this.#refuse(this.#subscriptions.get(id) ?? null, text, message);
    if (this.#resuming.delete(id)) this.#resumed();
  }

  #snapshot(message) {
    if (!this.#subscriptions.has(message.id)) return;
    const snapshot = this.#clock.toLocal(message);
    if (this.#catchUp) this.#catchUp.snapshot(snapshot);
    else this.#subscriptions.get(message.id).applySnapshot(snapshot);
  }

  #pong({ id, epoch, seq, time }) {
    if (id === TIME) this.#clock.synchronize(time);
    if (id === CAUGHT_UP && this.#catchUp) {
      const items = this.#catchUp.drain();
      this.#catchUp = null;
      this.#received.advance(epoch, seq ?? items.findLast(({ kind }) => kind === "reply")?.seq);
      this.#gaps.since = null;
      this.#deliverAll(items);
      this.#startAfter.clear();
    } else if (!this.#catchUp && this.#resuming.size === 0) {
      this.#received.advance(epoch, seq);
    }
  }

  #deliverAll(items) {
    for (const { kind, value, arrival } of items) {
      if (kind === "snapshot") this.#subscriptions.get(value.id)?.applySnapshot(value);
      if (kind === "gap") this.#gaps.report(value);
      if (kind !== "reply") continue;
      this.#received.add(value);
      this.#deliver(value, arrival);
    }
  }

  #reportGap(reason) {
    this.#gaps.reportInterruption(reason, this.#catchUp);
  }
}
