/** Messages that a client publishes to rooms, each of which the bridge answers. */

/** Why a request did not succeed. */
export class RequestError extends Error {
  /** @param {string} message @param {string|null} [code]  the bridge's error code: see docs/protocol.md */
  constructor(message, code = null) {
    super(message);
    this.name = "RequestError";
    this.code = code;
  }
}

export class Messages {
  #send;
  #unusable;
  #count = 0;
  #pending = new Map();  // id -> {resolve, reject}

  /** @param {(text: string) => void} send @param {() => string|null} unusable  why nothing can be sent now */
  constructor(send, unusable) {
    this.#send = send;
    this.#unusable = unusable;
  }

  publish(path, body) {
    return new Promise((resolve, reject) => {
      const problem = this.#unusable();
      if (problem) throw new RequestError(`The message was not sent and will not be sent later: ${problem}.`);
      this.#count += 1;
      const id = `clu.js: publish ${this.#count}`;
      this.#send(JSON.stringify({ op: "publish", id, path, body }));
      this.#pending.set(id, { resolve, reject });
    });
  }

  /** Handles a message of the bridge. @returns {boolean} whether it answers one of these requests */
  message({ op, id, message, code }) {
    const pending = this.#pending.get(id);
    if (!pending || (op !== "ok" && op !== "error")) return false;
    this.#pending.delete(id);
    if (op === "ok") pending.resolve();
    else pending.reject(new RequestError(message, code));
    return true;
  }

  /** Rejects the requests without an answer: the connection is lost. */
  disconnected() {
    for (const { reject } of this.#pending.values()) reject(new RequestError("unknown: the connection was lost before the bridge answered; the message may have been published"));
    this.#pending.clear();
  }
}
