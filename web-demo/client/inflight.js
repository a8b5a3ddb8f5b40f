/**
 * The commands in flight of one client, and which replies are theirs.
 *
 * A command id alone does not identify the command of a reply: another program may use the same id, and an actor that
 * commands another actor passes the id on. So a reply counts only if its sender is the command's consumer and its
 * commander is `<name of the bridge>.<consumer>`. clu-ws sends its name in the greeting. CLU's own server never does:
 * there the name is learned from the first reply to a command whose id was made here, and until then the first
 * commander that answers counts.
 *
 * clu-ws refuses an id that another client's command has. CLU's own server does not, and all its clients share one
 * commander. There this class refuses an id that is seen in flight; if two commands with one id run all the same, an
 * end cannot be attributed, and counts for neither.
 */

import { isFinal } from "./reply.js";

/** How many commands of others are remembered if the server does not guarantee unique ids. */
const MAX_OTHERS = 1_000;

export class InFlight {
  #active = new Map();    // command id -> Command that is sent or running
  #unknown = new Map();   // the same for commands of unknown fate, oldest first
  #unnamed = new Set();   // commands sent on this connection before the bridge's name was known
  #others = new Map();    // command id -> the commander of another client's running command
  #name = null;           // the bridge's, on this connection
  #unique = false;        // the bridge of this connection guarantees unique ids
  #maxUnknown;

  /** @param {number} maxUnknown  how many commands of unknown fate are kept */
  constructor(maxUnknown) {
    this.#maxUnknown = maxUnknown;
  }

  /** The commands that are sent or running. @returns {import("./command.js").Command[]} */
  get active() { return [...this.#active.values()]; }

  get activeCount() { return this.#active.size; }

  /** The ids of the commands of unknown fate, oldest first. @returns {string[]} */
  get lost() { return [...this.#unknown.keys()]; }

  /** The command with an id, or undefined. */
  get(id) { return this.#active.get(id) ?? this.#unknown.get(id); }

  /** The reason why a command may not use its id, or null. */
  obstacle({ commandId: id, consumer }) {
    const shown = id.length > 60 ? `${id.slice(0, 60)}…` : id;
    if (this.#active.has(id)) return `a command with the id ${shown} is running already`;
    if (this.#unknown.has(id)) return `a command with the id ${shown} may be running still, for nobody knows how it ended; choose another id`;
    const other = this.#others.get(id);
    const mine = this.#name === null ? other?.endsWith(`.${consumer}`) : other === `${this.#name}.${consumer}`;
    if (mine) return `another program's command to ${consumer} with the id ${shown} is in flight; choose another id, or leave it out`;
    return null;
  }

  /** Registers a command before it is sent. It has its id from now on. */
  add(command) {
    this.#active.set(command.commandId, command);
  }

  /** Notes that a command is sent now, on this connection. */
  sent(command) {
    if (this.#unique) command.alone = true;
    if (this.#name === null) this.#unnamed.add(command);
    else command.expect(`${this.#name}.${command.consumer}`);
  }

  /** Moves a command to the map of its state. */
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

  /** Passes a reply to the command that it answers, and learns the bridge's name from it. */
  take(command, reply) {
    if (this.#name === null && command.ownId && reply.commanderId !== null) {
      this.#learn(reply.commanderId.slice(0, -command.consumer.length - 1));
    }
    command.take(reply);
  }

  /** Handles the greeting of a bridge, which guarantees unique ids. @param {string|null} name  null if it does not say its name */
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

  /** Notes a reply to another client's command, from a server without unique ids. */
  overhear(reply) {
    const { commandId: id, commanderId, code } = reply;
    if (id === null || commanderId === null) return;
    this.get(id)?.overhear(reply);
    if (isFinal(code)) this.#others.delete(id);
    else if (code === ">") this.#others.set(id, commanderId);
    if (this.#others.size > MAX_OTHERS) this.#others.delete(this.#others.keys().next().value);
  }

  /** Notes a lost connection: the next one may lead to another bridge, or to a restarted one that has forgotten all ids. */
  disconnected() {
    for (const command of [...this.#active.values(), ...this.#unknown.values()]) command.alone = command.ownId;
    this.#name = null;
    this.#unique = false;
    this.#unnamed.clear();
    this.#others.clear();
  }
}
