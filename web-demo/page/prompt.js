/**
 * The command line: `actor command string`, Enter sends.
 *
 * It sends exactly what was typed, once, and only on Enter or the button: a recalled line is not sent by itself, a pasted
 * text of several lines is refused (a browser would join them into one command), and a refused line stays in the field.
 */

import { element, setText } from "./dom.js";

const MAX_HISTORY = 100;
const MAX_HINTS = 60;
const STORAGE_KEY = "clu-ws.history";

/** Commands that every CLU actor has. */
const COMMON = ["status", "ping", "version", "help"];

export class Prompt {
  #onSend;
  #onMistake;
  #refusal;
  #actors = new Set();
  #history = recall();
  #at = null;  // index into the history while it is browsed
  #draft = "";
  #input = document.getElementById("command-input");
  #hints = document.getElementById("command-hints");
  #button = document.getElementById("command-send");
  #why = document.getElementById("command-why");

  /**
   * @param {{onSend: (actor: string, command: string) => boolean, onMistake: (words: string) => void,
   *   refusal: (actor?: string, command?: string) => string|null}} on  `refusal` says why a command is not granted, and
   *   without an actor why none at all is
   */
  constructor({ onSend, onMistake, refusal }) {
    this.#onSend = onSend;
    this.#refusal = refusal;
    this.#onMistake = onMistake;
    document.getElementById("command-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("input", () => {
      this.#at = null;
      this.check();
    });
    this.#input.addEventListener("paste", (event) => this.#paste(event));
    this.#renderHints();
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  /** Starts a command to an actor. */
  address(actor) {
    this.#at = null;
    this.#input.value = `${actor} `;
    this.#input.focus();
    this.check();
  }

  /** Shows whether the line is granted, and why not. It is called whenever the line or the grants change. */
  check() {
    const none = this.#refusal();
    const { actor, command } = this.#parse();
    const why = none ?? (actor === undefined ? null : this.#refusal(actor, command));
    this.#input.disabled = none !== null;
    this.#button.disabled = why !== null;
    this.#input.setAttribute("aria-invalid", String(why !== null));
    this.#why.hidden = why === null;
    setText(this.#why, why === null ? "" : `${why[0].toUpperCase()}${why.slice(1)}.`);
    return why;
  }

  /** Updates the hints after the grants have changed. */
  granted() {
    this.check();
    this.#renderHints();
  }

  /** The actor and the command of the line, as far as they are complete. */
  #parse() {
    const [, actor, command] = /^\s*(\S+)\s(?:\s*(\S.*?)\s*$)?/.exec(this.#input.value) ?? [];
    return { actor, command };
  }

  /** Adds an actor to the hints. */
  learn(actor) {
    this.#actors.add(actor);
    this.#renderHints();
  }

  #send() {
    const line = this.#input.value.trim();
    if (line === "") return;
    const [, actor, command] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
    if (actor === undefined) {
      this.#onMistake(`Nothing was sent: write the command after the actor, for instance "${line} status".`);
      return;
    }
    const why = this.check();
    if (why !== null) {
      this.#onMistake(`Nothing was sent: ${why}.`);
      return;
    }
    this.#remember(line);
    if (this.#onSend(actor, command)) this.#input.value = "";
    else this.#input.select();
    this.check();
  }

  #remember(line) {
    this.#at = null;
    if (this.#history.at(-1) === line) return;
    this.#history = [...this.#history, line].slice(-MAX_HISTORY);
    try {
      sessionStorage.setItem(STORAGE_KEY, JSON.stringify(this.#history));
    } catch { /* private mode, or full: the history lasts as long as the page */ }
    this.#renderHints();
  }

  #key(event) {
    if (event.key === "Enter" && event.repeat) event.preventDefault();  // holding the key down sends once
    if (event.key === "Escape") {
      this.#at = null;
      this.#input.value = "";
      this.check();
    }
    // Arrow down belongs to the list of hints, unless the history is browsed.
    if (event.key === "ArrowUp") this.#browse(event, -1);
    if (event.key === "ArrowDown" && this.#at !== null) this.#browse(event, 1);
  }

  #browse(event, step) {
    event.preventDefault();
    if (this.#at === null) this.#draft = this.#input.value;
    const at = Math.max(0, (this.#at ?? this.#history.length) + step);
    this.#at = at < this.#history.length ? at : null;
    this.#input.value = this.#at === null ? this.#draft : this.#history[at];
    this.check();
    this.#input.setSelectionRange(this.#input.value.length, this.#input.value.length);
  }

  #paste(event) {
    const lines = (event.clipboardData?.getData("text") ?? "").trim().split(/[\r\n]+/);
    if (lines.length < 2) return;
    event.preventDefault();
    this.#onMistake(`Nothing was pasted: ${lines.length} lines are ${lines.length} commands, and only one is sent at a time.`);
  }

  #renderHints() {
    const lines = new Set(this.#history.slice(-20).reverse());
    for (const actor of [...this.#actors].sort()) {
      for (const command of COMMON) if (this.#refusal(actor, command) === null) lines.add(`${actor} ${command}`);
    }
    this.#hints.replaceChildren(...[...lines].slice(0, MAX_HINTS).map((value) => element("option", { value })));
  }
}

function recall() {
  try {
    const lines = JSON.parse(sessionStorage.getItem(STORAGE_KEY));
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string").slice(-MAX_HISTORY) : [];
  } catch {
    return [];
  }
}
