/**
 * The URL is the state: what follows `#/` says which view is shown and how, so that it can be passed on, kept as a
 * bookmark, and reached again by Back.
 *
 *     #/actor/dome?q=shutter   is   { path: ["actor", "dome"], query: URLSearchParams { q: "shutter" } }
 */

/** @typedef {{path: string[], query: URLSearchParams, embedded?: boolean}} Route */

/** Reads what follows the `#`. Whatever is not understood is an empty path. @returns {Route} */
export function parseRoute(hash) {
  const text = hash.replace(/^#?\/?/, "");
  const [path, query] = split(text);
  return { path: path.split("/").filter((part) => part !== "").map(decode), query: new URLSearchParams(query) };
}

function split(text) {
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Writes a path and a query as a hash; of an object, what is empty is left out. Commas, colons and the like stay readable. */
export function formatRoute(path, query = {}) {
  const readable = (text) => encodeURIComponent(text).replace(/%(2C|3A|40|2F|24|3B)/g, decodeURIComponent);
  const pairs = query instanceof URLSearchParams ? [...query] : Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const end = pairs.map(([name, value]) => `${readable(name)}=${readable(String(value))}`).join("&");
  return `#/${path.map((part) => encodeURIComponent(part)).join("/")}${end === "" ? "" : `?${end}`}`;
}

export class Router {
  #listener = () => {};

  constructor() {
    addEventListener("hashchange", () => this.#listener(this.route));
  }

  /** @returns {Route} */
  get route() { return parseRoute(location.hash); }

  /** Calls `listener` with the route, now and whenever it changes. */
  start(listener) {
    this.#listener = listener;
    listener(this.route);
  }

  /** Goes to a route: `#/actor/dome`. */
  go(hash) {
    if (location.hash === hash) this.#listener(this.route);
    else location.hash = hash;
  }

  /** Changes the URL without a step in the history and without another call of the listener: the view has done it. */
  replace(hash) {
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }
}
