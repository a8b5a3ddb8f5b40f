/**
 * Rooms: messages of other programs, see docs/protocol.md. They have no envelope, so each room has a connection of its own, on
 * which nothing else comes. What is sent while that is not connected is lost, and told.
 */

import { guard } from "./errors.js";
import { BROKER_DELAY } from "./gaps.js";
import { parseJSON } from "./json.js";
import { Link, NoAttempt } from "./link.js";

const REVOKED = 3003;
const EXPIRED = 3000;

/** ms after which a connection has shown that its credential was good. */
const LASTED = 5_000;

export class Rooms {
  #clu;
  #options;

  /** @param {import("./index.js").Clu} clu @param {import("./clu.js").CluOptions} options */
  constructor(clu, options) {
    this.#clu = clu;
    this.#options = options;
  }

  /** Publishes any JSON value to a room. @param {string} path @param {*} body @returns {Promise<void>} */
  publish(path, body) { return this.#clu.publish(path, body); }

  /**
   * Connects to a room, and stays connected until its `close`, or that of the client.
   * @param {string} path  such as "/live/x"
   * @param {(body: *, data: string|Blob|ArrayBuffer) => void} onMessage  the message as JSON, else as text, and as it came
   * @param {{onGap?: (gap: {from: Date, to: Date}) => void, onEnd?: (reason: string, code: number) => void}} [options]
   * @returns {Room}
   */
  subscribe(path, onMessage, options = {}) {
    if (typeof path !== "string" || !path.startsWith("/") || path === "/") throw new TypeError("the path of a room begins with / and names something: /live/x");
    if (typeof onMessage !== "function") throw new TypeError("subscribe(path, onMessage) takes a function for the messages of the room");
    return new Room(this.#clu, path, onMessage, options, this.#options);
  }
}

export class Room {
  #link;
  #lostAt = null;
  #openedAt = 0;
  #unhook;

  constructor(clu, path, onMessage, { onGap, onEnd }, { token, bigint, ...options }) {
    /** @type {string} */ this.path = path;
    const url = new URL(clu.url);
    url.search = "";
    url.pathname = url.pathname.replace(/\/[^/]*$/, "") + path;
    let ticket = null;
    const prepare = async () => {
      const credential = await ask(token);
      ticket = credential?.ticket ?? null;
      return { protocols: typeof credential === "string" && credential !== "" ? ["clu", `bearer.${credential}`] : [] };
    };
    const target = () => ticket === null ? url.href : `${url.href}?ticket=${encodeURIComponent(ticket)}`;
    const call = (listener, ...details) => listener && guard(clu, listener, ...details);
    this.#link = new Link(url.href, {
      open: () => {
        const lostAt = this.#lostAt;
        this.#lostAt = null;
        this.#openedAt = Date.now();
        this.#link.greeted();
        if (lostAt !== null) call(onGap, { from: new Date(lostAt - BROKER_DELAY), to: new Date() });
      },
      login: () => {},
      message: (data) => call(onMessage, read(data, bigint), data),
      closed: ({ code, reason, wasOpen, retryAt }) => {
        if (wasOpen) this.#lostAt = this.#link.lastHeard;
        if (retryAt === null) { this.#unhook(); call(onEnd, reason, code); }
      },
      state: () => {},
    }, {
      ...options, target, ...(token ? { prepare } : {}),
      // A credential that has expired is asked for anew; one that is refused at once is not.
      isFinal: ({ code }) => code === REVOKED || (code === EXPIRED && (!token || Date.now() - this.#openedAt < LASTED)),
    });
    this.#unhook = clu.onClose(() => this.close());
    this.#link.start();
  }

  /** @returns {"connecting"|"open"|"closed"} "closed" also while waiting for the next attempt */
  get state() { return this.#link.state; }

  /** Leaves the room. */
  close() { this.#link.stop(); }
}

/** Asks the page for a credential. */
async function ask(token) {
  try {
    return await token();
  } catch (error) {
    throw new NoAttempt(`there is no token: ${error?.message ?? error}`);
  }
}

function read(data, bigint) {
  if (typeof data !== "string") return data;
  try {
    return parseJSON(data, bigint);
  } catch {
    return data;
  }
}
