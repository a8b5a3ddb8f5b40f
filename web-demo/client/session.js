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

import { Backlog, BACKLOG } from "./backlog.js";
import { Batch } from "./batch.js";
import { CatchUp, LIMITS } from "./catchup.js";
import { Clock } from "./clock.js";
import { Delivery } from "./delivery.js";
import { Events } from "./events.js";
import { Gaps } from "./gaps.js";
import { OwnReplies } from "./own.js";
import { Received } from "./received.js";
import { dateLate } from "./reply.js";
import { ALL, CAUGHT_UP, COMMANDS, OWN, Requests, TIME, URL_ID } from "./requests.js";
import { Subscriptions } from "./subscriptions.js";
import { Target } from "./url.js";

const HELLO_TIMEOUT = 3_000;  // ms after which a silent server is taken for one without a hello; a later one still counts

/** Messages that subscriptions ask for with `notices`. */
const NOTICES = new Set(["actor", "problem", "command_state", "model", "site"]);

export class Session {
  #target;
  #port;
  #events;
  #connections = 0;              // that were lost
  #batch;
  #subscriptions;
  #delivery;
  #own;
  #received = new Received();
  #clock;
  #gaps;
  #backlog;
  #outdated = null;              // why the next connection begins with the last values, and not after the cursor

  // State of this connection.
  #protocol = null;              // "v1" or "plain" once that is known
  #first = true;                 // there was nothing to resume from
  #capabilities = null;          // of the server
  #helloTimer = null;
  #requests;                     // what the bridge was asked for
  #resuming = new Set();         // ids of the requests sent after the hello and not answered yet
  #catchUp = null;               // buffers replies while several subscriptions resume
  #liveAfter = Infinity;         // the number of the last reply before this connection
  #disconnectedAt = null;        // when the previous connection last received something, ms

