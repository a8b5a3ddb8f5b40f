/**
 * clu.js, the browser client of clu-ws: the replies of actors, the last values of their keywords, and commands that are
 * followed to their end.
 *
 *     import { Clu } from "./clu.js";
 *
 *     const clu = new Clu("ws://localhost:9876/");
 *     clu.on("reply", (reply) => console.log(reply.sender, reply.code, reply.keywords));
 *     await clu.connect();
 *
 *     const { keywords } = await clu.send("dome", "status");
 *     await clu.send("camera", "expose 5", { timeout: 20_000, onReply: (reply) => show(reply.text) });
 *
 *     clu.subscribe({ sender: "weather", keyword: ["temperature_c", "humidity"] }, {
 *       onValues: ({ weather }) => show(weather.temperature_c?.value, weather.temperature_c?.time),
 *     });
 *
 * A page that subscribes hears what it asked for and no more, and has the last values at once. After a lost connection all
 * that was missed comes in its order, once; where the bridge does not have it any more, the event `gap` tells. Against CLU's
 * own server, `clu websocket`, which sends everything to everyone and keeps nothing, filters work in the page, there are no
 * values from before, and each lost connection is a gap.
 *
 * A command moves a telescope. So a command without a connection is rejected at once and never kept for later; a command
 * whose connection is lost becomes "unknown" and is never sent again; and each says until when it may be sent, so that the
 * bridge refuses one that a network or a sleeping computer held up. Only its own replies end it: those of the actor that it
 * was sent to, to this bridge.
 *
 * Also works in node 22 and later, or with any WebSocket class given as `options.WebSocket`.
 */

import { Command, CommandError, newCommandId } from "./command.js";
import { InFlight } from "./inflight.js";
import { BIGINTS, formatJSON, parseJSON } from "./json.js";
import { Link } from "./link.js";
import { CODES, isFinal, isMessage, parseReply, readReply } from "./reply.js";
import { Session } from "./session.js";
import { Subscription } from "./subscription.js";
import { websocketURL } from "./url.js";

export { CODES, Command, CommandError, formatJSON, isFinal, newCommandId, parseJSON, parseReply, Subscription, websocketURL };

/** The bridge's error codes for a command that was not sent. After any other code but `returned`, an actor may have it. */
const NOT_SENT = new Set(["bad_request", "forbidden", "in_use", "away", "blocked", "full", "expired", "gone", "invalid", "leaving"]);

/** ms for which a command waits for the server's greeting, which clu-ws sends at once. */
const GREETING = 300;

const MAX_TIME = 2 ** 31 - 1;     // ms that a timer can run
const MAX_EXPIRES = 3_600_000;    // ms that a bridge takes


const DEFAULTS = Object.freeze({ maxReplies: 500, maxActive: 500, maxUnknown: 200, bigint: "text", expires: 5_000 });

/**
 * @typedef {object} CluOptions  times in ms; every one has a default
 * @property {number} [minDelay]        shortest wait before connecting again, 200
 * @property {number} [maxDelay]        longest, 10 000
 * @property {number} [connectTimeout]  10 000
 * @property {string|null} [probe]      a text that CLU's own server answers, sent after silence to find a dead socket; off.
 *                                      With clu-ws silence is always looked into
 * @property {number} [maxReplies]      replies kept with a command, 500; older ones are dropped
 * @property {number} [maxActive]       commands that run at the same time, 500; more are rejected
 * @property {number} [maxUnknown]      commands of unknown fate whose replies are still looked for, 200
 * @property {number} [expires]         ms after which a command may not be sent to its actor any more, 5 000; see `send`
 * @property {number} [batch]           ms for which the bridge may let a reply wait for others, so that all leave together: 0 to
 *                                      1 000, by default 50, or what the URL says (`batch_ms`). Ends and errors never wait.
 *                                      0 has each come at once, for a page that reacts; it costs the bridge a write for each
 * @property {"text"|"bigint"|"number"} [bigint]  what integers beyond 2^53 become, which a JavaScript number cannot hold: "text"
 *                                      (their digits as a string, the default), "bigint" (exact, but JSON.stringify throws and
 *                                      arithmetic does not mix: see `formatJSON`), or "number" (the nearest: digits are lost)
 * @property {typeof WebSocket} [WebSocket]
 */

