/**
 * The views, by the first part of the route: `#/actor/dome` is shown by the view "actor". A view is
 *
 *     class XView { constructor(app); mount(root, route); update(changes); unmount() }
 *
 * with `route(route)`, `search()`, `key(event)` and `title` if it likes. One is mounted at a time; one that is not
 * costs nothing.
 *
 * Only the overview comes with the page. The others are loaded when somebody goes there, or when the page has been
 * connected for a moment: they must not be missing when the bridge, which serves them, has gone.
 */

import { OverviewView } from "./overview/overview.js";
import { laterStyles } from "./shell/styles.js";

/** A view that does not come with the page, with its style sheets. */
const later = (load) => async () => {
  const [View] = await Promise.all([load(), laterStyles()]);
  return View;
};

/** @type {Record<string, {title: string, load: () => Promise<new (app: object) => object>}>} */
export const VIEWS = {
  "": { title: "Overview", load: async () => OverviewView },
  actor: { title: "Actor", load: later(async () => (await import("./actor/actor.js")).ActorView) },
  plot: { title: "Plot", load: later(async () => (await import("./plot/plot.js")).PlotView) },
  log: { title: "Log", load: later(async () => (await import("./log/log.js")).LogView) },
  board: { title: "Boards", load: later(async () => (await import("./board/board.js")).BoardView) },
};

/** Loads all views, so that they are there without the bridge. A view that fails now is loaded when somebody goes there. */
export async function loadAll() {
  for (const { load } of Object.values(VIEWS)) await load().catch(() => {});
}
