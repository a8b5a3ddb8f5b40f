/** Prints models, forms that were filled in, and the lines that the page makes of them, for click to read. */

import { build } from "../actor/commandstring.js";
import { drawForm, seeds } from "./forms.js";

const all = seeds(1_000).map((seed) => {
  const { path, values } = drawForm(seed);
  return { seed: seed.start, path: path.map(({ name, params, commands }) => ({ name, params, group: commands !== undefined })), values, line: build(path, values) };
});
console.log(JSON.stringify(all));
