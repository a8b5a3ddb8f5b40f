/**
 * What the console knows. One subscription to everything feeds all views, which read from here and never from the client.
 *
 *     Clu ── snapshot, reply ──────> Actors, LogRing, ProblemList ───┐
 *         ── problem, actor ───────> problems, liveness              ├─> Scheduler ── 4 Hz ──> views: onUpdate
 *         ── command_state, command ─> CommandTable                  │        └────── 1 Hz ──> ages
 *         ── state, broker, lag ───> link                            ┘
 *
 * All times are by the bridge's clock, in ms since 1970, and `now` is that clock: what a wrong clock of this computer
 * says does not matter. An age counts from when the bridge heard a value, not from when this page got round to it.
 *
 * Against CLU's own server the store finds problems, rhythms and the commands of others itself, for as long as the page
 * is open, and `missing` says what that cannot give.
 */

import { Actor, isAbsent, LIMITS, NO_SENDER } from "./actors.js";
import { CommandTable } from "./commands.js";
import { describeGap } from "./format.js";
import { hears, livenessOf, SILENT_AFTER } from "./liveness.js";
import { LogRing } from "./logring.js";
import { missingFrom, TEMPORARY } from "./missing.js";
import { ProblemList } from "./problemlist.js";
import { compare, hasEnded, isOpen, levelOf } from "./problems.js";
import { Rate } from "./rate.js";
import { Scheduler } from "./scheduler.js";

/** What the bridge tells beside replies. */
const NOTICES = ["actors", "problems", "commands", "models", "site"];

/** How the ids of commands begin by which bridges ask actors for their models. */
const QUESTION = "model-";

/**
 * ms for which the bridge may keep a reply for the next one: shorter than what the views wait for anyway. Each write wakes
 * the browser, which takes more CPU than the replies. Final replies and errors do not wait.
 */
export const BATCH = 200;

/**
 * @typedef {object} Changes  since the last update
 * @property {Set<string>} actors     those that were heard, or whose liveness, level or problems have changed
 * @property {Map<string, Set<string>>} keywords  by actor
 * @property {boolean} problems
 * @property {boolean} commands
 * @property {boolean} link           the link, the broker, the lag, or what is missing
 * @property {boolean} models         a model or the site has changed
 * @property {number} replies         how many have arrived
 * @property {boolean} tick           ages have to be written
 */

export class Store {
  #clu;
  #listeners = new Set();
  #changes = noChanges();
  #scheduler;
  #commands = new CommandTable();
  #sorted = null;  // the problems of all actors
  #rate = new Rate();
  #unhooks = [];
  #subscriptions = [];
  #due = new Set();     // capabilities of what was refused, and is asked for again
  #asks = {
    problems: async () => this.problemList.all(await this.#clu.problems(), this.actors.keys()),
    commands: async () => this.#allCommands(await this.#clu.everyCommand()),
  };
  #notices = null;      // the subscription to what the bridge knows beside replies
  #hears = null;        // what this page may hear, as a text
  #listeningSince = 0;  // since when every reply of an actor would have been heard, ms; 0: for long

