/** The commands of a dome, as a bridge answers op `model`; made from what a CLU actor says of itself. */

const help = { name: "_click_default_help", kind: "option", opts: ["--help"], type: "bool", flag: true, required: false, nargs: 1, help: "Show this message and exit." };

export const DOME = [
  {
    name: "move", help: "Moves a shutter.\n\n    SIDE is the shutter, ANGLE where to.", deprecated: false,
    params: [
      { name: "side", kind: "argument", opts: ["SIDE"], type: "choice", choices: ["north", "south", "both"], required: true, nargs: 1, multiple: false, default: null, help: null },
      { name: "angle", kind: "argument", opts: ["ANGLE"], type: "float", min: 0, max: 90, min_open: false, max_open: false, required: false, nargs: 1, multiple: false, default: null, help: null },
      { name: "speed", kind: "option", opts: ["--speed", "-s"], type: "float", required: false, nargs: 1, multiple: false, default: 1.5, flag: false, count: false, help: "Degrees a second." },
      { name: "force", kind: "option", opts: ["--force"], type: "bool", required: false, nargs: 1, multiple: false, default: false, flag: true, count: false, help: "Move although the wind is high." },
      { name: "filters", kind: "option", opts: ["--filter", "-f"], type: "text", required: false, nargs: 1, multiple: true, default: null, flag: false, count: false, help: "May be repeated." },
      help,
    ],
  },
  {
    name: "status", help: "Statuses.", deprecated: false, params: [help],
    commands: [{
      name: "weather", help: "Reports the weather.", deprecated: false,
      params: [{ name: "verbose", kind: "option", opts: ["-v", "--verbose"], type: "int", min: 0, max: null, required: false, nargs: 1, multiple: false, default: 0, flag: false, count: true, help: null }, help],
    }],
  },
  { name: "open", help: "Opens the dome.", deprecated: false, params: [help] },
  { name: "unfold", help: "Opens the dome, as it was called before.", deprecated: true, params: [help] },
];
