/** What helps to write a command: the completions, and what the model says of the line. */

export { adviceOn } from "./advice.js";
export { commonBeginning, complete } from "./completion.js";
