/**
 * A WebSocket that stays up: it knows sockets and time, and nothing of CLU.
 *
 * A lost connection is dialled again after a random wait that grows, from 0.2 s to 10 s, and at once when the browser says
 * that the network or the page is back.
 *
 * A dead socket stays "open" in a browser for minutes: it neither sees pings nor may it send them. What it can see is
 * taken as a suspicion (the network changed, the computer slept), and a socket that then hears nothing is given up. With
 * the `probe` option, for a bridge that answers "ping" with "pong", or once `probeWith` has told what the other side answers,
 * silence is a suspicion too. Data that the socket does not take for some seconds ends it.
 */

/** Codes after which trying again soon cannot help: policy, full, not authorised, forbidden. */
const TRY_LATER = new Set([1008, 1013, 4401, 4403]);

const OPEN = 1;  // WebSocket.OPEN
const TICK = 1_000;
const SLEPT = 90_000;  // browsers slow the timers of a hidden page down to one a minute
const STALLED_TICKS = 5;

/** Defaults of the options, times in ms. */
export const LINK_DEFAULTS = Object.freeze({
  minDelay: 200,
  maxDelay: 10_000,
  stableAfter: 5_000,     // a connection that lived so long starts the waits afresh
  connectTimeout: 10_000,
  grace: 4_000,           // how long a suspected socket has to say something
  probe: null,            // "ping", for a server that may answer it with "pong"
  probeAfter: 15_000,
});

