/**
 * The controls for one parameter of a command: a box, a list, or as many fields as it takes words. An empty field is a
 * parameter that is not given.
 */

import { element, setText } from "../shell/dom.js";
import { describe, label, nargs } from "./usage.js";

let count = 0;  // for the ids that tie labels to controls

export class FieldEditor {
  #param;
  #onChange;
  #id = `field-${count += 1}`;
  #groups = [];  // of controls, one for each word
  #touched = false;  // nobody is told of an empty field that they have not come to
  #list = element("div", { class: "words" });
  #add = element("button", { type: "button", class: "add", text: "+ another", on: { click: () => this.#addGroup() } });
  #problem = element("p", { class: "problem", id: `${this.#id}-problem` });

  /** @param {import("./usage.js").Field} field @param {() => void} onChange */
  constructor({ key, param }, onChange) {
    this.#param = param;
    this.#onChange = onChange;
    const name = label(param);
    const note = [describe(param), param.default === null || param.default === undefined || param.flag || param.count ? "" : `default ${param.default}`].filter(Boolean).join(", ");
    this.root = element("fieldset", { class: "field", data: { field: key, required: String(Boolean(param.required)) } },
      element("legend", {}, element("span", { class: "name", text: name }), ` ${param.required ? "" : "(optional)"}`),
      this.#list, element("p", { class: "note", id: `${this.#id}-note`, text: param.help ? `${note}. ${param.help.trim()}` : note }), this.#problem);
    if (this.#variable) this.#list.after(this.#add);
    this.#add.setAttribute("aria-label", `Another ${name}`);
    this.value = undefined;
  }

  get #variable() { return !this.#param.flag && !this.#param.count && (this.#param.multiple || nargs(this.#param) < 0); }

  get #size() { return Math.max(1, nargs(this.#param)); }

  /** What is in the controls, as the form's value; undefined if the parameter is not given. */
  get value() {
    const { flag, count: counts, multiple } = this.#param;
    const [[first]] = this.#groups.length > 0 ? this.#groups : [[null]];
    if (flag && first?.type === "checkbox") return first.checked || undefined;
    if (flag) return first.value === "" ? undefined : first.value === "on";
    if (counts) return Number(first.value) > 0 ? Math.min(9, Math.floor(Number(first.value))) : undefined;
    const groups = this.#groups.map((group) => group.map(wordIn)).filter((group) => group.some((word) => word !== undefined)).map((group) => group.map((word) => word ?? ""));
    if (groups.length === 0) return undefined;
    const values = this.#size > 1 ? groups : groups.map(([word]) => word);
    return multiple || nargs(this.#param) < 0 ? values : values[0];
  }

  set value(value) {
    const { flag, count: counts } = this.#param;
    this.#groups = [];
    this.#list.replaceChildren();
    if (flag || counts) {
      const [control] = this.#addGroup(false);
      if (control.type === "checkbox") control.checked = value === true;
      else control.value = flag ? (value === undefined ? "" : value ? "on" : "off") : String(value ?? 0);
      return;
    }
    for (const group of this.#toGroups(value)) {
      const controls = this.#addGroup(false);
      controls.forEach((control, at) => setWord(control, group[at]));
    }
  }

  #toGroups(value) {
    if (value === undefined) return [[]];
    const values = this.#variable ? value : [value];
    return values.map((one) => [one].flat());
  }

  /** Shows what is wrong with it. @param {string|null} problem */
  problem(problem) {
    const text = this.#touched || this.value !== undefined ? problem : null;
    setText(this.#problem, text ?? "");
    this.#problem.hidden = text === null;
    for (const control of this.#groups.flat()) control.setAttribute("aria-invalid", String(text !== null));
  }

  focus() {
    this.#groups[0]?.[0]?.focus();
  }

  #addGroup(byUser = true) {
    const group = Array.from({ length: this.#size }, (_, at) => this.#control(at));
    this.#groups.push(group);
    const row = element("div", { class: "group" }, ...group);
    if (this.#variable) {
      row.append(element("button", { type: "button", class: "remove", text: "−", "aria-label": `Remove this ${label(this.#param)}`, on: { click: () => {
        this.#groups = this.#groups.filter((one) => one !== group);
        row.remove();
        if (this.#groups.length === 0) this.#addGroup(false);
        this.#onChange();
        this.focus();
      } } }));
    }
    this.#list.append(row);
    if (byUser) group[0].focus();
    return group;
  }

  #control(at) {
    const { type, flag, count: counts, choices, off_opts: off } = this.#param;
    const name = label(this.#param) + (this.#size > 1 ? `, word ${at + 1}` : "");
    const shared = { "aria-label": name, "aria-describedby": `${this.#id}-note ${this.#id}-problem` };
    const changed = { input: (event) => {
      delete event.target.dataset.given;
      this.#touched = true;
      this.#onChange();
    } };
    if (flag && !(off?.length > 0)) return element("input", { ...shared, type: "checkbox", on: { change: () => this.#onChange() } });
    if (flag) return select(["", "on", "off"], shared, changed);
    if (counts) return element("input", { ...shared, type: "number", min: "0", max: "9", step: "1", on: changed });
    if (type === "choice" && choices?.length > 0) return select(["", ...choices.map(String)], shared, changed);
    if (type === "bool") return select(["", "true", "false"], shared, changed);
    return element("input", { ...shared, type: "text", inputmode: { float: "decimal", int: "numeric" }[type] ?? "text",
      autocomplete: "off", autocapitalize: "off", autocorrect: "off", spellcheck: "false", on: changed });
  }
}

function select(options, shared, changed) {
  return element("select", { ...shared, on: changed }, ...options.map((value) => element("option", { value, text: value === "" ? "–" : value })));
}

/** The word in a control; undefined if it has none. `''` in the line is an empty word that is given. */
function wordIn(control) {
  return control.value === "" && control.dataset.given === undefined ? undefined : control.value;
}

function setWord(control, word) {
  if (word !== undefined && control.tagName === "SELECT" && ![...control.options].some(({ value }) => value === word)) {
    control.append(element("option", { value: word, text: `${word} (not allowed)` }));
  }
  control.value = word ?? "";
  if (word === "") control.dataset.given = "";
}
