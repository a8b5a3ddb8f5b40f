/** Errors of a client: each is seen, by a listener of the page, or by its developer in the console. */

/** An event that notes whether a listener has looked at it. */
class Told extends CustomEvent {
  isHeard = false;

  get detail() {
    this.isHeard = true;
    return super.detail;
  }
}

/** Emits an event that must not pass unseen. @param {EventTarget} clu @param {{message: string, cause?: *}} [shown]  for the console */
export function tell(clu, type, detail, shown = detail) {
  const event = new Told(type, { detail });
  clu.dispatchEvent(event);
  if (!event.isHeard) console.error(`clu.js: ${shown.message}`, ...[shown.cause ?? []].flat());
}

let failing = false;  // the page is being told of a listener that has failed

/** Calls a listener of the page. One that throws must stop neither the other listeners nor the replies. */
export function guard(clu, listener, ...details) {
  try {
    listener(...details);
  } catch (error) {
    if (failing) return void console.error(error);  // one for errors fails itself
    failing = true;
    tell(clu, "error", { message: `A listener failed: ${error?.message ?? error}`, cause: error });
    failing = false;
  }
}