/**
 * The wait before a new attempt, in ms: random between `minDelay` and a bound that doubles with each attempt up to
 * `maxDelay`, so that many pages do not come back at the same moment.
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
  #openedAt = 0;
  #lastTick = 0;
  #stalledTicks = 0;
  #suspicion = null;
  #probe;               // what is sent to be answered; null for nothing
  #answers = false;     // the server answers it, so that its silence means something
  #probedAt = 0;
  #timers = { dial: null, retry: null, tick: null, grace: null };
  #unlisten = () => {};

  /**
   * @param {string} url  ws:// or wss://
   * @param {{open: Function, message: Function, lost: Function, state: Function}} on
   * @param {object} options  see LINK_DEFAULTS; `target` gives the URL for each attempt, in place of `url`; also
   *   `WebSocket`, `random`, `window` and `document`, for tests
   */
  constructor(url, on, options = {}) {
    this.url = url;
    this.#on = on;
    this.#options = {
      WebSocket: globalThis.WebSocket, random: Math.random, window: globalThis.window, document: globalThis.document,
      ...LINK_DEFAULTS, target: () => this.url, ...options,
    };
    this.#probe = this.#options.probe;
    /** @type {"connecting"|"open"|"closed"} */ this.state = "closed";
    /** When the next attempt is due, ms since 1970. @type {number|null} */ this.retryAt = null;
    /** Attempts since the last good connection. */ this.attempts = 0;
    /** When something was last heard, ms since 1970; 0 for never. */ this.lastHeard = 0;
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
   * Why a message cannot be sent now, in words; null when it can. A message that is handed to a socket which may be dead
   * could arrive much later, so that is refused too.
   */
  obstacle() {
    if (this.state !== "open" || this.#socket?.readyState !== OPEN) return "not connected to the bridge";
    if (this.#suspicion?.grave) return `the connection is being checked, because ${this.#suspicion.why}`;
    if (this.#stalledTicks > 1) return "the connection takes no data";
    return null;
  }

  /** Sends a text. Ask `obstacle` first. */
  send(text) {
    this.#socket.send(text);
  }

  /** Tells what the server of this connection answers: from now on its silence is a suspicion. */
  probeWith(text) {
    this.#probe = text;
    this.#answers = true;
  }

  #dial() {
    clearTimeout(this.#timers.retry);
    this.retryAt = null;
    const { WebSocket, connectTimeout, target } = this.#options;
    let socket;
    try {
      socket = new WebSocket(target());
    } catch (error) {  // a URL or a page that can never connect: no use in trying again
      this.#wanted = false;
      this.#unlisten();
      this.#lost(1006, `the browser refuses ${this.url}: ${error.message}`);
      return;
    }
    this.#socket = socket;
    this.#timers.dial = setTimeout(() => this.#drop(1006, `no answer within ${connectTimeout / 1000} s`), connectTimeout);
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#heard(event.data);
    socket.onclose = (event) => this.#lost(event.code ?? 1006, event.reason || "");
    socket.onerror = () => {};  // says nothing, and a close always follows
    this.#become("connecting", "");
  }

  #opened() {
    clearTimeout(this.#timers.dial);
    this.#openedAt = this.#lastTick = this.lastHeard = Date.now();
    this.#timers.tick = setInterval(() => this.#tick(), TICK);
    this.#become("open", "");
    this.#on.open();
  }

  #heard(data) {
    this.lastHeard = Date.now();
    this.#answers ||= data === "pong";
    this.#acquit();
    this.#on.message(data);
  }

  /** Gives a socket up: browsers take up to a minute to report what is known here already. */
  #drop(code, reason) {
    const socket = this.#socket;
    this.#lost(code, reason);
    try {
      socket?.close();
    } catch { /* it is gone */ }
  }

  #lost(code, reason) {
    const socket = this.#socket;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    this.#socket = null;
    clearTimeout(this.#timers.dial);
    clearTimeout(this.#timers.retry);
    clearInterval(this.#timers.tick);
    this.#acquit();
    this.#stalledTicks = 0;
    this.#probe = this.#options.probe;  // the next connection may lead to another server
    this.#answers = false;

    const wasOpen = this.state === "open";
    if (wasOpen && Date.now() - this.#openedAt >= this.#options.stableAfter) this.attempts = 0;
    this.retryAt = null;
    if (this.#wanted) {
      const { maxDelay, random } = this.#options;
      const wait = TRY_LATER.has(code)
        ? maxDelay * (0.5 + random() / 2)
        : backoff(this.attempts, this.#options, random);
      this.attempts += 1;
      this.retryAt = Date.now() + wait;
      this.#timers.retry = setTimeout(() => this.#dial(), wait);
    }
    this.#become("closed", reason);
    this.#on.lost({ code, reason, wasOpen, retryAt: this.retryAt });
  }

  #become(state, reason) {
    this.state = state;
    this.#on.state({ state, reason, retryAt: this.retryAt, attempts: this.attempts });
  }

  #tick() {
    const now = Date.now();
    const late = now - this.#lastTick - TICK;
    this.#lastTick = now;
    if (late > SLEPT) this.#suspect("the computer slept");
    this.#listenFor(now);
    this.#stalledTicks = this.#socket.bufferedAmount > 0 ? this.#stalledTicks + 1 : 0;
    if (this.#stalledTicks >= STALLED_TICKS) this.#drop(1006, `the connection took no data for ${STALLED_TICKS} s`);
  }

  /** After a silence, asks whether somebody is there. One that never answers probes (CLU's own server) is not judged by it. */
  #listenFor(now) {
    const { probeAfter } = this.#options;
    if (!this.#probe || now - Math.max(this.lastHeard, this.#probedAt) < probeAfter) return;
    this.#probedAt = now;
    if (this.#answers) this.#suspect("nothing was heard", false);
    else this.send(this.#probe);
  }

  /** Gives the socket a short while to say something. `grave`: nothing may be sent on it meanwhile. */
  #suspect(why, grave = true) {
    if (this.state !== "open") return;
    if (this.#suspicion) {
      this.#suspicion.grave ||= grave;
      return;
    }
    this.#suspicion = { why, grave };
    if (this.#probe) this.send(this.#probe);
    this.#timers.grace = setTimeout(() => this.#drop(1006, `nothing heard after ${why}`), this.#options.grace);
  }

  #acquit() {
    this.#suspicion = null;
    clearTimeout(this.#timers.grace);
  }

  #listen() {
    const { window, document } = this.#options;
    const wake = () => { if (this.retryAt !== null) this.#dial(); };
    const heard = [
      [window, "online", () => { wake(); this.#suspect("the network changed"); }],
      [window, "offline", () => this.#suspect("the network went away")],
      [window, "pageshow", wake],
      [document, "resume", () => { wake(); this.#suspect("the page was frozen"); }],
      [document, "visibilitychange", () => { if (document.visibilityState !== "hidden") wake(); }],
    ];
    for (const [target, type, listener] of heard) target?.addEventListener?.(type, listener);
    this.#unlisten = () => {
      for (const [target, type, listener] of heard) target?.removeEventListener?.(type, listener);
    };
  }
}
