/**
 * Sends commands. Right after connecting, and when the computer's clock was set or stopped, they first wait for the
 * bridge's time, from which their expiry is counted.
 */

/** ms that a command waits for the server's hello, which clu-ws sends at once. */
const HELLO_WAIT = 300;

const MAX_TIME = 2 ** 31 - 1;  // the longest delay of a timer, ms

const MAX_EXPIRES = 3_600_000;  // the longest expiry that a bridge accepts, ms

const MAX_WAIT = 3_600_000;  // the longest time for which a bridge waits for an end, ms

/** For how many commands of a client a bridge waits. Beyond them, replies alone tell the end. */
const MAX_AWAITED = 256;

/** Whether a value is a number of ms that a timer can wait. */
export const isTime = (ms) => typeof ms === "number" && ms > 0 && ms <= MAX_TIME;

/** Returns what is wrong with an option `signal`, or null: an AbortController in place of its signal would never end anything. */
export function signalProblem(signal) {
  if (signal === undefined || signal === null || typeof signal.addEventListener === "function") return null;
  return "the option signal must be an AbortSignal, such as the `signal` of an AbortController";
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Returns the message of a command that is rejected. */
export const unsent = (why) => `The command was not sent and will not be sent later: ${why}.`;

export class Sender {
  #port;
  #openedAt = 0;  // when the last connection opened
  #waiting = [];  // commands that wait for the hello, {command, expires, timeout}
  #timer = null;  // sends them
  #awaited = new Map();  // id of a request -> the command whose end the bridge will tell
  #count = 0;            // all requests so far, for their ids

  /**
   * @param {{maxActive: number, inFlight: import("./inflight.js").InFlight, session: import("./session.js").Session, unusable: () => string|null,
   *   send: (text: string) => void}} port  what it needs of its client
   */
  constructor(port) {
    this.#port = port;
  }

  /** Returns what is wrong with a command, or null. @param {{expires: number, timeout?: number, signal?: AbortSignal}} how */
  invalid({ consumer, commandString, commandId }, { expires, timeout, signal }) {
    const { activeCount } = this.#port.inFlight;
    if (typeof consumer !== "string" || consumer === "") return "the actor must be a string that is not empty";
    if (typeof commandString !== "string") return `the command must be a string, not ${Object.prototype.toString.call(commandString)}`;
    if (typeof commandId !== "string" || commandId === "") return "the command id must be a string that is not empty";
    if ([consumer, commandString, commandId].some((text) => LONE_SURROGATE.test(text))) return "it contains half of a character (a lone surrogate), which UTF-8 cannot encode";
    if (activeCount >= this.#port.maxActive) return `${activeCount} commands are in flight already; with a timeout, commands that are never answered end`;
    if (timeout !== undefined && !isTime(timeout)) return "the timeout must be a number of ms above 0";
    if (!isTime(expires) || expires > MAX_EXPIRES) return "the expiry must be a number of ms above 0, and at most an hour";
    return signalProblem(signal) ?? (signal?.aborted ? "its signal is aborted" : null);
  }

  /** Handles a connection that has opened. */
  opened() {
    this.#openedAt = Date.now();
  }

  /** Rejects the commands that wait: the connection is lost. */
  disconnected() {
    clearTimeout(this.#timer);
    this.#timer = null;
    for (const command of this.#awaited.values()) command.undoubted();
    this.#awaited.clear();
    for (const { command } of this.#waiting.splice(0)) command.reject(unsent("the connection was lost before it was sent"));
  }

  /** Whether the bridge will tell a command's end, even if replies to it were missed. */
  isAwaited(command) { return [...this.#awaited.values()].includes(command); }

  /** Handles an answer of the bridge about a command. @returns {boolean} false if it is none */
  message(message) {
    const { op, id } = message;
    const command = this.#awaited.get(id);
    if (command === undefined) return false;
    if (op !== "result") command.doubted = false;  // the bridge keeps its id for it from now on
    if (op === "ok") return true;
    this.#awaited.delete(id);
    if (op === "result") this.#port.session.result(command, message);
    else this.#port.session.message({ ...message, command_id: command.commandId });
    return true;
  }

  /** Sends a command, or lets it wait. @param {{command: import("./command.js").Command, expires: number, timeout?: number, extra?: object}} entry */
  send(entry) {
    this.#waiting.push(entry);
    this.flush();
  }

  /** Sends the waiting commands, unless the hello or the bridge's time is still due. @param {boolean} [force]  whatever is due */
  flush(force = false) {
    if (this.#waiting.length === 0) return;
    const { protocol, clock } = this.#port.session;
    const helloDue = protocol === null && Date.now() - this.#openedAt < HELLO_WAIT;
    if (!force && (helloDue || clock.isUncertain())) {
      this.#timer ??= setTimeout(() => this.flush(true), HELLO_WAIT);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = null;
    for (const entry of this.#waiting.splice(0)) this.#dispatch(entry);
  }

  #dispatch({ command, expires, timeout, extra }) {
    const { inFlight, session, unusable, send } = this.#port;
    const { consumer, commandString, commandId } = command;
    const elapsed = Math.max(0, command.elapsed);
    const problem = elapsed >= expires ? `it expired after waiting here for ${elapsed / 1_000} s` : unusable();
    if (problem) {
      command.reject(unsent(problem));
      return;
    }
    const expiresAt = session.clock.secondsIn(expires - elapsed);
    try {
      inFlight.sent(command);
      session.subscribeToCommands();
      send(JSON.stringify({ ...this.#request(command, timeout), consumer, command_string: commandString, command_id: commandId, expires_at: expiresAt, extra }));
    } catch (error) {
      command.reject(`The command was not sent: ${error.message}`);
      return;
    }
    if (timeout !== undefined && command.active) {
      command.startTimeout(Math.min(MAX_TIME, timeout + (expiresAt === undefined ? 0 : expires) - elapsed));
    }
  }

  /** The fields by which a bridge is asked to tell the end of a command; none for CLU's own server. */
  #request(command, timeout = MAX_WAIT) {
    if (!this.#port.session.capabilities?.includes("command") || this.#awaited.size >= MAX_AWAITED) return {};
    this.#count += 1;
    const id = `clu.js: command ${this.#count}`;
    this.#awaited.set(id, command);
    command.doubted = !command.generatedId;
    return { op: "command", id, timeout_ms: Math.min(Math.ceil(timeout), MAX_WAIT) };
  }
}
