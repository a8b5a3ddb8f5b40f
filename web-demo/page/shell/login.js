/**
 * The form that asks who one is, and the credential that it took.
 *
 * A token stays in the session storage of this tab, so that reloading the page needs no new login; it ends with the tab or
 * with "Log out". It is never in the URL, which proxies log and people pass on. A ticket is valid once, and is
 * kept only while the page is loaded again for another user.
 */

import { isTyping, setText } from "./dom.js";

const TOKEN_KEY = "clu-ws.token";
const TICKET_KEY = "clu-ws.ticket";

export class Login {
  #token = recall(TOKEN_KEY);
  #ticket = recall(TICKET_KEY);
  #required = false;
  #onLogin;
  #form = document.getElementById("login");
  #input = document.getElementById("login-token");
  #once = document.getElementById("login-once");
  #reason = document.getElementById("login-reason");
  #cancel = document.getElementById("login-cancel");

  /** @param {{onLogin: () => void}} on  `onLogin`: a credential was given */
  constructor({ onLogin }) {
    store(TICKET_KEY, null);
    this.#onLogin = onLogin;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#required) this.hide();
    });
    this.#cancel.addEventListener("click", () => this.hide());
  }

  /** Whether a token is kept. */
  get remembered() { return this.#token !== null; }

  /** Returns the credential for an attempt to connect, see the option `token` of clu.js. */
  credential() {
    const ticket = this.#ticket;
    this.#ticket = null;
    return ticket === null ? this.#token : { ticket };
  }

  /** Whose credential this is: undefined if it is not valid, null if that is not known. A ticket cannot be asked about. */
  async owner() {
    if (this.#token === null) return null;
    try {
      const answer = await fetch("whoami", { headers: { Authorization: `Bearer ${this.#token}` }, cache: "no-store" });
      return (await answer.json()).name;
    } catch {
      return null;
    }
  }

  /** Asks for a credential. @param {string} reason @param {boolean} required  nothing works without one */
  show(reason, required) {
    this.#required = required;
    this.#cancel.hidden = required;
    setText(this.#reason, reason);
    if (!this.#form.hidden) return;
    this.#form.hidden = false;
    // Who is typing a command goes on typing it, and does not write it into the field of a token.
    if (required && isTyping({ target: document.activeElement })) return;
    this.#input.focus();
  }

  /** The bridge knows who this is. A form that somebody has opened to become somebody else stays. */
  accepted() {
    if (this.#required) this.hide();
  }

  hide() {
    this.#required = false;
    this.#form.hidden = true;
    this.#input.value = "";
  }

  /** Forgets the credential. */
  forget() {
    this.#token = this.#ticket = null;
    store(TOKEN_KEY, null);
  }

  /** Loads the page again, so that nothing of one user's stays in it for another. */
  reload() {
    store(TICKET_KEY, this.#ticket);
    location.reload();
  }

  #submit() {
    const text = this.#input.value.trim();
    if (text === "") return;
    this.forget();
    if (this.#once.checked) {
      this.#ticket = text;
    } else {
      this.#token = text;
      store(TOKEN_KEY, text);
    }
    this.hide();
    document.getElementById("view").focus({ preventScroll: true });
    this.#onLogin();
  }
}

function recall(key) {
  try {
    return sessionStorage.getItem(key) || null;
  } catch {
    return null;
  }
}

function store(key, text) {
  try {
    if (text === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch { /* private mode, or full: it lasts as long as the page */ }
}
