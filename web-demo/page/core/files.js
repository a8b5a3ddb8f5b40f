/** What files that are saved from the page have in common: their names, and lines of CSV. */

/** Returns values as a line of a CSV file. */
export function csvLine(values) {
  return `${values.map(quoted).join(",")}\r\n`;
}

/** A value that begins like a formula gets an apostrophe, since spreadsheets run those, also from inside quotes. */
function quoted(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Returns a name for a file of a span of time: log-20261128-031500-20261128-044000.csv. */
export function fileName(what, from, to, ending) {
  const stamp = (ms) => new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `${what}-${stamp(from)}-${stamp(to)}.${ending}`;
}
