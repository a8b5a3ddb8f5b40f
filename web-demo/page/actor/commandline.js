/**
 * The command line of the page: `actor command string`, Enter sends.
 *
 * It sends exactly what is in the field, once, and only on Enter or the button. A completion or a recalled line is not sent
 * by itself; a pasted text of several lines is refused, since a browser would join them into one command. A line that was
 * not sent stays, but it takes two Enters from then on, and again two when the link comes back: what was meant for a
 * moment ago must not be one key away from being done now. The focus stays: letters that somebody goes on typing would
 * be shortcuts without it.
 *
 * What completes and advises is loaded when the field first has the focus, or a moment after the page. Keys that are for the
 * completions wait for it, and Enter sends nothing as long as one waits.
 */

import { sentence } from "../core/format.js";
import { element, setText } from "../shell/dom.js";
import { Later } from "../shell/later.js";
import { CommandPanel } from "./commandpanel.js";
import { Hints } from "./hints.js";
import { Recall } from "./recall.js";
import { SendGuard } from "./sendguard.js";
import { openQuotation } from "../core/shlex.js";

export class CommandLine {
  #app;
  #models;
  #recall = new Recall();
  #guard;
  #wasOpen = false;  // the link
  #completing = false;  // completions are wanted, although there may be none yet
  #taking = false;   // Enter is down and has taken a completion: it does not send until it is pressed again
  #waiting = null;   // what the last key for the completions does, once they are there
  #assistant;        // what completes and advises, see assistant.js
  #input = element("input", {
    id: "command-input", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-describedby": "command-why",
    "aria-label": "Command line: actor, then command", placeholder: "actor command, for instance: dome status",
    autocomplete: "off", autocapitalize: "off", autocorrect: "off", spellcheck: "false", enterkeyhint: "send",
  });
  #button = element("button", { id: "command-send", type: "submit", text: "Send" });
  #why = element("p", { id: "command-why", role: "status" });
  #hints = new Hints(this.#input, (candidate) => this.#take(candidate));
  #panel;

  /** @param {object} app  store, send, refusal, danger, arm, models, notify */
  constructor(app) {
    this.#app = app;
    this.#guard = new SendGuard(app);
    this.#panel = new CommandPanel(app);
    this.#models = app.models;
    this.#assistant = new Later(() => import("./assistant.js"), (error) => this.#unassisted(error));
    this.#models.onChange((actor) => {
      if (actor === this.#parse().actor && this.#completing && this.#hints.chosen === null) this.#complete();
      this.check();
    });
    this.#input.addEventListener("focus", () => {
      if (this.#assistant.made === null) this.#assistant.with(() => this.check());
    });
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("input", () => this.#edited());
    this.#input.addEventListener("keyup", () => { this.#taking = false; });
    this.#input.addEventListener("blur", () => {
      this.#taking = false;
      this.#noCompletions();
    });
    this.#input.addEventListener("paste", (event) => this.#insert(event, event.clipboardData));
    this.#input.addEventListener("drop", (event) => this.#insert(event, event.dataTransfer));
    app.arm.onChange((armed) => {
      if (armed) this.#guard.forget();  // who arms the page means to send
      this.check();
    });
  }

  /** @param {HTMLElement} root */
  mount(root) {
    const form = element("form", { id: "command-form", autocomplete: "off", on: { submit: (event) => {
      event.preventDefault();
      this.#send();
    } } }, this.#hints.root, this.#input, this.#button);
    const { panel, button } = this.#panel.parts;
    root.append(panel, this.#why, element("div", { class: "command-row" }, form, button));
    this.check();
  }

  /** What is in the field. */
  get line() { return this.#input.value; }

  /** Loads what completes and advises. */
  prepare() { return this.#assistant.prepare(); }

  focus() {
    this.#input.focus();
    this.#caretToEnd();
  }

  /** Writes a line, to be completed and sent by hand. @param {string} line  an actor, or an actor and a command */
  address(line) {
    this.#guard.forget();
    this.#write(/\s/.test(line.trim()) ? line : `${line.trim()} `);
    this.#input.focus();
    this.#caretToEnd();
    this.#noCompletions();
  }

  /** @param {import("../core/store.js").Changes} changes */
  update(changes) {
    this.#panel.update(changes);
    if (changes.access) this.check();
    if (!changes.link) return;
    const open = this.#app.store.link.state === "open";
    if (open && !this.#wasOpen) this.#guard.holdAgain();
    this.#wasOpen = open;
    this.check();
  }

  /** Shows what there is to say of the line: why it is not granted, that it is dangerous, what the model says of it. */
  check() {
    const { actor, command } = this.#parse();
    const held = command === undefined ? null : this.#guard.why(`${actor} ${command}`);
    const none = this.#app.refusal();
    const refusal = none ?? (actor === undefined ? null : this.#app.refusal(actor, command));
    this.#input.disabled = none !== null;
    this.#button.disabled = refusal !== null;
    this.#button.dataset.armed = String(this.#app.arm.armed);
    this.#input.setAttribute("aria-invalid", String(refusal !== null));
    if (refusal !== null) this.#say("refusal", sentence(refusal));
    else if (held !== null) this.#say("held", `${sentence(held)} The line is kept.`);
    else this.#say("advice", command === undefined || this.#hints.count > 0 ? null : this.#advice(actor, command));
    return refusal;
  }

  #advice(actor, command) {
    const danger = this.#app.danger(actor, command) ?? null;
    if (danger !== null) return `Dangerous: ${sentence(danger)}`;
    return this.#assistant.made?.adviceOn(this.#models.get(actor), actor, command) ?? null;
  }

  #say(kind, text) {
    this.#why.dataset.kind = kind;
    this.#why.hidden = text === null;
    setText(this.#why, text ?? "");
  }

  /** The actor and the command of the line, as far as they are complete. */
  #parse() {
    const [, actor, command] = /^\s*(\S+)\s(?:\s*(\S.*?)\s*$)?/s.exec(this.line) ?? [];
    return { actor, command };
  }

  async #send() {
    const line = this.line.trim();
    if (line === "" || this.#taking) return;
    if (this.#waiting !== null) {
      this.#mistaken("Nothing was sent: the completions that you asked for are being loaded. Esc does without them.");
      return;
    }
    this.#noCompletions();
    const mistake = this.#mistake(line);
    if (mistake !== null) {
      this.#mistaken(mistake);
      return;
    }
    const { actor, command } = this.#parse();
    this.#recall.add(line);
    const { sent, why, told } = await this.#guard.send(actor, command);
    if (sent !== null) {
      this.#panel.sent();
      if (this.line.trim() === line) this.#write("");  // else somebody is typing already
    } else if (why !== null) {
      this.#say("held", `${sentence(why)} The line is kept.`);
      if (!told) this.#app.notify(sentence(why));
      if (this.line.trim() === line) this.#caretToEnd();
    }
  }

  /** What is wrong with a line that cannot be sent, or null. */
  #mistake(line) {
    const { actor, command } = this.#parse();
    if (actor === undefined || command === undefined) return `Nothing was sent: write the command after the actor, for instance "${line.split(/\s/)[0]} status".`;
    const refusal = this.check();
    if (refusal !== null) return `Nothing was sent: ${refusal}.`;
    const open = openQuotation(command);
    return open === null ? null : `Nothing was sent: ${open}.`;
  }

  #mistaken(text) {
    this.#say("held", text);
    this.#app.notify(text);
  }

  #edited() {
    this.#recall.leave();
    this.#guard.forget();
    this.#waiting = null;
    this.#complete();
    this.check();
  }

  #write(line) {
    this.#input.value = line;
    this.check();
  }

  #completion() {
    const { store } = this.#app;
    return this.#assistant.made.complete({
      line: this.line, cursor: this.#input.selectionStart ?? this.line.length,
      actors: [...store.actors.keys()].filter((name) => !/\s|^\(/.test(name)).sort(),
      recent: this.#recall.newest,
      model: (actor) => (store.actors.has(actor) ? this.#models.get(actor) : null),
      caution: (actor, command) => this.#app.refusal(actor, command) ?? this.#app.danger(actor, command) ?? null,
    });
  }

  #complete() {
    this.#completing = true;
    if (this.#assistant.made !== null) this.#hints.show(this.#completion());
    else this.#assistant.with(() => this.#assisted());
  }

  /** Shows the completions, which have come while they are wanted, and does what waited for them. */
  #assisted() {
    if (this.#completing && !this.#hints.open) this.#complete();
    const work = this.#waiting;
    this.#waiting = null;
    work?.();
    this.check();
  }

  /** Handles that there are no completions, which may be asked for again. */
  #unassisted({ message }) {
    if (this.#waiting !== null) this.#mistaken(`Nothing was completed: this part of the page could not be loaded: ${message}.`);
    this.#waiting = null;
    this.#app.checkVersion();  // a bridge of another version does not have it
  }

  /** Lets a key wait for the completions, if they are being loaded. @returns {boolean} whether it waits */
  #waits(work) {
    if (!this.#completing || this.#assistant.made !== null) return false;
    this.#waiting = work;
    return true;
  }

  #noCompletions() {
    this.#completing = false;
    this.#waiting = null;
    this.#hints.close();
  }

  /** Writes a candidate into the line. It sends nothing. */
  #take({ text, kind }) {
    const { from, to } = this.#completion();
    const rest = this.line.slice(to);
    const whole = kind === "recent" ? text : `${this.line.slice(0, from)}${text}${rest.startsWith(" ") ? "" : " "}`;
    this.#input.value = kind === "recent" ? whole : whole + rest;
    this.#input.setSelectionRange(whole.length, whole.length);
    this.#guard.forget();
    if (kind === "recent") this.#noCompletions();
    else this.#complete();
    this.check();
  }

  #key(event) {
    if (event.isComposing) return;
    const handled = { Enter: () => this.#enter(event), Escape: () => this.#escape(), Tab: () => this.#tab(event),
      ArrowDown: () => this.#down(), ArrowUp: () => this.#up() }[event.key]?.() ?? false;
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Enter takes the chosen completion, else the form sends. Holding the key down sends once. */
  #enter(event) {
    if (event.repeat) return true;
    this.#taking = this.#hints.take();
    return this.#taking;
  }

  /** Escape closes the list, then leaves the field. The line stays. */
  #escape() {
    if (this.#hints.open) this.#noCompletions();
    else this.#input.blur();
    this.check();
    return true;
  }

  /** Tab takes the chosen completion, or writes what all of them share; if there is nothing to write, it leaves the field. */
  #tab(event) {
    if (event.shiftKey) return false;
    if (this.#waits(() => this.#tab(event))) return true;
    if (!this.#hints.open) return false;
    if (this.#hints.take()) return true;
    const completion = this.#completion();
    const typed = this.line.slice(completion.from, completion.to);
    const common = typed === "" ? null : this.#assistant.made.commonBeginning(completion, typed);
    if (common === null || (common.text === typed && !common.whole)) return false;
    if (common.whole) this.#take({ text: common.text, kind: "command" });
    else {
      this.#input.setRangeText(common.text, completion.from, completion.to, "end");
      this.#edited();
    }
    return true;
  }

  #down() {
    if (this.#recall.browsing) return this.#browse(1);
    if (!this.#hints.open) this.#complete();
    return this.#waits(() => this.#hints.move(1)) || this.#hints.move(1);
  }

  #up() {
    return this.#hints.chosen === null ? this.#browse(-1) : this.#hints.move(-1);
  }

  #browse(step) {
    this.#noCompletions();
    this.#guard.forget();
    this.#write(this.#recall.browse(step, this.line));
    this.#caretToEnd();
    return true;
  }

  #caretToEnd() {
    this.#input.setSelectionRange(this.line.length, this.line.length);
  }

  #insert(event, data) {
    const lines = (data?.getData("text") ?? "").trim().split(/[\r\n]+/);
    if (lines.length < 2) return;
    event.preventDefault();
    this.#mistaken(`Nothing was pasted: ${lines.length} lines are ${lines.length} commands, and only one is sent at a time.`);
  }
}
