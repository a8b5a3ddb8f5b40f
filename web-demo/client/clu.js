/**
 * clu.js, the browser client of clu-ws: replies of actors, the last values of their keywords, and commands that are
 * followed to their end.
 *
 *     const clu = new Clu("ws://localhost:9876/");
 *     clu.on("reply", (reply) => console.log(reply.sender, reply.code, reply.keywords));
 *     await clu.connect();
 *     const { keywords } = await clu.send("dome", "status");
 *     clu.subscribe({ sender: "weather", keyword: ["temperature_c", "humidity"] }, {
 *       onValues: ({ weather }) => show(weather.temperature_c?.value, weather.temperature_c?.time),
 *     });
 *
 * A page that subscribes gets the replies it asked for and no others, starting with the last values. After a lost
 * connection it gets what it missed, in order and once; if the bridge no longer has it, there is a `gap` event. CLU's
 * own server, `clu websocket`, sends everything to everyone and keeps nothing: there the page evaluates the filters, no
 * values precede the first reply, and each lost connection is a gap.
 *
 * A command moves a telescope. So a command without a connection is rejected at once and never kept for later; a command
 * whose connection is lost becomes "unknown" and is never sent again; and each carries an expiry, so that the bridge
 * refuses one that was delayed by the network or a sleeping computer. Only replies of the actor it was sent to, to this
 * bridge, end it. Where there is no WebSocket, as in node 20, a class is given as `options.WebSocket`.
 */

import { Access } from "./access.js";
import { Asker } from "./asker.js";
import { Command, CommandError, newCommandId } from "./command.js";
import { guard, tell } from "./errors.js";
import { InFlight } from "./inflight.js";
import { BIGINTS, formatJSON, parseJSON } from "./json.js";
import { isTooSlow, Link } from "./link.js";
import { Queries, RequestError } from "./queries.js";
import { CODES, isFinal, isMessage, parseReply, readReply } from "./reply.js";
import { Sender, unsent } from "./sender.js";
import { Session } from "./session.js";
import { Subscription } from "./subscription.js";
import { websocketURL } from "./url.js";

export { CODES, Command, CommandError, formatJSON, isFinal, newCommandId, parseJSON, parseReply, RequestError, Subscription, websocketURL };

const DEFAULTS = Object.freeze({ maxReplies: 500, maxActive: 500, maxUnknown: 200, bigint: "text", expires: 5_000 });

/** The close code of a page that closes its client. */
const CLOSED = 1000;

/** @typedef {import("./access.js").Credential} Credential */

/**
 * @typedef {object} CluOptions  all optional, times in ms
 * @property {number} [minDelay]        shortest wait before reconnecting, 200
 * @property {number} [maxDelay]        longest, 10 000
 * @property {number} [connectTimeout]  10 000
 * @property {string|null} [probe]      a text that CLU's own server answers, sent after silence to detect a dead socket; off by
 *                                      default. With clu-ws, silence is always probed
 * @property {number} [pulse]           silence after which a bridge is asked for a sign of life, see `silence`; never by default
 * @property {number} [maxReplies]      replies kept for each command, 500; the oldest are dropped
 * @property {number} [maxActive]       commands in flight at the same time, 500; more are rejected
 * @property {number} [maxUnknown]      unknown commands whose replies are still followed, 200
 * @property {number} [expires]         ms after which a command must not be sent to its actor any more, 5 000; see `send`
 * @property {number} [batch]           ms for which the bridge may delay a reply so that several leave in one write: 0 to 1 000,
 *                                      default 50 or the URL's `batch_ms`. Final replies and errors are never delayed. 0 sends
 *                                      each reply at once, for a page that reacts to them, and costs the bridge a write each
 * @property {number} [maxLag]          ms that a page may be behind until it skips what is old and asks for the last values,
 *                                      3 000; Infinity for a program that must have every reply, however late
 * @property {"text"|"bigint"|"number"} [bigint]  what integers beyond 2^53, which a JavaScript number cannot hold, become: "text"
 *                                      (a string of their digits, the default), "bigint" (exact, but JSON.stringify throws and
 *                                      arithmetic does not mix: see `formatJSON`), or "number" (the nearest: digits are lost)
 * @property {() => Credential|Promise<Credential>} [token]  the credential for a bridge that asks who one is: a token,
 *                                      {ticket} for one that is valid once, or null for none. Called before every attempt to
 *                                      connect, and when the bridge says that the login expires
 * @property {"subprotocol"|"message"} [tokenBy]  how a token travels: in the handshake, the default, or in the first message,
 *                                      as a ticket always does
 * @property {typeof fetch} [fetch]     asks the bridge why an attempt to connect failed, which a browser does not say
 * @property {typeof WebSocket} [WebSocket]
 */

