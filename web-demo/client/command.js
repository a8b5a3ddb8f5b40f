/**
 * One command and its states.
 *
 *     sent ──> running ──> done | failed
 *       │         │
 *       └────┬────┘
 *            v
 *         unknown ──> running | done | failed     (when replies to it arrive again)
 *
 *     rejected: no actor has it, because it was not sent by this page or by the bridge
 *
 * "unknown" is the state of a command whose connection was lost, or that took longer than its timeout: the actor may
 * still be executing it. It is never sent again. If the bridge then reports that it was not sent, it becomes rejected.
 */

import { isFinal } from "./reply.js";

/** Limit of the replies kept with one command, besides their number. */
const MAX_KEPT_CHARS = 2_000_000;

/** ms of delay from which a timer shows that the page was suspended: it then first reads what arrived meanwhile. */
const SUSPENDED = 1_000;
const GRACE = 5_000;

/** Why a command did not succeed. `state` is that of the command: "failed", "unknown" or "rejected". */
export class CommandError extends Error {
  /**
   * @param {string} message
   * @param {Command} command
   * @param {import("./reply.js").Reply|null} [reply]  the reply that ended it, if any
   * @param {string|null} [code]  the code of the bridge's error that ended it, if any: see docs/protocol.md
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
 * @property {import("./reply.js").Reply|null} reply     the one that ended it; null if this client may not hear it
 * @property {import("./reply.js").Reply[]} replies  all of them, or the newest if there were very many
 * @property {Record<string, *>} keywords               their keywords, with the latest values
 */

/**
 * @typedef {object} CommandSnapshot  what was known of a command at one moment; frozen. Its fields are those of the command,
 *   which is `command`
 */

/**
 * A command: await it for its {@link CommandResult}, or watch its fields. It rejects with a {@link CommandError}.
 * A rejection that is not awaited is not reported by the browser: the client's `command` event reports it too.
 */
export class Command {
  #resolvers;
  #onReply;
  #onChange;
  #maxReplies;
  #keptChars = 0;
  #timer = null;
  #snapshot = null;          // of this state, once somebody has asked
  #commander = null;         // the commander of its replies: known, or taken from the first one
  #commanderKnown = false;
  #startReplies = 0;         // replies with the code ">"
  #early = null;             // a final reply that came while it was doubted
  #ambiguous = false;        // replies to another command with its id and consumer were received

  /** Made by Clu.send. */
  constructor({ commandId, consumer, commandString, onReply, onChange, maxReplies }) {
    /** Whether its id was generated here, and so is unique. @type {boolean} */ this.generatedId = (commandId ?? null) === null;
    /** Whether another command may have had its id until now: then the bridge's result tells its end. */ this.doubted = false;
    /** Whether no other command can have its id: it was generated, or the bridge guarantees it. */ this.uniqueId = this.generatedId;
    /** @type {string} */ this.commandId = commandId ?? newCommandId();
    /** @type {string} */ this.consumer = consumer;
    /** @type {string} */ this.commandString = commandString;
    /** @type {"sent"|"running"|"done"|"failed"|"unknown"|"rejected"} */ this.state = "sent";
    /** The latest text about it. @type {string|null} */ this.message = null;
    /** The newest replies, oldest first. @type {import("./reply.js").Reply[]} */ this.replies = [];
    /** How many replies it got, including those not kept. */ this.replyCount = 0;
    /** ms since 1970. */ this.sentAt = Date.now();
    /** ms since 1970, or null while it runs. @type {number|null} */ this.endedAt = null;
    /** Why it did not succeed, or null. @type {CommandError|null} */ this.error = null;
    /** Fulfilled or rejected once. @type {Promise<CommandResult>} */
    this.finished = new Promise((resolve, reject) => { this.#resolvers = { resolve, reject }; });
    this.finished.catch(() => {});
    this.#onReply = onReply;
    this.#onChange = onChange;
    this.#maxReplies = maxReplies;
  }

  /** Whether it is in flight: sent or running. */
  get active() {
    return this.state === "sent" || this.state === "running";
  }

  /** ms from sending to the end, or until now. */
  get elapsed() {
    return (this.endedAt ?? Date.now()) - this.sentAt;
  }

  /** The keywords of the kept replies, with the latest values. */
  get keywords() {
    return Object.fromEntries(this.replies.flatMap((reply) => Object.entries(reply.keywords)));
  }

  then(onFulfilled, onRejected) { return this.finished.then(onFulfilled, onRejected); }
  catch(onRejected) { return this.finished.catch(onRejected); }
  finally(onFinally) { return this.finished.finally(onFinally); }

  /** What is known of it now: a frozen object, and the same one until something changes. @returns {CommandSnapshot} */
  getSnapshot() {
    return this.#snapshot ??= Object.freeze({ ...this, command: this, active: this.active, replies: Object.freeze([...this.replies]) });
  }

  // The methods below are called by Clu.

  /** Marks the command unknown after `ms`. */
  startTimeout(ms) {
    const due = Date.now() + ms;
    const giveUp = () => this.markUnknown(`no final reply within ${ms / 1000} s; the actor may still be executing it`);
    this.#timer = setTimeout(() => {
      if (Date.now() - due < SUSPENDED) giveUp();
      else this.#timer = setTimeout(giveUp, GRACE);
    }, ms);
  }

