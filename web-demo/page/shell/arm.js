/**
 * The arm switch. A new tab is disarmed: a display on a wall, or a tab that was opened to look, sends nothing that
 * moves something. Once armed it stays so for the tab, over reloads and reconnects, until somebody disarms it or another
 * user logs in, or after eight hours without a command. ArmNote says so a minute before, and when it has done it.
 */

import { lex } from "../core/shlex.js";
import { TAB, recall, remember, setAttribute, setText } from "./dom.js";

const KEY = "clu-ws.armed";

/** ms after the last command at which it disarms itself: a shift. */
const FORGOTTEN = 8 * 3_600_000;

/**
 * How long it stays armed. Two clocks count, and the first that is over ends it: the computer's clock may be set back by
 * a year, and the other one stops while the computer sleeps.
 */
export class Shift {
  #until = -Infinity;  // by the computer's clock, ms since 1970
  #monotonic = -Infinity;
  #clock;

  /** @param {number} until  as it was kept over a reload @param {{wall: () => number, monotonic: () => number}} [clock] */
  constructor(until, clock = { wall: () => Date.now(), monotonic: () => performance.now() }) {
    this.#clock = clock;
    const left = until - clock.wall();
    if (left > 0) this.#last(Math.min(left, FORGOTTEN));
  }

  /** When it ends, by the computer's clock, ms since 1970. */
  get until() { return this.#until; }

  /** ms until it ends, 0 when it has. */
  get left() { return Math.max(0, Math.min(this.#until - this.#clock.wall(), this.#monotonic - this.#clock.monotonic())); }

  get over() { return this.left === 0; }

  /** Begins anew. */
  begin() { this.#last(FORGOTTEN); }

  end() { this.#until = -Infinity; }

  #last(ms) {
    this.#until = this.#clock.wall() + ms;
    this.#monotonic = this.#clock.monotonic() + ms;
  }
}

/**
 * Commands that only read, by the conventions of CLU. They are sent from a disarmed page, too: who looks for what is
 * wrong at night must not have to arm the page for it.
 */
const READING = new Set(["ping", "version", "status", "help", "keyword", "get_schema", "get-command-model", "__commands"]);

/** Whether a command only reads. @param {string} string  the command string */
export function onlyReads(string) {
  const [verb, ...rest] = string.trim().split(/\s+/);
  if (!READING.has(verb)) return false;
  // A verb that only reads takes names and flags, but a word like `reset` after `status` is another command.
  return rest.every((word) => verb === "help" || verb === "keyword" || verb === "get-command-model" || word.startsWith("-"));
}

/**
 * Why a command is dangerous, or null.
 * @param {{consumer: string[], verb: string[]}[]} rules  of the site; globs
 */
export function dangerOf(rules, consumer, string) {
  const verb = verbOf(string);
  // A dotted consumer reaches the actor before the dot, as for the bridge's grants.
  const prefixes = consumer.split(".").map((_, at, parts) => parts.slice(0, at + 1).join("."));
  const found = rules.some(({ consumer: consumers, verb: verbs }) =>
    (consumers === undefined || [consumers].flat().some((glob) => prefixes.some((name) => matches(glob, name))))
    && (verbs === undefined || verb === null || [verbs].flat().some((glob) => matches(glob, verb))));
  return found ? `"${consumer} ${string.trim()}" is marked as dangerous at this site.` : null;
}

/**
 * The verb of a command as CLU reads it, which takes quotes off: `"open"` is open. Null if it is not known: after an
 * option, or -- alone, it is another word.
 */
function verbOf(string) {
  const text = lex(string).words[0]?.text ?? "";
  return text.startsWith("-") ? null : text;
}

/** Whether a glob of `*`, `?` and `[a-z]` matches a text. */
function matches(glob, text) {
  const pattern = glob.replace(/[.+^${}()|\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".").replace(/\[!/g, "[^");
  try {
    return new RegExp(`^(?:${pattern})$`, "su").test(text);
  } catch {
    return true;  // a rule that is not understood must not make a command harmless
  }
}

/**
 * Whether this tab had the page before. A tab that another one opened, or that is a duplicate of one, begins with a copy
 * of what that one keeps, and nobody has armed it.
 */
const isReloaded = () => performance.getEntriesByType("navigation")[0]?.type === "reload";

export class Arm {
  #shift = new Shift(isReloaded() ? Number(recall(TAB, KEY)) || 0 : 0);
  #listeners = new Set();
  #button = document.getElementById("arm");
  #was = recall(TAB, KEY) !== null;  // whether it is armed as far as the page shows it
  /** Whether it disarmed itself, and nobody has done anything about it since. */
  ended = false;

  constructor() {
    this.#button.addEventListener("click", () => this.set(!this.armed));
    this.#look();
    setInterval(() => this.#look(), 1_000);
  }

  get armed() { return !this.#shift.over; }

  /** ms until it disarms itself. */
  get left() { return this.#shift.left; }

  /** Why commands that move something are not sent. */
  get why() {
    return `this tab ${this.ended ? "disarmed itself after eight hours without a command" : "is disarmed"}; press the switch "disarmed" in the bar, or the key a when no field has the focus, and send it again`;
  }

  set(armed) {
    if (armed) this.#shift.begin();
    else this.#shift.end();
    this.ended = false;
    remember(TAB, KEY, armed ? String(this.#shift.until) : null);
    if (armed === this.#was) this.#render();
    else this.#changed(armed);
  }

  /** Counts a command: the time until it disarms itself begins anew. */
  used() {
    if (!this.armed) return;
    this.set(true);
  }

  /** Calls `listener` with whether it is armed, at each change. @returns {() => void} ends it */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks whether the shift is over, or nearly. */
  #look() {
    const { armed } = this;
    if (this.#was && !armed) {
      this.ended = true;
      remember(TAB, KEY, null);
      this.#changed(false);
    } else {
      this.#render();
    }
  }

  #changed(armed) {
    this.#was = armed;
    this.#render();
    for (const listener of this.#listeners) listener(armed, this.ended);
  }

  #render() {
    const { armed } = this;
    setAttribute(this.#button, "aria-pressed", String(armed));
    setAttribute(this.#button, "title", armed ? "Commands are sent. Press to disarm this tab (a)"
      : "Only commands that read (status, ping, help, ...) are sent. Press to arm this tab (a)");
    setText(this.#button, armed ? "armed" : "disarmed");
    document.body.toggleAttribute("data-armed", armed);
  }
}
