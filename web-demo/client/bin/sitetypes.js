/**
 * Writes the types of a site from what its actors tell of themselves: one entry for each actor, with its keywords and
 * the verbs of its commands. The same models give the same text, whatever their order.
 */

const HEADER = `// Written by "npx clu-ws types": write it again when the actors change, and change nothing here.

/** A number that an actor says. NaN and infinities, which JSON lacks, come as texts. */
export type Float = number | "NaN" | "Infinity" | "-Infinity";

/** An integer. Beyond 2^53 it is a text of its digits, or a BigInt, as the option \`bigint\` of the client says. */
export type Integer = number | string | bigint;

/** The actors of this site: \`connect<Site>(url)\`. */
export type Site = {
`;

/**
 * @typedef {object} SiteActor
 * @property {string} name
 * @property {import("../clu.js").Model|null} model  null if the bridge did not tell it
 * @property {string|null} problem                   why there is none, or not all of it
 */

/** @param {SiteActor[]} actors */
export function siteTypes(actors) {
  return HEADER + sorted(actors, ({ name }) => name).map(actorTypes).join("\n") + "};\n";
}

function actorTypes({ name, model, problem }) {
  const keywords = Object.entries(model?.keywords ?? {});
  const verbs = (model?.commands ?? []).flatMap((command) => verbsOf(command, ""));
  const lines = [];
  if (problem) lines.push(comment(`Not all is known: ${problem}`, "  "));
  lines.push(`  ${key(name)}: {\n`);
  if (keywords.length === 0) lines.push("    keywords: Record<string, any>;\n");
  else lines.push("    keywords: {\n", ...members(keywords, "      "), "    };\n");
  lines.push(`    commands: ${verbs.length === 0 ? "string" : [...new Set(verbs)].sort(byText).map((verb) => JSON.stringify(verb)).join(" | ")};\n`, "  };\n");
  return lines.join("");
}

/** The verbs of a command: its name, and those of a group with the group's before them. */
function verbsOf({ name, commands }, before) {
  const verb = before + name;
  return [verb, ...(commands ?? []).flatMap((command) => verbsOf(command, `${verb} `))];
}

function members(keywords, indent) {
  return sorted(keywords, ([name]) => name).map(([name, keyword]) => comment(about(keyword), indent) + `${indent}${key(name)}: ${typeOf(keyword, indent)};\n`);
}

/** What a comment says of a keyword: its description, unit and range. */
function about({ description, unit, min, max }) {
  const range = min === undefined && max === undefined ? "" : `${min ?? "-∞"} to ${max ?? "∞"}`;
  return [description, unit && `[${unit}]`, range].filter(Boolean).join(" ");
}

function typeOf(keyword, indent) {
  const type = typeBesideNull(keyword, indent);
  return keyword.nullable && type !== "any" ? `${type} | null` : type;
}

function typeBesideNull({ type, enum: choices, min, max, members: inner, items }, indent) {
  if (choices?.length > 0) return choices.map(literal).join(" | ");
  switch (type) {
    case "number": return "Float";
    case "integer": return Number.isSafeInteger(min) && Number.isSafeInteger(max) ? "number" : "Integer";
    case "string": return "string";
    case "boolean": return "boolean";
    case "array": return items ? `Array<${typeOf(items, indent)}>` : "any[]";
    case "object": return inner ? `{\n${members(Object.entries(inner), `${indent}  `).join("")}${indent}}` : "Record<string, any>";
    default: return "any";
  }
}

/** The type of one possible value. */
function literal(value) {
  if (value === null || ["string", "boolean"].includes(typeof value)) return JSON.stringify(value);
  return Number.isFinite(value) ? String(value) : "any";
}

/** The name of a member, quoted unless it is an identifier. */
function key(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** A text of an actor as one line without control characters, which a terminal would obey. */
export function oneLine(text) {
  return String(text).replace(/[\s\p{Cc}]+/gu, " ").trim();
}

/** A comment of one line, in which nothing ends it early. */
function comment(text, indent) {
  const line = oneLine(text).replaceAll("*/", "*\\/");
  return line === "" ? "" : `${indent}/** ${line} */\n`;
}

function sorted(all, nameOf) {
  return [...all].sort((a, b) => byText(nameOf(a), nameOf(b)));
}

/** By code units, which are the same on every machine. */
function byText(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
