/** Signals that end the waiting for a command. */

import { CommandError } from "./command.js";

/**
 * Ends the waiting for a command's end when a signal is aborted: its promise rejects with an AbortError. What the actor does
 * goes on, and so do the command's states and events.
 * @param {import("./command.js").Command} command
 * @param {AbortSignal} signal
 */
export function abortWith(command, signal) {
  const { finished } = command;
  command.finished = new Promise((resolve, reject) => {
    const abort = () => {
      if (!command.active) return;  // its end is about to be told
      const { reason } = signal;
      const why = `it is not waited for any more: ${reason?.message ?? reason}. The command goes on`;
      reject(Object.assign(new CommandError(why, command, null, "aborted"), { name: "AbortError", cause: reason }));
    };
    if (signal.aborted) abort();  // by a listener, when it was sent
    signal.addEventListener("abort", abort, { once: true });
    const settled = () => signal.removeEventListener("abort", abort);
    finished.then(resolve, reject).then(settled);
  });
  command.finished.catch(() => {});
}
