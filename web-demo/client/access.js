/**
 * Who a client is: the credential for each attempt to connect, what the bridge says about it, and its renewal.
 *
 *     prepare ──> token() ──> subprotocol `bearer.<token>`  ──> hello: name, grants, expiry ──> `expiring` ──> token() ──> auth
 *        ^            └─────> or the message `auth`                  │
 *        │                                                           v
 *        └── whoami says why an attempt failed <── refused   3000 expired: once more   3003 revoked, 401, 403: `unauthorized`
 *
 * A browser cannot see why a handshake failed, so after a failed one the bridge is asked at /whoami. Where the bridge says
 * no, no attempt follows until the page calls `connect`, since the same credential would be refused for ever.
 */

import { Grants } from "./grants.js";
import { NoAttempt } from "./link.js";

/** The id of the request that shows a credential. */
const AUTH = "clu.js: auth";

/** What a subprotocol may consist of (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Close codes of the bridge. */
const EXPIRED = 3000;
const REVOKED = 3003;
const AUTH_LATE = 3008;
const TRY_LATER = 1013;

/** Error codes of a credential that was not decided on. */
const NOT_DECIDED = new Set(["undecided", "rate"]);

/** A connection that lasted this long, ms, was good: if it then expires, a new token is worth an attempt. */
const LASTED = 5_000;

/** ms by which two clocks may differ and count as equal: messages take time to arrive. */
const CLOCK_TOLERANCE = 2_000;

/** ms that the bridge may take to say why an attempt failed, and for which the next attempt waits for that. */
const WHOAMI_TIMEOUT = 5_000;
const WHOAMI_WAIT = 1_000;

/** Share of the time left after which a failed renewal is tried again, and the shortest such time, ms. */
const RENEW_SHARE = 1 / 3;
const RENEW_LEAST = 2_000;

/** @typedef {string|{ticket: string}|null|undefined} Credential  a token, a ticket that is valid once, or none */

/** @typedef {{name: string, source: string|null, grants: object, expires: Date|null}} Identity */

export class Access {
  #options;
  #port;
  #url;
  #wire = null;          // what the bridge last said
  #grants = null;
  #token = null;         // the text of the last credential that was used
  #isTicket = false;
  #byMessage = false;    // this attempt shows its credential by a message
  #ahead = 0;            // ms by which the clock here is ahead of the bridge's
  #admittedAt = null;    // when the bridge greeted this connection, ms
  #loggingIn = false;    // the message with the credential has no answer yet
  #asking = null;        // a promise of why the last attempt failed
  #retried = false;      // a new token was asked for after the bridge closed a connection
  #verdict = null;       // why no attempt follows
  #said = "";            // why the bridge refused the last credential, for an attempt that has none
  #renewal = null;       // {resolve, reject} of the renewal that waits for its answer
  #timer = null;         // repeats a failed renewal

  /**
   * @param {string} url  of the WebSocket
   * @param {{send: (text: string) => void, emit: (type: string, detail: object) => void, refresh: () => void, greeted: () => void, admit: () => void,
   *   abandon: (code: number, reason: string) => void, giveUp: (code: number, reason: string) => void}} port  what it needs of its client
   * @param {{token?: () => Credential|Promise<Credential>, tokenBy?: "subprotocol"|"message", fetch?: typeof fetch}} options
   */
  constructor(url, port, { token, tokenBy = "subprotocol", fetch = globalThis.fetch?.bind(globalThis) }) {
    if (token !== undefined && typeof token !== "function") throw new TypeError("the option token is a function that returns a token, or a promise of one");
    if (!["subprotocol", "message"].includes(tokenBy)) throw new TypeError('the option tokenBy is "subprotocol" or "message"');
    this.#url = url;
    this.#port = port;
    this.#options = { token, tokenBy, fetch };
    /** Who this client is; null if the bridge has no access control, and before it has said so. @type {Identity|null} */
    this.identity = null;
  }