/**
 * The client. `on(type, listener)` passes the event's detail to the listener; addEventListener works too.
 *
 * | event     | detail                                                                                      |
 * | --------- | ------------------------------------------------------------------------------------------- |
 * | `open`    | `{url}`                                                                                     |
 * | `close`   | `{code, reason, wasOpen, retryAt}`: a connection, or an attempt to connect, has ended        |
 * | `state`   | `{state, reason, retryAt, attempts}`, state "connecting", "open" or "closed"                |
 * | `reply`   | a {@link import("./reply.js").Reply}. Before the first subscription: every reply. After it: |
 * |           | the replies that a subscription selects, and those to commands of this client               |
 * | `command` | what is known of a command of this client (Command.getSnapshot), at each change             |
 * | `gap`     | `{from, to, seconds, reason}`: replies may be missing at this point. Dates; `from` and      |
 * |           | `seconds` may be null. `reason` is null when the bridge itself lost its broker, and else     |
 * |           | says why the bridge does not have the replies since the connection was lost                 |
 * | `broker`  | `{state, reason}`, state "up", "blocked" (replies flow, commands fail), "no_replies"       |
 * |           | (commands are sent, no reply arrives), "down", or "unknown" when the connection is lost;    |
 * |           | also on each connection. CLU's own server does not report it                                |
 * | `dropped` | `{count, from, to}`: that many messages were left out here, because this page reads too slowly; |
 * |           | Dates, by the bridge's clock, or undefined. The values are right again when it comes         |
 * | `lag`     | `{seconds, behind}`: this page has fallen behind, and skips what is old; or it is current    |
 * | `hello`   | `{protocol, name, version, capabilities}`: what the server is has become known              |
 * | `notice`  | a message that a subscription has asked for with `notices`: see docs/protocol.md             |
 * | `access`  | `{access, changed}`: who this client is has become known, or its grants have changed; `changed`   |
 * |           | lists which, or is null                                                                     |
 * | `expiring` | `{expiresIn, expires}`: the login ends in so many ms; with the option `token` it is renewed  |
 * | `unauthorized` | `{status, code, reason}`: the bridge does not let this client in, and no attempt follows until |
 * |           | `connect`. `status` is 401 or 403, or the close code: 3000 (expired), 3003 (revoked), 3008   |
 * | `error`   | `{message, cause}`: a frame that is no envelope, a refusal by the bridge, a failing listener; |
 * |           | one that no listener hears is written to the console, and so is `unauthorized`              |
 */
export class Clu extends Asker {
  #link;
  #session;
  #options;
  #subscriptionCount = 0;  // all that were ever made, for their ids
  #opening = null;
  #connections = 0;  // that have ended, and attempts
  #inFlight;
  #access;
  #sender;
  #queries;
  #broker = "unknown";

