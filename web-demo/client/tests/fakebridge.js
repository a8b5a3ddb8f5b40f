// Shared by the tests of clu.js: a WebSocket whose events the test triggers, messages of a v1 bridge, and a small bridge
// that answers as docs/protocol.md specifies.

import { mock } from "node:test";

import { CompiledFilter, fieldsOf } from "../filter.js";
import { Clu, parseReply } from "../clu.js";

export class FakeSocket {
  static all = [];
  static get last() { return FakeSocket.all.at(-1); }

  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  onsend = () => {};

  constructor(url, protocols = []) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }

  send(text) {
    if (this.readyState === 0) throw new Error("InvalidStateError: still connecting");
    if (this.readyState > 1) throw new Error("a browser writes an error to its console: the socket is closing or closed");
    this.sent.push(text);
    this.onsend(text);
  }

  close() { this.readyState = 2; }

  accept() { this.readyState = 1; this.onopen?.({}); }
  say(...values) { for (const value of values) this.onmessage?.({ data: typeof value === "string" ? value : JSON.stringify(value) }); }
  drop(code = 1006, reason = "") { this.readyState = 3; this.onclose?.({ code, reason }); }

  /** The messages with an op that were sent since the last call; those that ask for the time, as after each hello, only if wanted. */
  requests({ time = false } = {}) {
    const requests = this.sent.map((text) => JSON.parse(text)).filter(({ op, id }) => op && (time || id !== "clu.js: time"));
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
  return new Clu("ws://bridge/", { WebSocket: FakeSocket, random: () => 0.5, monotonic: () => Date.now(), fetch: null, ...page(), ...options });
}

export async function connected(options) {
  const clu = client(options);
  const opening = clu.connect();
  FakeSocket.last.accept();
  await opening;
  return clu;
}

/** A client that has waited for a hello in vain, and now sends its commands at once. */
export async function connectedPlain(options) {
  const clu = await connected(options);
  mock.timers.tick(300);
  return clu;
}

/** Advances time in small steps: one big step would look like a computer that slept. */
export function advance(ms) {
  for (let passed = 0; passed < ms; passed += 100) mock.timers.tick(100);
}

// Messages of a v1 bridge.

export const hello = (seq = 41, epoch = "e1") => ({ op: "hello", session: "bridge-1", name: "bridge", epoch, seq, broker: "up" });
export const ok = (id, more = {}) => ({ op: "ok", id, ...more });
export const resumed = (id, seq, epoch = "e1") => ok(id, { resumed: true, epoch, seq });
export const pong = (seq, id = "clu.js: caught up", epoch = "e1") => ({ op: "pong", id, epoch, seq });
export const gapNotice = (from = "2026-11-21T01:58:00.000000+00:00") => ({ op: "gap", from, to: "2026-11-21T01:58:01.500000+00:00", seconds: 1.5 });
export const snapshot = (id, seq, actors, epoch = "e1") => ({ op: "snapshot", id, epoch, seq, actors });
export const dome = (value, seq, more = {}) => ({
  dome: { time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq, keywords: { shutter: { value, time: "2026-11-21T01:50:00.500000+00:00", code: "i", seq, ...more } } },
});

/** A list of the replies and gaps that a client reports from now on. */
export function recordEvents(clu) {
  const log = [];
  clu.on("reply", ({ seq, body }) => log.push(seq ?? body));
  clu.on("gap", ({ reason, seconds }) => log.push(reason ? `gap: ${reason}` : `gap of ${seconds}`));
  return log;
}

/** Drops the connection, waits for the next attempt and accepts it. */
export function reconnect() {
  FakeSocket.last.drop();
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  return FakeSocket.last;
}

