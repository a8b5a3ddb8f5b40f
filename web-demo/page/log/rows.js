/** The rows of the log: one for each reply, and one for each place where replies are missing. */

import { CODES } from "../../client/clu.js";
import { compactJSON, shortId } from "../core/format.js";
import { element, setAttribute, setText } from "../shell/dom.js";

/** Characters of a body that are written: more is not in sight. */
const SHOWN = 400;

/** What is written of the bodies. A row in sight is filled again and again, and a body may have 10 MB. @type {WeakMap<object, string>} */
const bodies = new WeakMap();

function bodyText(reply) {
  let text = bodies.get(reply);
  if (text === undefined) bodies.set(reply, text = compactJSON(reply.body, SHOWN));
  return text;
}

const cell = (name) => element("span", { role: "gridcell", class: name });

/** Makes a row, which shows any item. */
function make() {
  const cells = ["time", "code", "sender", "body", "id"].map(cell);
  const row = element("div", {}, ...cells);
  row.cells = cells;
  return row;
}

/**
 * Writes an item into a row.
 * @param {HTMLElement} row
 * @param {import("./model.js").Item} item
 * @param {(item: import("./model.js").Item) => boolean} isMarked
 * @param {number} now  ms by the bridge's clock
 */
function fill(row, item, isMarked, now) {
  const [time, code, sender, body, id] = row.cells;
  const { reply } = item;
  const date = new Date(item.time).toISOString();
  setText(time, dayOf(item.time) === dayOf(now) ? date.slice(11, 23) : `${date.slice(5, 10)} ${date.slice(11, 19)}`);
  row.classList.toggle("gap", reply === null);
  row.toggleAttribute("data-late", reply?.late === true);
  row.toggleAttribute("data-marked", isMarked(item));
  setAttribute(row, "data-code", reply?.code ?? null);
  setAttribute(row, "data-sender", reply ? reply.sender ?? "" : null);
  setAttribute(row, "data-internal", reply ? String(reply.internal) : null);
  setAttribute(row, "data-seq", reply?.seq === null || !reply ? null : String(reply.seq));
  setAttribute(time, "title", `${date.replace("T", " ").replace("Z", " UTC")}${reply?.late ? ": published while this page was not connected" : ""}`);
  setAttribute(code, "title", reply && Object.hasOwn(CODES, reply.code) ? CODES[reply.code].name : null);
  setText(code, reply ? reply.code || "–" : "");
  setText(sender, reply ? reply.sender ?? "(no sender)" : "");
  setText(body, reply ? bodyText(reply) : item.mark);
  setText(id, reply ? shortId(reply.commandId) : "");
}

/** Days since 1970: a time of another day is written with its date. */
const dayOf = (ms) => Math.floor(ms / 86_400_000);

/**
 * Returns what makes and fills rows.
 * @param {(item: object) => boolean} isMarked
 * @param {() => number} now
 */
export function rowMaker(isMarked, now) {
  return { make, fill: (row, item) => fill(row, item, isMarked, now()) };
}
