/**
 * What happens when a page reads more slowly than replies arrive.
 *
 *     current ── a live reply was heard more than 3 s ago ──> skipping ── less than 1 s ago, or a pong says so ──> refreshing
 *        ^                                                        ^── more than 3 s again ──────────────────────────┘ │
 *        └───────────────────────── the last values have arrived ─────────────────────────────────────────────────────┘
 *
 * Showing old replies one by one keeps a slow page behind for as long as they keep coming. So it skips them: of each
 * frame it reads only the end, which has the reply's number and when the bridge heard it. Replies to this client's own
 * commands are read in any case. Once it is current it asks for the last values; all that it skipped was heard before it
 * asked, so they are right. What was skipped is told, with number and span.
 *
 * Replies from before the connection are old without the page being slow. They are read in any case, and until the page
 * has caught up it is behind by their age.
 *
 * All of this depends on the bridge's clock only. Replies that a queue or a stream has kept have the time of the AMQP message, which is in whole seconds.
 */

/** Default of the option `maxLag`, ms. */
export const MAX_LAG = 3_000;

/** A page that is less than this part of `maxLag` behind is current again. */
const CURRENT = 1 / 3;

/** ms after which the lag of the last reply says nothing about now. */
const STALE = 2_000;

/** Snapshots that are asked for at the same time: a bridge keeps 64 requests of a client, of all kinds. */
const AT_ONCE = 16;

/** The end of a v1 reply. */
const TAIL = /"seq": ?(\d+), ?"epoch": ?"([^"]*)", ?"heard": ?(\d+)\}\s*$/;

/** Longer than any such end. */
const TAIL_CHARS = 160;

/** Command ids that are the same in every JSON text. */
const PLAIN_ID = /^[\w.:+-]+$/;

export const BACKLOG = "clu.js: backlog";  // the id of its pings

/**
 * @typedef {object} Port
 * @property {(text: string) => void} send
 * @property {(type: string, detail: object) => void} emit
 * @property {() => number|null} now               the bridge's clock, ms
 * @property {() => string[]} ids                  of the commands whose replies are not skipped
 * @property {(seq: number) => boolean} isLive     whether a reply was not missed before this connection
 * @property {() => number} held                   ms for which the bridge may have held a reply back, as was asked
 * @property {(epoch: string, seq: number) => void} skipped
 * @property {() => string[]} valued               ids of the subscriptions that want the last values
 * @property {(id: string) => void} snapshot       asks for the last values of a subscription
 */

export class Backlog {
  #port;
  #maxLag;
  #monotonic;
  #state = "current";
  #lag = 0;          // ms, of the last live reply
  #noted = -Infinity;  // when it was received, by the monotonic clock
  #pinged = 0;       // when the bridge was last asked
  #reached = 0;      // when the bridge heard the last live reply that was read or skipped, ms; 0 for none
  #count = 0;        // skipped since the page was current
  #from = 0;         // when the first of them was heard, and the last
  #to = 0;
  #resuming = false;   // what was missed without a connection comes now
  #late = false;       // and is old
  #asked = new Map();  // id of a subscription -> snapshots without an answer
  #toAsk = [];

  /**
   * @param {Port} port
   * @param {{maxLag?: number, monotonic?: () => number}} options
   */
  constructor(port, { maxLag = MAX_LAG, monotonic = () => performance.now() }) {
    if (typeof maxLag !== "number" || !(maxLag > 0)) throw new TypeError("the option maxLag is a number of ms above 0; Infinity keeps every reply, however late");
    this.#port = port;
    this.#maxLag = maxLag;
    this.#monotonic = monotonic;
  }

