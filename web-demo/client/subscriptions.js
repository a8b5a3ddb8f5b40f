/** The subscriptions of a page, across all its connections. */

export class Subscriptions {
  #all = new Map();       // by id, in order of creation
  #accepted = new Set();  // ids of those that were accepted on any connection
  #anew = new Set();      // ids of those that were refused for a while: they begin with the last values
  #expecting = new Set(); // ids of those whose last values are still to come
  #emit;

  /** @param {(type: string, detail: object) => void} emit  emits an event */
  constructor(emit) {
    this.#emit = emit;
    /** Whether there was one: the page no longer gets every reply. */ this.any = false;
  }

  get size() { return this.#all.size; }

  get(id) { return this.#all.get(id); }

  has(id) { return this.#all.has(id); }

  /** @returns {import("./subscription.js").Subscription[]} */
  list() { return [...this.#all.values()]; }

  /** The ids of those that want the last values. @returns {string[]} */
  get valued() { return this.list().filter(({ wantsValues }) => wantsValues).map(({ id }) => id); }

  /** ms for which the bridge may hold back a reply. */
  get held() { return this.list().reduce((most, { held }) => Math.max(most, held), 0); }

  /** Whether replies to this client's commands may be missing from what they select. */
  get lackOwn() { return this.any && !this.list().some((subscription) => subscription.selectsAll); }

  /** The requests for a new connection: id, request and subscription. @param {(id: string) => {epoch: string, seq: number}|null} since @param {string[]} capabilities */
  requests(since, capabilities) {
    return this.list().filter((subscription) => this.isPossible(subscription, capabilities))
      .map((subscription) => [subscription.id, this.#request(subscription, since), subscription]);
  }

  #request(subscription, since) {
    const { id } = subscription;
    return this.#anew.has(id) ? subscription.request(null, false) : subscription.request(since(id), this.#accepted.has(id), this.#expecting.has(id));
  }

  /** Notes that the last values of one are to come: they are asked for again if the connection is lost before. */
  expectValues(id) { this.#expecting.add(id); }

  /** Notes that they have come. */
  valuesCame(id) { this.#expecting.delete(id); }

  /** Whether the server can serve one; if not, it is refused. @param {string[]} capabilities  none of CLU's own server */
  isPossible(subscription, capabilities) {
    if (!subscription.wantsNotices || capabilities.includes("notices")) return true;
    this.refuse(subscription, "this server has no notices; connect to a clu-ws of this version", { code: "unsupported" });
    return false;
  }

  add(subscription) {
    this.any = true;
    this.#all.set(subscription.id, subscription);
  }

  remove(id) {
    this.#all.delete(id);
    this.#accepted.delete(id);
    this.#anew.delete(id);
    this.#expecting.delete(id);
  }

  /** Handles that the bridge has accepted one. @param {*} data  of an application that decides about it */
  accept(subscription, data) {
    this.#accepted.add(subscription.id);
    this.#anew.delete(subscription.id);
    subscription.accept(data);
  }

  /** On the next connection all of them begin with the last values. */
  forgetAccepted() { this.#accepted.clear(); }

  /** Ends one whose request was refused; null: the refusal is only reported. */
  refuse(subscription, text, cause) {
    if (subscription) {
      this.remove(subscription.id);
      subscription.reject(text, cause?.code ?? null);
    }
    this.#emit("error", { message: `A subscription was refused: ${text}`, cause });
  }

  /**
   * Handles the refusal of a request. One that was accepted before is requested again on the next connection, unless the
   * right to it is gone. @returns {boolean} whether so: what it misses until then is gone
   */
  refuseRequest(subscription, text, cause) {
    const later = subscription !== null && this.#accepted.has(subscription.id) && cause.code !== "forbidden";
    if (later) this.#anew.add(subscription.id);
    this.refuse(later ? null : subscription, text, cause);
    return later;
  }

  /** Begins all of them with CLU's own server. */
  startPlain() {
    for (const subscription of this.list()) this.startOnePlain(subscription);
  }

  /** Begins one with CLU's own server, or refuses it. @returns {boolean} */
  startOnePlain(subscription) {
    const { filterError } = subscription;
    if (!this.isPossible(subscription, [])) return false;
    if (filterError) this.refuse(subscription, filterError.message, filterError);
    else subscription.accept();
    return !filterError;
  }
}
