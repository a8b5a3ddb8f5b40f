/** Grants in words. */

/** Describes grants, in words for the user. @returns {[string, string][]} */
export function describe({ hear = [], hide = [], own = false, rooms = [], publish = [], command = [], forbid = [], clients = false, admin = false, limits = {} }) {
  const rows = [["hears", hears(hear, hide, own)]];
  rows.push(["commands", command.length === 0 ? "none" : command.map(rule).join("; ")]);
  if (command.length > 0 && forbid.length > 0) rows.push(["forbidden", forbid.map(rule).join("; ")]);
  if (rooms.length > 0) rows.push(["rooms", rooms.join(", ")]);
  if (publish.length > 0) rows.push(["publishes to", publish.join(", ")]);
  if (clients) rows.push(["sees", "who is connected"]);
  if (admin) rows.push(["administers", "this bridge"]);
  const bounds = Object.entries(limits).map(([name, most]) => `${name} ${most}`);
  if (bounds.length > 0) rows.push(["limits", bounds.join(", ")]);
  return rows;
}

function hears(hear, hide, own) {
  const all = hear.some((filter) => Object.keys(filter).length === 0);
  const heard = all ? "every reply" : hear.map(filterText).join("; ");
  const also = own && !all ? [heard, "replies to its own commands"].filter(Boolean).join("; ") : heard;
  return (also || "nothing") + (hide.length > 0 ? `, but not ${hide.map(filterText).join("; ")}` : "");
}

const filterText = (filter) => Object.entries(filter).map(([field, values]) => `${field} ${[values].flat().join(", ")}`).join(", ") || "every reply";

function rule({ consumer, verb }) {
  const actors = consumer === undefined ? "every actor" : [consumer].flat().join(", ");
  return verb === undefined ? actors : `${actors} (${[verb].flat().join(", ")})`;
}
