/**
 * Names of keywords and senders, alone and in lists as URLs have them: `weather.wind_speed_ms,dome.dome_shutter`. Actors
 * choose them freely, so a backslash stands before what would separate them.
 */

/** Reads a list of names, as it is written by hand or by `writeNames`. @param {string} text @returns {string[]} */
export function readNames(text) {
  return (text.match(/(?:\\[^]|[^\s,])+/g) ?? []).map((name) => name.replace(/\\([^])/g, (_, char) => (char === EMPTY ? "" : char)));
}

/** Writes a list of names: commas and white space separate them, and on boards ~ ends them. @param {Iterable<string>} names */
export function writeNames(names) {
  return [...names].map((name) => name.replace(/[\\,~\s]/g, "\\$&") || `\\${EMPTY}`).join(",");
}

/** Stands after a backslash for nothing: a reply may have no sender. */
const EMPTY = "-";

/** Splits "actor.keyword": keywords of actors that are known, whose names may have dots. @param {(name: string) => boolean} isActor */
export function splitKeyword(text, isActor) {
  for (let at = text.lastIndexOf("."); at > 0; at = text.lastIndexOf(".", at - 1)) {
    if (isActor(text.slice(0, at))) return { actor: text.slice(0, at), keyword: text.slice(at + 1) };
  }
  const at = text.indexOf(".");
  return at < 0 ? { actor: text, keyword: "" } : { actor: text.slice(0, at), keyword: text.slice(at + 1) };
}
