// What the tests of clu.js share: a WebSocket made of paper, which does what a browser's does at the test's word, and a
// small bridge behind it that answers as docs/protocol.md says.

import { mock } from "node:test";

import { CompiledFilter, factsOf } from "../filter.js";
import { Clu, parseReply } from "../clu.js";

export class FakeSocket {
  static all = [];
  static get last() { return FakeSocket.all.at(-1); }

  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  onsend = () => {};

  constructor(url) {
    this.url = url;
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(text);
    this.onsend(text);
  }

  close() { this.readyState = 2; }

  accept() { this.readyState = 1; this.onopen?.({}); }
  say(...values) { for (const value of values) this.onmessage?.({ data: typeof value === "string" ? value : JSON.stringify(value) }); }
  break(code = 1006, reason = "") { this.readyState = 3; this.onclose?.({ code, reason }); }

  /** What was sent that has an op, since it was last asked for. */
  asked() {
    const requests = this.sent.map((text) => JSON.parse(text)).filter(({ op }) => op);
    this.sent = [];
    return requests;
  }
}

export function envelope(code, commandId, body = {}, sender = "dome", commander = `bridge.${sender}`) {
  return {
    headers: { command_id: commandId, commander_id: commander, internal: false, message_code: code, sender },
    exchange: "sdss_exchange",
    message_id: "0123",
    routing_key: `reply.${commander}`,
    timestamp: "2026-11-21T01:59:03+00:00",
    body,
  };
}

/** A reply of a v1 bridge. */
export function numbered(seq, body = {}, { sender = "dome", code = "i", commandId = null, epoch = "e1" } = {}) {
  return { ...envelope(code, commandId, body, sender), seq, epoch };
}

export const page = () => ({ window: new EventTarget(), document: Object.assign(new EventTarget(), { visibilityState: "visible" }) });

export function client(options = {}) {
  return new Clu("ws://bridge/", { WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), ...page(), ...options });
}

export async function connected(options) {
  const clu = client(options);
  const opening = clu.connect();
  FakeSocket.last.accept();
  await opening;
  return clu;
}

/** The same, a moment later, when nobody has greeted and commands wait for that no longer. */
export async function settled(options) {
  const clu = await connected(options);
  mock.timers.tick(300);
  return clu;
}

/** Lets time pass as it does: one big step would look like a computer that slept. */
export function pass(ms) {
  for (let passed = 0; passed < ms; passed += 100) mock.timers.tick(100);
}

// What a v1 bridge says.

export const hello = (seq = 41, epoch = "e1") => ({ op: "hello", session: "bridge-1", name: "bridge", epoch, seq, broker: "up" });
export const ok = (id, more = {}) => ({ op: "ok", id, ...more });
export const resumed = (id, seq, epoch = "e1") => ok(id, { resumed: true, epoch, seq });
export const pong = (seq, id = "clu.js: caught up", epoch = "e1") => ({ op: "pong", id, epoch, seq });
export const gapNotice = (from = "2026-11-21T01:58:00.000000+00:00") => ({ op: "gap", from, to: "2026-11-21T01:58:01.500000+00:00", seconds: 1.5 });
export const snapshot = (id, seq, actors, epoch = "e1") => ({ op: "snapshot", id, epoch, seq, actors });
export const dome = (value, seq, more = {}) => ({
  dome: { time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq, keywords: { shutter: { value, time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq, ...more } } },
});

/** Everything that a client tells, in one list. */
export function record(clu) {
  const log = [];
  clu.on("reply", ({ seq, body }) => log.push(seq ?? body));
  clu.on("gap", ({ reason, seconds }) => log.push(reason ? `gap: ${reason}` : `gap of ${seconds}`));
  return log;
}

/** Breaks the connection, and gives the socket of the next one, open. */
export function again() {
  FakeSocket.last.break();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  return FakeSocket.last;
}

