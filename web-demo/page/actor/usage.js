/**
 * The commands of an actor as its model describes them (op `model`), and where in one a line has got to.
 *
 * A command has parameters, and a group of commands has commands of its own: `status weather`. The path to a command is
 * the list of commands from the first word on, and each parameter on it has a key, `status/verbose`, which is unique.
 */

/**
 * @typedef {object} Param
 * @property {string} name
 * @property {"argument"|"option"} kind
 * @property {string[]} opts             "--speed", "-s"
 * @property {string[]} [off_opts] "--no-force": what turns a flag off
 * @property {string} type               choice, float, int, text, bool, path, datetime, uuid, other
 * @property {string[]} [choices]
 * @property {number|null} [min]
 * @property {number|null} [max]
 * @property {boolean} [min_open]        the minimum itself is not allowed
 * @property {boolean} [max_open]
 * @property {boolean} [required]
 * @property {number} [nargs]            how many words; -1 any number of them
 * @property {boolean} [multiple]        the option may be repeated
 * @property {*} [default]
 * @property {boolean} [flag]
 * @property {boolean} [count]           the option counts how often it is there
 * @property {string|null} [help]
 */

/**
 * @typedef {object} CommandModel
 * @property {string} name
 * @property {string|null} [help]
 * @property {boolean} [deprecated]
 * @property {boolean} [hidden]
 * @property {boolean} [unread]  only its name is known, from a help text
 * @property {Param[]} params
 * @property {CommandModel[]} [commands]
 */

/** @typedef {{key: string, level: number, param: Param}} Field  one parameter of a path */

/** Options that answer with help instead of running the command; a form has no use for them. */
const HELP = new Set(["--help"]);

/** The parameters of a path, those of the groups first. @param {CommandModel[]} path @returns {Field[]} */
export function fieldsOf(path) {
  const fields = [];
  path.forEach((command, level) => {
    const place = path.slice(0, level + 1).map(({ name }) => name).join("/");
    for (const param of command.params ?? []) {
      if (!isHelp(param)) fields.push({ key: `${place}/${param.name}`, level, param });
    }
  });
  return fields;
}

const isHelp = ({ kind, opts, flag }) => kind === "option" && flag && (opts ?? []).some((opt) => HELP.has(opt));

/** Whether a command only leads to others. @param {CommandModel} command */
export const isGroup = (command) => (command.commands ?? []).length > 0;

/** The number of words of one value. @param {Param} param */
export const nargs = ({ nargs: count }) => (Number.isInteger(count) && count !== 0 ? count : 1);

/** Finds the path of a command by its names, or null. @param {CommandModel[]} commands @param {string[]} names */
export function findPath(commands, names) {
  const path = [];
  for (const name of names) {
    const found = (path.at(-1)?.commands ?? (path.length === 0 ? commands : [])).find((command) => command.name === name);
    if (!found) return null;
    path.push(found);
  }
  return path.length > 0 ? path : null;
}

/** Every command that does something, as paths: groups with their commands below them. @param {CommandModel[]} commands */
export function allPaths(commands, above = [], depth = 0) {
  if (depth > 8) return [];  // a model is what an actor says of itself
  return commands.filter(({ hidden }) => !hidden).flatMap((command) => {
    const path = [...above, command];
    return isGroup(command) ? allPaths(command.commands, path, depth + 1) : [path];
  });
}

/** The name of a path: "status weather". @param {CommandModel[]} path */
export const pathName = (path) => path.map(({ name }) => name).join(" ");

/** How a usage line names a parameter. @param {Param} param */
export function label({ kind, name, opts }) {
  return kind === "option" ? (opts ?? []).find((opt) => opt.startsWith("--")) ?? opts?.[0] ?? name : (opts?.[0] ?? name).toUpperCase();
}

/** Describes what a parameter takes, in words: "a number from 0 to 90". @param {Param} param */
export function describe(param) {
  const { type, choices, count, flag } = param;
  if (flag) return "on or off";
  if (count) return "how often it is given";
  const words = nargs(param);
  const range = describeRange(param);
  const one = {
    choice: `one of ${(choices ?? []).join(", ")}`,
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    path: "the name of a file",
    datetime: "a date, 2026-11-21, or with the time, 2026-11-21T03:38:40",
    uuid: "a UUID",
  }[type] ?? "a text";
  const times = words < 0 ? ", any number of them" : words > 1 ? `, ${words} of them` : "";
  return one + (range === "" ? "" : `${range.startsWith("from") ? "" : ","} ${range}`) + times + (param.multiple ? ", may be repeated" : "");
}

/** Describes a range: "from 0 to 90", "more than 0". @param {Param} param @returns {string} "" without one */
export function describeRange({ min = null, max = null, min_open: minOpen, max_open: maxOpen }) {
  if (min === null && max === null) return "";
  if (min !== null && max !== null && !minOpen && !maxOpen) return `from ${min} to ${max}`;
  const low = min === null ? "" : `${minOpen ? "more than" : "at least"} ${min}`;
  const high = max === null ? "" : `${maxOpen ? "less than" : "at most"} ${max}`;
  return [low, high].filter(Boolean).join(" and ");
}
