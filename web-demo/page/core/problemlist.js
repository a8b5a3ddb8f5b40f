/**
 * Where the problems of actors come from: the bridge, or what this page finds itself if the server keeps none. Until the
 * bridge has told them, or if it does not, `unknown` says why: that there are none must not be claimed then.
 */

import { compare, fromBridge } from "./problems.js";

const NOT_TOLD = "The bridge has not told yet which problems there are.";

export class ProblemList {
  #set;
  #log;
  #changed;
  #found = null;  // found.js, if it is needed
  #silent = new Map();  // what is to be found once found.js is there
  #epoch = null;  // of the numbers of the bridge
  /** Whether the bridge keeps the problems. */ kept = false;
  /** Why it is not known which problems there are, in a sentence; null if it is. @type {string|null} */ unknown = NOT_TOLD;

  /**
   * @param {{set: (actor: string, problems: import("./problems.js").Problem[], omitted?: number) => void,
   *   changed: () => void, log: import("./logring.js").LogRing}} on  `changed`: the problems are known now, or not any more
   */
  constructor({ set, changed, log }) {
    this.#set = set;
    this.#changed = changed;
    this.#log = log;
  }

  /** Takes what the server is. @param {boolean} kept @param {string|null} epoch */
  greeted(kept, epoch) {
    this.kept = kept;
    this.#epoch = epoch;
    if (kept) this.#known(NOT_TOLD);
    else this.#find();
  }

  /** Takes all problems. @param {Iterable<string>} actors  those that are known */
  all({ problems, omitted }, actors) {
    const of = byActor(problems);
    for (const name of new Set([...actors, ...of.keys()])) this.of(name, of.get(name), omitted);
    this.#known(null);
  }

  /** Takes those of an actor, and by actor the numbers of replies that are not listed. */
  of(name, problems = [], omitted = {}) {
    this.#set(name, problems.map((problem) => fromBridge(problem, this.#epoch)).sort(compare), Object.hasOwn(omitted, name) ? omitted[name] : 0);
  }

  /** Takes that the bridge does not tell them. */
  refused(why) {
    this.#known(`The bridge does not tell which problems there are: ${why}`);
  }

  // What a page does itself.

  reply(reply, time) {
    if (!this.kept && this.#found?.reply(reply, time)) this.#setFound(reply.sender);
  }

  /** Takes that an actor is silent since a time, or null. */
  silent(name, since, now) {
    if (this.#found === null) this.#silent.set(name, [since, now]);
    this.#found?.silent(name, since, now);
    this.#setFound(name);
  }

  acknowledge(name, key, now) {
    this.#found?.acknowledge(name, key, now);
    this.#setFound(name);
  }

  #setFound(name) {
    if (this.#found !== null) this.#set(name, this.#found.of(name));
  }

  /** Looks for problems in what has come, and what will. */
  async #find() {
    try {
      const { FoundProblems } = await import("./found.js");
      if (this.#found === null) {
        this.#found = new FoundProblems();
        for (const [name, [since, now]] of this.#silent) this.silent(name, since, now);
        for (const { reply, time } of this.#log.from(0)) if (reply !== null) this.reply(reply, time);
      }
      this.#known(null);
    } catch ({ message }) {
      this.#known(`A part of this page could not be loaded: ${message}.`);
    }
  }

  #known(unknown) {
    this.unknown = unknown;
    this.#changed();
  }
}

function byActor(problems) {
  const of = new Map();
  for (const problem of problems) of.has(problem.actor) ? of.get(problem.actor).push(problem) : of.set(problem.actor, [problem]);
  return of;
}
