/** What a client asks the bridge, each with one answer. */

export class Asker extends EventTarget {
  #queries;

  /** @param {import("./queries.js").Queries} queries */
  constructor(queries) {
    super();
    this.#queries = queries;
  }

  /**
   * Publishes a message to a room.
   * @param {string} path  of the room
   * @param {*} body       any JSON value
   * @returns {Promise<void>} fulfilled when the broker has it; rejected with a {@link RequestError}
   */
  publish(path, body) { return this.#queries.publish(path, body); }

  // Each of these asks the bridge, and is rejected with a RequestError: with the code "unsupported" where the server has no
  // such thing, as CLU's own. The answers are those of docs/protocol.md, without `op` and `id` where only a list is of use.

  /**
   * What keywords were. @param {string[]} keywords  such as "weather.wind_speed_ms"
   * @param {{from?: string|number|Date, to?: string|number|Date|null, points?: number}} [span]  "-6h"; default the last hour
   */
  history(keywords, span) { return this.#queries.history(keywords, span); }

  /** The commands and keywords of an actor. @param {string} actor @param {{refresh?: boolean}} [options] */
  model(actor, options) { return this.#queries.model(actor, options); }

  /** The problems of all actors: `{problems, omitted}`, `omitted` is how many more an actor has. */
  problems() { return this.#queries.problems(); }

  /** Acknowledges one problem of an actor, or all up to a reply. @param {string} actor @param {{key?: string, seq?: number}} what */
  acknowledge(actor, what) { return this.#queries.acknowledge(actor, what); }

  /** A part of the log: `entries` are `{reply}` or `{gap}`, the oldest first. @param {import("./clu.js").LogRequest} [request] */
  log(request) { return this.#queries.log(request); }

  /** The commands of everybody: those that run, and the last that have ended. */
  everyCommand() { return this.#queries.everyCommand(); }

  /** What the operators have configured for this site. */
  site() { return this.#queries.site(); }

  /** The actors that have sent replies. */
  actors() { return this.#queries.actors(); }
}
