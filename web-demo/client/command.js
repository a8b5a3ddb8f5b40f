/**
 * One command and its life.
 *
 *     sent ──> running ──> done | failed
 *       │         │
 *       └────┬────┘
 *            v
 *         unknown ──> running | done | failed     (when replies to it are heard again)
 *
 *     rejected: no actor has it, for it never left this page, or the bridge says that it was not sent
 *
 * "unknown" is the honest state of a command whose connection was lost, or which took longer than its timeout: the actor
 * may still be executing it. It is never sent again. When the bridge says afterwards that it was not sent, it is rejected.
 */

import { isFinal } from "./reply.js";

/** The replies kept with one command are bounded in number and in size. */
const MAX_KEPT_CHARS = 2_000_000;

/** ms of a timer's delay from which the page itself must have stood still, and first reads what came meanwhile. */
const STOOD_STILL = 1_000;
const GRACE = 5_000;

/** Why a command did not end well. `state` is that of the command: "failed", "unknown" or "rejected". */
export class CommandError extends Error {
  /**
   * @param {string} message
   * @param {Command} command
   * @param {import("./reply.js").Reply|null} [reply]  the reply that ended it, if one did
   * @param {string|null} [code]  the code of the bridge's error, if that ended it: see docs/protocol.md
   */
  constructor(message, command, reply = null, code = null) {
    super(message);
    this.name = "CommandError";
    this.command = command;
    this.state = command.state;
    this.reply = reply;
    this.code = code;
  }
}

/**
 * @typedef {object} CommandResult
 * @property {Command} command
 * @property {import("./reply.js").Reply} reply     the one that ended it
 * @property {import("./reply.js").Reply[]} replies  all of them, or the last ones of very many
 * @property {Record<string, *>} keywords               their keywords, the latest value of each
 */

/**
 * A command: await it for its {@link CommandResult}, or watch its fields. It rejects with a {@link CommandError}.
 * A rejection that nobody awaits is not reported by the browser: the client's `command` event tells of it as well.
 */
export class Command {
  #settle;
  #onReply;
  #onChange;
  #maxReplies;
  #keptChars = 0;
  #timer = null;
  #commander = null;   // the commander of its replies: known, or that of the first one
  #expected = false;   // the commander is known
  #starts = 0;         // replies with the code of a start
  #contested = false;  // another command with its id and consumer was heard

  /** Made by Clu.send. */
  constructor({ commandId, consumer, commandString, onReply, onChange, maxReplies }) {
    /** Whether its id was made here, and is unique. @type {boolean} */ this.ownId = (commandId ?? null) === null;
    /** Whether no other command can have its id: it is unique, or the bridge guarantees that. */ this.alone = this.ownId;
    /** @type {string} */ this.commandId = commandId ?? newCommandId();
    /** @type {string} */ this.consumer = consumer;
    /** @type {string} */ this.commandString = commandString;
    /** @type {"sent"|"running"|"done"|"failed"|"unknown"|"rejected"} */ this.state = "sent";
    /** The last thing said about it, in words. @type {string|null} */ this.message = null;
    /** The newest replies, oldest first. @type {import("./reply.js").Reply[]} */ this.replies = [];
    /** How many replies came, also when not all are kept. */ this.replyCount = 0;
    /** ms since 1970. */ this.sentAt = Date.now();
    /** ms since 1970, or null while it runs. @type {number|null} */ this.endedAt = null;
    /** Fulfilled or rejected once. @type {Promise<CommandResult>} */
    this.finished = new Promise((resolve, reject) => { this.#settle = { resolve, reject }; });
    this.finished.catch(() => {});
    this.#onReply = onReply;
    this.#onChange = onChange;
    this.#maxReplies = maxReplies;
  }

  /** Whether it is on its way or running, as far as is known. */
  get active() {
    return this.state === "sent" || this.state === "running";
  }

  /** ms from sending to the end, or to now. */
  get elapsed() {
    return (this.endedAt ?? Date.now()) - this.sentAt;
  }

  /** The keywords of the kept replies, the latest value of each. */
  get keywords() {
    return Object.fromEntries(this.replies.flatMap((reply) => Object.entries(reply.keywords)));
  }

  then(onFulfilled, onRejected) { return this.finished.then(onFulfilled, onRejected); }
  catch(onRejected) { return this.finished.catch(onRejected); }
  finally(onFinally) { return this.finished.finally(onFinally); }

  // What follows is called by Clu.

  /** Gives up waiting after `ms`; the command itself goes on wherever it is. */
  limit(ms) {
    const due = Date.now() + ms;
    const giveUp = () => this.lose(`no final reply within ${ms / 1000} s; the actor may still be executing it`);
    this.#timer = setTimeout(() => {
      if (Date.now() - due < STOOD_STILL) giveUp();
      else this.#timer = setTimeout(giveUp, GRACE);
    }, ms);
  }