/**
 * The client. `on(type, listener)` hands the listener the event's detail; addEventListener works too.
 *
 * | event     | detail                                                                                      |
 * | --------- | ------------------------------------------------------------------------------------------- |
 * | `open`    | `{url}`                                                                                     |
 * | `close`   | `{code, reason, wasOpen, retryAt}` a connection, or an attempt at one, has ended             |
 * | `state`   | `{state, reason, retryAt, attempts}`, state "connecting", "open" or "closed"                |
 * | `reply`   | a {@link import("./reply.js").Reply}, whosoever's command it answers; once there was a  |
 * |           | subscription, those that one selects, and those to the commands sent here                   |
 * | `command` | a {@link Command} sent here, at each change of its state or replies                         |
 * | `gap`     | `{from, to, seconds, reason}` here, between the replies before and behind, some may be      |
 * |           | missing. Dates; `from` and `seconds` may be null. `reason` is null when the bridge itself    |
 * |           | could not hear, and else says why it has not the replies since the connection was lost      |
 * | `broker`  | `{state, reason}`, state "up", "blocked" (replies flow, commands fail), "no_replies"       |
 * |           | (commands are sent, no reply arrives) or "down"; also with each connection. CLU's own       |
 * |           | server never tells                                                                          |
 * | `dropped` | `{count}` so many messages were left out here, because this page reads too slowly           |
 * | `error`   | `{message, cause}` a frame that is no envelope, a refusal by the bridge, a failing listener  |
 */
export class Clu extends EventTarget {
  #link;
  #session;
  #options;
  #subscriptions = 0;    // how many there ever were
  #opening = null;
  #openedAt = 0;         // when the last connection opened
  #inFlight;
  #held = [];            // commands that wait for the greeting, {command, expires, timeout}
  #holding = null;       // the timer that sends them

  /**
   * @param {string|URL} [url]  ws(s):// or http(s)://, absolute or relative to the page; default: the page's own folder
   * @param {CluOptions} [options]
   */
  constructor(url = ".", options = {}) {
    super();
    this.#options = { ...DEFAULTS, ...options };
    if (!BIGINTS.includes(this.#options.bigint)) throw new TypeError('the option bigint is "text", "bigint" or "number"');
    this.#inFlight = new InFlight(this.#options.maxUnknown);
    const base = websocketURL(url);
    this.#session = new Session(base, {
      send: (text) => this.#link.send(text),
      probeWith: (text) => this.#link.probeWith(text),
      tell: (type, detail) => this.#emit(type, detail),
      take: (reply) => this.#take(reply),
      isMine: (reply) => this.#commandOf(reply) !== null,
      greeted: (name) => this.#inFlight.greeted(name),
      running: () => this.#inFlight.activeCount > 0,
      lost: () => this.#inFlight.lost,
      doubt: (why) => this.commands.forEach((command) => command.lose(why)),
      refused: (error) => this.#refused(error),
    }, options);
    this.#link = new Link(base, {
      open: () => this.#opened(),
      message: (data) => this.#message(data),
      lost: (detail) => this.#lost(detail),
      state: (detail) => this.#emit("state", detail),
    }, { ...options, target: () => this.#session.target() });
  }

