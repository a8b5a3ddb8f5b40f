/**
 * The commands of everybody, merged with those that this page has sent.
 *
 * The bridge knows who sent what and whether it runs, also from before the page was loaded. A command of this page is
 * there from the moment it was typed, with all of its replies, and stays when it was never sent. From CLU's own server a
 * page sees the commands of others by their replies alone.
 */

import { isFinal } from "../../client/reply.js";

/**
 * @typedef {object} CommandEntry
 * @property {string} command_id
 * @property {string} consumer
 * @property {string|null} command_string  null if only its replies were seen
 * @property {string|null} commander
 * @property {string|null} client          who sent it, as far as the bridge says
 * @property {"sent"|"running"|"done"|"failed"|"unknown"|"rejected"} state  "rejected": it was not sent
 * @property {number} began                ms, by the bridge's clock
 * @property {number|null} ended
 * @property {string|null} message_code    of its last reply
 * @property {string|null} message
 * @property {number} replies
 * @property {number|null} seq             of its last reply
 * @property {import("../../client/command.js").Command|null} own  the command of this page
 */

/** Commands that have ended and are kept. */
export const MAX_ENDED = 200;

/** Commands that run, of which only replies were seen: some may never end. */
const MAX_RUNNING = 500;

const keyOf = (id, consumer) => `${id} ${consumer}`;
const ms = (time) => (time === null || time === undefined ? null : typeof time === "number" ? time : Date.parse(time));
const hasEnd = ({ state }) => state === "done" || state === "failed" || state === "rejected";
const runs = ({ state }) => state === "sent" || state === "running";

export class CommandTable {
  /** By id and consumer, the oldest first. @type {Map<string, CommandEntry>} */
  entries = new Map();

  /** How many run. */
  get running() {
    let n = 0;
    for (const entry of this.entries.values()) n += runs(entry) ? 1 : 0;
    return n;
  }

  /** Takes the bridge's whole list: running commands that it does not have any more have an unknown end. */
  list(commands) {
    const listed = new Set();
    for (const command of commands) listed.add(this.#merge(command));
    for (const [key, entry] of this.entries) {
      if (runs(entry) && !listed.has(key) && !entry.own?.active) entry.state = "unknown";
    }
    this.#order();
  }

  /** Takes the bridge's notice of one command. */
  notice(command) {
    const known = this.entries.size;
    this.#merge(command);
    if (this.entries.size > known) this.#trim();
  }

  /** Takes a command of this page. @param {(ms: number) => number} toBridge  the bridge's time for a local one */
  own(command, toBridge) {
    const key = keyOf(command.commandId, command.consumer);
    const entry = this.entries.get(key) ?? this.#add(key, command.commandId, command.consumer, toBridge(command.sentAt));
    const isNew = entry.own !== command;
    entry.own = command;
    entry.command_string = command.commandString;
    entry.replies = Math.max(entry.replies, command.replyCount);
    if (isNew || !hasEnd(entry) || hasEnd(command)) {  // the end that a notice told is not taken back
      entry.state = command.state;
      entry.message = command.state === "unknown" ? `unknown: ${command.message}` : command.message;
      entry.message_code = command.replies.at(-1)?.code ?? entry.message_code;
      entry.seq = command.replies.at(-1)?.seq ?? entry.seq;
      entry.ended = command.endedAt === null ? null : toBridge(command.endedAt);
    }
    this.#trim();
  }

  /** Takes a reply to a command, where the server tells of no commands. @returns {boolean} whether it is one */
  reply(reply, time) {
    const { commandId, sender, code } = reply;
    if (commandId === null || sender === null || reply.refused) return false;
    const key = keyOf(commandId, sender);
    const known = this.entries.get(key);
    if (known?.own) return false;  // its own events tell more
    const entry = known ?? this.#add(key, commandId, sender, time);
    entry.commander = reply.commanderId;
    entry.replies += 1;
    entry.message_code = code;
    entry.message = reply.text ?? entry.message;
    entry.seq = reply.seq;
    if (!isFinal(code)) entry.state = runs(entry) ? "running" : entry.state;
    else {
      entry.state = code === ":" ? "done" : "failed";
      entry.ended = time;
    }
    if (!known) this.#trim();
    return true;
  }

  #add(key, id, consumer, began) {
    const entry = {
      command_id: id, consumer, command_string: null, commander: null, client: null, state: "sent", began, ended: null,
      message_code: null, message: null, replies: 0, seq: null, own: null,
    };
    this.entries.set(key, entry);
    return entry;
  }

  #merge(command) {
    const key = keyOf(command.command_id, command.consumer);
    const known = this.entries.get(key);
    const entry = known ?? this.#add(key, command.command_id, command.consumer, ms(command.began));
    const { own } = entry;
    const text = command.command_string ?? entry.command_string;
    Object.assign(entry, command, { command_string: text, began: ms(command.began), ended: ms(command.ended), own });
    // What this page has seen of its own command is newer than the notice, unless the notice has the end: the page may
    // not be allowed to hear the reply that ends it.
    if (own && own.state !== "unknown" && !(own.active && hasEnd(entry))) Object.assign(entry, { state: own.state, message: own.message });
    return key;
  }

  #order() {
    const sorted = [...this.entries].sort(([, a], [, b]) => a.began - b.began);
    this.entries.clear();
    for (const [key, entry] of sorted) this.entries.set(key, entry);
    this.#trim();
  }

  #trim() {
    let running = this.running;
    let ended = this.entries.size - running;
    for (const [key, entry] of this.entries) {
      if (ended <= MAX_ENDED && running <= MAX_RUNNING) return;
      if (entry.own?.active) continue;
      if (runs(entry) ? running <= MAX_RUNNING : ended <= MAX_ENDED) continue;
      if (runs(entry)) running -= 1;
      else ended -= 1;
      this.entries.delete(key);
    }
  }
}
