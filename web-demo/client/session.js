/**
 * What a page has asked a bridge for, and how far it has come, over all its connections: the protocol clu-ws.v1 of
 * docs/protocol.md. It knows messages and numbers, nothing of sockets, and of commands only whose they are.
 *
 *     a socket opens ──> hello ──> all subscriptions, with `since` ──> each is answered ──> replies
 *                │                                                    └─ of several: held, until a pong has come behind all
 *                └────> anything else, or silence: CLU's own server, which sends every reply to everyone
 *
 * A browser closes a socket whose server does not name the subprotocol that it asked for, and CLU's own server names none.
 * So a page asks for v1 by the URL, and the greeting tells what it has got.
 */

import { Batch } from "./batch.js";
import { CatchUp, HELD } from "./catchup.js";
import { Clock } from "./clock.js";
import { factsOf, filterOfIds } from "./filter.js";
import { Gaps } from "./gaps.js";
import { Record } from "./received.js";
import { dateLate } from "./reply.js";
import { Target } from "./url.js";

/** ms after which a server that has said nothing is taken for one that does not greet. A greeting is heard later, too. */
const GREETING = 3_000;

/** A bridge allows 64, and up to three of them are not the page's. */
const MAX_SUBSCRIPTIONS = 60;

/** The ids of what is asked for here and not by the page. Those of the page's subscriptions are numbers. */
const ALL = "clu.js: all";
const MINE = "clu.js: mine";    // replies to the commands of this connection, where no subscription brings them
const LOST = "clu.js: lost";    // those to commands of earlier connections
const URL_ID = "url";
const OWN = Object.freeze({ commander: "me" });
const CAUGHT_UP = "clu.js: caught up";
const TIME = "clu.js: time";

/**
 * @typedef {object} Port  what the session needs of its client
 * @property {(text: string) => void} send
 * @property {(text: string) => void} probeWith
 * @property {(type: string, detail: object) => void} tell      an event
 * @property {(reply: object) => void} take                     a reply, for the command that it answers
 * @property {(reply: object) => boolean} isMine                whether it answers a command that was sent here
 * @property {(name: string|null) => void} greeted              a bridge has greeted, and said its name
 * @property {() => boolean} running                            whether a command was sent on this connection and has not ended
 * @property {() => string[]} lost                              the ids of commands whose fate nobody knows
 * @property {(why: string) => void} doubt                      the replies to what is running may have been missed
 * @property {(message: object) => boolean} refused             the bridge's error about a command; whether there is such a one
 */

export class Session {
  #target;
  #port;
  #batch;
  #subscriptions = new Map();  // by id, in the order in which they were made
  #served = new Set();         // those of them that were answered once
  #chosen = false;             // there was one: the page hears what it asks for, and no more
  #record = new Record();
  #clock;
  #gaps;

  // Of this connection.
  #speech = null;              // "v1" or "plain" once that is known
  #first = true;               // there was nothing to resume
  #patience = null;
  #asked = new Map();          // id of a request -> its subscription, or null
  #holds = new Set();          // ids of subscriptions that the bridge has
  #ending = new Set();         // those of them that are to end once they have begun
  #owed = new Set();           // ids of what was asked for with the greeting and not answered
  #catchUp = null;             // holds what comes, when there are several of those
  #starts = new Map();         // id of a subscription that began meanwhile -> what had come by then is not for it
  #live = Infinity;            // the number of the last reply before the connection
  #left = null;                // when the connection before was last heard, ms

  /** @param {string} base  the URL */
  constructor(base, port, { monotonic, batch }) {
    this.#target = new Target(base);
    this.#port = port;
    this.#batch = new Batch(batch, this.#target.batches);
    this.#clock = new Clock(() => port.send(JSON.stringify({ op: "ping", id: TIME })), monotonic);
    this.#gaps = new Gaps((gap) => port.tell("gap", gap));
  }