  /**
   * @param {string|URL} [url]  ws(s):// or http(s)://, absolute or relative to the page; default: the page's folder
   * @param {CluOptions} [options]
   */
  constructor(url = ".", options = {}) {
    const send = (text) => this.#link.send(text);
    const ask = (text) => this.#link.isUp && send(text);  // what is asked of each connection; a listener may have ended this one
    const emit = (type, detail) => {
      if (type === "hello") queries.greeted(detail.capabilities);
      if (type === "broker") this.#broker = detail.state;
      this.#emit(type, detail);
    };
    const unusable = () => this.#link.unusable();
    const queries = new Queries({ send, unusable, capabilities: () => this.#session.capabilities, date: (reply) => this.#session.date(reply) });
    super(queries);
    this.#queries = queries;
    this.#options = { ...DEFAULTS, ...options };
    if (!BIGINTS.includes(this.#options.bigint)) throw new TypeError('the option bigint is "text", "bigint" or "number"');
    this.#inFlight = new InFlight(this.#options.maxUnknown);
    const base = websocketURL(url);
    this.#access = new Access(base, {
      send,
      emit,
      refresh: () => this.#session.refresh(),
      greeted: () => this.#link.greeted(),
      admit: () => this.#link.admit(),
      abandon: (code, reason) => this.#link.abandon(code, reason),
      giveUp: (code, reason) => this.#link.giveUp(code, reason),
    }, options);
    this.#session = new Session(base, {
      send: ask,
      probeWith: (text) => this.#link.probeWith(text),
      emit,
      deliver: (reply) => this.#deliver(reply),
      isOwn: (reply) => this.#commandOf(reply) !== null,
      hello: (name) => this.#inFlight.hello(name),
      plain: () => this.#link.greeted(),
      hasActive: () => this.#inFlight.activeCount > 0,
      lostIds: () => this.#inFlight.lostIds,
      ids: () => this.#inFlight.ids,
      markUnknown: (why) => this.commands.forEach((command) => { if (!this.#sender.isAwaited(command)) command.markUnknown(why); }),
      commandError: (error) => this.#inFlight.error(error),
    }, options);
    this.#link = new Link(base, {
      open: () => this.#opened(),
      login: () => this.#access.login(),
      message: (data) => this.#message(data),
      closed: (detail) => this.#disconnected(detail),
      state: (detail) => emit("state", detail),
    }, {
      ...options, target: () => this.#session.target(), prepare: () => this.#access.prepare(),
      isFinal: (detail) => this.#access.closed(detail),
    });
    this.#sender = new Sender({ maxActive: this.#options.maxActive, inFlight: this.#inFlight, session: this.#session, unusable, send });
  }

  /** The WebSocket's URL. */ get url() { return this.#link.url; }

  /** @returns {"connecting"|"open"|"closed"} "closed" also while waiting for the next attempt, see `retryAt` */ get state() { return this.#link.state; }
  /** The protocol of this connection: "v1" with clu-ws, "plain" with CLU's own server, null before that is known. */ get protocol() { return this.#session.protocol; }

  /** When the next attempt to connect is due, ms since 1970, or null. */ get retryAt() { return this.#link.retryAt; }

  /** When something was last received from the bridge, ms since 1970; 0 for never. */ get lastHeard() { return this.#link.lastHeard; }

  /** The bridge's link to the broker, as in the event `broker`. */ get broker() { return this.#broker; }

  /**
   * Who this client is and what it may do; null if the bridge has no access control, and before it has said so.
   * @returns {import("./access.js").Identity|null}
   */
  get access() { return this.#access.identity; }

  /** What this server can do, as its hello says; empty for CLU's own server, null before that is known. @returns {string[]|null} */
  get capabilities() { return this.#session.capabilities; }

  /** The bridge's clock, ms since 1970; this computer's if the server does not say it. */ now() { return this.#session.clock.latest() ?? Date.now(); }

  /** Whether `now` may be wrong, because this computer's clock was set or stood. If so, the bridge is being asked. */
  get uncertain() { return this.#link.unusable() === null && this.#session.clock.isUncertain(); }

  /** ms by which this computer's clock is ahead of the bridge's; 0 if that is too little to tell, or not known. */ get clockError() { return this.#session.clock.ahead; }

  /** Seconds for which the bridge has sent nothing, although it was asked for a sign of life; else 0. See `pulse`. */
  get silence() { return this.#link.silence / 1_000; }

  /** How far this page is behind, seconds: how long ago the bridge heard what arrives here now, or was heard itself. */
  get lag() { return Math.max(this.#session.backlog.lag, this.silence); }

  /** Whether what was missed without a connection may still be coming. */ get resuming() { return this.#session.backlog.resuming; }

  /** The commands in flight: sent or running. @returns {Command[]} */ get commands() { return this.#inFlight.active; }

  /**
   * Connects, and reconnects whenever the connection is lost, until `close`.
   * @returns {Promise<Clu>} fulfilled when connected, however many attempts that takes; rejected by `close`, or when
   *   the browser refuses the URL
   */
  connect() {
    if (this.state === "open") return Promise.resolve(this);
    if (!this.#opening) {
      this.#opening = {};
      this.#opening.promise = new Promise((resolve, reject) => Object.assign(this.#opening, { resolve, reject }));
      this.#opening.promise.catch(() => {});
    }
    const { promise } = this.#opening;
    this.#link.start();
    return promise;
  }

  /** Disconnects until the next `connect`, which also fetches what was missed. Commands in flight become unknown. */
  close() {
    this.#link.stop();
    this.#access.stopped();
  }

  /**
   * Subscribes to the replies that a filter selects, and to the last values of their keywords. It may be called at any
   * time and lasts across connections until the subscription is closed. Before the first one, a client gets every reply.
   *
   * Replies arrive in `onReply`, values in `onValues` and `values`: first those of the snapshot, then those of each
   * reply. Replies that were missed without a connection arrive too, in order; their `late` is true, and their `at` is
   * when they were published.
   *
   * @param {import("./filter.js").Filter|null} [filter]  `{}` selects everything, and so does null without the option `notices`
   * @param {import("./subscription.js").SubscriptionOptions} [options]
   * @returns {Subscription} its `ready` rejects with the bridge's message if the filter is wrong
   */
  subscribe(filter = null, options = {}) {
    this.#subscriptionCount += 1;
    const subscription = new Subscription(String(this.#subscriptionCount), options.notices ? filter : filter ?? {}, options, {
      guard: (work) => guard(this, work),
      close: (closed) => this.#session.remove(closed),
    });
    this.#session.add(subscription);
    return subscription;
  }

  /**
   * Sends a command and follows it. It never throws: a mistake yields a rejected command.
   *
   * `expires` is how long the command may take to reach the bridge. If it arrives later it is not sent, and is rejected
   * with the code `expired`. `timeout` starts when that time has passed, so that a command that starts at the last moment
   * still has all of it, as at the bridge. CLU's own server has no expiry, and there `timeout` starts at once.
   *
   * Right after connecting, and when the computer's clock was set or stopped, the command first waits for the bridge's
   * time, for at most 0.3 s.
   *
   * @param {string} consumer       the actor, for instance "dome"
   * @param {string} commandString  for instance "open"
   * @param {object} [options]
   * @param {string} [options.commandId]  default: a new UUID4. While another command uses it, the command is rejected (by the
   *   bridge with `in_use`), or, with CLU's own server, may end as unknown
   * @param {number} [options.expires]    ms from now, at most an hour; default: the client's, or `timeout` if that is shorter
   * @param {number} [options.timeout]    ms until the command counts as unknown; default: never
   * @param {object} [options.extra]      for an application that decides about the command
   * @param {AbortSignal} [options.signal]  if it is aborted, the command is not sent; see index.js for the rest
   * @param {(reply: import("./reply.js").Reply, command: Command) => void} [options.onReply]
   * @returns {Command} to await or to watch
   */
  send(consumer, commandString, options) {
    const { commandId, expires, timeout, extra, signal, onReply } = options ?? {};
    const command = new Command({
      commandId,
      consumer,
      commandString,
      maxReplies: this.#options.maxReplies,
      onReply: onReply && ((reply) => guard(this, onReply, reply, command)),
      onChange: () => this.#commandChanged(command),
    });
    const lifetime = expires ?? Math.min(this.#options.expires, timeout ?? Infinity);
    const problem = this.#sender.invalid(command, { expires: lifetime, timeout, signal }) ?? this.#link.unusable() ?? this.#inFlight.idConflict(command);
    if (problem) {
      command.reject(unsent(problem));
      return command;
    }
    this.#inFlight.add(command);
    this.#sender.send({ command, expires: lifetime, timeout, extra });
    if (command.state === "sent") this.#commandChanged(command);
    return command;
  }

  /** Whether this client may do something, as far as it knows; the bridge decides. @param {import("./grants.js").Action} action */
  may(action) { return this.refusal(action) === null; }

  /** Returns why this client may not do something, in words for its user, or null. @param {import("./grants.js").Action} action */
  refusal(action) { return this.#access.refusal(action); }

  /** Shows the bridge a new token on the open connection; the option `token` is asked for it. @returns {Promise<void>} */
  renew() { return this.#access.renew(); }

  /**
   * Adds a listener for an event of the class.
   * @param {string} type
   * @param {(detail: *) => void} listener
   * @returns {() => void} removes the listener
   */
  on(type, listener) {
    const handle = ({ detail }) => guard(this, listener, detail);
    this.addEventListener(type, handle);
    return () => this.removeEventListener(type, handle);
  }

  /** Files a command under its new state and emits the event. */
  #commandChanged(command) {
    this.#inFlight.update(command);
    this.#emit("command", command.getSnapshot());
  }

  #opened() {
    this.#sender.opened();
    this.#session.opened(this.#access.shows);
    this.#opening?.resolve(this);
    this.#opening = null;
    this.#emit("open", { url: this.url });
  }

  #disconnected(detail) {
    const { verdict } = this.#access;
    this.#connections += 1;
    this.#session.disconnected(this.#link.lastHeard, isTooSlow(detail));
    this.#inFlight.disconnected();
    this.#queries.disconnected();
    this.#sender.disconnected();
    for (const command of this.commands) command.markUnknown("connection lost; the actor may still be executing it");
    if (this.#broker !== "unknown") this.#emit("broker", { state: this.#broker = "unknown", reason: "not connected to the bridge" });
    if (detail.retryAt === null) {
      this.#opening?.reject(new Error(detail.reason));
      this.#opening = null;
    }
    this.#emit("close", detail);
    if (detail.retryAt !== null || detail.code === CLOSED) return;
    if (verdict) tell(this, "unauthorized", verdict, { message: `The bridge does not let this client in: ${verdict.reason}` });
    else this.#emit("error", { message: `No further attempt to connect is made: ${detail.reason}`, cause: null });
  }

  #message(data) {
    if (typeof data !== "string") {
      this.#emit("error", { message: "A binary frame was ignored: replies are text.", cause: null });
      return;
    }
    if (data === "pong" || this.#session.backlog.skips(data)) return;  // the answer to a probe; read too late to be of use
    let reply = null;
    let message;
    try {
      message = parseJSON(data, this.#options.bigint);
      if (!isMessage(message)) reply = readReply(message, data.length);
    } catch (error) {
      this.#emit("error", { message: `A frame that is no envelope was ignored: ${data.slice(0, 200)}`, cause: error });
      return;
    }
    if (reply === null && !this.#op(message)) reply = readReply(message, data.length);
    if (reply !== null) this.#session.reply(reply);
    this.#sender.flush();
  }

  /** Handles a message with an op. @returns {boolean} false if it is none of this protocol */
  #op(message) {
    const connection = this.#connections;
    if (message.op === "hello" && (!this.#access.hello(message) || this.#connections !== connection)) return true;
    return this.#sender.message(message) || this.#access.message(message) || this.#queries.message(message) || this.#session.message(message);
  }

  /** The command that a reply answers, or null. A plain server sends a refusal only to the command's sender and without a commander. */
  #commandOf(reply) {
    if (!reply.refused) return this.#inFlight.commandFor(reply);
    return this.protocol === "v1" ? null : this.#inFlight.get(reply.commandId) ?? null;
  }

  #deliver(reply) {
    const command = this.#commandOf(reply);
    if (command) this.#inFlight.deliver(command, reply);
    else if (reply.refused && reply.commandId === null) {
      this.#emit("error", { message: `The bridge refused a message: ${reply.text ?? "no reason given"}`, cause: reply });
    } else if (this.protocol === "plain") this.#inFlight.noteOther(reply);
  }

  #emit(type, detail) {
    if (type === "error") tell(this, type, detail);
    else this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