  /** Whether values may be older than the last reply: replies are skipped, or were, and the last values are not here yet. */
  get behind() { return this.#state !== "current" || this.#late; }

  /** Whether what was missed without a connection may still be coming. */
  get resuming() { return this.#resuming; }

  /** Up to when, by the bridge's clock, this connection has brought what the bridge heard, ms; 0 if nothing. */
  get reached() { return this.#reached; }

  /** How long ago the bridge heard what this page receives now, seconds; 0 if nothing comes. */
  get lag() {
    return this.behind || this.#monotonic() - this.#noted < STALE ? this.#lag / 1_000 : 0;
  }

  /** Looks at a frame before it is parsed. @returns {boolean} whether it is skipped */
  skips(data) {
    if (this.#state !== "skipping" || data.startsWith('{"op"')) return false;
    const tail = TAIL.exec(data.slice(-TAIL_CHARS));
    if (tail === null) return false;
    const seq = Number(tail[1]);
    if (!this.#port.isLive(seq) || this.#isOwn(data)) return false;
    const heard = Number(tail[3]) / 1_000;
    this.#note(heard);
    this.#reached = heard;
    if (this.#isCurrent(this.#lag)) {
      this.#refresh();
      return false;
    }
    this.#count += 1;
    this.#from ||= heard;
    this.#to = heard;
    this.#port.skipped(tail[2], seq);
    return true;
  }

  /** Handles a reply that was read. */
  reply({ seq, heard }) {
    if (heard === null || seq === null || isKept(heard)) return;
    const live = this.#port.isLive(seq);
    if (!live && !this.#resuming) return;
    this.#note(heard);
    const old = this.#lag > this.#maxLag + this.#port.held();
    if (!live) {
      if (old && !this.behind) this.#port.emit("lag", { seconds: this.#lag / 1_000, behind: true });
      this.#late ||= old;
      return;
    }
    this.#reached = heard;
    if (this.#state !== "skipping" && old) this.#skip();
    this.caughtUp();
  }

  /** Handles that what was missed without a connection comes from now on. */
  resumes() { this.#resuming = true; }

  /** Handles that all of it has come. */
  caughtUp() {
    const { behind } = this;
    this.#resuming = this.#late = false;
    if (behind && !this.behind) this.#port.emit("lag", { seconds: this.lag, behind: false });
  }

  /**
   * Handles the answer to a ping: everything that the bridge sent before it was received. A short round trip shows that
   * this page is current, whatever the clocks say.
   * @param {string} time  the bridge's, when it answered
   */
  pong(time) {
    if (this.#state !== "skipping") return;
    this.#note(Date.parse(time));
    this.#lag = Math.min(this.#lag, this.#monotonic() - this.#pinged);
    if (this.#isCurrent(this.#lag)) this.#refresh();
    else this.#ping();
  }

  /** Handles the answer to a request for last values. */
  answered(id) {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    if (asked > 1) this.#asked.set(id, asked - 1);
    else this.#asked.delete(id);
    this.#askMore();
  }

  /** Handles a lost connection. @returns {boolean} whether the values are out of date because of what was skipped */
  disconnected() {
    const behind = this.#state !== "current";
    this.caughtUp();
    this.#asked.clear();
    this.#toAsk = [];
    this.#noted = -Infinity;
    this.#reached = 0;
    if (behind) this.#finish();
    this.#lag = 0;
    return behind;
  }

  #note(heard) {
    const now = this.#port.now();
    if (now === null || Number.isNaN(heard)) return;
    this.#lag = Math.max(0, now - heard);
    this.#noted = this.#monotonic();
  }

  #isCurrent(lag) {
    return lag <= CURRENT * this.#maxLag + this.#port.held();
  }

  #isOwn(data) {
    return this.#port.ids().some((id) => !PLAIN_ID.test(id) || data.includes(id));
  }

  #skip() {
    const { behind } = this;
    this.#state = "skipping";
    this.#toAsk = [];
    this.#ping();
    if (!behind) this.#port.emit("lag", { seconds: this.lag, behind: true });
  }

  #ping() {
    this.#pinged = this.#monotonic();
    this.#port.send(JSON.stringify({ op: "ping", id: BACKLOG }));
  }

  /** Asks for the last values of all subscriptions. */
  refresh() {
    this.#toAsk = this.#port.valued();
    this.#askMore();
  }

  #refresh() {
    this.#state = "refreshing";
    this.refresh();
  }

  #askMore() {
    while (this.#toAsk.length > 0 && this.#asked.size < AT_ONCE) {
      const id = this.#toAsk.shift();
      this.#asked.set(id, (this.#asked.get(id) ?? 0) + 1);
      this.#port.snapshot(id);
    }
    if (this.#state === "refreshing" && this.#asked.size === 0) this.#finish();
  }

  #finish() {
    const [count, from, to] = [this.#count, this.#from, this.#to];
    this.#state = "current";
    this.#count = this.#from = this.#to = 0;
    if (count > 0) this.#port.emit("dropped", { count, from: new Date(from), to: new Date(to) });
    this.#port.emit("lag", { seconds: this.lag, behind: false });
  }
}

/** Whether a reply has the time of its AMQP message: it was kept by a queue or a stream. @param {number} heard  ms */
function isKept(heard) {
  return heard % 1_000 === 0;
}
