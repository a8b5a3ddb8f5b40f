/**
 * The entry of the package, and of /clu.js: the client with what programs use, on top of clu.js, which the console loads alone.
 *
 *     import { connect } from "clu-ws";
 *
 *     const clu = connect("ws://localhost:9876");
 *     const wind = clu.keyword("weather", "wind_speed_ms");
 *     wind.subscribe(() => show(wind.value, wind.time, wind.stale));
 *     await clu.send("dome", "open", { timeout: 60_000 });
 *     await clu.waitFor("dome", "dome_shutter", (value) => value === "open", { timeout: 60_000 });
 *     for await (const reply of clu.replies({ sender: "dome" })) console.log(reply.text);
 */

import { abortWith } from "./abort.js";
import { Clu as Core } from "./clu.js";
import { guard } from "./errors.js";
import { Keywords } from "./keyword.js";
import { checkNumbers, defined } from "./options.js";
import { Replies } from "./replies.js";
import { Rooms } from "./rooms.js";
import { waitFor } from "./wait.js";

export * from "./clu.js";
export { WaitError } from "./wait.js";

/** Silence, ms, after which a bridge is asked for a sign of life: what it does not answer for is soon marked as stale. */
const PULSE = 1_000;

export class Clu extends Core {
  #keywords;
  #watching = new Set();  // what ends with `close`

  /** @param {string|URL} [url] @param {import("./clu.js").CluOptions} [options] */
  constructor(url, options) {
    const { WebSocket = globalThis.WebSocket, ...set } = defined(options);
    if (WebSocket === undefined) {
      throw new TypeError("there is no WebSocket here: use node 22 or later, or `npm install ws` and the option {WebSocket} with the class that it exports");
    }
    checkNumbers(set);
    super(url, { ...set, WebSocket });
    this.#keywords = new Keywords(this);
    this.on("command", ({ command }) => {  // the first listener: the page's own ones may subscribe
      command.subscribe ??= (listener) => this.on("command", (snapshot) => { if (snapshot.command === command) listener(); });
    });
    /** Rooms: `rooms.subscribe(path, onMessage)`, `rooms.publish(path, body)`. */
    this.rooms = new Rooms(this, { ...set, WebSocket });
  }

  /**
   * The last value of one keyword of an actor, for as long as it has listeners. The same names yield the same object.
   * @param {string} actor @param {string} name @returns {import("./keyword.js").Keyword}
   */
  keyword(actor, name) { return this.#keywords.get(actor, name); }

  /** Sends a command, see clu.js. @returns {import("./command.js").Command} */
  send(consumer, commandString, options) {
    const command = super.send(consumer, commandString, options);
    if (options?.signal && command.active) abortWith(command, options.signal);
    return command;
  }

  /**
   * Waits until a keyword of an actor has a value for which the predicate is true.
   * @param {string} actor @param {string} name
   * @param {(value: *, snapshot: object) => boolean} [predicate]  default: any value
   * @param {{timeout?: number, signal?: AbortSignal, maxAge?: number}} [options]  ms
   * @returns {Promise<object>} the keyword's snapshot
   */
  waitFor(actor, name, predicate, options) { return waitFor(this, this.keyword(actor, name), predicate, options); }

  /**
   * The replies that a filter selects, to loop over with `for await`.
   * @param {import("./filter.js").Filter|null} [filter] @param {object} [options]  see index.d.ts
   */
  replies(filter, options) { return new Replies(this, filter, options); }

  /** Disconnects until the next `connect`. Loops over replies end, and so does what waits. */
  close() {
    super.close();
    for (const end of [...this.#watching]) guard(this, end);
  }

  /** Calls a function at `close`. For the modules of the package. @returns {() => void} takes that back */
  onClose(end) {
    this.#watching.add(end);
    return () => this.#watching.delete(end);
  }
}

/**
 * Returns a client that connects, and reconnects until `close`. Nothing is thrown or rejected where a bridge is not there:
 * `clu.state` and the event `state` say so; await `clu.connect()` to wait for the connection.
 * @param {string|URL} [url] @param {import("./clu.js").CluOptions} [options]
 */
export function connect(url, options) {
  const clu = new Clu(url, { pulse: PULSE, ...defined(options) });
  clu.connect().catch(() => {});  // `close`, or a refusal, of which the event `unauthorized` tells
  return clu;
}
