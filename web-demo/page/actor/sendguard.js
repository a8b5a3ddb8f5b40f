/**
 * Sends what is in a field, once. A line that was not sent is held: the next Enter only says so, and the one after it
 * sends. What was meant for a moment ago must not be one key away from being done now.
 */

import { formatAge } from "../core/format.js";

export class SendGuard {
  #app;
  #busy = false;  // a line is on its way, or is being asked about
  #held = null;   // {line, at, why}

  /** @param {{send: Function, store: object}} app */
  constructor(app) {
    this.#app = app;
  }

  /** Why a line was not sent, if it is held; else null. @param {string} line */
  why(line) { return this.#held !== null && this.#held.line === line ? this.#held.why : null; }

  /** Whether any line is held. */
  get holds() { return this.#held !== null; }

  /** The line was edited, or another one is in its place. */
  forget() {
    this.#held = null;
  }

  /**
   * Sends a command, or says why not.
   * @param {string} actor
   * @param {string} command
   * @returns {Promise<{sent: object|null, why: string|null, told: boolean}>} the command; else the reason, a sentence
   *   without its end, or null if another one is on its way. `told`: the app has told it already
   */
  async send(actor, command) {
    if (this.#busy) return { sent: null, why: null, told: true };
    const line = `${actor} ${command}`;
    if (this.#held?.line === line) {
      const age = formatAge(this.#app.store.age(this.#held.at));
      this.#held = null;
      return { sent: null, why: `"${line}" was not sent ${age} ago: send it again if it is still wanted`, told: false };
    }
    this.#held = null;
    this.#busy = true;
    try {
      const { command: sent, why } = await this.#app.send(actor, command);
      if (sent !== null && sent.state !== "rejected") return { sent, why: null, told: true };
      this.#held = { line, at: this.#app.store.now(), why: `not sent: ${trimEnd(why ?? sent?.message ?? "the command was not accepted")}` };
      return { sent: null, why: this.#held.why, told: sent === null };
    } finally {
      this.#busy = false;
    }
  }
}

const trimEnd = (text) => text.replace(/\.$/, "");
