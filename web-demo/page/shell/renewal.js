/**
 * A bridge that was replaced by one with another version of this page. Parts of the page that were not loaded yet are
 * missing then, and what the page shows of something new may be wrong. So it says so, and offers to be loaded again. It
 * never does that by itself: somebody may be writing a command.
 *
 *     #renewed          below the bar, if the versions differ; #renew loads the page, and asks first if a field has a draft
 */

import { element, setText } from "./dom.js";
import { laterStyles } from "./styles.js";

/** Fields whose content is lost with the page. What is chosen, and what searches, is in the address. */
const DRAFTS = 'input:not([type="checkbox"], [type="radio"], [type="search"], [type="password"]), textarea';

export class Renewal {
  #own = document.querySelector('meta[name="page-version"]')?.content ?? "";
  #notify;
  #root = null;
  #button = null;
  #asked = false;

  /** @param {(text: string, options?: object) => void} notify */
  constructor(notify) {
    this.#notify = notify;
  }

  /** Compares this page with the one that the bridge serves now. */
  async check() {
    if (this.#own === "") return;  // the modules one by one, for developers
    try {
      const response = await fetch("bundle/version", { cache: "no-store" });
      // An earlier version of the bridge has no such file. Any other failure says nothing.
      if (response.ok) this.#show((await response.text()).trim() !== this.#own);
      else if (response.status === 404) this.#show(true);
    } catch {
      // the bridge has gone, as the bar says; the next hello asks again
    }
  }

  #show(differs) {
    if (!differs) {
      this.#root?.remove();
      this.#root = null;
      return;
    }
    if (this.#root !== null) return;
    this.#button = element("button", { id: "renew", type: "button" });
    this.#button.addEventListener("click", () => this.#renew());
    this.#ask(false);
    this.#root = element("p", { id: "renewed" }, "This page is of another version than the bridge, which was replaced: parts of it may be missing or wrong. ", this.#button);
    laterStyles();
    document.getElementById("bar").append(this.#root);
    this.#notify("The bridge was replaced by one of another version. Load the page again.", { urgent: true });
  }

  #ask(asked) {
    this.#asked = asked;
    setText(this.#button, asked ? "What is written in a field is lost: load it all the same" : "Load the page again");
  }

  #renew() {
    const drafts = [...document.querySelectorAll(DRAFTS)].some(({ value, defaultValue }) => value !== defaultValue);
    if (drafts && !this.#asked) this.#ask(true);
    else location.reload();
  }
}
