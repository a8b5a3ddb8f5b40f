/**
 * One actor: `#/actor/dome?f=hum&sort=limits&c=move`. Its problems, its keywords, its commands as forms, the commands that
 * were sent to it, and its last replies.
 *
 * Test contract:
 *
 *   #actor[data-actor="dome"]      data-level, data-liveness="alive|quiet|absent|unknown"; .seen is the age of its last reply
 *     .actor-problem               data-level, data-key; .ack acknowledges it
 *     [data-keyword="humidity"]    a row of the table: .key plots it, .value (data-kind="number|text|bool|null|nan"), .unit,
 *                                  .limit (data-level="warn|critical", "" within its limits), .bits, .spark, .age; .copy;
 *                                  data-outdated if replies were missed since it was heard;
 *                                  a value with members has .tree-root, whose nodes have data-path
 *     .keyword-filter  .keyword-sort
 *     .form-commands > li          data-command; data-denied, data-dangerous, data-deprecated
 *     .command-form                data-command; [data-field="move/side"] with its controls and .problem; .form-line is what
 *                                  will be sent, .form-send sends it, .form-why says what there is to say
 *     .commands > li               as #commands below, of this actor alone
 *   In #dock, on every view:
 *     #command-input  #command-send  #command-why  #command-hints [role=option] (data-kind)
 *     #commands-toggle             data-running; opens #commands-panel
 *     #commands > li               newest first: data-command-id, data-consumer, data-own="true|false",
 *                                  data-state="sent|running|done|failed|unknown|rejected"; .line, .who, .said, .elapsed;
 *                                  .summary is a button that opens .answers li (data-code); .again writes it into the line
 */

import { formatAge } from "../core/format.js";
import { quietAfter } from "../core/liveness.js";
import { writeNames } from "../core/names.js";
import { element, setAttribute, setLevel, levelMark, setText } from "../shell/dom.js";
import { formatRoute } from "../shell/router.js";
import { LogPanel } from "../log/panel.js";
import { LogQuery } from "../log/query.js";
import { ActorProblems } from "./actorproblems.js";
import { CommandList } from "./commands.js";
import { Forms } from "./forms.js";
import { KeywordTable } from "./keywords.js";

export { CommandList };  // for the command line, which loads it from here

const LIVENESS = { alive: "", quiet: "its regular broadcasts have stopped", absent: "nothing takes its commands", unknown: "whether it is alive is not known" };

export class ActorView {
  #app;
  #actor;
  #embedded = false;
  #state = {};  // of the URL
  #parts = [];  // what has update and unmount
  #keywords;
  #forms = null;
  #root;
  #level = levelMark("ok");
  #liveness = element("span", { class: "liveness" });
  #seen = element("span", { class: "seen" });
  #said = element("span", { class: "last-said" });

  /** @param {object} app */
  constructor(app) {
    this.#app = app;
  }

  get title() { return this.#actor; }

  mount(root, { path, query, embedded = false }) {
    this.#actor = path[1] ?? "";
    this.#embedded = embedded;
    this.#state = Object.fromEntries(query);
    const section = (name, title, ...children) => element("section", { class: `actor-${name}`, "aria-label": `${title} of ${this.#actor}` }, element("h3", { text: title }), ...children);
    const keywords = section("keywords", "Keywords");
    this.#root = element("article", { class: "actor", data: { actor: this.#actor, level: "ok" }, ...(embedded ? {} : { id: "actor" }) }, this.#head());
    root.append(this.#root);
    this.#add(new ActorProblems(this.#app, { root: this.#root, actor: this.#actor }));
    this.#root.append(keywords);
    this.#keywords = this.#add(new KeywordTable(this.#app, {
      root: keywords, actor: this.#actor, ...stateOf(query), onState: (state) => this.#keep(state),
    }));
    if (!embedded) this.#mountCommands(section, query);
    this.#renderHead();
  }

  #mountCommands(section, query) {
    const [forms, sent, log] = [section("forms", "Commands"), section("sent", "Sent commands"), section("log", "Replies")];
    this.#root.append(element("div", { class: "actor-side" }, forms, sent, log));
    this.#forms = this.#add(new Forms(this.#app, { root: forms, actor: this.#actor, onOpen: (name) => this.#keep({ c: name }) }));
    this.#add(new CommandList(this.#app, { root: sent, actor: this.#actor }));
    const panel = this.#add(new LogPanel(this.#app, { query: new LogQuery({ senders: [this.#actor], text: "", codes: null, hideInternal: true }), label: `Replies of ${this.#actor}` }));
    const frame = element("div", { class: "log-frame" });
    log.append(frame, element("a", { href: formatRoute(["log"], { sender: writeNames([this.#actor]) }), text: "All of its log, with internal replies" }));
    panel.mount(frame);
    const command = query.get("c");
    if (command) this.#forms.open(command);
  }

  #add(part) {
    this.#parts.push(part);
    return part;
  }

  #head() {
    return element("header", { class: "actor-head" }, this.#level, element("h2", { text: this.#actor }), this.#liveness,
      element("span", { class: "head-label", text: "last reply" }), this.#seen, this.#said);
  }

  /** The same actor with another filter or command, or another actor. */
  route(route) {
    if (route.path[1] !== this.#actor) {
      const root = this.#root.parentElement;
      this.unmount();
      this.mount(root, route);
      return;
    }
    this.#state = Object.fromEntries(route.query);
    this.#keywords.show(stateOf(route.query));
    const command = route.query.get("c");
    if (command) this.#forms?.open(command);
  }

  /** @param {import("../core/store.js").Changes} changes */
  update(changes) {
    if (changes.tick || changes.link || changes.actors.has(this.#actor)) this.#renderHead();
    for (const part of this.#parts) part.update(changes);
  }

  unmount() {
    for (const part of this.#parts.splice(0)) part.unmount();
    this.#root.remove();
  }

  /** Moves to the filter of the keywords. */
  search() {
    this.#keywords.focusFilter();
  }

  #renderHead() {
    const { store } = this.#app;
    const actor = store.actors.get(this.#actor);
    setAttribute(this.#root, "data-level", actor?.level ?? "ok");
    setAttribute(this.#root, "data-liveness", actor?.liveness ?? "unknown");
    setLevel(this.#level, actor?.level ?? "ok");
    const gone = actor?.liveness === "absent" && (actor.time === 0 || store.age(actor.time) > quietAfter(actor.interval ?? 0));
    const unheard = this.#app.clu.refusal({ hear: this.#actor });
    this.#root.toggleAttribute("data-unheard", unheard !== null);
    if (unheard !== null) setText(this.#liveness, `${unheard}${actor ? ": this is as it was last heard" : ""}`);
    else setText(this.#liveness, actor ? (gone ? "nothing takes its commands: it is not running" : LIVENESS[actor.liveness] ?? "") : `no actor of the name ${this.#actor} was heard`);
    setText(this.#seen, actor && actor.time > 0 ? formatAge(store.shownAge(actor.time)) : "–");
    setText(this.#said, actor?.last ? `${actor.last.code} ${actor.last.text}` : "");
  }

  /** The URL is the state: `f` and `sort` of the keywords, `c` is the command whose form is open. */
  #keep(state) {
    if (this.#embedded) return;
    this.#state = { ...this.#state, ...state };
    const query = new URLSearchParams(Object.entries(this.#state).filter(([, value]) => value));
    const text = query.toString();
    this.#app.router.replace(`#/actor/${encodeURIComponent(this.#actor)}${text && `?${text}`}`);
  }
}

const stateOf = (query) => ({ filter: query.get("f") ?? "", sort: query.get("sort") ?? "name" });