  /** @type {"v1"|"plain"|null} */
  get speech() { return this.#speech; }

  /** The bridge's clock. @returns {Clock} */
  get clock() { return this.#clock; }

  /** The URL for the next attempt to connect. */
  target() {
    return this.#target.href(this.#chosen || this.#record.cursor !== null, this.#record.cursor);
  }

  /** A socket has opened. */
  opened() {
    // A server that has greeted before will do so again, however long that takes.
    if (this.#record.cursor === null) this.#patience = setTimeout(() => this.#plain(), GREETING);
  }

  /** The socket is gone; something was last heard at `lastHeard`. */
  lost(lastHeard) {
    clearTimeout(this.#patience);
    this.#gaps.lost(this.#speech === null ? null : lastHeard);
    this.#speech = null;
    this.#asked = new Map();
    this.#holds = new Set();
    this.#ending = new Set();
    this.#owed = new Set();
    this.#catchUp = null;  // it comes again
    this.#starts = new Map();
    this.#live = Infinity;
  }

  /** Adds a subscription of the page's. */
  add(subscription) {
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      this.#refuse(subscription, `this page holds ${MAX_SUBSCRIPTIONS} subscriptions, and may not have more; close some`, null);
      return;
    }
    if (this.#speech === "plain" && subscription.mistake) {
      this.#refuse(subscription, subscription.mistake.message, subscription.mistake);
      return;
    }
    this.#chosen = true;
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#speech === "plain") subscription.accept();
    if (this.#speech !== "v1") return;
    this.followCommands();
    this.#subscribe(subscription.id, subscription.request(null, false), subscription);
    this.#unsubscribe(ALL);  // behind the others, so that nothing is missed between
  }

  /** Takes one away that was closed. */
  remove({ id }) {
    this.#subscriptions.delete(id);
    this.#served.delete(id);
    if (this.#speech !== "v1") return;
    this.followCommands();
    this.#unsubscribe(id);
  }

  /** Sees to it that replies to the commands of this page come, also where no subscription selects them. */
  followCommands() {
    if (this.#speech !== "v1" || !this.#needsCommands) return;
    if (this.#port.running()) this.#subscribe(MINE, { filter: OWN, since: this.#record.cursor ?? undefined });
    this.#followLost().forEach(([id, request]) => this.#subscribe(id, request));
  }

  #followLost() {
    const filter = filterOfIds(this.#port.lost());
    return filter ? [[LOST, { filter, since: this.#record.cursor ?? undefined }, null]] : [];
  }

  get #needsCommands() {
    return this.#chosen && ![...this.#subscriptions.values()].some((subscription) => subscription.everything);
  }

  /** Takes a message. @returns {boolean} false when v1 is not spoken here */
  message(value) {
    if (this.#speech !== "v1") {
      if (value.op !== "hello") return false;
      this.#greeted(value);
      return true;
    }
    const { id } = value;
    switch (value.op) {
      case "ok": this.#answered(id, value); break;
      case "error": this.#error(value); break;
      case "snapshot": this.#snapshot(value); break;
      case "pong": this.#pong(value); break;
      case "gap": this.#gaps.notice(value, this.#catchUp); break;
      case "broker": this.#port.tell("broker", { state: value.state, reason: value.reason ?? null }); break;
      case "dropped": this.#port.tell("dropped", { count: value.count }); break;
      default:  // of a later version
    }
    return true;
  }

  /** Takes a reply. */
  reply(reply) {
    if (this.#speech === null) this.#plain();
    if (reply.seq === null) {
      this.#hand(reply);
      return;
    }
    if (this.#had(reply)) return;
    if (reply.seq <= this.#live && !this.#first) dateLate(reply, this.#left);
    if (this.#catchUp) {
      this.#catchUp.reply(reply);
      if (this.#catchUp.full) this.#handOut(this.#catchUp.drain());
      return;
    }
    this.#record.note(reply);
    // What is owed is behind the cursor still.
    if (this.#owed.size === 0) this.#record.moveTo(reply.epoch, reply.seq);
    this.#hand(reply);
  }

  /** Whether the page had this one. What comes while catching up is behind the cursor, or was had. */
  #had(reply) {
    return this.#record.has(reply) || (this.#catchUp !== null && this.#record.covers(reply));
  }

  /** Hands a reply to whoever wants it. */
  #hand(reply, arrival = Infinity) {
    const mine = this.#port.isMine(reply);
    this.#port.take(reply);
    let wanted = !this.#chosen || this.#target.asks || mine;
    if (this.#subscriptions.size > 0) {
      const facts = factsOf(reply);
      for (const subscription of [...this.#subscriptions.values()]) {
        if (!this.#isServed(subscription, arrival) || !subscription.selects(facts, mine)) continue;
        wanted = true;
        subscription.take(reply);
      }
    }
    if (wanted) this.#port.tell("reply", reply);
    if (this.#holds.has(LOST) && this.#port.lost().length === 0) this.#unsubscribe(LOST);
  }

  /** One that was not answered yet may have missed what others of this page have not: it begins with its answer. */
  #isServed({ id }, arrival) {
    return this.#speech !== "v1" || (this.#holds.has(id) && arrival > (this.#starts.get(id) ?? 0));
  }

  // Beginning.

  #plain() {
    clearTimeout(this.#patience);
    if (this.#speech !== null) return;
    this.#speech = "plain";
    this.#clock.hear(undefined);
    this.#record.begin(null);
    this.#interrupt("this server does not keep replies for those who come back");
    this.#gaps.away = null;
    for (const subscription of this.#subscriptions.values()) {
      if (!subscription.mistake) {
        subscription.accept();
        continue;
      }
      this.#refuse(subscription, subscription.mistake.message, subscription.mistake);
    }
  }

  #greeted({ name, epoch, seq, broker, time, capabilities }) {
    this.#clock.hear(time);
    this.#port.greeted(typeof name === "string" ? name : null);
    clearTimeout(this.#patience);
    this.#speech = "v1";
    this.#batch.greeted(capabilities);
    this.#first = this.#record.cursor === null;
    this.#live = seq ?? Infinity;
    this.#left = this.#gaps.away;
    this.#port.probeWith('{"op":"ping"}');
    this.#port.tell("broker", { state: broker, reason: null });
    const here = seq === null ? null : { epoch, seq };
    if (this.#first) this.#interrupt("nothing is known to go on from");
    if (this.#first) this.#record.begin(here);
    if (!this.#chosen && !this.#target.asks && this.#record.cursor && this.#record.cursor.epoch !== epoch) {
      this.#interrupt(`the numbers have begun anew: this is epoch ${epoch}`);
      this.#record.begin(here);  // nobody waits for the snapshot that would come in place of what is missing
    }

    const requests = this.#requests(this.#record.cursor, here);
    this.#owed = new Set(requests.map(([id]) => id));
    // Several at once come one behind the other: they are put in order here.
    if (this.#record.cursor && requests.length > 1) this.#catchUp = new CatchUp(this.#record.cursor.epoch === epoch ? this.#record.cursor.seq : -1, HELD);
    for (const [id, request, subscription] of requests) {
      if (request) this.#subscribe(id, request, subscription);
      else this.#asked.set(id, null);  // the URL has asked
    }
    this.#proceed();
    // What comes unasked does not wait; what is asked for takes its place without a gap.
    if (this.#first && !this.#chosen && !this.#target.asks && this.#batch.matters) this.#subscribe(ALL, { filter: {} });
  }

  /**
   * Everything that is to be asked for on a new connection: id, request, and whose it is. A command that was sent before the
   * greeting was heard has its replies behind it.
   */
  #requests(since, here) {
    const requests = [];
    if (!this.#first && this.#target.resumes) requests.push([URL_ID, null, null]);
    if (!this.#chosen && (this.#first || this.#target.asks)) return requests;  // it hears all, or what the URL says
    if (this.#port.running()) requests.push([MINE, { filter: OWN, since: here ?? undefined }, null]);
    if (!this.#chosen) return [...requests, [ALL, { filter: {}, since: since ?? undefined }, null]];
    if (this.#needsCommands) requests.push(...this.#followLost());
    for (const [id, subscription] of this.#subscriptions) {
      requests.push([id, subscription.request(since, this.#served.has(id)), subscription]);
    }
    return requests;
  }

  #subscribe(id, request, subscription = null) {
    if (this.#holds.has(id) || this.#asked.has(id)) return;
    this.#asked.set(id, subscription);
    this.#port.send(JSON.stringify({ op: "subscribe", id, ...request, batch_ms: this.#batch.of(request) }));
  }

  #unsubscribe(id) {
    if (this.#asked.has(id)) {
      this.#ending.add(id);  // what has not begun cannot end, and a bridge on a stream may take its time
    } else if (this.#holds.delete(id)) {
      this.#port.send(JSON.stringify({ op: "unsubscribe", id }));
    }
  }

  // Answers.

  #answered(id, answer) {
    if (!this.#asked.has(id)) return;  // the end of a subscription, or the beginning of the URL's
    const subscription = this.#asked.get(id);
    this.#asked.delete(id);
    this.#holds.add(id);
    if (this.#ending.delete(id)) this.#unsubscribe(id);
    if (answer.resumed === false) this.#notResumed(id, answer);
    if (this.#live === Infinity && Number.isSafeInteger(answer.seq)) this.#live = answer.seq;
    this.#catchUp?.answered();
    if (this.#catchUp && !this.#owed.has(id)) this.#starts.set(id, this.#catchUp.arrivals);
    if (this.#owed.delete(id)) this.#proceed();
    if (!subscription || subscription.closed) return;
    this.#served.add(id);
    subscription.accept();
  }

  /** When nothing is owed any more, what is held may be handed out behind all that is on its way. */
  #proceed() {
    if (this.#owed.size > 0) return;
    if (this.#catchUp) this.#port.send(JSON.stringify({ op: "ping", id: CAUGHT_UP }));
    else this.#gaps.away = null;
  }

  /** The replies behind the cursor are gone. A snapshot comes in their place, if there is a subscription for it. */
  #notResumed(id, { reason, epoch, seq }) {
    if (!this.#owed.has(id)) return;  // it was made for what comes
    if (id === MINE) this.#port.doubt("the bridge does not have its first replies any more; the actor may still be executing it");
    else this.#interrupt(reason ?? "the bridge does not say why");
    if (!this.#catchUp) this.#record.moveTo(epoch, seq);
  }

  #error(message) {
    const { id, command_id: commandId, message: words } = message;
    if (commandId !== undefined && this.#port.refused(message)) return;
    const subscription = this.#asked.get(id);
    if (!this.#asked.delete(id)) {
      this.#port.tell("error", { message: `The bridge refused a message: ${words}`, cause: message });
      return;
    }
    this.#ending.delete(id);
    // One that was served before is asked for again with the next connection.
    this.#refuse(this.#served.has(id) ? null : subscription, words, message);
    if (this.#owed.delete(id)) this.#proceed();
  }

  #refuse(subscription, words, cause) {
    if (subscription) {
      this.#subscriptions.delete(subscription.id);
      subscription.refuse(words);
    }
    this.#port.tell("error", { message: `A subscription was refused: ${words}`, cause });
  }

  #snapshot(message) {
    if (!this.#subscriptions.has(message.id)) return;
    const snapshot = this.#clock.translate(message);
    if (this.#catchUp) this.#catchUp.snapshot(snapshot);
    else this.#subscriptions.get(message.id).show(snapshot);
  }

  #pong({ id, epoch, seq, time }) {
    if (id === TIME) this.#clock.answered(time);
    if (id === CAUGHT_UP && this.#catchUp) {
      const items = this.#catchUp.drain();
      this.#catchUp = null;
      this.#record.moveTo(epoch, seq ?? items.findLast(({ kind }) => kind === "reply")?.seq);
      this.#gaps.away = null;
      this.#handOut(items);
      this.#starts.clear();
    } else if (!this.#catchUp && this.#owed.size === 0) {
      this.#record.moveTo(epoch, seq);
    }
  }

  #handOut(items) {
    for (const { kind, value, arrival } of items) {
      if (kind === "snapshot") this.#subscriptions.get(value.id)?.show(value);
      if (kind === "gap") this.#gaps.tell(value);
      if (kind !== "reply") continue;
      this.#record.note(value);
      this.#hand(value, arrival);
    }
  }

  #interrupt(reason) {
    this.#gaps.interrupt(reason, this.#catchUp);
  }
}
