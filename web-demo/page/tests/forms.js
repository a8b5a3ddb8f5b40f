/** Draws models, and forms filled in, from a seed: a failure names the seed that repeats it. */

import { nargs } from "../actor/usage.js";

/** A generator of numbers (mulberry32): small, and the same everywhere. */
class Seed {
  #state;

  constructor(start) {
    this.start = start;
    this.#state = start;
  }

  below(n) {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  chance(percent) { return this.below(100) < percent; }

  pick(items) { return items[this.below(items.length)]; }
}

/** @returns {Seed[]} as many, or as CLU_WS_SEEDS says */
export function seeds(count) {
  const wanted = Number(process.env.CLU_WS_SEEDS ?? 0);
  return Array.from({ length: Math.max(count, wanted) }, (_, n) => new Seed(n + 1));
}

const CHARS = [..."ab09-_=. \t'\"\\#$*;()é🔭\u00a0"];

export const draw = {
  text: (seed) => Array.from({ length: seed.below(7) }, () => seed.pick(CHARS)).join(""),
  word: (seed) => seed.pick([() => draw.text(seed), () => String(seed.below(200) - 100), () => `-${seed.below(90) / 10}`, () => "--", () => "-s", () => "--o0", () => "north"])(),
};

/** Draws a command with its parameters, options first. */
function drawCommand(seed, name, depth) {
  const params = [];
  for (let n = seed.below(4); n > 0; n -= 1) params.push(drawOption(seed, params.length));
  const group = depth < 2 && seed.chance(30);
  for (let n = group ? 0 : seed.below(4); n > 0; n -= 1) params.push({ name: `a${params.length}`, kind: "argument", opts: [`A${params.length}`], type: "text", nargs: seed.pick([1, 1, 1, 2]), multiple: false });
  const last = params.at(-1);
  if (last?.kind === "argument" && seed.chance(30)) seed.pick(params.filter(({ kind }) => kind === "argument")).nargs = -1;
  const commands = group ? Array.from({ length: 1 + seed.below(2) }, (_, n) => drawCommand(seed, `sub${n}`, depth + 1)) : undefined;
  return { name, params, ...(commands && { commands }) };
}

function drawOption(seed, n) {
  const base = { name: `o${n}`, kind: "option", opts: seed.pick([[`--o${n}`], [`--o${n}`, `-${"stuv"[n]}`], [`-${"stuv"[n]}`, `--o${n}`]]), type: "text", nargs: 1, multiple: false, flag: false, count: false };
  return seed.pick([
    () => base, () => ({ ...base, multiple: true }), () => ({ ...base, nargs: 2 }), () => ({ ...base, nargs: 2, multiple: true }), () => ({ ...base, flag: true }),
    () => ({ ...base, flag: true, off_opts: [`--no-o${n}`] }), () => ({ ...base, count: true, type: "int" })])();
}

/** Draws what a form has for a parameter; undefined is nothing. */
function drawValue(seed, param, needed) {
  if (!needed && seed.chance(40)) return undefined;
  if (param.flag) return param.off_opts ? seed.chance(50) : true;
  if (param.count) return 1 + seed.below(3);
  const count = nargs(param);
  const one = () => (count === 1 ? draw.word(seed) : Array.from({ length: count < 0 ? 1 + seed.below(3) : count }, () => draw.word(seed)));
  return param.multiple ? Array.from({ length: 1 + seed.below(3) }, one) : one();
}

/** @returns {{commands: object[], path: object[], values: object}} */
export function drawForm(seed) {
  const commands = Array.from({ length: 1 + seed.below(3) }, (_, n) => drawCommand(seed, `cmd${n}`, 0));
  const path = [seed.pick(commands)];
  while (path.at(-1).commands) path.push(seed.pick(path.at(-1).commands));
  const values = {};
  path.forEach((command, level) => {
    const place = path.slice(0, level + 1).map(({ name }) => name).join("/");
    const args = command.params.filter(({ kind }) => kind === "argument");
    // Arguments are given from the left, and all of them where one takes any number of words.
    const given = args.some(({ nargs: n }) => n < 0) ? args.length : seed.below(args.length + 1);
    for (const param of command.params) {
      const at = args.indexOf(param);
      if (at >= given) continue;
      const value = drawValue(seed, param, at >= 0);
      if (value !== undefined) values[`${place}/${param.name}`] = value;
    }
  });
  return { commands, path, values };
}
