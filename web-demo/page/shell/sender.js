/** The one way by which views send commands: armed, granted, confirmed, and only on a link that is open. */

import { dangerOf, onlyReads } from "./arm.js";

export class Sender {
  #clu;
  #arm;
  #confirm;
  #site;
  #siteKnown;
  #notify;
  #links = 0;  // counts the ends of links: a command that waited through one is not sent

  /** @param {{clu: object, arm: object, confirm: object, site: () => object, siteKnown: () => boolean, notify: Function}} parts */
  constructor({ clu, arm, confirm, site, siteKnown, notify }) {
    this.#clu = clu;
    this.#arm = arm;
    this.#confirm = confirm;
    this.#site = site;
    this.#siteKnown = siteKnown;
    this.#notify = notify;
    clu.on("state", ({ state }) => {
      if (state === "open") return;
      this.#links += 1;
      confirm.abandon("the connection was lost while it waited to be confirmed");
    });
  }

  /** Why a command is dangerous at this site, or null. */
  danger(consumer, string) {
    return dangerOf(this.#site().dangerous ?? [], consumer, string);
  }

  /** Why a command is not granted, or null; without an actor, why no command at all is. */
  refusal(consumer, string) {
    if (consumer !== undefined) return this.#clu.refusal({ command: { consumer, command_string: string } });
    const { name, grants } = this.#clu.access ?? {};
    if (!grants || grants.command?.length) return null;
    return name === "" ? "you are not logged in, and may only look" : "you may only look: no commands are granted to you";
  }

  /**
   * Sends a command, or says why not.
   * @param {string} consumer
   * @param {string} string
   * @returns {Promise<{command: object|null, why: string|null}>}
   */
  async send(consumer, string) {
    const why = this.#hindrance(consumer, string);
    if (why !== null) return this.#refuse(why);
    const danger = this.danger(consumer, string) ?? this.#unclear(string);
    if (danger !== null) {
      const link = this.#links;
      const no = await this.#confirm.ask(`${consumer} ${string}`, danger)
        ?? (link === this.#links ? this.#hindrance(consumer, string) : "the connection was lost while it waited to be confirmed");
      if (no !== null) return this.#refuse(no);
    }
    this.#arm.used();
    const command = this.#clu.send(consumer, string);
    return { command, why: command.state === "rejected" ? command.message : null };
  }

  /** Why it is not clear whether a command is dangerous, or null. */
  #unclear(string) {
    if (this.#siteKnown() || onlyReads(string)) return null;
    return "Which commands are dangerous at this site is not known now: the bridge has not said it yet.";
  }

  #hindrance(consumer, string) {
    const refusal = this.refusal() ?? this.refusal(consumer, string);
    if (refusal !== null) return refusal;
    if (this.#arm.armed || onlyReads(string)) return null;
    return this.#arm.why;
  }

  #refuse(why) {
    this.#notify(`Nothing was sent: ${why}.`, { urgent: true });
    return { command: null, why };
  }
}
