/**
 * The commands in flight of one client, and which replies answer them.
 *
 * A command id alone does not identify a reply's command: another program may use the same id, and an actor that
 * commands another actor passes the id on. So a reply counts only if its sender is the command's consumer and its
 * commander is `<name of the bridge>.<consumer>`. clu-ws sends its name in the hello. CLU's own server does not: there
 * the name is learned from the first reply to a command whose id was generated here, and until then the first commander
 * that answers counts.
 *
 * clu-ws refuses an id that another client's command has. CLU's own server does not, and all its clients share one
 * commander. There this class refuses an id that it sees in flight; if two commands with one id run all the same, a
 * final reply is ambiguous, and counts for neither.
 */

import { isFinal } from "./reply.js";

/** The bridge's error codes for a command that was not sent. After any other code but `returned`, an actor may have received it. */
const NOT_SENT = new Set(["bad_request", "forbidden", "in_use", "away", "blocked", "full", "expired", "gone", "invalid", "leaving",
  "rate", "undecided", "no_record", "unauthorized"]);

/** How many commands of other clients are remembered if the server does not guarantee unique ids. */
const MAX_OTHERS = 1_000;

export class InFlight {
  #active = new Map();      // command id -> Command that is sent or running
  #unknown = new Map();     // command id -> unknown Command, oldest first
  #earlier = new WeakSet();  // commands of earlier connections
  #beforeName = new Set();  // commands sent on this connection before the bridge's name was known
  #others = new Map();      // command id -> the commander of another client's running command
  #name = null;             // of the bridge of this connection
  #unique = false;          // the bridge of this connection guarantees unique ids
  #maxUnknown;

  /** @param {number} maxUnknown  how many unknown commands are kept */
  constructor(maxUnknown) {
    this.#maxUnknown = maxUnknown;
  }

  /** The commands that are sent or running. @returns {import("./command.js").Command[]} */
  get active() { return [...this.#active.values()]; }

  get activeCount() { return this.#active.size; }

  /**
   * The ids of the commands whose replies are not all to this connection: those of earlier ones, also if they run again, and
   * unknown ones, oldest first.
   * @returns {string[]}
   */
  get lostIds() { return [...this.#unknown.keys(), ...this.active.filter((command) => this.#earlier.has(command)).map(({ commandId }) => commandId)]; }

  /** The ids of all commands whose replies count. @returns {string[]} */
  get ids() { return [...this.#active.keys(), ...this.#unknown.keys()]; }

  /** The command with an id, or undefined. */
  get(id) { return this.#active.get(id) ?? this.#unknown.get(id); }

  /** Returns why a command may not use its id, or null. */
  idConflict({ commandId: id, consumer }) {
    const shown = id.length > 60 ? `${id.slice(0, 60)}…` : id;
    if (this.#active.has(id)) return `a command with the id ${shown} is in flight already`;
    if (this.#unknown.has(id)) return `a command with the id ${shown} may still be running, because its end is unknown; choose another id`;
    const other = this.#others.get(id);
    const conflicts = this.#name === null ? other?.endsWith(`.${consumer}`) : other === `${this.#name}.${consumer}`;
    if (conflicts) return `another program's command to ${consumer} with the id ${shown} is in flight; choose another id, or leave it out`;
    return null;
  }

  /** Registers a command before it is sent; its id is taken from then on. */
  add(command) {
    this.#active.set(command.commandId, command);
  }

  /** Prepares a command that is about to be sent on this connection. */
  sent(command) {
    if (this.#unique) command.uniqueId = true;
    if (this.#name === null) this.#beforeName.add(command);
    else command.setCommander(`${this.#name}.${command.consumer}`);
  }

  /** Moves a command to the map of its state. */
  update(command) {
    const { commandId: id, state } = command;
    for (const group of [this.#active, this.#unknown]) if (group.get(id) === command) group.delete(id);
    if (command.active) this.#active.set(id, command);
    else if (state === "unknown") this.#unknown.set(id, command);
    if (!command.active && state !== "unknown") this.#beforeName.delete(command);
    if (this.#unknown.size > this.#maxUnknown) this.#unknown.delete(this.#unknown.keys().next().value);
  }

  /** Handles the bridge's error about a command. @returns {boolean} whether the command is one of this client's */
  error({ command_id: id, code, message }) {
    const command = this.get(id);
    if (NOT_SENT.has(code)) command?.reject(message, code);
    else if (code === "returned") command?.fail(message, code);
    else command?.markUnknown(message, code);
    return command !== undefined;
  }

  /** Returns the command that a reply answers, or null. */
  commandFor(reply) {
    const command = this.get(reply.commandId);
    return command?.isAnsweredBy(reply) ? command : null;
  }

  /** Passes a reply to the command that it answers, and learns the bridge's name from it. */
  deliver(command, reply) {
    if (this.#name === null && command.generatedId && reply.commanderId !== null) {
      this.#setName(reply.commanderId.slice(0, -command.consumer.length - 1));
    }
    command.receive(reply);
  }

  /** Handles the hello of a bridge, which guarantees unique ids. @param {string|null} name  null if it has none */
  hello(name) {
    this.#unique = true;
    for (const command of this.#beforeName) command.uniqueId = true;
    if (name !== null) this.#setName(name);
  }

  #setName(name) {
    this.#name = name;
    for (const command of this.#beforeName) command.setCommander(`${name}.${command.consumer}`);
    this.#beforeName.clear();
  }

  /** Takes note of a reply to another client's command, from a server without unique ids. */
  noteOther(reply) {
    const { commandId: id, commanderId, code } = reply;
    if (id === null || commanderId === null) return;
    this.get(id)?.noteOther(reply);
    if (isFinal(code)) this.#others.delete(id);
    else if (code === ">") this.#others.set(id, commanderId);
    if (this.#others.size > MAX_OTHERS) this.#others.delete(this.#others.keys().next().value);
  }

  /** Handles a lost connection: the next one may lead to another bridge, or to a restarted one that has forgotten all ids. */
  disconnected() {
    for (const command of [...this.#active.values(), ...this.#unknown.values()]) {
      command.uniqueId = command.generatedId;
      this.#earlier.add(command);
    }
    this.#name = null;
    this.#unique = false;
    this.#beforeName.clear();
    this.#others.clear();
  }
}
