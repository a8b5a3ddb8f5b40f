/** The options of a client, as programs hand them over. */

/** Those that are numbers, and the least that each may be. Infinity is one. */
const NUMBERS = { minDelay: 1, maxDelay: 1, connectTimeout: 1, pulse: 1, maxReplies: 0, maxActive: 0, maxUnknown: 0 };

/** Returns what is set: `{maxDelay: settings.maxDelay}` leaves the default where a program has no setting. */
export function defined(options) {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

/** @throws {TypeError} if one that should be a number is none: timers take that for 0 */
export function checkNumbers(options) {
  for (const [name, least] of Object.entries(NUMBERS)) {
    const value = options[name];
    if (value !== undefined && !(typeof value === "number" && value >= least)) throw new TypeError(`the option ${name} is a number from ${least} on, not ${String(value)}`);
  }
}
