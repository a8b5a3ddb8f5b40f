/**
 * A WebSocket that reconnects. It handles sockets and time, and knows nothing of CLU.
 *
 * A lost connection is dialled again after a random wait that grows from 0.2 s to 10 s, and at once when the browser
 * reports that the network or the page is back.
 *
 * A dead socket stays "open" in a browser for minutes: pages neither see pings nor send them. So an event that may have
 * broken the connection (the network changed, the computer slept) makes the socket suspect, and it is closed unless
 * something is received soon. With the `probe` option, for a bridge that answers "ping" with "pong", or after
 * `probeWith`, silence makes it suspect too. A socket that accepts no data for some seconds is closed.
 *
 * A bridge that stands still is not closed so soon. With the option `pulse` it is asked for a sign of life much earlier,
 * and `silence` says for how long none has come, so that a page can say that what it shows is old.
 */

/** Close codes after which reconnecting soon cannot help: policy, full, not authorised, forbidden. */
const TRY_LATER = new Set([1008, 1013, 4401, 4403]);

/** Whether the bridge has closed a connection because this page read too slowly. It will ask for less on the next one. */
export function isTooSlow({ code, reason }) {
  return code === 1008 && reason.startsWith("too slow");
}

/** Why an attempt to connect was not made. */
export class NoAttempt extends Error {
  /**
   * @param {string} reason
   * @param {{final?: boolean, wait?: number}} [then]  `final`: no attempt follows; `wait`: shortest ms to the next one
   */
  constructor(reason, { final = false, wait = 0 } = {}) {
    super(reason);
    this.final = final;
    this.wait = wait;
  }
}

const OPEN = 1;  // WebSocket.OPEN
const TICK = 1_000;
const SLEPT = 90_000;  // browsers run the timers of a hidden page once a minute
const STALLED_TICKS = 5;

/** Defaults of the options, times in ms. */
export const LINK_DEFAULTS = Object.freeze({
  minDelay: 200,
  maxDelay: 10_000,
  stableAfter: 5_000,     // a connection that was greeted and lasted this long resets the waits
  connectTimeout: 10_000,
  grace: 4_000,           // how long a suspect socket has until it is closed
  probe: null,            // "ping", for a server that may answer it with "pong"
  probeAfter: 15_000,
  pulse: Infinity,        // silence after which a server that answers probes is asked for a sign of life
});

/** ms within which a server answers that is well. */
const PROMPT = 1_000;

/** ms between two ticks of a page that stood still: it was stopped, or had no CPU. */
const STOOD = 3_000;

/**
 * Returns the wait before a new attempt, in ms: random between `minDelay` and a bound that doubles with each attempt up
 * to `maxDelay`, so that many pages do not reconnect at the same moment.
 */
export function backoff(attempt, { minDelay, maxDelay }, random = Math.random) {
  const bound = Math.min(maxDelay, 3 * minDelay * 2 ** attempt);
  return minDelay + random() * (bound - minDelay);
}

export class Link {
  #on;
  #options;
  #socket = null;
  #wanted = false;
  #attempt = null;          // identifies the attempt that is being prepared
  #greeted = false;         // the server has answered on this connection: the handshake alone proves little
  #openedAt = 0;
  #lastTick = 0;
  #stalledTicks = 0;
  #suspicion = null;
  #probe;                   // the text that probes the connection; null for none
  #probeAnswered = false;   // the server answers probes, so that silence means something
  #probedAt = 0;
  #askedAt = null;          // when the server was asked for something; null once anything came
  #timers = { dial: null, retry: null, tick: null, grace: null };
  #unlisten = () => {};

