/**
 * JSON whose integers keep all their digits.
 *
 * A JavaScript number has 53 bits: 5853498713190525696, the identifier of an SDSS target, becomes about
 * 5853498713190526000, and two different identifiers become equal. Python and Go have no such limit, so actors send
 * them. Not every browser's JSON.parse gives access to the digits, so integers beyond 2^53 are rewritten in the text
 * before it is parsed. Only texts that seem to have one pay for that; the others cost one pass of a regular expression.
 *
 * Numbers with a fraction or an exponent stay numbers, even 1e22: an actor that sends those has 53 bits itself.
 *
 * NaN and Infinity are not JSON, but Python writes them, and CLU's own server passes them on. They become strings, as the
 * bridge writes them: null would count as 0.
 */

/** What an integer beyond 2^53 may become. */
export const BIGINTS = Object.freeze(["text", "bigint", "number"]);

/** Where a number may start that is beyond 2^53: times in microseconds, which every reply has, are not. */
const LONG = /[:,[\s-](?:9\d{15}|\d{17})/;

/** Long integers, and no parts of other numbers. JSON.parse has rejected what is no number before the text is rewritten. */
const INTEGER = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

/** What Python writes, and JSON has no numbers for. */
const NOT_FINITE = /-?\b(?:NaN|Infinity)\b/g;

/** Marks a string that was an integer. It is random, so that actors cannot send it. */
const MARK = `integer ${Math.random().toString(36).slice(2)} `;

/**
 * JSON.parse, but integers beyond Number.MAX_SAFE_INTEGER keep their digits, and NaN, Infinity and -Infinity become strings.
 *
 * @param {string} text
 * @param {"text"|"bigint"|"number"} [as]  what those become: a string of their digits (the default, which compares, prints
 *   and passes JSON.stringify, where a BigInt throws), a BigInt, or the nearest number
 * @returns {*}
 * @throws {SyntaxError} if it is not JSON
 */
export function parseJSON(text, as = "text") {
  try {
    return parseFinite(text, as);
  } catch (error) {
    if (!(error instanceof SyntaxError) || text.search(NOT_FINITE) < 0) throw error;
    return parseFinite(rewrite(text, (part) => part.replace(NOT_FINITE, '"$&"')), as);
  }
}

function parseFinite(text, as) {
  const value = JSON.parse(text);
  if (as === "number" || !LONG.test(text)) return value;
  const rewritten = quoteIntegers(text, as === "bigint" ? MARK : "");
  if (rewritten === text) return value;
  if (as === "text") return JSON.parse(rewritten);
  return unmarked(JSON.parse(rewritten));
}

/** Makes BigInts of marked strings. A reviver would take seconds for 10 MB, and cannot go as deep. */
function unmarked(value) {
  const top = [value];
  const todo = [top];
  const look = (holder, key) => {
    const item = holder[key];
    if (typeof item === "object" && item !== null) todo.push(item);
    else if (typeof item === "string" && item.startsWith(MARK)) holder[key] = BigInt(item.slice(MARK.length));
  };
  for (let holder = todo.pop(); holder; holder = todo.pop()) {
    if (Array.isArray(holder)) for (let n = 0; n < holder.length; n += 1) look(holder, n);
    else for (const key of Object.keys(holder)) look(holder, key);
  }
  return top[0];
}

/** Quotes and marks each integer that a number cannot represent. */
function quoteIntegers(text, mark) {
  const quoted = (token) => (Number.isSafeInteger(Number(token)) ? token : `"${mark}${token}"`);
  return rewrite(text, (part) => part.replace(INTEGER, quoted));
}

/** Changes what is outside of strings. */
function rewrite(text, change) {
  const parts = [];
  for (let at = 0; at < text.length;) {
    const open = text.indexOf('"', at);
    const end = open < 0 ? text.length : open;
    parts.push(change(text.slice(at, end)));
    if (open < 0) break;
    at = endOfString(text, open);
    parts.push(text.slice(open, at));
  }
  return parts.join("");
}

/** Returns the end of the string that starts at `open`, or of the text if it does not end. */
function endOfString(text, open) {
  let close = open;
  let slashes;
  do {
    close = text.indexOf('"', close + 1);
    if (close < 0) return text.length;
    slashes = 0;
    while (text[close - 1 - slashes] === "\\") slashes += 1;
  } while (slashes % 2 === 1);
  return close + 1;
}

/**
 * JSON.stringify, but a BigInt is written as an integer with all its digits.
 *
 * @param {*} value
 * @param {number} [indent]
 * @returns {string|undefined}
 * @throws {RangeError} if it is nested deeper than JSON.stringify can go
 */
export function formatJSON(value, indent) {
  try {
    return JSON.stringify(value, null, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;  // else there is a BigInt: rare, and a replacer is slow
  }
  const text = JSON.stringify(value, (_, item) => (typeof item === "bigint" ? MARK + item : item), indent);
  return text.replaceAll(MARKED, "$1");
}

const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");
