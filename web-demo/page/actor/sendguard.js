/**
 * Sends what is in a field, once. A line that was not sent is held: the next Enter only says so, and the one after it
 * sends. What was meant for a moment ago must not be one key away from being done now. An Enter in haste, right after the
 * one that only said so, was pressed before that could be read, and does not count.
 */

import { formatAge } from "../core/format.js";

/** ms in which nobody has read a sentence. */
const HASTE = 800;

export class SendGuard {
  #app;
  #busy = false;  // a line is on its way, or is being asked about
  #held = null;   // {line, at, why}
  #refused = null;  // the line that was not sent last, also when it is held no more
  #told = -Infinity;  // when an Enter was told that it does not send

  /** @param {{send: Function, store: object}} app */
  constructor(app) {
    this.#app = app;
  }

  /** Why a line was not sent, if it is held; else null. @param {string} line */
  why(line) { return this.#held !== null && this.#held.line === line ? this.#held.why : null; }

  /** The link is back: a line that was not sent without it is held, however often Enter was pressed meanwhile. */
  holdAgain() {
    this.#held = this.#refused;
  }

  /** The line was edited, or another one is in its place. */
  forget() {
    this.#held = this.#refused = null;
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
    const now = performance.now();
    const hasty = this.#refused?.line === line && now - this.#told < HASTE;
    if (this.#held?.line === line || hasty) {
      const age = formatAge(this.#app.store.age(this.#refused.at));
      this.#held = null;
      if (!hasty) this.#told = now;
      return { sent: null, why: `"${line}" was not sent ${age} ago: send it again if it is still wanted`, told: false };
    }
    this.forget();
    this.#busy = true;
    try {
      const { command: sent, why } = await this.#app.send(actor, command);
      if (sent !== null && sent.state !== "rejected") return { sent, why: null, told: true };
      this.#held = this.#refused = { line, at: this.#app.store.now(), why: `not sent: ${trimEnd(why ?? sent?.message ?? "the command was not accepted")}` };
      return { sent: null, why: this.#held.why, told: sent === null };
    } finally {
      this.#busy = false;
    }
  }
}

const trimEnd = (text) => text.replace(/\.$/, "");
