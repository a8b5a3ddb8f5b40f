/**
 * The filters of docs/protocol.md, with the semantics of package bridge/filter. Both are tested against
 * bridge/filter/testdata/cases.json.
 *
 * The bridge evaluates filters too. The page repeats it because a reply that several of its subscriptions select arrives
 * once, and because CLU's own server sends every reply to everyone.
 */

const CODES = [">", "i", "d", "w", "e", ":", "f", "!"];
const FIELDS = ["sender", "routing_key", "message_code", "keyword", "command_id", "commander", "internal"];

/**
 * @typedef {object} Filter  a reply must match every field that is present, and matches a field by one of its values
 * @property {string|string[]} [sender]        globs: `*` any text, `?` a character, `[a-z]` one of these; "" is no sender
 * @property {string|string[]} [keyword]       globs; one must match one of the body's keys
 * @property {string|string[]} [routing_key]   AMQP patterns: `reply.*`, `reply.#`
 * @property {string|string[]} [message_code]  among > i d w e : f !
 * @property {string|string[]} [command_id]    globs
 * @property {string|string[]} [commander]     globs; "me" matches replies to commands of this client
 * @property {boolean|boolean[]} [internal]      true: replies that are not meant for people; false: the others
 */

/**
 * The fields of a reply that filters look at.
 * @typedef {object} ReplyFields
 * @property {string} sender  "" if absent, like all strings here
 * @property {string} routingKey
 * @property {string} code
 * @property {string} commandId
 * @property {string} commander
 * @property {boolean} internal
 * @property {string[]} keywords  the keys of the body, if it is an object
 */

/** Returns the fields of a reply, from its headers as they were sent: only strings count. */
export function fieldsOf({ envelope, keywords }) {
  const headers = envelope.headers ?? {};
  return {
    sender: text(headers.sender),
    routingKey: text(envelope.routing_key),
    code: text(headers.message_code),
    commandId: text(headers.command_id),
    commander: text(headers.commander_id),
    internal: headers.internal === true,
    keywords: Object.keys(keywords),
  };
}

const text = (value) => (typeof value === "string" ? value : "");

/** A filter that was parsed. */
export class CompiledFilter {
  #lists = {};  // field -> ValueList; an absent field matches everything
  #own = false;
  #codes = null;
  #internal = null;

  /**
   * @param {Filter} [filter]
   * @throws {TypeError} if it is malformed, with a message for people
   */
  constructor(filter = {}) {
    if (typeof filter !== "object" || filter === null || Array.isArray(filter)) {
      throw new TypeError('a filter is an object, such as {sender: ["dome"], keyword: "dome_*"}');
    }
    for (const [field, given] of Object.entries(filter)) {
      if (!FIELDS.includes(field)) throw new TypeError(`a filter has no field "${field}"; it has ${FIELDS.join(", ")}`);
      if (given !== null && given !== undefined) this.#set(field, [given].flat(1));
    }
  }

