/**
 * A form for one command of an actor. Beside it is the command string, which is always what will be sent: a change in the
 * form writes it anew, and what is typed into it changes the form as far as the form can show it.
 */

import { sentence } from "../core/format.js";
import { element, setText } from "../shell/dom.js";
import { build, read } from "./commandstring.js";
import { FieldEditor } from "./fieldeditor.js";
import { SendGuard } from "./sendguard.js";
import { openQuotation } from "../core/shlex.js";
import { fieldsOf, isGroup, pathName } from "./usage.js";
import { incomplete, problemsOf } from "./validate.js";

export class CommandForm {
  #app;
  #actor;
  #commands;
  #path = [];
  #values = {};
  #editors = new Map();
  #byHand = false;  // the line was written by hand: it may be what the form would not write
  #wasOpen = true;  // the link
  #onPath;
  #guard;
  #unhook;
  #help = element("p", { class: "help" });
  #fields = element("div", { class: "fields" });
  #line = element("input", { class: "form-line", type: "text", "aria-label": "Command string, as it will be sent", autocomplete: "off", autocapitalize: "off", autocorrect: "off", spellcheck: "false", enterkeyhint: "send" });
  #send = element("button", { class: "form-send", type: "submit", text: "Send" });
  #why = element("p", { class: "form-why", role: "status" });

  /**
   * @param {object} app
   * @param {{actor: string, commands: import("./usage.js").CommandModel[], onPath: (path: import("./usage.js").CommandModel[]) => void}} options
   */
  constructor(app, { actor, commands, onPath }) {
    this.#app = app;
    this.#actor = actor;
    this.#commands = commands;
    this.#onPath = onPath;
    this.#guard = new SendGuard(app);
    this.#unhook = app.arm.onChange((armed) => {
      if (armed) this.#guard.forget();  // who arms the page means to send
      this.check();
    });
    this.#line.addEventListener("input", () => this.#lineEdited());
    this.#line.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();  // holding the key down sends once
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#line.blur();
    });
    this.root = element("form", { class: "command-form", autocomplete: "off", on: { submit: (event) => {
      event.preventDefault();
      this.#submit();
    } } }, this.#help, this.#fields,
    element("div", { class: "form-row" }, element("span", { class: "form-actor", text: actor }), this.#line, this.#send), this.#why);
    this.check();
  }

  /** What will be sent. */
  get line() { return this.#line.value.trim(); }

  /** The model was read anew. @param {import("./usage.js").CommandModel[]} commands */
  set commands(commands) {
    this.#commands = commands;
    this.#read(this.line);
    this.check();
  }

  /** Shows the form of a command, empty. @param {import("./usage.js").CommandModel[]} path */
  open(path) {
    this.#byHand = false;
    this.#guard.forget();
    this.#values = {};
    this.#show(path);
    this.#line.value = build(path, {});
    this.check();
    ([...this.#editors.values()][0] ?? this.#line).focus();
  }

  /** @param {import("../core/store.js").Changes} changes */
  update({ link, access }) {
    if (access) this.check();
    if (!link) return;
    const open = this.#app.store.link.state === "open";
    if (open && !this.#wasOpen) this.#guard.holdAgain();
    this.#wasOpen = open;
    this.check();
  }

  unmount() {
    this.#unhook();
  }

  /** Shows what there is to say, and whether it can be sent. */
  check() {
    const problems = this.#path.length > 0 ? problemsOf(this.#path, this.#values) : new Map();
    for (const [key, editor] of this.#editors) editor.problem(problems.get(key) ?? null);
    const { line } = this;
    const refusal = line === "" ? this.#app.refusal(this.#actor) : this.#app.refusal(this.#actor, line);
    const broken = line === "" ? "there is no command yet" : openQuotation(line);
    const invalid = !this.#byHand && problems.size > 0;
    this.#send.disabled = refusal !== null || broken !== null || invalid;
    this.#line.setAttribute("aria-invalid", String(refusal !== null || (line !== "" && broken !== null)));
    const said = refusal ?? this.#guard.why(`${this.#actor} ${line}`) ?? (line === "" ? null : broken ?? this.#said(line, problems));
    this.#why.dataset.kind = refusal === null ? "advice" : "refusal";
    setText(this.#why, said === null ? "" : sentence(said));
  }

  #said(line, problems) {
    const danger = this.#app.danger(this.#actor, line) ?? null;
    if (danger !== null) return `dangerous: ${danger}`;
    if (line.includes("--help")) return "CLU answers this with its help, and runs nothing";
    const form = read(this.#commands, line);
    if (this.#commands.length > 0 && form === null) return `${this.#actor} has no such command, as far as it has said; the line is sent as it is written`;
    if (form?.path.at(-1).unread) return `what ${pathName(form.path)} takes is not known: write it into the line`;
    if (form?.extra.length > 0 && !isGroup(form.path.at(-1))) return `the form does not show "${form.extra.join(" ")}"; the line is sent as it is written`;
    if (form?.missing) return `${form.missing} needs a value`;
    const group = form === null ? null : incomplete(form.path);
    if (group !== null) return group;
    if (problems.size > 0) return this.#byHand ? `${[...problems.values()][0]} The line is sent as it is written` : `${[...problems.values()][0].replace(/\.$/, "")}${problems.size > 1 ? `, and ${problems.size - 1} more` : ""}. To send something else, edit the line`;
    return this.#path.at(-1)?.deprecated ? "this command is deprecated" : null;
  }

  #show(path) {
    this.#path = path;
    const { help } = path.at(-1) ?? {};
    setText(this.#help, help ? help.trim().replace(/\n[ \t]+/g, "\n") : "");
    this.#editors = new Map(fieldsOf(path).filter(({ param }) => !param.hidden).map((field) => [field.key, new FieldEditor(field, () => this.#edited())]));
    for (const [key, editor] of this.#editors) editor.value = this.#values[key];
    this.#fields.replaceChildren(...[...this.#editors.values()].map(({ root }) => root));
    this.root.dataset.command = pathName(path);
    this.#onPath(path);
  }

  /** A field has changed: the line follows. */
  #edited() {
    this.#byHand = false;
    this.#guard.forget();
    for (const [key, editor] of this.#editors) {
      const { value } = editor;
      if (value === undefined) delete this.#values[key];
      else this.#values[key] = value;
    }
    this.#line.value = build(this.#path, this.#values);
    this.check();
  }

  /** The line has changed: the form follows, as far as it can. */
  #lineEdited() {
    this.#byHand = true;
    this.#guard.forget();
    this.#read(this.line);
    this.check();
  }

  #read(line) {
    const form = read(this.#commands, line);
    if (form === null || isGroup(form.path.at(-1))) {
      this.#values = {};
      if (this.#path.length > 0) this.#show([]);
      return;
    }
    this.#values = form.values;
    if (form.path.length !== this.#path.length || form.path.some((command, at) => command !== this.#path[at])) this.#show(form.path);
    else for (const [key, editor] of this.#editors) editor.value = form.values[key];
  }

  async #submit() {
    if (this.#send.disabled) return;
    const { line } = this;
    const { why, told } = await this.#guard.send(this.#actor, line);
    this.check();
    if (why === null) return;
    setText(this.#why, sentence(why));
    if (!told) this.#app.notify(sentence(why));
  }
}