  /**
   * @param {string} url  ws:// or wss://
   * @param {{open: Function, login: Function, message: Function, closed: Function, state: Function}} on  `login`: the
   *   socket takes the message that lets this page in
   * @param {object} options  see LINK_DEFAULTS; `target` returns the URL for each attempt, in place of `url`; `prepare`
   *   returns null, or a promise of `{protocols, login}` for the attempt, which rejects with a {@link NoAttempt};
   *   `isFinal` reports whether no attempt follows a close; also `WebSocket`, `random`, `window` and `document`, for tests
   */
  constructor(url, on, options = {}) {
    this.url = url;
    this.#on = on;
    this.#options = {
      WebSocket: globalThis.WebSocket, random: Math.random, window: globalThis.window, document: globalThis.document,
      ...LINK_DEFAULTS, target: () => this.url, prepare: () => null, isFinal: () => false, ...options,
    };
    this.#probe = this.#options.probe;
    /** @type {"connecting"|"open"|"closed"} */ this.state = "closed";
    /** When the next attempt is due, ms since 1970. @type {number|null} */ this.retryAt = null;
    /** Attempts since the last stable connection. */ this.attempts = 0;
    /** When something was last received, ms since 1970; 0 for never. */ this.lastHeard = 0;
  }

  /** Connects, and stays connected until `stop`. */
  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.attempts = 0;
    this.#listen();
    this.#dial();
  }

  stop() {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#unlisten();
    this.#drop(1000, "closed by this page");
  }

  /**
   * Returns why a message cannot be sent now, or null. A message on a socket that may be dead could arrive much later,
   * so that counts as well.
   */
  unusable() {
    if (this.state !== "open" || this.#socket?.readyState !== OPEN) return "not connected to the bridge";
    if (this.#suspicion?.blocksSending) return `the connection is being checked, because ${this.#suspicion.why}`;
    if (this.#stalledTicks > 1 && this.#socket.bufferedAmount > 0) return "the connection accepts no data";
    return null;
  }

  /** ms since anything was received, if the server owes an answer, or this page stood still and has not asked yet; else 0. */
  get silence() {
    if (this.state !== "open") return 0;
    const now = Date.now();
    const owed = this.#askedAt !== null && now - this.#askedAt >= PROMPT;
    return owed || (this.#probeAnswered && this.#options.pulse < Infinity && this.#stood(now)) ? Math.max(0, now - this.lastHeard) : 0;
  }

  /** Whether this page stood still until now. The timers of a hidden page are late, and nobody looks at it. */
  #stood(now) {
    return now - this.#lastTick > STOOD && this.#options.document?.visibilityState !== "hidden";
  }

  /** Whether the socket takes texts. */
  get isUp() { return this.#socket?.readyState === OPEN; }

  /** Sends a text. Check `unusable` first. One for a socket that is closing is dropped: its end is told in a moment. */
  send(text) {
    if (!this.isUp) return;
    if (this.#socket.bufferedAmount === 0) this.#stalledTicks = 0;  // it has taken what the last tick found
    this.#socket.send(text);
  }

  /** Sets a text that the server of this connection answers: from now on its silence makes the socket suspect. */
  probeWith(text) {
    this.#probe = text;
    this.#probeAnswered = true;
  }

  /** Notes that the server has greeted this page, so that the next attempts are not made ever more slowly. */
  greeted() {
    this.#greeted = true;
  }

  /** Opens a connection whose server has let this page in by a message. */
  admit() {
    if (this.state === "connecting" && this.#socket?.readyState === OPEN) this.#opened();
  }

  /** Closes the connection, as if the server had. */
  abandon(code, reason) {
    this.#drop(code, reason);
  }

  /** Closes the connection. No attempt follows until `start`. */
  giveUp(code, reason) {
    this.#wanted = false;
    this.#unlisten();
    this.#drop(code, reason);
  }

  #dial() {
    clearTimeout(this.#timers.retry);
    this.retryAt = null;
    const prepared = this.#options.prepare();
    if (prepared === null) {
      this.#connect({});
      return;
    }
    const attempt = this.#attempt = {};
    this.#setState("connecting", "");
    prepared.then(
      (how) => { if (this.#attempt === attempt) this.#connect(how); },
      (error) => { if (this.#attempt === attempt) this.#notAttempted(error); });
  }

  /** Handles an attempt that was not made. */
  #notAttempted({ message, final = false, wait = 0 }) {
    if (final) this.giveUp(1006, message);
    else this.#closed(1006, message, wait);
  }

  /** Makes an attempt. @param {{protocols?: string[], login?: boolean}} how  `login`: it is open only after `admit` */
  #connect({ protocols = [], login = false }) {
    this.#attempt = null;
    const { WebSocket, connectTimeout, target } = this.#options;
    let socket;
    try {
      socket = protocols.length > 0 ? new WebSocket(target(), protocols) : new WebSocket(target());
    } catch (error) {  // a URL or a page that can never connect: another attempt would fail too
      this.giveUp(1006, `the browser refuses ${this.url}: ${error.message}`);
      return;
    }
    this.#socket = socket;
    this.#timers.dial = setTimeout(() => this.#drop(1006, `no answer within ${connectTimeout / 1000} s`), connectTimeout);
    socket.onopen = login ? () => this.#on.login() : () => this.#opened();
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#closed(event.code ?? 1006, event.reason || "");
    // A close event follows, except in node 20, if the handshake was refused.
    socket.onerror = () => { if (this.#socket === socket && this.state === "connecting" && socket.readyState !== OPEN) this.#closed(1006, ""); };
    this.#setState("connecting", "");
  }

  #opened() {
    clearTimeout(this.#timers.dial);
    this.#openedAt = this.#lastTick = this.lastHeard = Date.now();
    this.#timers.tick = setInterval(() => this.#tick(), TICK);
    const socket = this.#socket;
    this.#setState("open", "");
    if (this.#socket === socket) this.#on.open();  // a listener may have closed it
  }

  #received(data) {
    this.lastHeard = Date.now();
    this.#askedAt = null;
    this.#probeAnswered ||= data === "pong";
    this.#clearSuspicion();
    this.#on.message(data);
  }

  /** Closes a socket without waiting for its close event, which browsers may delay by a minute. */
  #drop(code, reason) {
    const socket = this.#socket;
    this.#closed(code, reason);
    try {
      socket?.close();
    } catch { /* it is gone */ }
  }

  /** @param {number} [least]  shortest wait before the next attempt, ms */
  #closed(code, reason, least = 0) {
    const socket = this.#socket;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;  // onerror stays: without it, the package ws throws
    this.#socket = this.#attempt = null;
    clearTimeout(this.#timers.dial);
    clearTimeout(this.#timers.retry);
    clearInterval(this.#timers.tick);
    this.#clearSuspicion();
    this.#stalledTicks = 0;
    this.#askedAt = null;
    this.#probe = this.#options.probe;  // the next connection may lead to another server
    this.#probeAnswered = false;

    const wasOpen = this.state === "open";
    if (wasOpen && this.#greeted && Date.now() - this.#openedAt >= this.#options.stableAfter) this.attempts = 0;
    this.#greeted = false;
    this.retryAt = null;
    if (this.#wanted && socket && this.#options.isFinal({ code, reason, wasOpen })) {
      this.#wanted = false;
      this.#unlisten();
    }
    if (this.#wanted) {
      const { maxDelay, random } = this.#options;
      const wait = Math.max(least, TRY_LATER.has(code) && !isTooSlow({ code, reason })
        ? maxDelay * (0.5 + random() / 2)
        : backoff(this.attempts, this.#options, random));
      this.attempts += 1;
      this.retryAt = Date.now() + wait;
      this.#timers.retry = setTimeout(() => this.#dial(), wait);
    }
    this.#setState("closed", reason);
    this.#on.closed({ code, reason, wasOpen, retryAt: this.#wanted ? this.retryAt ?? Date.now() : null });  // a listener may have begun an attempt
  }

  #setState(state, reason) {
    this.state = state;
    this.#on.state({ state, reason, retryAt: this.retryAt, attempts: this.attempts });
  }

  #tick() {
    const now = Date.now();
    if (now < this.#lastTick) this.#setBack(now);
    const late = now - this.#lastTick - TICK;
    const since = this.#stood(now) ? this.#lastTick : now;  // what is read after a standstill may be as old
    this.#lastTick = now;
    this.#stalledTicks = this.#socket.bufferedAmount > 0 ? this.#stalledTicks + 1 : 0;  // before this tick sends
    if (this.#probeAnswered && this.#askedAt === null && now - this.lastHeard >= this.#options.pulse) this.#ask(since);
    if (late > SLEPT) this.#suspect("the computer slept");
    this.#probeSilence(now);
    if (this.#stalledTicks >= STALLED_TICKS) this.#drop(1006, `the connection accepted no data for ${STALLED_TICKS} s`);
  }

  /** The computer's clock was set back: what is in its future now would never be long ago. */
  #setBack(now) {
    this.#openedAt = Math.min(this.#openedAt, now);
    this.#probedAt = Math.min(this.#probedAt, now);
    this.lastHeard = Math.min(this.lastHeard, now);
    if (this.#askedAt !== null) this.#askedAt = Math.min(this.#askedAt, now);
  }

  /** Asks the server for a sign of life, which it owes since a time. */
  #ask(since) {
    if (this.#probeAnswered) this.#askedAt ??= since;
    this.send(this.#probe);
  }

  /** Sends a probe after a silence. A server that never answers probes, as CLU's own, is not suspected. */
  #probeSilence(now) {
    const { probeAfter } = this.#options;
    if (!this.#probe || now - Math.max(this.lastHeard, this.#probedAt) < probeAfter) return;
    this.#probedAt = now;
    if (this.#probeAnswered) this.#suspect("it was silent", false);
    else this.send(this.#probe);
  }

  /** Closes the socket soon unless something is received. `blocksSending`: nothing may be sent on it meanwhile. */
  #suspect(why, blocksSending = true) {
    if (this.state !== "open") return;
    if (this.#suspicion) {
      this.#suspicion.blocksSending ||= blocksSending;
      return;
    }
    this.#suspicion = { why, blocksSending };
    if (this.#probe) this.#ask(Date.now());
    this.#timers.grace = setTimeout(() => this.#drop(1006, `nothing was received after ${why}`), this.#options.grace);
  }

  #clearSuspicion() {
    this.#suspicion = null;
    clearTimeout(this.#timers.grace);
  }

  #listen() {
    const { window, document } = this.#options;
    const wake = () => { if (this.retryAt !== null) this.#dial(); };
    const listeners = [
      [window, "online", () => { wake(); this.#suspect("the network changed"); }],
      [window, "offline", () => this.#suspect("the network went away")],
      [window, "pageshow", ({ persisted }) => { wake(); if (persisted) this.#suspect("the page was kept aside"); }],
      [document, "resume", () => { wake(); this.#suspect("the page was frozen"); }],
      [document, "visibilitychange", () => { if (document.visibilityState !== "hidden") wake(); }],
    ];
    for (const [target, type, listener] of listeners) target?.addEventListener?.(type, listener);
    this.#unlisten = () => {
      for (const [target, type, listener] of listeners) target?.removeEventListener?.(type, listener);
    };
  }
}
