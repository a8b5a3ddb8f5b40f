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
    this.#details.replaceChildren(...describe(access.grants).map(([what, text]) => element("div", {},
      element("dt", { text: what }), element("dd", { text }))));
    this.tick();
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

/** Describes grants, in words for the user. @returns {[string, string][]} */
function describe({ hear = [], hide = [], own = false, rooms = [], publish = [], command = [], forbid = [], clients = false, admin = false, limits = {} }) {
  const rows = [["hears", hears(hear, hide, own)]];
  rows.push(["commands", command.length === 0 ? "none" : command.map(rule).join("; ")]);
  if (command.length > 0 && forbid.length > 0) rows.push(["forbidden", forbid.map(rule).join("; ")]);
  if (rooms.length > 0) rows.push(["rooms", rooms.join(", ")]);
  if (publish.length > 0) rows.push(["publishes to", publish.join(", ")]);
  if (clients) rows.push(["sees", "who is connected"]);
  if (admin) rows.push(["administers", "this bridge"]);
  const bounds = Object.entries(limits).map(([name, most]) => `${name} ${most}`);
  if (bounds.length > 0) rows.push(["limits", bounds.join(", ")]);
  return rows;
}

const selectsAll = (hear) => hear.some((filter) => Object.keys(filter).length === 0);

/**
 * How much of what actors say a page may hear: of the rest, problems too, it is told nothing.
 * @param {import("../../client/access.js").Identity|null} access @returns {"all"|"some"|"nothing"}
 */
export function hearing(access) {
  if (!access) return "all";
  const { hear = [], hide = [] } = access.grants;
  return hear.length === 0 ? "nothing" : selectsAll(hear) && hide.length === 0 ? "all" : "some";
}

function hears(hear, hide, own) {
  const all = selectsAll(hear);
  const heard = all ? "every reply" : hear.map(filterText).join("; ");
  const also = own && !all ? [heard, "replies to its own commands"].filter(Boolean).join("; ") : heard;
  return (also || "nothing") + (hide.length > 0 ? `, but not ${hide.map(filterText).join("; ")}` : "");
}

const filterText = (filter) => Object.entries(filter).map(([field, values]) => `${field} ${[values].flat().join(", ")}`).join(", ") || "every reply";

function rule({ consumer, verb }) {
  const actors = consumer === undefined ? "every actor" : [consumer].flat().join(", ");
  return verb === undefined ? actors : `${actors} (${[verb].flat().join(", ")})`;
}
