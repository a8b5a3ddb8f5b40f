/**
 * Regular expressions that somebody writes into the filter, or that come with a link. The browser's engine backtracks, and
 * cannot be stopped: /(a+)+b/ takes hours on forty letters. So expressions whose time may grow exponentially are refused,
 * and of the others it is measured how their time grows with the text, before the whole text is searched.
 */

/** Repetitions in an expression: its time may grow with that power of the length. */
const MAX_REPEATS = 6;

/** ms that a part of a text may take; the next part, which is twice as long, takes longer. */
const PATIENCE = 8;

/** Characters of the first part. */
const FIRST = 32;

/**
 * Compiles an expression.
 * @returns {(text: string) => boolean|null} whether a text matches; null if to find out takes too long
 * @throws {Error} if it is none, or may take for ever
 */
export function expression(pattern, flags, clock = () => performance.now()) {
  const compiled = new RegExp(pattern, flags);
  const repeats = repeatsOf(pattern);
  if (repeats > MAX_REPEATS) throw new Error(`it repeats more than ${MAX_REPEATS} times, which may take for ever`);
  if (repeats === 0) return (text) => compiled.test(text);
  const isSlow = (part) => {
    const began = clock();
    compiled.test(part);
    return clock() - began > PATIENCE;
  };
  return (text) => {
    for (let length = FIRST; length < text.length; length *= 2) {
      const part = text.slice(0, length);
      if (isSlow(part) && isSlow(part)) return null;  // the first time the computer may have been busy
    }
    return compiled.test(text);
  };
}

/** The parts of an expression that matter here: classes and escaped characters are one. */
const PART = /\\.|\[(?:\\.|[^\]\\])*\]|\(\?(?:[:=!]|<[=!]|<[^>]*>)|[()|?*+]|\{\d+(?:,\d*)?\}|./gsu;

/** How many repetitions an expression has. @throws {Error} if a group is repeated that has more than one way to match */
function repeatsOf(pattern) {
  let repeats = 0;
  let [top, closed, after] = [{ ways: false }, null, ""];
  const open = [];
  for (const [part] of pattern.matchAll(PART)) {
    const group = closed;
    closed = null;
    if (part === "|") {
      top.ways = true;
    } else if (part.startsWith("(")) {
      open.push(top);
      top = { ways: false };
    } else if (part === ")" && open.length > 0) {
      closed = top;
      top = open.pop();
      top.ways ||= closed.ways;
    } else if (part === "?" && /^[?*+{]/.test(after)) {
      // lazy: as many ways
    } else if (/^(?:[?*+]|\{.+)$/.test(part)) {
      const often = part !== "?" && part !== "{0}" && part !== "{1}";
      if (often && group?.ways) throw new Error("it repeats a group that has several ways to match, which may take for ever");
      repeats += often ? 1 : 0;
      top.ways = true;
    }
    after = part;
  }
  return repeats;
}