/** A client with these subscriptions, which has received the reply 50. */
export async function subscribed(...filters) {
  const clu = client();
  const subscriptions = filters.map((filter) => clu.subscribe(filter, { snapshot: false }));
  clu.connect();
  const socket = FakeSocket.last;
  socket.accept();
  socket.say(hello());
  socket.requests();
  subscriptions.forEach(({ id }) => socket.say(resumed(id, 41)));
  if (filters.length > 1) socket.say(pong(41));
  socket.say(numbered(50, { n: 50 }));
  return { clu, subscriptions, log: recordEvents(clu) };
}

/** A bridge that numbers replies, keeps a history, and sends its frames when the test says so. */
export class FakeBridge {
  epoch = "e1";
  seq = 0;
  history = [];
  sessions = new Map();  // socket -> {subs, frames}

  /** @param {{limit?: number}} options  how many replies and gaps the history keeps */
  constructor({ limit = Infinity } = {}) {
    this.limit = limit;
  }

  /** Sends the hello to a socket that has just opened. */
  open(socket) {
    const silent = new URL(socket.url).searchParams.get("silent") === "1";
    const session = { frames: [], subs: new Map(), implicit: !silent };
    if (!silent) session.subs.set("", { filter: new CompiledFilter({}), from: this.seq });
    this.sessions.set(socket, session);
    session.frames.push({ op: "hello", epoch: this.epoch, seq: this.seq, broker: "up" });
    socket.onsend = (text) => this.#handle(session, JSON.parse(text));
  }

  publish(sender, body) {
    this.seq += 1;
    const reply = numbered(this.seq, body, { sender, epoch: this.epoch });
    this.history.push(reply);
    if (this.history.length > this.limit) this.history.shift();
    for (const session of this.sessions.values()) {
      if ([...session.subs.values()].some((sub) => wants(sub, reply))) session.frames.push(reply);
    }
  }

  gap(from) {
    const notice = { op: "gap", from, to: `${from} and a second`, seconds: 1, after: this.seq };
    this.history.push(notice);
    for (const session of this.sessions.values()) session.frames.push(notice);
  }

  restart(epoch) {
    this.epoch = epoch;
    this.seq = 0;
    this.history = [];
  }

  /** Sends some of the waiting frames, or all. */
  flush(socket, most = Infinity) {
    const { frames } = this.sessions.get(socket);
    for (let n = 0; n < most && frames.length > 0 && this.sessions.has(socket); n += 1) socket.say(frames.shift());
  }

  cut(socket) {
    this.sessions.delete(socket);
    socket.onsend = () => {};
    socket.drop();
  }

  #handle(session, { op, id, filter, since, snapshot: wanted }) {
    if (op === "ping") session.frames.push({ op: "pong", id, epoch: this.epoch, seq: this.seq });
    if (op === "unsubscribe") {
      session.subs.delete(id);
      session.frames.push({ op: "ok", id });
    }
    if (op !== "subscribe") return;
    if (session.implicit) session.subs.clear();
    session.implicit = false;
    const sub = { filter: new CompiledFilter(filter), from: since?.epoch === this.epoch ? since.seq : this.seq };
    const oldest = this.history.find(({ seq }) => seq)?.seq ?? this.seq + 1;
    const resumes = since ? since.epoch === this.epoch && since.seq >= oldest - 1 : undefined;
    session.frames.push({ op: "ok", id, resumed: resumes, reason: resumes === false ? "gone" : undefined, epoch: this.epoch, seq: this.seq });
    if (resumes) {
      session.frames.push(...this.history.filter((entry) => (entry.op ? entry.after >= since.seq
        : entry.seq > since.seq && wants(sub, entry) && ![...session.subs.values()].some((other) => entry.seq > other.from && wants(other, entry)))));
    }
    if (wanted || resumes === false) session.frames.push({ op: "snapshot", id, epoch: this.epoch, seq: this.seq, actors: {} });
    session.subs.set(id, sub);
  }
}

const wants = (sub, reply) => sub.filter.selects(fieldsOf(parseReply(JSON.stringify(reply))), false);