  /** Sets the commander of its replies. */
  setCommander(commander) {
    if (this.#commander !== commander) {  // the replies so far were to another command
      this.#startReplies = 0;
      this.#ambiguous = false;
    }
    this.#commander = commander;
    this.#commanderKnown = true;
  }

  /** Whether a reply with its id answers it. */
  isAnsweredBy({ sender, commanderId }) {
    if (commanderId === null || !this.#isFor(sender)) return false;
    return this.#commander === null ? this.#mayCommand(commanderId) : commanderId === this.#commander;
  }

  /** Takes note of a reply with its id that does not answer it. */
  noteOther({ sender, commanderId }) {
    if (!this.uniqueId && !this.#commanderKnown && this.#isFor(sender) && this.#mayCommand(commanderId)) this.#ambiguous = true;
  }

  /** Whether an actor executes commands to the consumer: `dome` executes those to `dome` and `dome.shutter`. */
  #isFor(sender) {
    return sender !== null && (sender === this.consumer || this.consumer.startsWith(`${sender}.`));
  }

  /** Whether the commander has the form `<bridge>.<consumer>`. An actor that commands itself has its own name as the bridge's. */
  #mayCommand(commanderId) {
    const ending = `.${this.consumer}`;
    const name = commanderId.endsWith(ending) ? commanderId.slice(0, -ending.length) : "";
    return name !== "" && !`.${name}`.endsWith(ending);
  }

  /** Handles a reply to it. */
  receive(reply) {
    if (!reply.refused) this.#commander ??= reply.commanderId;
    if (reply.code === ">") this.#startReplies += 1;
    if (this.#startReplies > 1 && !this.uniqueId) this.#ambiguous = true;
    this.#keep(reply);
    this.replyCount += 1;
    this.message = reply.text ?? (this.state === "unknown" ? null : this.message);

    if (this.#ambiguous && isFinal(reply.code)) {
      if (!this.active) this.#changed();
      this.markUnknown(`another command to ${this.consumer} has the id ${this.commandId}, so the final reply is ambiguous; leave the id out to get a unique one`);
    } else if (this.doubted && isFinal(reply.code)) {
      this.#early = reply;
      if (this.active) this.#setState("running");
      else this.#changed();
    } else if (!isFinal(reply.code)) {
      this.#setState("running");
    } else {
      this.#finish(reply);
    }
    this.#onReply?.(reply, this);
  }

  #finish(reply) {
    if (reply.code === ":") {
      this.#setState("done");
      this.#resolvers.resolve({ command: this, reply, replies: this.replies, keywords: this.keywords });
    } else {
      this.#end("failed", reply.text ?? `${this.consumer} failed without giving a reason`, null, reply);
    }
  }

  /** Handles that the connection is lost: nothing will tell any more whose end has come. */
  undoubted() {
    if (this.doubted && this.#early && (this.active || this.state === "unknown")) this.#finish(this.#early);
    this.doubted = false;
  }

  /** Marks it unknown, if it is in flight. */
  markUnknown(why, code = null) {
    if (!this.active) return;
    this.#end("unknown", why, code);
  }

  /**
   * Handles the bridge's word on its end, after its last reply: this client may not hear that reply, or could not ask for it.
   * @param {{status: string, message_code?: string, message?: string}} answer  without a code if it may not hear it
   */
  conclude({ status, message_code: code, message }) {
    if (!this.active && this.state !== "unknown") return;
    const reply = this.#early && (status === "done") === (this.#early.code === ":") ? this.#early : null;
    this.doubted = false;
    if (status === "failed") {
      this.#end("failed", message || (code ? `${this.consumer} failed without giving a reason` : `it failed; this client may not hear what ${this.consumer} says about it`), null, reply);
    } else if (status === "done") {
      this.message = code ? null : `it is done; this client may not hear what ${this.consumer} says about it`;
      this.#setState("done");
      this.#resolvers.resolve({ command: this, reply, replies: this.replies, keywords: this.keywords });
    }
  }

  /** Handles the bridge's report that its consumer does not exist. */
  fail(why, code) {
    this.#end("failed", why, code);
  }

  /** Marks it rejected: it was not sent. @param {string|null} [code]  the bridge's error code */
  reject(why, code = null) {
    this.#end("rejected", why, code);
  }

  #keep(reply) {
    this.replies.push(reply);
    this.#keptChars += reply.size;
    while (this.replies.length > this.#maxReplies || (this.#keptChars > MAX_KEPT_CHARS && this.replies.length > 1)) {
      this.#keptChars -= this.replies.shift().size;
    }
  }

  /** Ends it without success, as far as is known. */
  #end(state, why, code, reply = null) {
    this.message = why;
    this.#setState(state, () => new CommandError(why, this, reply, code));
    this.#resolvers.reject(this.error);
  }

  #setState(state, error = null) {
    this.state = state;
    this.endedAt = this.active ? null : Date.now();
    if (!this.active) clearTimeout(this.#timer);
    this.error = error?.() ?? null;
    this.#changed();
  }

  #changed() {
    this.#snapshot = null;
    this.#onChange(this);
  }
}

/**
 * Returns a new command id, a UUID4. crypto.randomUUID exists only in a secure context, and pages on a LAN use plain http.
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