  /**
   * @param {string} base  the URL @param {import("./delivery.js").Port} port
   * @param {{monotonic?: () => number, batch?: number, maxLag?: number}} options
   */
  constructor(base, port, { monotonic, batch, maxLag }) {
    this.#target = new Target(base);
    this.#port = port;
    this.#batch = new Batch(batch, this.#target.setsBatch);
    this.#requests = new Requests(port.send);
    this.#clock = new Clock(() => port.send(JSON.stringify({ op: "ping", id: TIME })), monotonic);
    this.#events = new Events(port.emit, () => this.#protocol !== null);
    this.#gaps = new Gaps((gap) => this.#events.emit("gap", gap), () => this.#clock.ahead);
    this.#subscriptions = new Subscriptions(this.#events.emit);
    this.#delivery = new Delivery(port, this.#subscriptions, this.#requests);
    this.#own = new OwnReplies(port, this.#requests);
    this.#delivery.everything = this.#target.subscribes;
    this.#backlog = new Backlog({
      send: port.send,
      emit: port.emit,
      ids: port.ids,
      now: () => this.#clock.latest(),
      isLive: (seq) => this.#protocol === "v1" && this.#catchUp === null && this.#resuming.size === 0 && seq > this.#liveAfter,
      held: () => this.#subscriptions.held,
      skipped: (epoch, seq) => this.#received.advance(epoch, seq),
      valued: () => this.#subscriptions.valued.filter((id) => this.#requests.isActive(id)),
      snapshot: (id) => port.send(JSON.stringify({ op: "snapshot", id, filter: this.#subscriptions.get(id)?.filter ?? undefined })),
    }, { monotonic, maxLag });
  }

  /** @type {"v1"|"plain"|null} */ get protocol() { return this.#protocol; }
  /** What the server can do; null while it is not known. @type {string[]|null} */ get capabilities() { return this.#capabilities; }
  /** The bridge's clock. @type {Clock} */ get clock() { return this.#clock; }
  /** @type {Backlog} */ get backlog() { return this.#backlog; }
  /** The URL for the next attempt to connect. */
  target() {
    const cursor = this.#outdated === null ? this.#received.cursor : null;
    return this.#target.href(this.#subscriptions.any || cursor !== null, cursor);
  }

  /** Handles a socket that has opened. @param {boolean} [isBridge]  the server will say hello */
  opened(isBridge = false) {
    // A server that has said hello before will do so again, however long that takes.
    if (this.#received.cursor === null && !isBridge) this.#helloTimer = setTimeout(() => this.#startPlain(), HELLO_TIMEOUT);
  }

  /**
   * Handles a lost socket.
   * @param {number} lastHeard  when something was last received @param {boolean} [tooSlow]  the bridge says: too slow
   */
  disconnected(lastHeard, tooSlow = false) {
    clearTimeout(this.#helloTimer);
    this.#connections += 1;
    // Asking for all that it could not read would keep the page behind.
    const { reached } = this.#backlog;
    if (this.#backlog.disconnected() || tooSlow) {
      this.#outdated = "this page read too slowly; it goes on with the last values";
      if (reached > 0) lastHeard = Math.min(lastHeard, this.#clock.toLocal(reached));
    }
    this.#own.release();
    this.#gaps.disconnected(this.#protocol === null ? null : lastHeard);
    this.#protocol = this.#capabilities = null;
    this.#requests.clear();
    this.#resuming = this.#delivery.resuming = new Set();
    if (this.#outdated !== null) this.#catchUp = null;
    this.#catchUp?.lost();
    this.#liveAfter = Infinity;
    this.#delivery.disconnected();
  }

  /** Adds a subscription of the page. */
  add(subscription) {
    if (this.#protocol === "plain" && !this.#subscriptions.startOnePlain(subscription)) return;
    if (this.#protocol === "v1" && !this.#subscriptions.isPossible(subscription, this.#capabilities)) return;
    this.#subscriptions.add(subscription);
    if (this.#protocol !== "v1") return;
    if (this.#port.ids().length === 0) this.#requests.unsubscribe(COMMANDS);  // it may take the place of one of the page's
    this.subscribeToCommands();
    this.#subscribe(subscription.id, subscription.request(null, false), subscription);
    this.#requests.unsubscribe(ALL);  // last, so that nothing is missed between them
  }

  /** Removes a subscription that was closed. */
  remove({ id }) {
    this.#subscriptions.remove(id);
    if (this.#protocol !== "v1") return;
    this.subscribeToCommands();
    this.#requests.unsubscribe(id);
  }

  /** Asks for the last values again, after this client has been granted to hear more. */
  refresh() {
    this.#subscriptions.forgetAccepted();  // before the hello: what follows it brings the values
    if (this.#protocol === "v1") this.#backlog.refresh();
  }

  /** Ensures that replies to this client's commands arrive even if no subscription selects them. */
  subscribeToCommands() {
    if (this.#protocol !== "v1" || !this.#subscriptions.lackOwn) return;
    for (const [id, request] of this.#own.requests(this.#received.cursor)) this.#subscribe(id, request);
  }

  /** Handles the bridge's word on the end of a command, which follows its last reply. */
  result(command, answer) {
    if (this.#catchUp) this.#catchUp.result({ command, answer });
    else this.#own.result({ command, answer }, this.#resuming.size > 0);
  }

  /** Handles a message. @returns {boolean} false if this is not a v1 connection */
  message(value) {
    if (this.#protocol !== "v1") {
      if (value.op === "hello" && this.#preceded(value.epoch)) this.#events.after(() => this.#hello(value));
      return value.op === "hello";
    }
    switch (value.op) {
      case "ok": this.#accept(value.id, value); break;
      case "error": this.#error(value); break;
      case "snapshot": this.#snapshot(value); break;
      case "pong": this.#pong(value); break;
      case "unsubscribed": this.#unsubscribed(value); break;
      case "gap": this.#gaps.notice(value, this.#catchUp); break;
      case "broker": this.#events.emit("broker", { state: value.state, reason: value.reason ?? null }); break;
      case "dropped": this.#events.emit("dropped", { count: value.count }); break;
      default: if (NOTICES.has(value.op)) this.#events.emit("notice", value);  // others are of a later version
    }
    return true;
  }

  /** Handles a reply. */
  reply(reply) {
    if (this.#protocol === null) this.#startPlain();
    this.date(reply);
    if (reply.seq === null) return void this.#delivery.reply(reply);
    this.#catchUp?.arrived(reply);
    if (this.#received.has(reply)) return;
    // Up to the cursor all was received, but for replies to unknown commands where nothing else was resumed.
    if (this.#catchUp && this.#received.covers(reply) && !(this.#own.since !== null && this.#port.isOwn(reply))) return;
    this.#backlog.reply(reply);
    if (reply.seq <= this.#liveAfter && !this.#first) dateLate(reply, this.#disconnectedAt);
    if (this.#catchUp) {
      this.#catchUp.reply(reply);
      if (this.#catchUp.full) this.#deliverAll(this.#catchUp.drain());
      return;
    }
    this.#received.add(reply);
    // Replies that are still to be resumed come before those after the cursor.
    if (this.#resuming.size === 0) this.#received.advance(reply.epoch, reply.seq);
    this.#delivery.reply(reply);
  }

  /** Dates a reply by when the bridge heard it. */
  date(reply) { this.#clock.date(reply); }

  #startPlain() {
    clearTimeout(this.#helloTimer);
    if (this.#protocol === null && this.#preceded(null)) this.#events.after(() => this.#plain());
  }

  /** Delivers what was buffered of another numbering, which has ended. @returns {boolean} false if a listener has then ended this connection */
  #preceded(epoch) {
    const connections = this.#connections;
    if (this.#catchUp && this.#catchUp.epoch !== epoch) this.#endCatchUp();
    return this.#connections === connections;
  }

  #plain() {
    this.#protocol = "plain";
    this.#capabilities = [];
    this.#outdated = null;
    this.#port.plain();
    this.#clock.start(undefined);
    this.#received.reset(null);
    this.#reportGap("this server keeps no replies to resume from");
    this.#gaps.since = null;
    this.#subscriptions.startPlain();
    this.#events.emit("hello", { protocol: "plain", name: null, version: null, epoch: null, capabilities: [] });
  }

  #hello(message) {
    const { name, epoch, seq, broker, time, version = null, capabilities } = message;
    this.#clock.start(time);
    this.#port.hello(typeof name === "string" ? name : null, message);
    clearTimeout(this.#helloTimer);
    this.#protocol = "v1";
    this.#delivery.v1 = true;
    this.#batch.setCapabilities(capabilities);
    this.#capabilities = Array.isArray(capabilities) ? capabilities : [];
    this.#own.since = null;
    if (this.#outdated !== null) this.#beginAnew();
    this.#gaps.reportHeld(this.#catchUp);
    this.#first = this.#received.cursor === null;
    this.#liveAfter = seq ?? Infinity;
    this.#disconnectedAt = this.#gaps.since;
    if (!this.#first) this.#backlog.resumes();
    this.#port.probeWith('{"op":"ping"}');
    this.#events.emit("broker", { state: broker, reason: null });
    const here = seq === null ? null : { epoch, seq };
    if (this.#first) {
      this.#reportGap("there is nothing to resume from");
      this.#received.reset(here);
    }
    if (!this.#subscriptions.any && !this.#target.subscribes && this.#received.cursor && this.#received.cursor.epoch !== epoch) {
      this.#reportGap(`the bridge's numbering has restarted: this is epoch ${epoch}`);
      this.#received.reset(here);  // resuming would bring a snapshot, which such a page has no use for
    }

    const requests = this.#initialRequests(here);
    if (this.#protocol === null) return;  // one that is refused may have made the page close the client
    const resuming = requests.filter(([, request]) => request === null || request.since);
    this.#resuming = this.#delivery.resuming = new Set(requests.map(([id]) => id));
    // Replies of several subscriptions arrive one subscription after the other: they are put in order here.
    if (this.#received.cursor && resuming.length > 1) this.#catchUp ??= new CatchUp(epoch, this.#received.cursor.epoch === epoch ? this.#received.cursor.seq : -1, LIMITS);
    for (const [id, request, subscription] of requests) {
      if (request) this.#subscribe(id, request, subscription);
      else this.#requests.expect(id);  // the URL has requested it
    }
    this.#resumed();
    // The implicit subscription does not batch; an explicit one replaces it without a gap.
    if (this.#first && !this.#subscriptions.any && !this.#target.subscribes && this.#batch.mustSubscribe) this.#subscribe(ALL, { filter: {} });
    this.#events.emit("hello", { protocol: "v1", name: name ?? null, version, epoch: epoch ?? null, capabilities: this.#capabilities });
  }

  /** Resumes nothing but the replies to unknown commands: the subscriptions begin with the last values. */
  #beginAnew() {
    this.#reportGap(this.#outdated);
    this.#outdated = null;
    this.#own.since = this.#received.cursor;
    this.#received.reset(null);
    this.#subscriptions.forgetAccepted();
  }

  /** The requests for a new connection: id, request, and subscription; the URL has made one without a request. */
  #initialRequests(here) {
    const { cursor } = this.#received;
    const ofURL = !this.#first && this.#target.resumes ? [[URL_ID, null, null]] : [];
    if (!this.#subscriptions.any && (this.#first || this.#target.subscribes)) return ofURL;  // the server sends all, or what the URL selects
    const ofPage = this.#subscriptions.any
      ? this.#subscriptions.requests((id) => this.#catchUp?.since(id) ?? cursor, this.#capabilities)
      : [[ALL, { filter: {}, since: cursor ?? undefined }, null]];
    // Those of clu.js itself come last: if there are too many, none of the page's is refused.
    return [...ofURL, ...ofPage, ...this.#own.inFlight(here), ...(this.#subscriptions.lackOwn ? this.#own.lost(cursor) : [])];
  }

  #subscribe(id, request, subscription = null) {
    if (request.snapshot) this.#subscriptions.expectValues(id);
    this.#requests.subscribe(id, { ...request, batch_ms: this.#batch.forRequest(request) }, subscription);
  }

  #accept(id, answer) {
    const subscription = this.#requests.accept(id);
    if (subscription === undefined) return;
    if (answer.resumed === false) this.#notResumed(id, answer);
    if (this.#liveAfter === Infinity && Number.isSafeInteger(answer.seq)) this.#liveAfter = answer.seq;
    this.#catchUp?.answered(id, answer);
    if (this.#catchUp && !this.#resuming.has(id)) this.#delivery.startAfter(id, this.#catchUp.arrivals);
    if (this.#resuming.delete(id)) this.#resumed();
    this.#own.settled(this.#resuming);
    if (!subscription || subscription.closed) return;
    this.#subscriptions.accept(subscription, answer.data);
  }

  /** Once every resumed request is answered: asks for a pong, which marks the end of what was missed. */
  #resumed() {
    this.#clock.ask();  // its answer comes after what was missed; and a page that is busy may have read the hello late
    if (this.#resuming.size > 0) return;
    if (this.#catchUp) this.#port.send(JSON.stringify({ op: "ping", id: CAUGHT_UP }));
    else this.#gaps.since = null;
  }

  /** Handles an answer that replies after the cursor are gone. A subscription gets a snapshot in their place. */
  #notResumed(id, { reason, epoch, seq }) {
    if (this.#subscriptions.has(id)) this.#subscriptions.expectValues(id);  // in place of the replies
    if (!this.#resuming.has(id)) return;  // it did not resume anything
    if (id === COMMANDS) this.#port.markUnknown("the bridge no longer has its first replies; the actor may still be executing it");
    else this.#reportGap(reason ?? "the bridge does not say why", this.#catchUp?.since(id)?.seq);
    if (!this.#catchUp) this.#received.advance(epoch, seq);
  }

  #error(message) {
    const { id, command_id: commandId, message: text } = message;
    if (message.code === "expired") this.#clock.ask();  // the clock here may be wrong
    if (commandId !== undefined && this.#port.commandError(message)) return;
    this.#backlog.answered(id);
    const subscription = this.#requests.refuse(id);
    if (subscription === undefined) {
      this.#events.emit("error", { message: `The bridge refused a message: ${text}`, cause: message });
      return;
    }
    if (this.#subscriptions.refuseRequest(subscription, text, message)) this.#gaps.hold(`a subscription was refused for a while: ${text}`);
    if (this.#resuming.delete(id)) this.#resumed();
    this.#own.settled(this.#resuming);
  }

  /** Handles that the bridge has ended a subscription, because the right to it is gone. */
  #unsubscribed(message) {
    const { id, message: text = "this client may no longer hear what it subscribed to" } = message;
    this.#requests.ended(id);
    this.#subscriptions.refuse(this.#subscriptions.get(id) ?? null, text, message);
    if (this.#resuming.delete(id)) this.#resumed();
  }

  #snapshot(message) {
    this.#subscriptions.valuesCame(message.id);
    if (this.#catchUp && this.#subscriptions.has(message.id)) this.#catchUp.snapshot(message);
    else this.#subscriptions.get(message.id)?.applySnapshot(message, this.#clock.ahead);
    this.#backlog.answered(message.id);
  }

  #pong({ id, epoch, seq, time }) {
    if (id === TIME) this.#clock.synchronize(time);
    if (id === OWN && this.#resuming.size === 0) this.#own.release();
    if (id === BACKLOG) this.#backlog.pong(time);
    else if (this.#catchUp === null && this.#resuming.size === 0 && id === TIME) this.#backlog.caughtUp();
    if (id === CAUGHT_UP && this.#catchUp) {
      this.#gaps.since = null;
      this.#endCatchUp((items) => this.#received.advance(epoch, seq ?? items.findLast(({ kind }) => kind === "reply")?.seq));
      this.#delivery.clear();
      this.#backlog.caughtUp();
    } else if (!this.#catchUp && this.#resuming.size === 0) {
      this.#received.advance(epoch, seq);
    }
  }

  /** Delivers what was buffered, in order. */
  #endCatchUp(before = () => {}) {
    const items = this.#catchUp?.drain() ?? [];
    this.#catchUp = null;
    before(items);
    this.#deliverAll(items);
  }

  #deliverAll(items) {
    for (const { kind, value, arrival } of items) {
      if (kind === "snapshot") this.#subscriptions.get(value.id)?.applySnapshot(value, this.#clock.ahead);
      if (kind === "gap") this.#gaps.report(value);
      if (kind === "result") this.#own.deliver(value);
      if (kind !== "reply") continue;
      this.#received.add(value);
      this.#delivery.reply(value, arrival);
    }
  }

  #reportGap(reason, after) { this.#gaps.reportInterruption(reason, this.#catchUp, after); }
}
