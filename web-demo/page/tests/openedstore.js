// A store behind a fake bridge, at a noon that stands still.

import { afterEach, beforeEach, mock } from "node:test";

import { FakeSocket, client, numbered } from "../../client/tests/fakebridge.js";
import { Store } from "../core/store.js";

export const NOON = Date.UTC(2026, 10, 21, 12);
export const ALL = ["heard", "snapshot", "notices", "log", "commands", "history", "problems", "model", "site"];
export const iso = (ms) => new Date(ms).toISOString();

/** Stops the clock of each test of a file at noon. */
export function atNoon() {
  beforeEach(() => {
    FakeSocket.all = [];
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOON });
  });
  afterEach(() => mock.timers.reset());
}

export const hello = (capabilities = ALL, time = NOON) => ({ op: "hello", name: "bridge", epoch: "e1", seq: 40, broker: "up", time: iso(time), capabilities });
export const heard = (seq, at, body, more = {}) => ({ ...numbered(seq, body, more), heard: (NOON + at) * 1_000 + 7 });
export const problem = (level, text, more = {}) => ({
  actor: "dome", key: text, kind: "broadcast", level, code: "!", text, keyword: null, began: iso(NOON), time: iso(NOON), count: 1, seq: 9,
  active: null, acked: null, ...more,
});
export const actor = (at, keywords = {}, more = {}) => ({
  time: iso(NOON + at), code: "i", seq: 30, interval_ms: null, consumer: true, ...more,
  keywords: Object.fromEntries(Object.entries(keywords).map(([name, value]) => [name, { value, time: iso(NOON + at), code: "i", seq: 30 }])),
});

/** A store that is connected to a bridge, and has taken a snapshot. */
export function opened({ actors = {}, problems = [], commands = [], capabilities = ALL, options = {}, time, access, gapAfter } = {}) {
  const clu = client({ bigint: "bigint", ...options });
  const store = new Store(clu, { monotonic: () => Date.now() });
  const updates = [];
  store.onUpdate((changes) => updates.push(changes));
  store.start();
  clu.connect();
  const socket = FakeSocket.last;
  socket.accept();
  socket.say({ ...hello(capabilities, time), access });
  for (const request of socket.requests()) {
    if (request.op === "problems") socket.say({ op: "problems", id: request.id, problems });
    else if (request.op === "commands") socket.say({ op: "commands", id: request.id, commands });
    else socket.say({ op: "ok", id: request.id, resumed: true, epoch: "e1", seq: 40 });
    if (request.snapshot) socket.say({ op: "snapshot", id: request.id, epoch: "e1", seq: 40, gap_after: gapAfter, actors });
  }
  return { clu, store, socket, updates };
}

/** Waits until it is known which problems there are. */
export const known = async ({ problemList }) => { while (problemList.unknown !== null) await settled(); };
export const settled = () => new Promise((resolve) => { setImmediate(resolve); });
