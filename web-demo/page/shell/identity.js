/** Who this page is to the bridge: the name, how long the login lasts, and what it may do, in the top line. */

import { element, setText } from "./dom.js";

/** ms before the end of the login from which the time left is shown. */
const SHOW_LEFT = 600_000;

export class Identity {
  #access = null;
  #remembered;
  #root = document.getElementById("who");
  #name = document.getElementById("who-name");
  #left = document.getElementById("who-left");
  #details = document.getElementById("who-grants");
  #login = document.getElementById("who-login");
  #logout = document.getElementById("who-logout");

  /** @param {{onLogin: () => void, onLogout: () => void, remembered: () => boolean}} on  `remembered`: a token can be forgotten */
  constructor({ onLogin, onLogout, remembered }) {
    this.#remembered = remembered;
    this.#login.addEventListener("click", onLogin);
    this.#logout.addEventListener("click", onLogout);
    this.#root.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.#root.contains(relatedTarget)) this.#root.open = false;
    });
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#root.open = false;
    });
  }

  /** Shows who this page is. @param {import("../../client/access.js").Identity|null} access  null without access control */
  show(access) {
    this.#access = access;
    this.#root.hidden = access === null;
    if (access === null) return;
    this.#root.dataset.name = access.name;
    setText(this.#name, access.name || "not logged in");
    this.#describe(access).catch(() => this.#details.replaceChildren());  // without the bridge, what was granted says nothing
    this.tick();
  }

  /** Writes what is granted: the words are loaded when they are needed, since most bridges grant everything. */
  async #describe(access) {
    const { describe } = await import("./grantwords.js");
    if (this.#access !== access) return;
    this.#details.replaceChildren(...describe(access.grants).map(([what, text]) => element("div", {},
      element("dt", { text: what }), element("dd", { text }))));
  }

  /** Updates the time left, once a second. */
  tick() {
    if (this.#access === null) return;
    const { name, expires } = this.#access;
    const left = expires === null ? Infinity : expires.getTime() - Date.now();
    const ending = left < SHOW_LEFT;
    this.#left.hidden = !ending;
    setText(this.#left, left > 0 ? `login ends in ${formatLeft(left)}` : "login has ended");
    setText(this.#login, name === "" ? "Log in" : "Log in again");
    this.#login.hidden = name !== "" && !ending;
    this.#logout.hidden = !this.#remembered();
  }
}

function formatLeft(ms) {
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
