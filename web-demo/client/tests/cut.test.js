// Connections that are cut at any point: nothing is lost and nothing arrives twice.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeBridge, FakeSocket, client, dome, ok, recordEvents } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

test("two overlapping subscriptions lose and repeat nothing on a connection that is cut at any point", () => {
  let seed = 7;
  const random = (n) => { seed = (seed * 48_271) % 2_147_483_647; return seed % n; };
  let cuts = 0;
  for (let round = 0; round < 60; round += 1) {
    FakeSocket.all = [];
    const bridge = new FakeBridge();
    const clu = client();
    const received = { dome: [], odd: [], all: [] };
    const gaps = [];
    clu.subscribe({ sender: "dome" }, { onReply: ({ body }) => received.dome.push(body.n) });
    clu.subscribe({ keyword: "odd" }, { onReply: ({ body }) => received.odd.push(body.n) });
    clu.on("reply", ({ body }) => received.all.push(body.n));
    clu.on("gap", ({ from }) => gaps.push(from));
    clu.connect();
    let published = 0;
    let gapCount = 0;
    const publish = () => {
      published += 1;
      const body = published % 2 ? { n: published, odd: 1 } : { n: published };
      bridge.publish(random(2) ? "dome" : "roof", body);
    };
    const open = () => { FakeSocket.last.accept(); bridge.open(FakeSocket.last); };
    open();
    bridge.flush(FakeSocket.last);
    bridge.flush(FakeSocket.last);
    for (let step = 0; step < 200; step += 1) {
      const socket = FakeSocket.last;
      const what = random(12);
      if (what < 6) publish();
      else if (what < 10 && bridge.sessions.has(socket)) bridge.flush(socket, random(6));
      else if (what === 10) bridge.gap(new Date(Date.UTC(2026, 10, 21, 1, 0, gapCount += 1)).toISOString());
      else if (bridge.sessions.has(socket)) { bridge.cut(socket); cuts += 1; }
      else { mock.timers.tick(10_000); open(); }
    }
    if (!bridge.sessions.has(FakeSocket.last)) { mock.timers.tick(10_000); open(); }
    for (let n = 0; n < 4; n += 1) bridge.flush(FakeSocket.last);

    const selected = (sub) => bridge.history.filter(sub).map(({ body }) => body.n);
    const isDome = ({ headers }) => headers?.sender === "dome";
    const isOdd = ({ body }) => body?.odd === 1;
    const where = `round ${round}`;
    assert.deepEqual(received.dome, selected(isDome), where);
    assert.deepEqual(received.odd, selected(isOdd), where);
    assert.deepEqual(received.all, selected((reply) => isDome(reply) || isOdd(reply)), where);
    assert.equal(gaps.length, gapCount, where);
    clu.close();
  }
  assert.ok(cuts > 300, `${cuts} cuts`);
});

test("a catch-up that no connection lasts for comes to its end all the same", () => {
  const bridge = new FakeBridge();
  const clu = client();
  const received = { dome: [], odd: [], all: [] };
  clu.subscribe({ sender: "dome" }, { onReply: ({ body }) => received.dome.push(body.n) });
  clu.subscribe({ keyword: "odd" }, { onReply: ({ body }) => received.odd.push(body.n) });
  clu.subscribe({}, { onReply: ({ body }) => received.all.push(body.n) });
  clu.on("gap", () => assert.fail("there is no gap"));
  clu.connect();
  const connect = () => {
    FakeSocket.last.accept();
    bridge.open(FakeSocket.last);
    return FakeSocket.last;
  };
  const first = connect();
  for (let n = 0; n < 4; n += 1) bridge.flush(first);
  bridge.cut(first);
  const all = Array.from({ length: 400 }, (_, n) => n + 1);
  for (const n of all) bridge.publish(n % 3 ? "dome" : "roof", n % 2 ? { n, odd: 1 } : { n });
  let connections = 0;
  for (; received.all.length < 400 && connections < 100; connections += 1) {
    mock.timers.tick(10_000);
    const socket = connect();
    bridge.flush(socket, 30);
    bridge.cut(socket);
  }
  assert.deepEqual(received.all, all);
  assert.deepEqual(received.dome, all.filter((n) => n % 3));
  assert.deepEqual(received.odd, all.filter((n) => n % 2));
  assert.ok(connections < 45, `${connections} connections`);
});

test("with a short history and restarts, nothing arrives twice and every loss is reported as a gap", () => {
  let seed = 11;
  const random = (n) => { seed = (seed * 48_271) % 2_147_483_647; return seed % n; };
  let losses = 0;
  for (let round = 0; round < 60; round += 1) {
    FakeSocket.all = [];
    const bridge = new FakeBridge({ limit: 8 });
    const clu = client();
    const log = [];
    for (const filter of [{ sender: "dome" }, { keyword: "odd" }].slice(0, 1 + (round % 2))) clu.subscribe(filter);
    clu.on("reply", ({ body }) => log.push(body.n));
    clu.on("gap", () => log.push("gap"));
    clu.connect();
    const open = () => { FakeSocket.last.accept(); bridge.open(FakeSocket.last); };
    open();
    bridge.flush(FakeSocket.last);
    bridge.flush(FakeSocket.last);
    for (let step = 0, n = 0; step < 150; step += 1) {
      const socket = FakeSocket.last;
      const what = random(14);
      if (what < 8) bridge.publish("dome", { n: n += 1, odd: 1 });
      else if (what < 11 && bridge.sessions.has(socket)) bridge.flush(socket, random(8));
      else if (bridge.sessions.has(socket)) {
        bridge.cut(socket);
        if (what === 13) bridge.restart(`e${step}`);
      } else { mock.timers.tick(10_000); open(); }
    }
    if (!bridge.sessions.has(FakeSocket.last)) { mock.timers.tick(10_000); open(); }
    for (let n = 0; n < 4; n += 1) bridge.flush(FakeSocket.last);
    for (let at = 1, last = 0, gap = false; at < log.length; at += 1) {
      if (log[at - 1] === "gap") gap = true;
      else { last = log[at - 1]; gap = false; }
      if (log[at] === "gap") continue;
      assert.ok(log[at] > last, `round ${round}: ${log[at]} after ${last}`);
      if (log[at] === last + 1) continue;
      losses += 1;
      assert.ok(gap || log.slice(0, at).every((entry) => entry === "gap"), `round ${round}: ${log[at]} after ${last} without a gap event`);
    }
    clu.close();
  }
  assert.ok(losses > 30, `${losses} losses`);
});
