/** Files of what the log shows: NDJSON with whole envelopes, and CSV for a spreadsheet. */

import { formatJSON } from "../../client/json.js";

/** An envelope in each line; a place where replies are missing is a line with `gap`. @returns {string} */
export function ndjson(items) {
  return items.map(({ time, reply, mark }) => `${reply ? formatJSON(reply.envelope) : JSON.stringify({ gap: mark, time: new Date(time).toISOString() })}\n`).join("");
}

/** The columns of the CSV. */
const COLUMNS = ["time", "code", "sender", "command_id", "commander_id", "internal", "epoch", "seq", "body"];

/** A line for each reply, RFC 4180; a place where replies are missing has its words as body. @returns {string} */
export function csv(items) {
  const lines = items.map(({ time, reply, mark }) => [
    new Date(time).toISOString(),
    ...(reply
      ? [reply.code, reply.sender, reply.commandId, reply.commanderId, reply.internal, reply.epoch, reply.seq, formatJSON(reply.body)]
      : ["", "", "", "", "", "", "", mark]),
  ]);
  return [COLUMNS, ...lines].map(csvLine).join("");
}

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
