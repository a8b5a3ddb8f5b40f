/** How alive an actor is, in a word. Nothing here depends on the page. */

import { formatAge } from "../core/format.js";
import { quietAfter } from "../core/liveness.js";

/**
 * @param {{liveness: string, time: number, interval: number|null}} actor
 * @param {number} age  since its last reply, ms
 * @param {number} shown  the same, until ages are written again
 * @returns {{words: string, silent: boolean, title: string}}  `silent`: it should have been heard
 */
export function lifeOf({ liveness, time, interval }, age, shown = age) {
  const when = time === 0 ? "never" : formatAge(shown);
  const usual = interval === null ? "Since its last reply" : `Since its last reply; usually one in ${interval < 10_000 ? `${(interval / 1_000).toFixed(1)} s` : formatAge(interval)}`;
  if (liveness === "unknown") return { words: `? ${when}`, silent: false, title: "It is not known whether it is alive" };
  if (liveness === "quiet") return { words: `silent ${when}`, silent: true, title: `${usual}: its broadcasts have stopped` };
  if (liveness !== "absent") return { words: when, silent: false, title: usual };
  // Who broadcasts is running, even if nothing takes its commands.
  const talks = time > 0 && age < quietAfter(interval ?? 0);
  return talks ? { words: `${when} ⊘`, silent: false, title: `${usual}; nothing takes its commands` }
    : { words: `gone ${when}`, silent: true, title: "Nothing takes its commands, and it says nothing: it is not running" };
}
