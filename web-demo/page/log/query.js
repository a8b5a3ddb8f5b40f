/**
 * Which replies the log shows, as the URL says it:
 *
 *     #/log?q=shutter -debug /exp(osed|osure)/&code=we!f&sender=dome,roof&internal=hide&at=EPOCH:SEQ
 *
 * All words of `q` must occur, those with a minus must not; "two words" belong together, and /.../ is a regular
 * expression. Case does not matter. Words are looked for here, the rest also at the bridge.
 *
 * Answers to the bridge's own questions for models are left out, unless one looks for "model-".
 */

import { CODES } from "../../client/clu.js";
import { compactJSON } from "../core/format.js";
import { readNames, writeNames } from "../core/names.js";
import { expression } from "./expression.js";

/** Stands for all codes that CLU does not have. */
export const OTHER = "?";

/** All codes, in the order in which they are shown. */
export const ALL_CODES = [...Object.keys(CODES), OTHER];

/** How much of a reply is searched. */
const MAX_SEARCHED = 20_000;

/** Values of one field of the bridge's filters, see docs/protocol.md. */
const MAX_VALUES = 256;

/** @typedef {{matches: (text: string, lower: string) => boolean|null, not: boolean, pattern?: string}} Term  null: it takes too long */

export class LogQuery {
  /**
   * @param {{text?: string, codes?: Iterable<string>|null, senders?: Iterable<string>, hideInternal?: boolean}} [what]
   *   no codes or no senders are all of them
   */
  constructor({ text = "", codes = null, senders = [], hideInternal = false } = {}) {
    this.text = text;
    /** @type {Set<string>} */ this.codes = new Set(codes ?? ALL_CODES);
    /** No sender is every sender. @type {Set<string>} */ this.senders = new Set(senders);
    this.hideInternal = hideInternal;
    const { terms, error } = readTerms(text);
    /** @type {Term[]} */ this.terms = terms;
    /** Why the text is not understood, in a sentence, or null. @type {string|null} */ this.error = error;
  }

  /** Reads the query of a URL. @param {URLSearchParams} params */
  static read(params) {
    const code = params.get("code");
    return new LogQuery({
      text: params.get("q") ?? "",
      codes: code === null ? null : ALL_CODES.filter((known) => code.includes(known)),
      senders: readNames(params.get("sender") ?? ""),
      hideInternal: params.get("internal") === "hide",
    });
  }

  /** Writes it for a URL; what is absent selects everything. @returns {Record<string, string>} */
  write() {
    return {
      q: this.text,
      code: this.allCodes ? "" : ALL_CODES.filter((code) => this.codes.has(code)).join("") || "-",
      sender: writeNames(this.senders),
      internal: this.hideInternal ? "hide" : "",
    };
  }

  /** The same with some parts changed. */
  with(changes) {
    const { text, codes, senders, hideInternal } = this;
    return new LogQuery({ text, codes, senders, hideInternal, ...changes });
  }

  get allCodes() { return ALL_CODES.every((code) => this.codes.has(code)); }

  /** Whether everything is shown. */
  get selectsAll() {
    return this.terms.length === 0 && this.allCodes && this.senders.size === 0 && !this.hideInternal;
  }

  /** Whether a reply is shown. @param {import("../../client/reply.js").Reply} reply */
  accepts(reply) {
    return this.acceptsButSender(reply) && (this.senders.size === 0 || this.senders.has(reply.sender ?? ""));
  }

  /** Whether a reply would be shown if its sender did not matter. */
  acceptsButSender(reply) {
    if (isQuestion(reply) && !this.text.includes(QUESTION)) return false;
    if (this.hideInternal && reply.internal) return false;
    if (!this.codes.has(Object.hasOwn(CODES, reply.code) ? reply.code : OTHER)) return false;
    if (this.terms.length === 0) return true;
    const text = searched(reply);
    const lower = text.toLowerCase();
    for (const { matches, not, pattern } of this.terms) {
      const found = matches(text, lower);
      if (found === not) return false;
      if (found === null) return this.#giveUp(pattern);
    }
    return true;
  }

  /** Handles that an expression takes too long. One that is not understood hides nothing, either. */
  #giveUp(pattern) {
    this.terms = [];
    this.error = `/${pattern}/ takes too long on what is said here: nothing is left out.`;
    return true;
  }

  /** What the bridge can leave out by itself. @returns {import("../../client/filter.js").Filter} */
  get serverFilter() {
    const filter = {};
    if (this.hideInternal) filter.internal = false;
    if (!this.allCodes && !this.codes.has(OTHER) && this.codes.size > 0) filter.message_code = [...this.codes];
    if (this.senders.size > 0 && this.senders.size <= MAX_VALUES) filter.sender = [...this.senders].map(literal);
    return filter;
  }
}

/** How the command ids of the bridge's own questions begin, see docs/protocol.md. */
const QUESTION = "model-";

/** Whether a reply answers a question of the bridge itself. */
function isQuestion({ commandId }) {
  return commandId !== null && /^model-[0-9a-f-]{36}$/.test(commandId);
}

/** The text of a reply in which words are looked for. */
function searched({ sender, code, commandId, commanderId, body }) {
  return [sender, code, commandId, commanderId, compactJSON(body, MAX_SEARCHED)].join(" ");
}

/** A glob that matches a name alone. */
const literal = (name) => name.replace(/[*?[]/g, "[$&]");

const TERM = /(-?)(?:"([^"]*)"|\/((?:[^/\\]|\\.)+)\/([ims]*)(?=\s|$)|(\S+))/g;

/** Reads words and expressions. @returns {{terms: Term[], error: string|null}} */
function readTerms(text) {
  const terms = [];
  for (const [, minus, quoted, pattern, flags, word] of text.matchAll(TERM)) {
    const not = minus === "-";
    if (pattern !== undefined) {
      try {
        terms.push({ not, pattern, matches: expression(pattern, [...new Set(`${flags}i`)].join("")) });
      } catch (error) {
        return { terms: [], error: `/${pattern}/ ${error instanceof SyntaxError ? "is no regular expression" : "is not looked for"}: ${reason(error)}.` };
      }
    } else {
      const part = (quoted ?? word).toLowerCase();
      if (part !== "" && part !== "-") terms.push({ not, matches: (_, lower) => lower.includes(part) });
    }
  }
  return { terms, error: null };
}

/** What the browser says of an expression, without the expression. */
const reason = ({ message }) => message.replace(/^Invalid regular expression: (?:\/.*\/\w*: )?/, "").toLowerCase();
