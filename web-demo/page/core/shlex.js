/**
 * Command strings as CLU reads them: by the rules of Python's shlex.split, see actor/shlex.go. Words are separated by
 * spaces; quotes and backslashes keep a word together; between double quotes a backslash escapes only a double quote and
 * itself, and between single quotes nothing.
 */

/**
 * @typedef {object} Word
 * @property {string} text   without its quotes
 * @property {number} start  where it begins in the line
 * @property {number} end    where it ends, exclusive
 */

/**
 * Reads a line into words.
 * @param {string} line
 * @returns {{words: Word[], open: ""|"'"|'"'|"\\"}} `open` is what the line leaves open; CLU refuses such a line
 */
export function lex(line) {
  const words = [];
  let word = null;
  let quote = "";
  let escaped = false;
  const add = (char, at) => {
    word ??= { text: "", start: at, end: at };
    word.text += char;
  };
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at];
    if (escaped) {
      escaped = false;
      add(quote === '"' && char !== '"' && char !== "\\" ? `\\${char}` : char, at);
    } else if (char === "\\" && quote !== "'") {
      escaped = true;
      add("", at);
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else add(char, at);
    } else if (char === "'" || char === '"') {
      quote = char;
      add("", at);
    } else if (" \t\r\n".includes(char)) {
      if (word) words.push({ ...word, end: at });
      word = null;
    } else {
      add(char, at);
    }
  }
  if (word) words.push({ ...word, end: line.length });
  return { words, open: escaped ? "\\" : quote };
}

/** Returns the words of a line, without their quotes; null if a quotation is open. @param {string} line @returns {string[]|null} */
export function split(line) {
  const { words, open } = lex(line);
  return open === "" ? words.map(({ text }) => text) : null;
}

/** What needs no quotes. A letter of any language is as good as one of ASCII. */
const PLAIN = /^[\p{L}\p{N}_@%+=:,./^~*?![\]{}()<>|;&$#-]+$/u;

/** Writes one word so that `split` gives it back. @param {string} word */
export function quote(word) {
  if (PLAIN.test(word)) return word;
  if (!word.includes("'")) return `'${word}'`;
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}

/** Writes words as one line. @param {string[]} words */
export function join(words) {
  return words.map(quote).join(" ");
}

/** Says what is wrong with a line that leaves something open, or null. @param {string} line */
export function openQuotation(line) {
  const { open } = lex(line);
  if (open === "") return null;
  return open === "\\" ? "the line ends with a backslash: write two for one" : `a ${open === "'" ? "single" : "double"} quote is open: close it with another ${open}`;
}
