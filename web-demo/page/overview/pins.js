/** Which keywords of an actor the overview shows, and how. Nothing here depends on the page. */

import { byName } from "../core/order.js";

/** Keywords shown of an actor. */
export const PINS = 3;

/** Parts of names that say much about an actor at a glance, and those that say little. */
const TELLING = /(^|_)(state|status|shutter|open|closed|safe|is_\w+|temp|temperature|pressure|humidity|wind|speed|position|pos|az|alt|ra|dec|focus|exposure|seeing|power|mode|enabled|moving)(_|$)/;
const IDLE = /(^|_)(version|id|uuid|count|counter|total|time|timestamp|date|uptime|n|number|config|path|filename|host|port|serial|labels)(_|$)/;

/**
 * Chooses the keywords of an actor: those that the site pins, else telling scalars.
 * @param {Map<string, {name: string, value: any}>} keywords
 * @param {string[]|undefined} pinned  by the site
 * @returns {string[]}
 */
export function choose(keywords, pinned) {
  if (pinned?.length > 0) return pinned.slice(0, PINS);
  const best = [];  // not all are sorted: an actor may have a thousand
  for (const [name, { value }] of keywords) {
    const points = worth(name, value);
    if (points === null) continue;
    let at = best.length;
    while (at > 0 && (best[at - 1].points - points || -byName(best[at - 1].name, name)) < 0) at -= 1;
    if (at < PINS) best.splice(at, 0, { name, points });
    if (best.length > PINS) best.pop();
  }
  return best.map(({ name }) => name);
}

function worth(name, value) {
  const type = typeof value;
  if (type === "string" ? value.length > 30 || /^\d{4}-\d\d-\d\d/.test(value) : !["number", "bigint", "boolean"].includes(type)) return null;
  return (TELLING.test(name) ? 3 : 0) - (IDLE.test(name) ? 4 : 0) + (type === "boolean" || (type === "string" && value.length <= 12) ? 1 : 0.5);
}

/** A keyword's name without what repeats its actor: dome_shutter of dome is "shutter". */
export function shortName(actor, keyword) {
  return keyword.startsWith(`${actor}_`) && keyword.length > actor.length + 1 ? keyword.slice(actor.length + 1) : keyword;
}

/** Rounds a number to what one reads at a glance; the view of the actor has all digits. @param {string} text  in full */
export function roundForGlance(value, text) {
  if (!Number.isFinite(value) || Number.isInteger(value) || Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) return text;
  const rounded = String(Number(value.toPrecision(4)));
  return rounded.length < text.length ? rounded : text;
}

/** Units by the ends of names, as SDSS's actors write them. */
const SUFFIXES = { deg: "°", c: "°C", k: "K", torr: "Torr", bar: "bar", pa: "Pa", ms: "m/s", mps: "m/s", percent: "%", pct: "%", hpa: "hPa", mbar: "mbar", s: "s", sec: "s", mm: "mm", um: "µm", v: "V", a: "A", w: "W", hz: "Hz", arcsec: "″" };

/** The unit of a keyword: the site's, else by the end of its name, else "". */
export function unitOf(site, actor, keyword) {
  const given = site.keywords[`${actor}.${keyword}`]?.unit;
  if (given) return given;
  const end = /_([a-z]+)$/.exec(keyword)?.[1];
  return end !== undefined && Object.hasOwn(SUFFIXES, end) ? SUFFIXES[end] : "";
}

/**
 * How a number stands to the limits of the site.
 * @returns {"ok"|"warn"|"critical"}
 */
export function limitOf(site, actor, keyword, value) {
  const limits = site.keywords[`${actor}.${keyword}`];
  if (!limits || (typeof value !== "number" && typeof value !== "bigint")) return "ok";
  const { low, high, low_critical: lowest, high_critical: highest } = limits;
  const beyond = (least, most) => (least != null && value < least) || (most != null && value > most);
  if (beyond(lowest, highest)) return "critical";
  return beyond(low, high) ? "warn" : "ok";
}
