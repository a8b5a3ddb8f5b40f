/**
 * Reads the text of one frame into an object that is safe to use.
 *
 * An actor may send any JSON value as body, and not every sender is CLU: the sender may be missing, the code unknown.
 * Nothing here throws on what an actor sent; missing fields are null, and the whole envelope is kept as well.
 */

import { formatJSON, parseJSON } from "./json.js";

/**
 * The message codes of CLU. `final` codes end a command; `e` does not.
 * @type {Readonly<Record<string, {name: string, final: boolean, level: "ok"|"warn"|"error"}>>}
 */
export const CODES = Object.freeze({
  ">": { name: "started", final: false, level: "ok" },
  i: { name: "info", final: false, level: "ok" },
  d: { name: "debug", final: false, level: "ok" },
  w: { name: "warning", final: false, level: "warn" },
  e: { name: "error", final: false, level: "error" },
  ":": { name: "done", final: true, level: "ok" },
  f: { name: "failed", final: true, level: "error" },
  "!": { name: "critical", final: true, level: "error" },
});

/**
 * The keywords in which actors say something, after `error` and `text`, which CLU itself writes; a bridge has the same order
 * for the text of a problem.
 */
const TEXTS = ["message", "warning", "alert", "reason", "info"];

/** The codes of replies that tell values: a text among these, such as the name of a state, is not what the reply says. */
const PLAIN = [">", "i", "d", ":", ""];

/**
 * @typedef {object} Reply
 * @property {string|null} sender      the actor; null if the envelope names none
 * @property {string} code             the message code as sent, "" if there is none
 * @property {"ok"|"warn"|"error"} level  how bad the code is; "ok" for an unknown one
 * @property {string|null} commandId   the command that it answers; null on a broadcast
 * @property {string|null} commanderId
 * @property {boolean} internal
 * @property {*} body                  the body, any JSON value; integers beyond 2^53 are as the option `bigint` says
 * @property {Record<string, *>} keywords  the body if it is an object, else an empty object
 * @property {string|null} text        its text: the body's `error` or `text`, another keyword that says something (TEXTS), or a
 *                                     body that is a string; of a warning or an error without any, its first text
 * @property {boolean} refused         the bridge itself refused a message of this client; no actor got it
 * @property {boolean} returned        the broker found no such consumer, and the bridge answers in its name
 * @property {Date|null} time          when it was sent, to the second; null if unknown
 * @property {number} receivedAt       when it arrived here, ms since 1970
 * @property {number|null} heard       when the bridge heard it, ms since 1970 by the bridge's clock: ages count from here.
 *                                     0 if that is not known, null from a server that does not say it
 * @property {number} at               the same by the local clock; without `heard`, when it was published, as far as is known:
 *                                     `receivedAt`, or `time` if it is late
 * @property {boolean} late            it was published while this page was not connected, and arrived afterwards
 * @property {number|null} seq         its number; null from CLU's own server
 * @property {string|null} epoch       the numbering that `seq` belongs to
 * @property {number} size             length of the frame, in characters
 * @property {*} envelope              the envelope, unchanged
 */

/**
 * Reads one frame.
 * @param {string} frame  the text of a frame: one envelope as JSON
 * @param {number} [receivedAt]  ms since 1970
 * @param {"text"|"bigint"|"number"} [bigint]  what integers beyond 2^53 become, see parseJSON
 * @returns {Reply}
 * @throws {SyntaxError} if the text is not JSON
 * @throws {TypeError} if it is JSON, but not an object
 */
export function parseReply(frame, receivedAt = Date.now(), bigint = "text") {
  return readReply(parseJSON(frame, bigint), frame.length, receivedAt);
}

/** parseReply for a frame that was parsed already. */
export function readReply(envelope, size, receivedAt = Date.now()) {
  if (!isObject(envelope)) throw new TypeError("an envelope is a JSON object");
  const headers = isObject(envelope.headers) ? envelope.headers : {};
  const body = envelope.body === undefined ? null : envelope.body;
  const keywords = isObject(body) ? body : {};
  const code = asText(headers.message_code) ?? "";
  const commanderId = asText(headers.commander_id);
  return {
    sender: asText(headers.sender) || null,
    code,
    level: (Object.hasOwn(CODES, code) && CODES[code].level) || "ok",
    commandId: asText(headers.command_id) || null,
    commanderId,
    internal: headers.internal === true,
    body,
    keywords,
    text: textOf(body, code),
    refused: code === "f" && commanderId === null && !envelope.exchange,
    returned: code === "f" && isBridgeAnswer(envelope.routing_key, commanderId),
    time: parseTime(envelope.timestamp),
    receivedAt,
    heard: Number.isSafeInteger(envelope.heard) ? envelope.heard / 1_000 : null,
    at: receivedAt,
    late: false,
    seq: Number.isSafeInteger(envelope.seq) && typeof envelope.epoch === "string" ? envelope.seq : null,
    epoch: asText(envelope.epoch),
    size,
    envelope,
  };
}

/**
 * Dates a reply that was published while the page was disconnected.
 * @param {Reply} reply
 * @param {number|null} disconnectedAt  when the previous connection last received something, ms
 */
export function dateLate(reply, disconnectedAt) {
  reply.late = true;
  if (reply.heard !== null) return;
  const time = reply.time?.getTime();
  // Its time is in whole seconds of another clock: clamp it between the last reply and now.
  if (time !== undefined) reply.at = Math.min(reply.receivedAt, Math.max(time, disconnectedAt ?? time));
}

/** Whether a parsed frame has the form of a v1 message. */
export function isMessage(value) {
  return typeof value === "object" && value !== null && typeof value.op === "string" && value.headers === undefined;
}

/** Whether a code ends a command. Unknown codes do not. */
export function isFinal(code) {
  return Object.hasOwn(CODES, code) && CODES[code].final;
}

/** A reply goes to `reply.<commander_id>`; the answer for an absent consumer goes to `reply.<bridge>` instead. */
function isBridgeAnswer(routingKey, commanderId) {
  return typeof routingKey === "string" && commanderId !== null &&
    routingKey.startsWith("reply.") && commanderId.startsWith(`${routingKey.slice("reply.".length)}.`);
}

/** Times without an offset (CLU before 2.6) are UTC, but browsers read them as local time. */
function parseTime(value) {
  if (typeof value !== "string") return null;
  const hasOffset = /(?:Z|[+-]\d\d:?\d\d)$/i.test(value);
  const time = new Date(hasOffset ? value : `${value}Z`);
  return Number.isNaN(time.getTime()) ? null : time;
}

function textOf(body, code) {
  if (typeof body === "string") return body;
  if (!isObject(body)) return null;
  const said = asText(body.error) ?? asText(body.text) ?? TEXTS.map((name) => body[name]).find(isText);
  return said ?? (PLAIN.includes(code) ? null : Object.values(body).find(isText) ?? null);
}

function isText(value) {
  return typeof value === "string" && value !== "";
}

function asText(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  try {
    return formatJSON(value);
  } catch {
    return String(value);  // nested too deep
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