  /**
   * @param {import("../../client/clu.js").Clu} clu
   * @param {{monotonic?: () => number}} [options]
   */
  constructor(clu, { monotonic } = {}) {
    this.#clu = clu;
    this.#scheduler = new Scheduler((tick) => this.#update(tick), monotonic);
    /** By name. @type {Map<string, Actor>} */ this.actors = new Map();
    /** Actors beyond the limit, whose replies are only in the log. */ this.unkept = 0;
    /** The newest replies. */ this.log = new LogRing();
    /** How many replies have arrived. */ this.total = 0;
    /** Where the problems come from, and whether they are known. */
    this.problemList = new ProblemList({ set: (...of) => this.#setProblems(...of), changed: () => this.#touch("problems"), log: this.log });
    /** @type {{state: "connecting"|"open"|"closed", reason: string, retryAt: number|null, attempts: number}} */
    this.link = { state: clu.state, reason: "", retryAt: null, attempts: 0 };
    /** The bridge's link to the broker; state null if that is not known. @type {{state: string|null, reason: string|null}} */
    this.broker = { state: null, reason: null };
    /** What this server cannot give, each in a sentence. @type {import("./missing.js").Missing[]} */
    this.missing = [];
    /** Whether the page is catching up: what is shown may be older than `lag` says, and is marked so. */
    this.behind = false;
    /** Seconds for which the bridge has not answered; 0 while it does. */ this.silence = 0;
  }

  /** Begins to listen. Call it before `clu.connect`. */
  start() {
    const on = (type, listener) => this.#unhooks.push(this.#clu.on(type, listener));
    on("state", (detail) => this.#linkChanged(detail));
    on("open", () => this.#touch("link"));
    on("broker", (detail) => this.#brokerChanged(detail));
    on("gap", (gap) => this.#gap(gap));
    on("dropped", (detail) => this.#dropped(detail));
    on("lag", ({ behind }) => { this.behind = behind; this.#touch("link"); });
    on("command", ({ command }) => this.#ownCommand(command));
    on("hello", ({ epoch }) => this.#greeted(epoch));
    on("access", ({ access }) => {  // also by the hello after a lost connection
      const { hear, hide, own } = access?.grants ?? {};
      const hears = JSON.stringify([hear, hide, own]);
      if (this.#hears !== null && this.#hears !== hears) this.#hearsOther();
      this.#hears = hears;
    });
    on("notice", (notice) => this.#notice(notice));
    this.#subscriptions.push(this.#clu.subscribe({}, {
      values: false, batch: BATCH,
      onSnapshot: (snapshot) => this.#snapshot(snapshot),
      onReply: (reply) => this.#reply(reply),
    }));
    this.#scheduler.start();
  }

  /** Ends everything. */
  stop() {
    this.#scheduler.stop();
    this.#notices?.close();
    this.#notices = null;
    for (const unhook of this.#unhooks.splice(0)) unhook();
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
  }

  /** Writes everything at once: what is in a page that was hidden may be a minute old. */
  refresh() { this.#scheduler.now(); }

  /** The bridge's clock, ms since 1970. */
  now() { return this.#clu.now(); }

  /** How old something is that was heard at a time, ms; Infinity if that is not known. */
  age(time) { return time > 0 ? Math.max(0, this.now() - time) : Infinity; }

  /** What to say of how old something is, ms. It counts to when ages are written again: until then what is shown must be true. */
  shownAge(time) { return this.age(time) + this.#scheduler.stay; }

  /** How far this page is behind, seconds. */
  get lag() { return this.#clu.lag; }

  /** When the last reply was heard, ms; 0 for never. */
  get lastReply() { return Math.max(0, ...[...this.actors.values()].map(({ time }) => time)); }

  /** ms by which this computer's clock is ahead of the bridge's; 0 if it is right. */
  get clockError() { return this.#clu.clockError; }

  /** The commands of everybody, the oldest first. @type {Map<string, import("./commands.js").CommandEntry>} */
  get commands() { return this.#commands.entries; }

  /** The problems of all actors, the worst first. @returns {import("./problems.js").Problem[]} */
  get problems() {
    this.#sorted ??= [...this.actors.values()].flatMap(({ problems }) => problems).sort(compare);
    return this.#sorted;
  }

  /** The worst problem that nobody has acknowledged, or null. */
  get worst() {
    const [first] = this.problems;
    return first && isOpen(first) ? first : null;
  }

  /** Replies in a second, averaged. */ get rate() { return this.#rate.value; }

  /** How many problems nobody has acknowledged. */ get openProblems() { return this.problems.filter(isOpen).length; }

  /** Why it is not known which problems there are, in a sentence; null if it is. @returns {string|null} */
  get problemsUnknown() {
    const { access } = this.#clu;
    return this.problemList.unknown ?? (access && !access.grants?.hear?.length ? "You may not hear what actors say." : null);
  }

  /** How many have ended before anybody acknowledged them. */
  get endedProblems() { return this.problems.filter(hasEnded).length; }

  /**
   * Adds a listener, called at most four times a second.
   * @param {(changes: Changes) => void} listener
   * @returns {() => void} removes it
   */
  onUpdate(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Acknowledges a problem, for all pages; against CLU's own server, for this page. One that was raised anew since
   * the page heard of it is not meant, and stays.
   * @param {import("./problems.js").Problem} problem
   * @returns {Promise<void>}
   */
  async acknowledge({ actor, key, seq, epoch }) {
    if (this.problemList.kept) await this.#clu.acknowledge(actor, { key, seq: seq ?? undefined, epoch });
    else this.problemList.acknowledge(actor, key, this.now());
  }

  #has(capability) { return this.#clu.capabilities?.includes(capability) ?? false; }

  // What arrives.

  #reply(reply) {
    const time = this.#timeOf(reply);
    this.total += 1;
    this.#rate.reply();
    this.#changes.replies += 1;
    this.log.reply(reply, time);
    this.#scheduler.request(true);
    if (reply.commandId?.startsWith(QUESTION)) return;  // an answer to a bridge: no telemetry, and nobody's command
    if (!this.#has("commands") && this.#commands.reply(reply, time)) this.#changes.commands = true;
    if (!reply.refused && !(reply.returned && !this.actors.has(reply.sender))) this.#actorReply(reply, time);
  }

  #actorReply(reply, time) {
    const actor = this.#actor(reply.sender ?? NO_SENDER);
    if (actor === null) return;
    this.#changed(actor, actor.reply(reply, time));
    if (reply.sender !== null) this.problemList.reply(reply, time);
  }

  #snapshot({ actors, epoch, gap_after: gapAfter }) {
    const first = this.actors.size === 0;
    for (const [name, state] of Object.entries(actors ?? {})) {
      if (isAbsent(state)) continue;
      const actor = this.#actor(name);
      if (actor !== null) this.#changed(actor, actor.snapshot(state, epoch, gapAfter));
    }
    if (first) this.#scheduler.requestAtOnce();  // together with what is new of the link: an empty page is not drawn before
    else this.#scheduler.request();
  }

  /** When the bridge heard a reply; from CLU's own server, when it arrived here. */
  #timeOf({ heard, at }) { return heard ?? at; }

  #actor(name) {
    const known = this.actors.get(name);
    if (known) return known;
    if (this.actors.size >= LIMITS.actors) {
      this.unkept += 1;
      return null;
    }
    const actor = new Actor(name);
    this.actors.set(name, actor);
    return actor;
  }

  #changed(actor, keywords) {
    this.#changes.actors.add(actor.name);
    if (keywords.length === 0) return;
    let set = this.#changes.keywords.get(actor.name);
    if (!set) this.#changes.keywords.set(actor.name, set = new Set());
    for (const keyword of keywords) set.add(keyword);
  }

  #setProblems(name, problems, omitted = 0) {
    const actor = this.#actor(name);
    if (actor === null) return;
    actor.problems = problems;
    actor.omitted = omitted;
    actor.level = levelOf(problems);
    this.#sorted = null;
    this.#changes.actors.add(name);
    this.#touch("problems");
  }

  #notice(notice) {
    if (notice.op === "actor") {
      const actor = this.#actor(notice.name);
      actor?.state(notice);
      if (actor) this.#changes.actors.add(actor.name);
    }
    if (notice.op === "problem") this.problemList.of(notice.actor, notice.problems, notice.omitted);
    if (notice.op === "command_state") {
      this.#commands.notice(notice.command);
      this.#changes.commands = true;
    }
    if (notice.op === "model" || notice.op === "site") this.#changes.models = true;
    this.#scheduler.request();
  }

  #ownCommand(command) {
    this.#commands.own(command, (ms) => ms + this.now() - Date.now());
    this.#touch("commands");
  }

  // The link.

  #linkChanged(detail) {
    this.link = detail;
    if (detail.state !== "open") this.broker = { state: null, reason: null };
    this.#touch("link");
  }

  #brokerChanged({ state, reason }) {
    if (hears(state) && this.broker.state !== null && !hears(this.broker.state)) this.#listeningSince = this.now();
    this.broker = { state: state === "unknown" ? null : state, reason };
    this.#touch("link");
  }

  #gap(gap) {
    this.#listeningSince = Math.max(this.#listeningSince, this.now());
    this.#mark(describeGap(gap), { from: gap.from?.getTime() ?? null, to: gap.to.getTime(), count: null });
  }

  /** Handles that it is known what the server is. */
  #greeted(epoch) {
    this.problemList.greeted(this.#has("problems"), epoch);
    this.missing = missingFrom(this.#clu.protocol, this.#clu.capabilities ?? []);
    if (this.#clu.protocol === "plain") this.#listeningSince = this.now();
    this.#touch("link");
    if (this.#has("notices") && (this.#notices?.closed ?? true)) this.#notices = this.#clu.subscribe(null, { notices: NOTICES });
    this.#askAll();
  }

  /** Handles that this page may hear more or less than before. An actor that it hears no longer is not silent for that. */
  #hearsOther() {
    for (const actor of this.actors.values()) actor.state({ interval_ms: null, consumer: null });  // the new snapshot tells them
    this.#touch("problems");  // what one is told of are other ones now
    this.#askAll();
  }

  /** Handles that the bridge does not answer. A lost connection is no refusal: the next hello asks again. */
  #refused(capability, { code, message }) {
    if (capability === "problems") this.problemList.refused(message);
    if (TEMPORARY.has(code)) this.#due.add(capability);
    else this.#due.delete(capability);
  }

  /** Asks for what notices only tell the changes of. */
  #askAll() {
    for (const [capability, ask] of Object.entries(this.#asks)) {
      if (this.#has(capability)) ask().then(() => this.#due.delete(capability), (error) => this.#refused(capability, error));
    }
  }

  #allCommands(commands) {
    this.#commands.list(commands);
    this.#touch("commands");
  }

  #dropped({ count, from = null, to = null }) {
    const span = from === null || to === null ? "" : `, ${((to - from) / 1_000).toFixed(1)} s of them`;
    this.#mark(`${count} messages were left out here${span}: this page reads too slowly`, { from: from && +from, to: to ? +to : this.now(), count }, from === null);  // else snapshots follow
  }

  /** Notes that replies were missed. Any value may have changed unheard, unless all last values follow. */
  #mark(text, gap, unheard = true) {
    if (unheard) for (const actor of this.actors.values()) actor.doubt();
    this.log.mark(text, this.now(), gap);
    this.#touch("link");
  }

  // Updates.

  #touch(what) {
    this.#changes[what] = true;
    this.#scheduler.request();
  }

  #update(tick) {
    if (tick) this.#second();  // even if the page is hidden and its timers are late
    const changes = this.#changes;
    changes.tick = tick;
    this.#changes = noChanges();
    for (const listener of this.#listeners) {
      try {
        listener(changes);
      } catch (error) {
        console.error(error);  // one view that fails does not stop the others
      }
    }
  }

  #second() {
    const now = this.now();
    this.#rate.second(now);
    if (this.#due.size > 0 && this.link.state === "open") this.#askAll();
    if (this.silence !== (this.silence = this.#clu.silence)) this.#changes.link = true;
    if (!this.behind && !this.#clu.resuming && !this.#clu.uncertain) this.#watchLiveness(now);
  }

  /** Looks which actors have fallen silent. While the page is behind they stay as they were. */
  #watchLiveness(now) {
    const heard = this.link.state === "open" && hears(this.broker.state) && this.silence <= SILENT_AFTER;
    for (const actor of this.actors.values()) {
      const { interval, consumer } = actor;
      const liveness = livenessOf({ time: Math.max(actor.time, this.#listeningSince), interval, consumer }, now, heard);
      if (liveness === actor.liveness) continue;
      actor.liveness = liveness;
      this.#changes.actors.add(actor.name);
      if (!this.problemList.kept && liveness !== "unknown") this.problemList.silent(actor.name, liveness === "quiet" ? actor.time : null, now);
    }
  }
}

function noChanges() {
  return { actors: new Set(), keywords: new Map(), problems: false, commands: false, link: false, models: false, replies: 0, tick: false };
}
