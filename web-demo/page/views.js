/**
 * The views, by the first part of the route: `#/actor/dome` is shown by the view "actor". A view is
 *
 *     class XView { constructor(app); mount(root, route); update(changes); unmount() }
 *
 * with `route(route)`, `search()`, `key(event)` and `title` if it likes. One is mounted at a time; one that is not
 * costs nothing.
 */

import { ActorView } from "./actor/actor.js";
import { BoardView } from "./board/board.js";
import { LogView } from "./log/log.js";
import { OverviewView } from "./overview/overview.js";

/** @type {Record<string, {title: string, load: () => Promise<new (app: object) => object>}>} */
export const VIEWS = {
  "": { title: "Overview", load: async () => OverviewView },
  actor: { title: "Actor", load: async () => ActorView },
  plot: { title: "Plot", load: async () => (await import("./plot/plot.js")).PlotView },
  log: { title: "Log", load: async () => LogView },
  board: { title: "Boards", load: async () => BoardView },
};
