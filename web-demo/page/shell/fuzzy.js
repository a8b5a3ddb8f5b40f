/** Finds texts by some of their letters. Nothing here depends on the page. */

/**
 * How well a query matches a text: its words must all occur, each as letters in order. Higher is better; null is no
 * match. Beginnings of words and letters in a row count most, and shorter texts win.
 * @param {string} query @param {string} text
 * @returns {number|null}
 */
export function score(query, text) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const lower = text.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const one = scoreWord(word, lower);
    if (one === null) return null;
    sum += one;
  }
  return sum - text.length / 100;
}

function scoreWord(word, text) {
  const whole = text.indexOf(word);
  if (whole >= 0) return 3 * word.length + (startsWord(text, whole) ? 4 : 0) + (whole === 0 ? 2 : 0);
  let at = -1;
  let sum = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    sum += next === at + 1 ? 2 : startsWord(text, next) ? 1.5 : 0.2;
    at = next;
  }
  return sum;
}

const startsWord = (text, at) => at === 0 || /[^a-z0-9]/.test(text[at - 1]);

/**
 * The best matches, best first. Without a query, the first ones.
 * @template T
 * @param {string} query @param {Iterable<T>} entries @param {(entry: T) => string} textOf @param {number} limit
 * @returns {T[]}
 */
export function best(query, entries, textOf, limit) {
  const found = [];
  const blank = query.trim() === "";
  for (const entry of entries) {
    const points = blank ? 0 : score(query, textOf(entry));
    if (points !== null) found.push({ entry, points });
  }
  found.sort((a, b) => b.points - a.points);
  return found.slice(0, limit).map(({ entry }) => entry);
}
