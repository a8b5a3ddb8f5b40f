/** Mounts the view that the route names, hands it updates, and leaves everything else to it. */

import { element, setText } from "./dom.js";
import { formatRoute } from "./router.js";
import { VIEWS } from "../views.js";

export class Views {
  #app;
  #root = document.getElementById("view");
  #links = new Map();
  #name = null;
  #view = null;
  #turn = 0;  // a view that loads longer than one stays is not mounted
  #path = "";

  constructor(app) {
    this.#app = app;
    const nav = document.getElementById("views");
    for (const [name, { title }] of Object.entries(VIEWS)) {
      if (name === "actor") continue;  // it is reached from the overview
      const link = element("a", { href: formatRoute(name === "" ? [] : [name]), text: title });
      this.#links.set(name, link);
      nav.append(link);
    }
  }

  /** The name of the view that is shown. */
  get name() { return this.#name; }

  /** Shows what a route names. @param {import("./router.js").Route} route */
  async show(route) {
    const name = Object.hasOwn(VIEWS, route.path[0] ?? "") ? route.path[0] ?? "" : null;
    if (name !== null && name === this.#name && this.#view?.route) {
      this.#view.route(route);
      this.#titled(route);
      return;
    }
    const turn = ++this.#turn;
    this.#leave();
    this.#name = name;
    this.#root.dataset.view = name === "" ? "overview" : name ?? "none";
    if (name === null) {
      this.#say(`There is no view "${route.path[0]}" here.`);
      return;
    }
    try {
      const View = await VIEWS[name].load();
      if (turn !== this.#turn) return;
      this.#mount(new View(this.#app), route);
    } catch (error) {
      console.error(error);
      if (turn === this.#turn) {
        this.#titled(route);
        this.#say(`This view could not be shown: ${error.message}. Load the page again.`);
      }
      this.#app.checkVersion();  // a bridge of another version does not have the module
    }
  }

  #mount(view, route) {
    const root = element("div", { class: "view" });
    this.#root.replaceChildren(root);
    if (this.#path !== "") this.#root.scrollTop = 0;  // asking for it makes the browser lay the page out
    view.mount(root, route);
    this.#view = view;
    this.#titled(route);
    // Screen readers hear what is shown now; who is typing goes on typing.
    if (this.#path !== "" && !document.activeElement?.closest("#dock, dialog, #drawer, #login")) this.#root.focus({ preventScroll: true });
    this.#path = location.hash || "#/";
  }

  #leave() {
    const view = this.#view;
    this.#view = null;
    try {
      view?.unmount();
    } catch (error) {
      console.error(error);  // the next view is shown nevertheless
    }
    this.#root.replaceChildren();
  }

  #titled(route) {
    const title = this.#view?.title ?? [VIEWS[this.#name].title, ...route.path.slice(1)].join(" ");
    this.#root.setAttribute("aria-label", title);
    for (const [name, link] of this.#links) {
      if (name === this.#name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.#app.badge.view(title);
  }

  #say(text) {
    const line = element("p", { class: "nothing" });
    setText(line, text);
    this.#root.replaceChildren(line);
  }

  /** Hands changes of the store to the view. */
  update(changes) {
    try {
      this.#view?.update(changes);
    } catch (error) {
      console.error(error);  // one view's fault must not stop the bar
    }
  }

  /** Moves to the view's own search field. @returns {boolean} whether it has one */
  search() {
    if (!this.#view?.search) return false;
    this.#view.search();
    return true;
  }

  /** Hands a key to the view. @returns {boolean} whether it was for the view */
  key(event) {
    return this.#view?.key?.(event) === true;
  }
}
