/** The URL of a bridge, and what it asks for. */

/** What in a URL asks a bridge for something, see docs/protocol.md. */
const PARAMETERS = ["sender", "routing_key", "message_code", "keyword", "command_id", "commander", "internal",
  "snapshot", "since", "throttle_ms", "ordered", "silent"];

/** The WebSocket URL for any way of writing it; a relative one is relative to the page, so that a path prefix works. */
export function websocketURL(url, page = globalThis.location?.href) {
  let absolute;
  try {
    absolute = new URL(url, page);
  } catch {
    return String(url);  // the WebSocket refuses it, in words
  }
  absolute.hash = "";
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  return absolute.href;
}

/** A URL that a page was given. One that asks for something itself is left to do so, and goes on from where it was. */
export class Target {
  #url = null;
  #text;

  constructor(text) {
    this.#text = text;
    try {
      this.#url = new URL(text);
    } catch { /* the WebSocket refuses it, in words */ }
    const asked = this.#url?.searchParams;
    /** Whether it asks for something. */
    this.asks = PARAMETERS.some((name) => asked?.has(name));
    /** Whether what it asks for can be resumed. */
    this.resumes = this.asks && !asked.has("silent");
    /** Whether it says how long replies may wait, which asks for none. */
    this.batches = asked?.has("batch_ms") ?? false;
  }

  /**
   * The URL for one attempt to connect.
   * @param {boolean} silent  hear nothing until something was asked for
   * @param {{epoch: string, seq: number}|null} cursor
   */
  href(silent, cursor) {
    if (!this.#url) return this.#text;
    const url = new URL(this.#url);
    if (!this.asks) url.search += `${url.search ? "&" : "?"}silent=${silent ? 1 : 0}`;
    else if (this.resumes && cursor) url.searchParams.set("since", `${cursor.epoch}:${cursor.seq}`);
    return url.href;
  }
}