  /** Sets the commander of its replies. */
  expect(commander) {
    if (this.#commander !== commander) {  // the replies so far were another's
      this.#starts = 0;
      this.#contested = false;
    }
    this.#commander = commander;
    this.#expected = true;
  }

  /** Whether a reply with its id answers it. */
  isAnsweredBy({ sender, commanderId }) {
    if (commanderId === null || !this.#isFor(sender)) return false;
    return this.#commander === null ? this.#mayCommand(commanderId) : commanderId === this.#commander;
  }

  /** Notes a reply with its id that does not answer it. */
  overhear({ sender, commanderId }) {
    if (!this.alone && !this.#expected && this.#isFor(sender) && this.#mayCommand(commanderId)) this.#contested = true;
  }

  /** Whether an actor runs commands to the consumer: `dome` runs those to `dome` and `dome.shutter`. */
  #isFor(sender) {
    return sender !== null && (sender === this.consumer || this.consumer.startsWith(`${sender}.`));
  }

  /** Whether the commander has the form that a bridge of any name gives. An actor that commands itself has its own name there. */
  #mayCommand(commanderId) {
    const ending = `.${this.consumer}`;
    const name = commanderId.endsWith(ending) ? commanderId.slice(0, -ending.length) : "";
    return name !== "" && !`.${name}`.endsWith(ending);
  }

  /** Takes a reply to it. */
  take(reply) {
    if (!reply.refused) this.#commander ??= reply.commanderId;
    if (reply.code === ">") this.#starts += 1;
    if (this.#starts > 1 && !this.alone) this.#contested = true;
    this.#keep(reply);
    this.replyCount += 1;
    this.message = reply.text ?? (this.state === "unknown" ? null : this.message);

    if (this.#contested && isFinal(reply.code)) {
      if (!this.active) this.#onChange(this);
      this.lose(`another command to ${this.consumer} has the id ${this.commandId}, and nobody can tell whose end came; leave the id out, and it is unique`);
    } else if (!isFinal(reply.code)) {
      this.#become("running");
    } else if (reply.code === ":") {
      this.#become("done");
      this.#settle.resolve({ command: this, reply, replies: this.replies, keywords: this.keywords });
    } else {
      this.message = reply.text ?? `${this.consumer} failed without saying why`;
      this.#become("failed");
      this.#settle.reject(new CommandError(this.message, this, reply));
    }
    this.#onReply?.(reply, this);
  }

  /** From now on nobody knows how it goes. */
  lose(why, code = null) {
    if (!this.active) return;
    this.message = `unknown: ${why}`;
    this.#become("unknown");
    this.#settle.reject(new CommandError(this.message, this, null, code));
  }

  /** Handles the bridge's report that its consumer does not exist. */
  fail(why, code) {
    this.message = why;
    this.#become("failed");
    this.#settle.reject(new CommandError(why, this, null, code));
  }

  /** Rejects it: it was not sent. @param {string|null} [code]  the bridge's error code */
  reject(why, code = null) {
    this.message = why;
    this.#become("rejected");
    this.#settle.reject(new CommandError(why, this, null, code));
  }

  #keep(reply) {
    this.replies.push(reply);
    this.#keptChars += reply.size;
    while (this.replies.length > this.#maxReplies || (this.#keptChars > MAX_KEPT_CHARS && this.replies.length > 1)) {
      this.#keptChars -= this.replies.shift().size;
    }
  }

  #become(state) {
    this.state = state;
    this.endedAt = this.active ? null : Date.now();
    if (!this.active) clearTimeout(this.#timer);
    this.#onChange(this);
  }
}

/**
 * A new command id, a UUID4. crypto.randomUUID exists only in a secure context, and a page on a LAN is plain http.
 * @returns {string}
 */
export function newCommandId(crypto = globalThis.crypto) {
  if (typeof crypto?.randomUUID === "function") return crypto.randomUUID();
  const bytes = new Uint8Array(16);
  if (crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else bytes.forEach((_, i) => { bytes[i] = Math.floor(Math.random() * 256); });
  bytes[6] = (bytes[6] & 0x0f) | 0x40;  // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80;  // variant 1
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
