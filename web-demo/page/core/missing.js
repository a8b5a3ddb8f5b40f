/** What a server cannot give, in words for the page's users. */

/**
 * @typedef {object} Missing
 * @property {string} capability
 * @property {string} text  what that means
 */

/** Codes of refusals that may be over in a second. */
export const TEMPORARY = new Set(["full", "rate", "undecided"]);

/** What each capability of a bridge is for. */
const NEEDS = Object.freeze({
  heard: "ages count from when this page received a value, and may be too young; how far this page is behind is not known",
  snapshot: "values from before this page was opened are not shown",
  problems: "problems are those that this page has seen itself; acknowledging one counts for this page only",
  commands: "commands of others are known by their replies only, and those from before this page was opened not at all",
  history: "there is no history: plots begin when this page was opened",
  log: "the log begins when this page was opened",
  model: "what commands an actor has, and the units of its keywords, is not known",
  site: "limits, pins, boards and dangerous commands of this site are not known",
  notices: "whether an actor runs is seen by its replies only, and the state of the broker is not known",
});

/**
 * @param {"v1"|"plain"|null} protocol  null while it is not known
 * @param {string[]} capabilities  of the hello
 * @returns {Missing[]}
 */
export function missingFrom(protocol, capabilities) {
  if (protocol === null) return [];
  return Object.entries(NEEDS).filter(([capability]) => !capabilities.includes(capability)).map(([capability, text]) => ({ capability, text }));
}
