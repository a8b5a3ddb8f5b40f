/** What is known of a keyword beside its values: its unit, description and limits, from the site and the actor's model. */

/**
 * @typedef {object} Meta  what is known of a keyword
 * @property {string} unit         "" if it is not known
 * @property {string} unitFrom     "schema", "site", "suffix" or ""
 * @property {string} description  "" if there is none
 * @property {number|null} low          beyond it, a warning
 * @property {number|null} high
 * @property {number|null} lowCritical  beyond it, critical
 * @property {number|null} highCritical
 * @property {number|null} min          beyond it, it is not what its schema promises
 * @property {number|null} max
 * @property {Array<*>|null} choices    the values that its schema allows
 */

/**
 * Puts together what the actor's model and the site's configuration say of a keyword. The site knows better.
 * @param {string} actor
 * @param {string} keyword  with the members below it: "axis.alt"
 * @param {{keywords: Record<string, object>}} model
 * @param {{keywords?: Record<string, object>}} site
 * @returns {Meta}
 */
export function metaOf(actor, keyword, model, site) {
  const told = memberOf(model.keywords ?? {}, keyword) ?? {};
  const own = site?.keywords?.[`${actor}.${keyword}`] ?? {};
  const number = (value) => (typeof value === "number" || typeof value === "bigint" ? value : null);
  return {
    unit: own.unit || told.unit || "",
    unitFrom: own.unit ? "site" : told.unit ? told.unit_from ?? "schema" : "",
    description: own.description || told.description || "",
    low: number(own.low), high: number(own.high), lowCritical: number(own.low_critical), highCritical: number(own.high_critical),
    min: number(told.min), max: number(told.max),
    choices: Array.isArray(told.enum) ? told.enum : null,
  };
}

function memberOf(keywords, path) {
  if (Object.hasOwn(keywords, path)) return keywords[path];
  let found = null;
  for (const name of path.split(".")) {
    const below = found === null ? keywords : found.members ?? {};
    if (Object.hasOwn(below, name)) found = below[name];
    else if (found?.items && /^\d+$/.test(name)) found = found.items;
    else return null;
  }
  return found;
}
