/** The problems of actors, the worst first. The bridge keeps them, for all pages and over reloads. */

/**
 * @typedef {object} Problem  as in the bridge's answer, but with times in ms
 * @property {string} actor
 * @property {string} key     tells it from the actor's others
 * @property {"broadcast"|"condition"|"silent"} kind
 * @property {"warn"|"error"|"critical"} level
 * @property {string|null} code
 * @property {string} text
 * @property {string|null} keyword
 * @property {number} began
 * @property {number} time    when it was last said
 * @property {number} count   how often
 * @property {number|null} seq
 * @property {string|null} epoch  of seq
 * @property {boolean|null} active  of conditions: whether it still holds
 * @property {{by: string|null, time: number}|null} acked
 */

/** Levels, the best first. */
export const LEVELS = Object.freeze(["ok", "warn", "error", "critical"]);

/** How bad a level is; unknown ones count as errors. */
export function rank(level) {
  const at = LEVELS.indexOf(level);
  return at < 0 ? 2 : at;
}

/**
 * Orders problems: those that count first, of these the worst, then the one that began last. One that is said again keeps
 * its place, so that nothing moves under the pointer.
 */
export function compare(a, b) {
  return byWeight(a, b) || b.began - a.began || (a.key < b.key ? -1 : Number(a.key > b.key));
}

export const byWeight = (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || rank(b.level) - rank(a.level);

/** Whether a problem counts: nobody has acknowledged it, and it has not ended. */
export function isOpen({ acked, active }) {
  return acked === null && active !== false;
}

/** The level of somebody who has these problems. @returns {"ok"|"warn"|"error"|"critical"} */
export function levelOf(problems) {
  let worst = 0;
  for (const problem of problems) if (isOpen(problem)) worst = Math.max(worst, rank(problem.level));
  return LEVELS[worst];
}

/** Whether it has ended, and nobody has acknowledged it. */
export function hasEnded({ acked, active }) {
  return acked === null && active === false;
}

/** A problem as the bridge sends it, with its times in ms, and the epoch of its number. @returns {Problem} */
export function fromBridge(problem, epoch) {
  const { began, time, acked, active = null, seq = null, keyword = null, code = null } = problem;
  return {
    ...problem, seq, epoch, keyword, code, active, began: ms(began), time: ms(time),
    acked: acked ? { by: acked.by ?? null, time: ms(acked.time) } : null,
  };
}

const ms = (time) => (typeof time === "number" ? time : Date.parse(time) || 0);