  /** The WebSocket's URL. */
  get url() { return this.#link.url; }

  /** @returns {"connecting"|"open"|"closed"} "closed" also while waiting for the next attempt, see `retryAt` */
  get state() { return this.#link.state; }

  /** What is spoken on this connection: "v1" with clu-ws, "plain" with CLU's own server, null before that is known. */
  get protocol() { return this.#session.speech; }

  /** When the next attempt to connect is due, ms since 1970, or null. */
  get retryAt() { return this.#link.retryAt; }

  /** When something was last heard from the bridge, ms since 1970; 0 for never. */
  get lastHeard() { return this.#link.lastHeard; }

  /** The commands that are sent or running. @returns {Command[]} */
  get commands() { return this.#inFlight.active; }

  /**
   * Connects, and connects again whenever the connection is lost, until `close`.
   * @returns {Promise<Clu>} fulfilled when connected, also if that takes many attempts; rejected by `close`, or when
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

  /** Disconnects for good, or until the next `connect`, which brings what was missed. Running commands become unknown. */
  close() {
    this.#link.stop();
  }

  /**
   * Asks for the replies that a filter selects, and for the last values of their keywords. May be called at any time; it
   * lasts over all connections, until it is closed. Before the first one, a client hears every reply.
   *
   * Replies come by `onReply`, and values by `onValues` and in `values`: those of the snapshot first, then those of each
   * reply. What was missed while there was no connection comes too, in its order; its `late` is true, and its `at` tells
   * when it was said.
   *
   * @param {import("./filter.js").Filter} [filter]  `{}` selects everything
   * @param {import("./subscription.js").SubscriptionOptions} [options]
   * @returns {Subscription} its `ready` is rejected, in the bridge's words, if the filter is wrong
   */
  subscribe(filter = {}, options = {}) {
    this.#subscriptions += 1;
    const subscription = new Subscription(String(this.#subscriptions), filter ?? {}, options, {
      guard: (work) => this.#guard(work),
      close: (closed) => this.#session.remove(closed),
    });
    this.#session.add(subscription);
    return subscription;
  }

  /**
   * Sends a command and follows it. Never throws: what is wrong comes as a rejected command.
   *
   * `expires` is how long it may be on its way: if it reaches the bridge later, it is not sent, and is rejected with
   * the code `expired`. `timeout` starts when that time is over, so that a command that begins at the last moment still
   * has all of it, as at the bridge. CLU's own server knows no expiry, and there `timeout` starts at once.
   *
   * Right after connecting, and when the computer's clock was set or stopped, it waits for the bridge's time, for at
   * most 0.3 s.
   *
   * @param {string} consumer       the actor, for instance "dome"
   * @param {string} commandString  for instance "open"
   * @param {object} [options]
   * @param {string} [options.commandId]  default: a new UUID4. While another command has it, the command is rejected (`in_use`
   *   by the bridge), or, with CLU's own server, may become unknown at its end
   * @param {number} [options.expires]    ms from now, an hour at most; default: that of the client, or `timeout` where that is shorter
   * @param {number} [options.timeout]    ms until the command counts as unknown; default: it is awaited for ever
   * @param {(reply: import("./reply.js").Reply, command: Command) => void} [options.onReply]
   * @returns {Command} to be awaited, or watched
   */
  send(consumer, commandString, { commandId, expires, timeout, onReply } = {}) {
    const command = new Command({
      commandId,
      consumer,
      commandString,
      maxReplies: this.#options.maxReplies,
      onReply: onReply && ((reply) => this.#guard(() => onReply(reply, command))),
      onChange: () => this.#follow(command),
    });
    const lifetime = expires ?? Math.min(this.#options.expires, timeout ?? Infinity);
    const obstacle = this.#mistake(command, lifetime, timeout) ?? this.#link.obstacle() ?? this.#inFlight.obstacle(command);
    if (obstacle) {
      command.reject(unsent(obstacle));
      return command;
    }
    this.#inFlight.add(command);
    this.#held.push({ command, expires: lifetime, timeout });
    this.#release();
    if (command.state === "sent") this.#follow(command);
    return command;
  }

  /**
   * Listens to an event; see the class for what there is.
   * @param {string} type
   * @param {(detail: *) => void} listener
   * @returns {() => void} stops listening
   */
  on(type, listener) {
    const handle = (event) => this.#guard(listener, event.detail, type);
    this.addEventListener(type, handle);
    return () => this.removeEventListener(type, handle);
  }

  #mistake({ consumer, commandString, commandId }, expires, timeout) {
    if (typeof consumer !== "string" || consumer === "") return "name the actor, as a string that is not empty";
    if (typeof commandString !== "string") return "the command must be a string";
    if (typeof commandId !== "string" || commandId === "") return "the command id must be a string that is not empty";
    if ([consumer, commandString, commandId].some((text) => LONE_SURROGATE.test(text))) return "a half of a character (a lone surrogate) is in it, which UTF-8 cannot say";
    if (this.#inFlight.activeCount >= this.#options.maxActive) return `${this.#inFlight.activeCount} commands are running already; a timeout lets go of those that nobody answers`;
    if (timeout !== undefined && !isTime(timeout)) return "the timeout must be a number of ms above 0";
    if (!isTime(expires) || expires > MAX_EXPIRES) return "the time after which it expires must be a number of ms above 0, and at most an hour";
    return null;
  }

  /** Sends the waiting commands, unless they still have to wait. */
  #release(anyway = false) {
    if (this.#held.length === 0) return;
    const greeting = this.protocol === null && Date.now() - this.#openedAt < GREETING;
    if (!anyway && (greeting || this.#session.clock.isAsked())) {
      this.#holding ??= setTimeout(() => this.#release(true), GREETING);
      return;
    }
    clearTimeout(this.#holding);
    this.#holding = null;
    for (const held of this.#held.splice(0)) this.#dispatch(held);
  }

  #dispatch({ command, expires, timeout }) {
    const { consumer, commandString, commandId } = command;
    const elapsed = Math.max(0, command.elapsed);
    const obstacle = elapsed >= expires ? `it expired after it had waited here for ${elapsed / 1_000} s` : this.#link.obstacle();
    if (obstacle) {
      command.reject(unsent(obstacle));
      return;
    }
    const expiresAt = this.#session.clock.secondsIn(expires - elapsed);
    try {
      this.#inFlight.sent(command);
      this.#session.followCommands();
      this.#link.send(JSON.stringify({ consumer, command_string: commandString, command_id: commandId, expires_at: expiresAt }));
    } catch (error) {
      command.reject(`The command was not sent: ${error.message}`);
      return;
    }
    if (timeout !== undefined && command.active) {
      command.limit(Math.min(MAX_TIME, timeout + (expiresAt === undefined ? 0 : expires) - elapsed));
    }
  }

  /** Puts a command where its state belongs, and tells of it. */
  #follow(command) {
    this.#inFlight.place(command);
    this.#emit("command", command);
  }

  #opened() {
    this.#openedAt = Date.now();
    this.#session.opened();
    this.#opening?.resolve(this);
    this.#opening = null;
    this.#emit("open", { url: this.url });
  }

  #lost(detail) {
    this.#session.lost(this.#link.lastHeard);
    this.#inFlight.disconnected();
    clearTimeout(this.#holding);
    this.#holding = null;
    for (const { command } of this.#held.splice(0)) command.reject(unsent("the connection was lost before it could go"));
    for (const command of this.commands) command.lose("connection lost; the actor may still be executing it");
    if (detail.retryAt === null) {
      this.#opening?.reject(new Error(detail.reason));
      this.#opening = null;
    }
    this.#emit("close", detail);
  }

  #message(data) {
    if (typeof data !== "string") {
      this.#emit("error", { message: "A binary frame came, and was ignored: replies are text.", cause: null });
      return;
    }
    if (data === "pong") return;  // to a probe
    let reply = null;
    let message;
    try {
      message = parseJSON(data, this.#options.bigint);
      if (!isMessage(message)) reply = readReply(message, data.length);
    } catch (error) {
      this.#emit("error", { message: `A frame that is no envelope was ignored: ${data.slice(0, 200)}`, cause: error });
      return;
    }
    if (reply === null && !this.#session.message(message)) reply = readReply(message, data.length);
    if (reply !== null) this.#session.reply(reply);
    this.#release();
  }

  /** The command that a reply answers, or null. A refusal by a bridge that speaks no v1 comes to its sender alone, and names no commander. */
  #commandOf(reply) {
    if (!reply.refused) return this.#inFlight.answered(reply);
    return this.protocol === "v1" ? null : this.#inFlight.get(reply.commandId) ?? null;
  }

  #take(reply) {
    const command = this.#commandOf(reply);
    if (command) this.#inFlight.take(command, reply);
    else if (reply.refused && reply.commandId === null) {
      this.#emit("error", { message: `The bridge refused a message: ${reply.text ?? "no reason given"}`, cause: reply });
    } else if (this.protocol === "plain") this.#inFlight.overhear(reply);
  }

  /** The bridge's error about a command. @returns {boolean} whether it is one of this client's */
  #refused({ command_id: id, code, message }) {
    const command = this.#inFlight.get(id);
    if (code === "expired") this.#session.clock.ask();  // the local clock may be wrong
    if (NOT_SENT.has(code)) command?.reject(message, code);
    else if (code === "returned") command?.fail(message, code);
    else command?.lose(message, code);
    return command !== undefined;
  }

  /** A listener that throws must not stop the others, nor the replies. */
  #guard(listener, detail, type) {
    try {
      listener(detail);
    } catch (error) {
      if (type === "error") console.error(error);
      else this.#emit("error", { message: `A listener failed: ${error?.message ?? error}`, cause: error });
    }
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const unsent = (why) => `The command was not sent, nor will it be later: ${why}.`;

const isTime = (ms) => typeof ms === "number" && ms > 0 && ms <= MAX_TIME;

const LONE_SURROGATE = /\p{Surrogate}/u;
