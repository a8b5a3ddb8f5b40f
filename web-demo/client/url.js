/** The URL of a bridge, and what its query subscribes to. */

/** The query parameters that subscribe, see docs/protocol.md. */
const PARAMETERS = ["sender", "routing_key", "message_code", "keyword", "command_id", "commander", "internal",
  "snapshot", "since", "throttle_ms", "ordered", "silent"];

/** Returns the WebSocket URL for any form of it; a relative one is relative to the page, so that a path prefix works. */
export function websocketURL(url, page = globalThis.location?.href) {
  let absolute;
  try {
    absolute = new URL(url, page);
  } catch {
    return String(url);  // the WebSocket constructor throws
  }
  absolute.hash = "";
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  return absolute.href;
}

/** The URL that a page was given. One whose query subscribes is used as it is, and resumes by `since`. */
export class Target {
  #url = null;
  #text;

  constructor(text) {
    this.#text = text;
    try {
      this.#url = new URL(text);
    } catch { /* the WebSocket constructor throws */ }
    const query = this.#url?.searchParams;
    /** Whether the query subscribes. */
    this.subscribes = PARAMETERS.some((name) => query?.has(name));
    /** Whether that subscription can be resumed. */
    this.resumes = this.subscribes && !query.has("silent");
    /** Whether the query sets the batch delay, which is no subscription. */
    this.setsBatch = query?.has("batch_ms") ?? false;
  }

  /**
   * Returns the URL for one attempt to connect.
   * @param {boolean} silent  receive nothing before the first request
   * @param {{epoch: string, seq: number}|null} cursor
   */
  href(silent, cursor) {
    if (!this.#url) return this.#text;
    const url = new URL(this.#url);
    if (!this.subscribes) url.search += `${url.search ? "&" : "?"}silent=${silent ? 1 : 0}`;
    else if (this.resumes && cursor) url.searchParams.set("since", `${cursor.epoch}:${cursor.seq}`);
    return url.href;
  }
}