/** A client that has subscribed, so, and had the reply 50. */
export async function subscribed(...filters) {
  const clu = client();
  const subscriptions = filters.map((filter) => clu.subscribe(filter, { snapshot: false }));
  clu.connect();
  const socket = FakeSocket.last;
  socket.accept();
  socket.say(hello());
  socket.asked();
  subscriptions.forEach(({ id }) => socket.say(resumed(id, 41)));
  if (filters.length > 1) socket.say(pong(41));
  socket.say(numbered(50, { n: 50 }));
  return { clu, subscriptions, log: record(clu) };
}

/** A bridge that numbers replies, keeps the last ones, and sends its frames when the test says so. */
export class FakeBridge {
  epoch = "e1";
  seq = 0;
  past = [];
  sessions = new Map();  // socket -> {subs, frames}

  constructor({ keeps = Infinity } = {}) {
    this.keeps = keeps;
  }

  /** Greets a socket that has just been opened. */
  take(socket) {
    const silent = new URL(socket.url).searchParams.get("silent") === "1";
    const session = { frames: [], subs: new Map(), implicit: !silent };
    if (!silent) session.subs.set("", { filter: new CompiledFilter({}), from: this.seq });
    this.sessions.set(socket, session);
    session.frames.push({ op: "hello", epoch: this.epoch, seq: this.seq, broker: "up" });
    socket.onsend = (text) => this.#hear(session, JSON.parse(text));
  }

  publish(sender, body) {
    this.seq += 1;
    const reply = numbered(this.seq, body, { sender, epoch: this.epoch });
    this.past.push(reply);
    if (this.past.length > this.keeps) this.past.shift();
    for (const session of this.sessions.values()) {
      if ([...session.subs.values()].some((sub) => wants(sub, reply))) session.frames.push(reply);
    }
  }

  gap(from) {
    const notice = { op: "gap", from, to: `${from} and a second`, seconds: 1, after: this.seq };
    this.past.push(notice);
    for (const session of this.sessions.values()) session.frames.push(notice);
  }

  restart(epoch) {
    this.epoch = epoch;
    this.seq = 0;
    this.past = [];
  }

  /** Sends some frames, or all. */
  flush(socket, most = Infinity) {
    const { frames } = this.sessions.get(socket);
    for (let n = 0; n < most && frames.length > 0 && this.sessions.has(socket); n += 1) socket.say(frames.shift());
  }

  cut(socket) {
    this.sessions.delete(socket);
    socket.onsend = () => {};
    socket.break();
  }

  #hear(session, { op, id, filter, since, snapshot }) {
    if (op === "ping") session.frames.push({ op: "pong", id, epoch: this.epoch, seq: this.seq });
    if (op === "unsubscribe") {
      session.subs.delete(id);
      session.frames.push({ op: "ok", id });
    }
    if (op !== "subscribe") return;
    if (session.implicit) session.subs.clear();
    session.implicit = false;
    const sub = { filter: new CompiledFilter(filter), from: since?.epoch === this.epoch ? since.seq : this.seq };
    const floor = this.past.find(({ seq }) => seq)?.seq ?? this.seq + 1;
    const resumed = since ? since.epoch === this.epoch && since.seq >= floor - 1 : undefined;
    session.frames.push({ op: "ok", id, resumed, reason: resumed === false ? "gone" : undefined, epoch: this.epoch, seq: this.seq });
    if (resumed) {
      session.frames.push(...this.past.filter((entry) => (entry.op ? entry.after >= since.seq
        : entry.seq > since.seq && wants(sub, entry) && ![...session.subs.values()].some((other) => entry.seq > other.from && wants(other, entry)))));
    }
    if (snapshot || resumed === false) session.frames.push({ op: "snapshot", id, epoch: this.epoch, seq: this.seq, actors: {} });
    session.subs.set(id, sub);
  }
}

const wants = (sub, reply) => sub.filter.selects(factsOf(parseReply(JSON.stringify(reply))), false);
