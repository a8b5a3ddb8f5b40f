/** Files of what the log shows: NDJSON with whole envelopes, and CSV for a spreadsheet. */

import { formatJSON } from "../../client/json.js";
import { csvLine } from "../core/files.js";

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
