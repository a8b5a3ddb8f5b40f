/**
 * How much of what actors say a page may hear: of the rest, problems too, it is told nothing.
 * @param {import("../../client/access.js").Identity|null} access @returns {"all"|"some"|"nothing"}
 */
export function hearing(access) {
  if (!access) return "all";
  const { hear = [], hide = [] } = access.grants;
  return hear.length === 0 ? "nothing" : hear.some((filter) => Object.keys(filter).length === 0) && hide.length === 0 ? "all" : "some";
}
