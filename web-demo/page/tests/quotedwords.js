/** Prints lists of words and the lines that the page makes of them, for Python to read. */

import { join } from "../core/shlex.js";
import { draw, seeds } from "./forms.js";

const all = seeds(1_000).map((seed) => {
  const words = Array.from({ length: seed.below(6) }, () => draw.text(seed));
  return [words, join(words)];
});
console.log(JSON.stringify(all));
