/**
 * Replies to loop over with `for await`. What comes faster than the loop reads is kept, up to a limit; beyond it the oldest
 * are left out, and counted. A loop with `since` begins with what the bridge has in its log, and goes on without a hole.
 */

import { RequestError } from "./queries.js";
import { signalProblem } from "./sender.js";

const LIMIT = 10_000;

export class Replies {
  #clu;
  #buffer = [];
  #waiting = [];        // each `next` that waits, the first first
  #ended = null;        // {error} once nothing follows
  #subscription;
  #undo = [];
  #past = null;         // the pages of the log
  #options;
  #last = null;         // {epoch, seq} of the last reply of the log
  #untold = 0;

  /**
   * @param {import("./index.js").Clu} clu @param {import("./filter.js").Filter|null} [filter]
   * @param {{signal?: AbortSignal, since?: {epoch: string, seq: number}, limit?: number, onDropped?: (count: number) => void, onGap?: (gap: object) => void}} [options]
   */
  constructor(clu, filter = {}, options = {}) {
    const { signal, since, limit = LIMIT } = options;
    if (!(Number.isInteger(limit) && limit > 0)) throw new TypeError("the option limit is a number of replies above 0");
    const problem = signalProblem(signal);
    if (problem) throw new TypeError(problem);
    /** How many replies were left out, because the loop reads too slowly. */ this.dropped = 0;
    this.#clu = clu;
    this.#options = { limit, ...options };
    this.#subscription = clu.subscribe(filter ?? {}, {
      snapshot: false, values: false,
      onReply: (reply) => this.#push({ reply }),
      onRefused: (reason, code) => this.#end(new RequestError(reason, code)),
    });
    this.#undo.push(clu.on("gap", (gap) => this.#push({ gap })), clu.on("dropped", ({ count }) => this.#push({ count })), clu.onClose(() => this.#end()));
    const abort = () => this.#end();
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    this.#undo.push(() => signal?.removeEventListener("abort", abort));
    if (this.#ended) for (const undo of this.#undo.splice(0)) undo();
    if (since && !this.#ended) this.#past = this.#readLog(since);
  }

  [Symbol.asyncIterator]() { return this; }

  /** @returns {Promise<{done: boolean, value: import("./reply.js").Reply|undefined}>} */
  async next() {
    try {
      while (true) {
        const item = await this.#item();
        if (item === undefined) return { done: true, value: undefined };
        if (item.gap) this.#options.onGap?.(item.gap);
        else if (item.count) this.#options.onDropped?.(item.count);
        else return { done: false, value: item.reply };
      }
    } catch (error) {
      await this.return();  // a loop that throws here does not end it
      throw error;
    }
  }

  /** Ends it, as `break` does. */
  async return() {
    this.#end();
    this.#buffer = [];
    return { done: true, value: undefined };
  }

  async #item() {
    if (this.#past) {
      try {
        const { value, done } = await this.#past.next();
        if (!done && !this.#ended) return value;
      } catch (error) {
        this.#end(error);
      }
      this.#past = null;
    }
    while (true) {
      if (this.#untold > 0) {
        const count = this.#untold;
        this.#untold = 0;
        return { count };
      }
      const item = this.#buffer.shift();
      if (item !== undefined && !this.#isKnown(item.reply)) return item;
      if (item !== undefined) continue;
      if (this.#ended) {
        const { error } = this.#ended;
        this.#ended = {};
        if (error) throw error;
        return undefined;
      }
      await new Promise((resolve) => { this.#waiting.push(resolve); });
    }
  }

  /** Whether the log has brought it already. */
  #isKnown(reply) { return this.#last !== null && reply?.epoch === this.#last.epoch && reply.seq <= this.#last.seq; }

  /** What the bridge has kept, from a position on. What comes meanwhile is in the buffer. */
  async *#readLog({ epoch, seq }) {
    await this.#subscription.ready;
    let after = seq;
    let reached = seq;  // up to here nothing is missing, or the loop was told
    for (let more = true; more;) {
      const part = await this.#clu.log({ after, epoch, filter: this.#subscription.filter ?? undefined });
      // Also later than at the first page: a loop that reads slowly is overtaken by what the bridge forgets.
      if (part.oldest > reached + 1) yield { gap: { from: null, to: new Date(this.#clu.now()), seconds: null, reason: "the bridge no longer has all replies since then" } };
      for (const entry of part.entries) {
        if (entry.reply) this.#last = { epoch: part.epoch, seq: entry.reply.seq };
        yield entry;
      }
      more = part.more && part.next !== null;
      after = part.next ?? after;
      reached = Math.max(after, reached, part.oldest - 1);
    }
  }

  #push(item) {
    if (this.#ended) return;
    this.#buffer.push(item);
    if (this.#buffer.length > this.#options.limit) {
      const [left] = this.#buffer.splice(0, 1);
      const count = left.reply ? 1 : left.count ?? 0;
      this.dropped += count;
      this.#untold += count;
      if (left.gap) this.#options.onGap?.(left.gap);
    }
    this.#wake();
  }

  #end(error = null) {
    if (this.#ended) return;
    this.#ended = { error };
    for (const undo of this.#undo.splice(0)) undo();
    this.#subscription?.close();
    this.#wake();
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
