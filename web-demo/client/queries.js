/**
 * Requests that the bridge answers once: history, models, problems, the log, and messages for rooms.
 *
 * A bridge says in its hello what it can answer. What it cannot is rejected here at once, in a sentence that names what is
 * missing, and so is every request to CLU's own server, which answers none.
 */

import { readReply } from "./reply.js";

/** How many may wait for their answers: a bridge closes a connection on which 64 requests of all kinds do. */
const AT_ONCE = 16;

/** Why a request did not succeed. */
export class RequestError extends Error {
  /**
   * @param {string} message
   * @param {string|null} [code]  the bridge's error code, see docs/protocol.md; "unsupported" if this server has no such
   *   request
   */
  constructor(message, code = null) {
    super(message);
    this.name = "RequestError";
    this.code = code;
  }
}

/**
 * @typedef {object} Port
 * @property {(text: string) => void} send
 * @property {() => string|null} unusable               why nothing can be sent now
 * @property {() => string[]|null} capabilities         of the hello; null if the server is not known yet
 * @property {(reply: import("./reply.js").Reply) => void} date  sets a reply's `at`
 */

export class Queries {
  #port;
  #count = 0;
  #pending = new Map();  // id -> {resolve, reject, read, unsent, lost, capability}
  #waiting = new Map();  // id -> text of those that are sent once others are answered

  /** @param {Port} port */
  constructor(port) {
    this.#port = port;
  }

  publish(path, body) {
    return this.#request({ op: "publish", path, body }, () => undefined, {
      unsent: "The message was not sent and will not be sent later",
      lost: "unknown: the connection was lost before the bridge answered; the message may have been published",
    });
  }

  history(keywords, { from = "-1h", to = null, points } = {}) {
    return this.#ask("history", { op: "history", keywords, from: timeOf(from), to: timeOf(to), points }, (answer) => answer);
  }

  model(actor, { refresh } = {}) {
    return this.#ask("model", { op: "model", actor, refresh }, (answer) => answer);
  }

  problems() {
    return this.#ask("problems", { op: "problems" }, ({ problems = [], omitted = {} }) => ({ problems, omitted }));
  }

  acknowledge(actor, { seq, key, epoch }) {
    return this.#ask("problems", { op: "ack", actor, seq, key, epoch: epoch ?? undefined }, () => undefined);
  }

  log({ before, after, limit, filter, epoch } = {}) {
    return this.#ask("log", { op: "log", before, after, limit, filter, epoch }, (answer) => this.#readLog(answer));
  }

  everyCommand() {
    return this.#ask("commands", { op: "commands" }, ({ commands }) => commands ?? []);
  }

  site() {
    return this.#ask("site", { op: "site" }, (answer) => answer);
  }

  actors() {
    return this.#ask("actors", { op: "actors" }, ({ actors }) => actors ?? []);
  }

  /** Handles a message of the bridge. @returns {boolean} whether it answers one of these requests */
  message(answer) {
    const pending = this.#pending.get(answer.id);
    if (!pending) return false;
    this.#pending.delete(answer.id);
    this.#flush();
    try {
      if (answer.op === "error") pending.reject(new RequestError(answer.message, answer.code));
      else pending.resolve(pending.read(answer));
    } catch (error) {
      pending.reject(new RequestError(`the bridge's answer is not understood: ${error.message}`));
    }
    return true;
  }

  /** It is known now what the server can do. What it cannot is rejected: CLU's own server answers no request. */
  greeted(capabilities) {
    for (const [id, { capability, reject }] of this.#pending) {
      if (capability === undefined || capabilities.includes(capability)) continue;
      this.#pending.delete(id);
      this.#waiting.delete(id);
      reject(new RequestError(unsupported(capability, capabilities), "unsupported"));
    }
    this.#flush();
  }

  /** Rejects the requests without an answer: the connection is lost. */
  disconnected() {
    for (const [id, { reject, unsent, lost }] of this.#pending) {
      reject(new RequestError(this.#waiting.has(id) ? `${unsent}: the connection was lost before.` : lost));
    }
    this.#pending.clear();
    this.#waiting.clear();
  }

  #ask(capability, request, read) {
    const has = this.#port.capabilities();
    if (has !== null && !has.includes(capability)) return Promise.reject(new RequestError(unsupported(capability, has), "unsupported"));
    return this.#request(request, read, {
      capability,
      unsent: "The request was not sent",
      lost: "The connection was lost before the bridge answered; ask again once it is back",
    });
  }

  #request(request, read, { capability, unsent, lost }) {
    return new Promise((resolve, reject) => {
      const problem = this.#port.unusable();
      if (problem) throw new RequestError(`${unsent}: ${problem}.`);
      this.#count += 1;
      const id = `clu.js: ${request.op} ${this.#count}`;
      this.#waiting.set(id, JSON.stringify({ ...request, id }));
      this.#pending.set(id, { resolve, reject, read, unsent, lost, capability });
      this.#flush();
    });
  }

  #flush() {
    for (const [id, text] of this.#waiting) {
      if (this.#pending.size - this.#waiting.size >= AT_ONCE) return;
      this.#waiting.delete(id);
      this.#port.send(text);
    }
  }

  #readLog({ entries = [], ...answer }) {
    return { ...answer, entries: entries.map((entry) => this.#readEntry(entry)) };
  }

  #readEntry(entry) {
    if (entry.op === "gap") {
      const { from, to, seconds } = entry;
      return { gap: { from: from === null ? null : new Date(from), to: new Date(to), seconds, reason: null } };
    }
    const reply = readReply(entry, 0);
    this.#port.date(reply);
    return { reply };
  }
}

function unsupported(capability, has) {
  return has.length === 0
    ? `CLU's own server has no ${capability}; connect to a clu-ws`
    : `this bridge has no ${capability}: it is an earlier version, or its operator has not turned that on`;
}

/** Dates become ms since 1970. */
function timeOf(time) {
  return time instanceof Date ? time.getTime() : time;
}
