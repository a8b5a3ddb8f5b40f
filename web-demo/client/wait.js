/** Waiting for a value of a keyword. */

import { isTime, signalProblem } from "./sender.js";

/** Why a wait has ended. The name is "TimeoutError" or "AbortError", the code "timeout", "aborted" or "closed". */
export class WaitError extends Error {
  constructor(message, code, cause = undefined) {
    super(message, { cause });
    this.name = code === "timeout" ? "TimeoutError" : "AbortError";
    this.code = code;
  }
}

/**
 * Waits until a keyword has a current value for which the predicate is true.
 * @param {import("./index.js").Clu} clu
 * @param {import("./keyword.js").Keyword} keyword
 * @param {(value: *, snapshot: object) => boolean} [predicate]
 * @param {{timeout?: number, signal?: AbortSignal, maxAge?: number}} [options]
 */
export function waitFor(clu, keyword, predicate = () => true, { timeout, signal, maxAge = Infinity } = {}) {
  return new Promise((resolve, reject) => {
    const problem = mistake(predicate, timeout, signal, maxAge);
    if (problem) throw new TypeError(problem);
    const what = `${keyword.actor}.${keyword.name}`;
    const ends = [];
    const end = (settle, result) => {
      for (const undo of ends.splice(0)) undo();
      settle(result);
    };
    const look = () => {
      const snapshot = keyword.getSnapshot();
      if (snapshot.stale || snapshot.time === null) return;
      const age = snapshot.heard === null ? Date.now() - snapshot.time : clu.now() - snapshot.heard;
      if (age > maxAge) return;
      try {
        if (predicate(snapshot.value, snapshot)) end(resolve, snapshot);
      } catch (error) {
        end(reject, error);
      }
    };
    const aborted = () => end(reject, new WaitError(`${what} is not waited for any more: ${signal.reason?.message ?? signal.reason}`, "aborted", signal.reason));
    if (signal?.aborted) return void aborted();
    signal?.addEventListener("abort", aborted, { once: true });
    ends.push(() => signal?.removeEventListener("abort", aborted));
    ends.push(clu.onClose(() => end(reject, new WaitError(`${what} is not waited for any more: the client was closed`, "closed"))));
    if (timeout !== undefined) {
      const timer = setTimeout(() => end(reject, new WaitError(lateness(what, timeout, keyword), "timeout")), timeout);
      ends.push(() => clearTimeout(timer));
    }
    ends.push(keyword.subscribe(look));
    look();
  });
}

/** Returns what is wrong with how one wants to wait, or null. */
function mistake(predicate, timeout, signal, maxAge) {
  if (typeof predicate !== "function") return "the predicate is a function of the value; pass undefined for any value";
  if (timeout !== undefined && !isTime(timeout)) return "the timeout must be a number of ms above 0, and at most 24 days; leave it out to wait for ever";
  if (!(typeof maxAge === "number" && maxAge >= 0)) return "the option maxAge must be a number of ms";
  return signalProblem(signal);
}

function lateness(what, timeout, keyword) {
  const { time, value, stale } = keyword.getSnapshot();
  const known = time === null ? "nothing was heard of it" : `it is ${typeof value === "string" ? value : typeof value === "object" ? "an object" : String(value)}${stale ? ", if it has not changed since" : ""}`;
  return `${what} did not come to the value within ${timeout / 1_000} s: ${known}`;
}
