/**
 * The log: `#/log?q=shutter&code=we!f&sender=dome`, and `#/log?at=EPOCH:SEQ`, which opens at one reply.
 *
 * Test contract:
 *
 *   #log-text  [data-toggle-code] (aria-pressed)  .log-facet [data-sender]  .log-internal  .log-pause (aria-pressed)  .log-count
 *   .log-head                  what is before the first row, in words; .log-older searches on
 *   .log-newest                hidden while the newest row is in sight
 *   .rows (role=grid)          aria-rowcount is how many are listed; in the page are those in sight:
 *     .row                     data-code, data-sender ("" if there is none), data-internal, data-seq; .time .code .sender .body .id;
 *                              data-late if it was published while the page was not connected; data-marked if the URL names
 *                              it; class gap where replies are missing, in words in .body
 *   .envelope                  hidden, or the envelope of the chosen row: .envelope-json, -copy, -link, -close
 */

import { fileName } from "../core/files.js";
import { element } from "../shell/dom.js";
import { formatRoute } from "../shell/router.js";
import { save } from "../shell/save.js";
import { csv, ndjson } from "./files.js";
import { LogPanel } from "./panel.js";
import { LogQuery } from "./query.js";
import { LogToolbar } from "./toolbar.js";

export class LogView {
  #app;
  #panel;
  #toolbar;

  /** @param {object} app */
  constructor(app) {
    this.#app = app;
    this.title = "Log";
  }

  mount(root, route) {
    const query = LogQuery.read(route.query);
    this.#toolbar = new LogToolbar(query, {
      query: (changed) => this.#changed(changed),
      pause: () => this.#panel.pause(!this.#panel.paused),
      save: (kind) => this.#save(kind),
      senders: () => this.#senders(),
    });
    this.#panel = new LogPanel(this.#app, { query, onChange: () => this.#status() });
    const node = element("div", { class: "log-view" }, this.#toolbar.node);
    root.append(node);
    this.#panel.mount(node);
    this.#openAt(route);
  }

  /** Takes another route of the log. */
  route(route) {
    const query = LogQuery.read(route.query);
    this.#toolbar.show(query);
    this.#panel.setQuery(query);
    this.#openAt(route);
  }

  update(changes) {
    this.#panel.update(changes);
    if (changes.tick) this.#toolbar.facets();
  }

  unmount() {
    this.#toolbar.stop();
    this.#panel.unmount();
  }

  /** Moves to the search field. */
  search() { this.#toolbar.focus(); }

  async #openAt(route) {
    const at = readAt(route.query.get("at"));
    if (at === null) return;
    if (!await this.#panel.open(at)) this.#app.notify(`The reply ${at.epoch}:${at.seq} is not there any more; this is the newest.`);
  }

  #changed(query) {
    this.#panel.setQuery(query);
    this.#app.router.replace(formatRoute(["log"], query.write()));
    this.#status();
  }

  #status() {
    this.#toolbar.status(this.#panel.items.length, this.#panel.paused);
  }

  /** The senders of what this page has heard, and how many of their replies the other criteria select. */
  #senders() {
    const counts = new Map([...this.#panel.query.senders].map((name) => [name, 0]));
    for (const { reply } of this.#app.store.log.from(0)) {
      if (!reply || !this.#panel.query.acceptsButSender(reply)) continue;
      const name = reply.sender ?? "";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const name of this.#app.store.actors.keys()) if (!counts.has(name)) counts.set(name, 0);
    return [...counts].sort(([a], [b]) => a.localeCompare(b));
  }

  #save(kind) {
    const { items } = this.#panel;
    if (items.length === 0) {
      this.#app.notify("There is nothing to save: no reply is listed.");
      return;
    }
    const name = fileName("log", items[0].time, items.at(-1).time, kind);
    if (kind === "csv") save(name, "text/csv", csv(items));
    else save(name, "application/x-ndjson", ndjson(items));
    this.#app.notify(`${items.length} entries were saved as ${name}.`);
  }
}

/** Reads EPOCH:SEQ; null if it is not that. @returns {{epoch: string, seq: number}|null} */
function readAt(text) {
  const match = /^(.+):(\d{1,16})$/.exec(text ?? "");
  return match && Number.isSafeInteger(Number(match[2])) ? { epoch: match[1], seq: Number(match[2]) } : null;
}