  /** Why no attempt follows. @type {{status: number, code: string|null, reason: string}|null} */
  get verdict() { return this.#verdict; }

  /** Whether this connection shows a credential, so that the server must be a bridge. */
  get shows() { return this.#token !== null; }

  /** Returns why an action is not granted, or null. */
  refusal(action) {
    const open = this.#grants === null && this.#admittedAt !== null;
    if (open && action.publish !== undefined) return "no client may publish to a room unless the bridge knows who its clients are";
    return this.#grants?.refusal(action) ?? null;
  }

  /** Handles that the page has disconnected: what was known of the last attempt does not concern the next `connect`. */
  stopped() {
    this.#asking = null;
    this.#retried = false;
    this.#said = "";
    this.#ended();
  }

  /** Ends what belongs to a connection. */
  #ended() {
    clearTimeout(this.#timer);
    this.#admittedAt = null;
    this.#renewal?.reject(new Error("the connection was lost"));
    this.#renewal = null;
  }

  /** Prepares an attempt to connect, see Link. @returns {Promise<{protocols: string[], login: boolean}>|null} */
  prepare() {
    this.#verdict = null;
    this.#admittedAt = null;
    this.#loggingIn = false;
    return this.#asking || this.#options.token ? this.#prepare() : null;
  }

  async #prepare() {
    const answer = await this.#answer();
    if (answer) this.#heed(answer);
    this.#token = await this.#ask();
    this.#byMessage = this.#token !== null && (this.#isTicket || this.#options.tokenBy === "message" || !TOKEN.test(this.#token));
    if (this.#token === null || this.#byMessage) return { protocols: [], login: this.#byMessage };
    return { protocols: ["clu-ws.v1", `bearer.${this.#token}`], login: false };
  }

  /** Returns why the last attempt failed, or null; one that comes late is for the attempt after the next. */
  async #answer() {
    const asking = this.#asking;
    if (asking === null) return null;
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, WHOAMI_WAIT); });
    const answer = await Promise.race([asking, late]);
    clearTimeout(timer);
    if (answer !== undefined && this.#asking === asking) this.#asking = null;
    return answer ?? null;
  }

  /** Heeds the reason of a failed attempt. @throws {NoAttempt} */
  #heed({ status, code, reason, retryAfter }) {
    // A credential in a message was not shown to /whoami, so a 401 does not concern it.
    if (status === 403 || (status === 401 && !this.#byMessage)) {
      this.#conclude(status, code, reason);
      throw new NoAttempt(reason, { final: true });
    }
    if (retryAfter > 0) throw new NoAttempt(reason, { wait: retryAfter });
  }

  /** Asks the page for a credential, and returns its text, or null. */
  async #ask() {
    if (!this.#options.token) return null;
    let token;
    try {
      token = await this.#options.token();
    } catch (error) {
      throw new NoAttempt(`there is no token: ${error?.message ?? error}`);
    }
    if (token === null || token === undefined || token === "") return null;
    this.#isTicket = token.ticket !== undefined;
    const text = this.#isTicket ? token.ticket : token;
    if (typeof text !== "string") throw new NoAttempt("the option token must return a text, {ticket}, null, or a promise of one of these", { final: true });
    return text;
  }

  /** Shows the credential on a socket that has just opened. The answer admits this client, since an anonymous one gets a hello, too. */
  login() {
    this.#loggingIn = true;
    this.#show();
  }

  #show() {
    this.#port.send(JSON.stringify({ op: "auth", id: AUTH, [this.#isTicket ? "ticket" : "token"]: this.#token }));
  }

  /** Handles the end of a connection or an attempt. @returns {boolean} whether no attempt follows */
  closed({ code, reason, wasOpen }) {
    if (this.#admittedAt !== null && Date.now() - this.#admittedAt >= LASTED) this.#retried = false;
    this.#ended();
    const refused = code === EXPIRED || code === REVOKED || code === AUTH_LATE;
    if (!refused) {
      if (!wasOpen && this.#options.fetch) this.#asking = this.whoami();
      return false;
    }
    this.#said = reason;
    if (code !== REVOKED && this.#options.token && !this.#retried) {
      this.#retried = true;
      return false;
    }
    this.#conclude(code, code === REVOKED ? "revoked" : "unauthorized", reason || "the bridge asks for a new login");
    return true;
  }

  /** Notes why no attempt follows. One that the page begins is a new one. */
  #conclude(status, code, reason) {
    this.#verdict = { status, code, reason };
    this.#retried = false;
  }

  /** Handles a hello. @returns {boolean} false if it only asks for a login */
  hello(message) {
    if (message.auth === "required" && message.access === undefined) {
      if (!this.#byMessage) {
        this.#conclude(401, "required", this.#said || "this bridge asks for a login");
        this.#port.giveUp(EXPIRED, this.#verdict.reason);
      }
      return false;
    }
    this.#admittedAt = Date.now();
    const ahead = Date.now() - Date.parse(message.time ?? "");
    this.#ahead = Math.abs(ahead) > CLOCK_TOLERANCE ? ahead : 0;  // false for NaN
    this.#set(message.access ?? null, null);
    if (!this.#loggingIn) this.#admit();
    return true;
  }

  /** Handles a message of the bridge. @returns {boolean} whether it was about access */
  message(message) {
    if (message.op === "access") {
      if (message.expires_in !== undefined) this.#expiring(message.expires_in);
      if (message.renewed === false) this.#port.emit("error", { message: `The login was not renewed: ${message.message}`, cause: message });
      const { name = this.#wire?.name, grants = this.#wire?.grants, expires = this.#wire?.expires, changed = null } = message;
      if (message.grants !== undefined || message.name !== undefined || changed) this.#set({ ...this.#wire, name, grants, expires }, changed);
      return true;
    }
    if (message.id !== AUTH || (message.op !== "ok" && message.op !== "error")) return false;
    if (message.op === "ok") this.#renewed(message);
    else this.#refused(message);
    return true;
  }

  #admit() {
    this.#loggingIn = false;
    this.#said = "";
    this.#asking = null;
    this.#port.admit();
    this.#port.greeted();
  }

  /** Asks the page for a new token, and shows it to the bridge. @returns {Promise<void>} */
  async renew() {
    if (!this.#options.token) throw new Error("there is no option token to ask for a new token");
    const token = await this.#ask();
    if (this.#admittedAt === null) throw new Error("not connected to the bridge");
    const before = this.#token;
    if (token === null || token === before) throw new NoToken();
    this.#token = token;
    this.#renewal?.reject(new Error("another renewal has begun"));
    try {
      await new Promise((resolve, reject) => {
        this.#renewal = { resolve, reject };
        this.#show();
      });
    } catch (error) {
      if (this.#token === token) this.#token = before;  // the bridge goes on with that one
      throw error;
    }
  }

  /** Asks the bridge who this client is. @returns {Promise<{status: number, code: string|null, reason: string, retryAfter: number}|null>} */
  async whoami() {
    try {
      const url = new URL("whoami", this.#url);
      url.protocol = url.protocol.replace(/^ws/, "http");
      const signature = url.searchParams.get("m");  // of a signed URL, which is bound to its path
      url.search = signature === null ? "" : new URLSearchParams({ path: new URL(this.#url).pathname, m: signature });
      const headers = this.#token !== null && !this.#byMessage ? { Authorization: `Bearer ${this.#token}` } : {};
      const { fetch } = this.#options;
      const signal = AbortSignal.timeout(WHOAMI_TIMEOUT);
      const request = (credentials) => fetch(url.href, { headers, cache: "no-store", credentials, redirect: "manual", signal });
      // Pages of origins that are not allowed may read only an answer to a request without cookies.
      const response = await (headers.Authorization ? request("same-origin") : request("include").catch(() => request("omit")));
      if (response.type === "opaqueredirect") return { status: 401, code: "redirect", reason: "the server in front of the bridge asks for a login: load the page again", retryAfter: 0 };
      const body = await response.json().catch(() => null);
      return {
        ...body, status: response.status, code: body?.code ?? null,
        reason: body?.error ?? body?.reason ?? `the bridge answers with the status ${response.status}`,
        retryAfter: Number(response.headers.get("Retry-After") ?? 0) * 1_000 || 0,
      };
    } catch {
      return null;  // it cannot be reached
    }
  }

  #set(wire, changed) {
    const { name = "", source = null, grants = {}, expires = null } = wire ?? {};
    const had = this.#wire !== null;
    const hearsOther = had && wire !== null && hearing(this.#wire) !== hearing(wire);
    this.#wire = wire;
    this.#grants = wire && this.#read(grants);
    this.identity = wire && { name, source, grants, expires: readTime(expires, this.#ahead) };
    if (hearsOther) this.#port.refresh();
    if (had || wire) this.#port.emit("access", { access: this.identity, changed });
  }

  /** Reads grants. Those of a later version that are not understood only cost the page its foresight: the bridge decides. */
  #read(grants) {
    try {
      return new Grants(grants);
    } catch (error) {
      this.#port.emit("error", { message: `What this page may do is not understood: ${error.message}`, cause: error });
      return null;
    }
  }

  #expiring(seconds) {
    const expires = Date.now() + seconds * 1_000;
    this.identity &&= { ...this.identity, expires: new Date(expires) };  // a reload may have changed it
    this.#port.emit("expiring", { expiresIn: seconds * 1_000, expires: new Date(expires) });
    if (this.#options.token) this.#tryRenewal(expires);
  }

  #tryRenewal(expires) {
    this.renew().catch((error) => {
      if (this.#admittedAt === null || error instanceof NoToken) return;  // the page has been told that its login expires
      this.#port.emit("error", { message: `The login was not renewed: ${error.message}`, cause: error });
      const left = expires - Date.now();
      clearTimeout(this.#timer);
      if (left > RENEW_LEAST) this.#timer = setTimeout(() => this.#tryRenewal(expires), Math.max(RENEW_LEAST, left * RENEW_SHARE));
    });
  }

  #renewed(message) {
    const { access } = message;
    if (this.#loggingIn) this.#admit();
    if (access) this.#set(access, message.changed ?? null);
    this.#renewal?.resolve();
    this.#renewal = null;
  }

  #refused({ code, message: reason }) {
    if (this.#loggingIn) this.#port.abandon(NOT_DECIDED.has(code) ? TRY_LATER : EXPIRED, reason);
    this.#renewal?.reject(new Error(reason));
    this.#renewal = null;
  }
}

/** What selects the replies that a client hears, as a text to compare. */
const hearing = ({ grants = {} }) => JSON.stringify([grants.hear, grants.hide]);

/** The page has no new credential. */
class NoToken extends Error {
  constructor() {
    super("the option token returned no new one");
  }
}

/** Converts a time of the bridge, an ISO text, to the clock here. */
function readTime(text, ahead) {
  const time = new Date(Date.parse(text ?? "") + ahead);
  return Number.isNaN(time.getTime()) ? null : time;
}