  /** Whether it selects every reply. */
  get selectsAll() {
    return Object.keys(this.#lists).length === 0 && this.#codes === null && this.#internal === null;
  }

  /**
   * @param {ReplyFields} fields
   * @param {boolean} own  whether it answers a command of this client
   */
  selects(fields, own) {
    const { sender, routing_key: routing, keyword, command_id: id, commander } = this.#lists;
    return (this.#internal === null || this.#internal === fields.internal) &&
      (this.#codes === null || this.#codes.has(fields.code)) &&
      (!sender || sender.has(fields.sender)) &&
      (!commander || (this.#own && own) || commander.has(fields.commander)) &&
      (!id || id.has(fields.commandId)) &&
      (!routing || routing.has(fields.routingKey)) &&
      (!keyword || fields.keywords.some((name) => keyword.has(name)));
  }

  /** Whether it selects any reply of a sender. */
  selectsSomeOf(sender) {
    return this.#lists.sender?.has(sender) ?? true;
  }

  /** Whether it selects every reply of a sender. */
  selectsAllOf(sender) {
    const onlySenders = Object.keys(this.#lists).every((field) => field === "sender");
    return onlySenders && this.#codes === null && this.#internal === null && this.selectsSomeOf(sender);
  }

  /** Whether the filter includes a keyword of a reply that it selects. */
  includesKeyword(keyword) {
    return this.#lists.keyword?.has(keyword) ?? true;
  }

  #set(field, values) {
    const wrong = values.find((value) => typeof value !== (field === "internal" ? "boolean" : "string"));
    if (wrong !== undefined || values.length === 0) throw new TypeError(`the filter field "${field}" is not understood: it takes one value or a list of them`);
    switch (field) {
      case "internal":
        if (new Set(values).size === 1) [this.#internal] = values;
        return;
      case "message_code":
        if (!values.every((code) => CODES.includes(code))) throw new TypeError(`the filter field "message_code" takes some of ${CODES.join(" ")}`);
        this.#codes = new Set(values);
        return;
      default: {
        const list = new ValueList(values.map(field === "routing_key" ? readTopic : readGlob));
        if (list.all) return;
        if (field === "commander") this.#own = list.names.delete("me");
        this.#lists[field] = list;
      }
    }
  }
}

/** Limits of a filter, see package bridge/filter. */
const MAX_VALUES = 256;
const MAX_BYTES = 255;

/** Returns a filter for replies with these command ids, or for the last of them if there are too many; null without ids. */
export function filterForIds(ids) {
  const literals = ids.map((id) => id.replace(/[*?[]/g, "[$&]")).filter((glob) => new TextEncoder().encode(glob).length <= MAX_BYTES);
  return literals.length > 0 ? { command_id: literals.slice(-MAX_VALUES) } : null;
}

/** Returns a list of globs, whose `has` reports whether a text matches one of them. */
export function readGlobs(globs) {
  return new ValueList(globs.map(readGlob));
}

/** The values of one field: names, and patterns that may match more than one text. */
class ValueList {
  /** @param {{name?: string, matches?: (text: string) => boolean, all?: boolean}[]} values */
  constructor(values) {
    this.all = values.some((value) => value.all);
    this.names = new Set(values.filter(({ matches }) => !matches).map(({ name }) => name));
    this.patterns = values.map(({ matches }) => matches).filter(Boolean);
  }

  has(value) {
    return this.names.has(value) || this.patterns.some((matches) => matches(value));
  }
}

/** Parses a glob into tokens: each matches one character, and null stands for `*`. */
function readGlob(glob) {
  const chars = Array.from(glob);
  const tokens = [];
  let name = "";
  let wild = false;
  for (let at = 0; at < chars.length; at += 1) {
    let token = chars[at];
    if (token === "[") {
      const end = chars.indexOf("]", at);
      token = readClass(chars.slice(at + 1, end < 0 ? undefined : end), glob, end >= 0);
      at = end;
    } else if (token === "*") {
      token = null;
    } else if (token === "?") {
      token = () => true;
    }
    wild ||= typeof token !== "string";
    name += token;
    tokens.push(token);
  }
  if (!wild) return { name };
  return {
    all: tokens.every((token) => token === null),
    matches: (value) => matchRuns(tokens, Array.from(value), (token) => token === null,
      (token, char) => (typeof token === "string" ? token === char : token(char))),
  };
}

/** Parses the text between brackets: returns the single character, or a function that matches one of them. */
function readClass(inner, glob, closed) {
  if (!closed) throw new TypeError(`the pattern "${glob}" has a [ without ]; for the character [ itself write [[]`);
  const not = inner[0] === "^";
  let rest = not ? inner.slice(1) : inner;
  if (rest.length === 0) throw new TypeError(`the pattern "${glob}" has brackets that name no character`);
  const ranges = [];
  while (rest.length > 0) {
    const from = rest[0];
    const isRange = rest.length > 2 && rest[1] === "-";
    const to = isRange ? rest[2] : from;
    if (to.codePointAt(0) < from.codePointAt(0)) throw new TypeError(`the range ${from}-${to} in the pattern "${glob}" runs backwards`);
    ranges.push([from.codePointAt(0), to.codePointAt(0)]);
    rest = rest.slice(isRange ? 3 : 1);
  }
  if (!not && ranges.length === 1 && ranges[0][0] === ranges[0][1]) return String.fromCodePoint(ranges[0][0]);
  return (char) => {
    const code = char.codePointAt(0);
    return ranges.some(([from, to]) => from <= code && code <= to) !== not;
  };
}

/** Parses an AMQP pattern: words between dots, `*` for one word and `#` for any number of them. */
function readTopic(pattern) {
  const words = pattern === "" ? [] : pattern.split(".");
  const mixed = words.find((word) => word.length > 1 && /[*#]/.test(word));
  if (mixed !== undefined) throw new TypeError(`* and # stand for whole words between dots, and "${mixed}" mixes them with others`);
  if (!words.some((word) => word === "*" || word === "#")) return { name: pattern };
  return {
    all: words.every((word) => word === "#"),
    matches: (key) => matchRuns(words, key === "" ? [] : key.split("."), (word) => word === "#",
      (word, of) => word === "*" || word === of),
  };
}

/** Matches whole texts; `isRun` elements match any number. It backtracks only to the last run, so time is the product of both lengths. */
function matchRuns(pattern, elements, isRun, takes) {
  let at = 0;
  let run = -1;
  let resume = 0;
  for (let n = 0; n < elements.length;) {
    if (at < pattern.length && isRun(pattern[at])) {
      run = at;
      resume = n;
      at += 1;
    } else if (at < pattern.length && takes(pattern[at], elements[n])) {
      at += 1;
      n += 1;
    } else if (run < 0) {
      return false;
    } else {
      resume += 1;  // the last run takes one more
      at = run + 1;
      n = resume;
    }
  }
  while (at < pattern.length && isRun(pattern[at])) at += 1;
  return at === pattern.length;
}
