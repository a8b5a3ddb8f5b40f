/**
 * The commands in flight of one client, and which replies are theirs.
 *
 * A command id alone does not say whose reply it is: another program may use the same one, and an actor that passes a
 * command on to another actor passes its id on, too. So a reply counts only if its sender is the command's consumer and its
 * commander is `<name of the bridge>.<consumer>`. clu-ws says its name when it greets. CLU's own server never does: there it
 * is learned from the first reply to a command whose id was made here, and until then the commander that answers first is
 * the command's.
 *
 * clu-ws refuses an id that another caller's command has. CLU's own server does not, and its clients all have one commander.
 * There an id that is heard to be under way is refused here; and where two commands of one id are seen to run all the
 * same, nobody can tell whose end comes, and it counts for neither.
 */

import { isFinal } from "./clu-reply.js";

/** How many commands of others are remembered, where the server does not see to it that ids are unique. */
const MAX_OTHERS = 1_000;

export class InFlight {
  #active = new Map();    // command id -> Command that is sent or running
  #unknown = new Map();   // the same, for those of unknown fate, oldest first
  #unnamed = new Set();   // those sent on this connection before the bridge's name was known
  #others = new Map();    // command id -> the commander of a command of others that has begun
  #name = null;           // the bridge's, on this connection
  #unique = false;        // the bridge of this connection sees to it that ids are
  #maxUnknown;

  /** @param {number} maxUnknown  the oldest of unknown fate beyond that is forgotten */
  constructor(maxUnknown) {
    this.#maxUnknown = maxUnknown;
  }

  /** Those that are sent or running. @returns {import("./clu-command.js").Command[]} */
  get active() { return [...this.#active.values()]; }

  get activeCount() { return this.#active.size; }

  /** The ids of those of unknown fate, oldest first. @returns {string[]} */
  get lost() { return [...this.#unknown.keys()]; }

  /** The command that has an id, or undefined. */
  get(id) { return this.#active.get(id) ?? this.#unknown.get(id); }

  /** Why a command may not have its id, in words; null when it may. */
  obstacle({ commandId: id, consumer }) {
    const shown = id.length > 60 ? `${id.slice(0, 60)}…` : id;
    if (this.#active.has(id)) return `a command with the id ${shown} is running already`;
    if (this.#unknown.has(id)) return `a command with the id ${shown} may be running still, for nobody knows how it ended; choose another id`;
    const other = this.#others.get(id);
    const mine = this.#name === null ? other?.endsWith(`.${consumer}`) : other === `${this.#name}.${consumer}`;
    if (mine) return `another program's command to ${consumer} with the id ${shown} is under way; choose another id, or leave it out`;
    return null;
  }

  /** Notes a command before it is sent, for it has its id from now on. */
  add(command) {
    this.#active.set(command.commandId, command);
  }

  /** Notes that a command is sent now, on this connection. */
  sent(command) {
    if (this.#unique) command.alone = true;
    if (this.#name === null) this.#unnamed.add(command);
    else command.expect(`${this.#name}.${command.consumer}`);
  }

  /** Puts a command where its state belongs. */
  place(command) {
    const { commandId: id, state } = command;
    for (const group of [this.#active, this.#unknown]) if (group.get(id) === command) group.delete(id);
    if (command.active) this.#active.set(id, command);
    else if (state === "unknown") this.#unknown.set(id, command);
    if (!command.active && state !== "unknown") this.#unnamed.delete(command);
    if (this.#unknown.size > this.#maxUnknown) this.#unknown.delete(this.#unknown.keys().next().value);
  }

  /** The command that a reply answers, or null. */
  answered(reply) {
    const command = this.get(reply.commandId);
    return command?.isAnsweredBy(reply) ? command : null;
  }

  /** Hands a reply to the command that it answers, and learns the bridge's name from it. */
  take(command, reply) {
    if (this.#name === null && command.ownId && reply.commanderId !== null) {
      this.#learn(reply.commanderId.slice(0, -command.consumer.length - 1));
    }
    command.take(reply);
  }

  /** A bridge has greeted: it has this name, and sees to it that ids are unique. @param {string|null} name  null of one that does not say it */
  greeted(name) {
    this.#unique = true;
    for (const command of this.#unnamed) command.alone = true;
    if (name !== null) this.#learn(name);
  }

  #learn(name) {
    this.#name = name;
    for (const command of this.#unnamed) command.expect(`${name}.${command.consumer}`);
    this.#unnamed.clear();
  }

  /** Notes a reply that is no command's of this client, from a server that lets several have one id. */
  overhear(reply) {
    const { commandId: id, commanderId, code } = reply;
    if (id === null || commanderId === null) return;
    this.get(id)?.overhear(reply);
    if (isFinal(code)) this.#others.delete(id);
    else if (code === ">") this.#others.set(id, commanderId);
    if (this.#others.size > MAX_OTHERS) this.#others.delete(this.#others.keys().next().value);
  }

  /** The connection is lost, and the next one may lead to another bridge, or to one that was restarted and knows no ids. */
  disconnected() {
    for (const command of [...this.#active.values(), ...this.#unknown.values()]) command.alone = command.ownId;
    this.#name = null;
    this.#unique = false;
    this.#unnamed.clear();
    this.#others.clear();
  }
}
