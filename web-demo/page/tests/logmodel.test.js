// What the log lists: what the page has heard, and what the bridge has from before.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LogRing } from "../core/logring.js";
import { LogModel } from "../log/model.js";
import { LogQuery } from "../log/query.js";
import { replyOf } from "./replies.js";

/** A bridge that has replies 1 to `last`, from `oldest` on. */
class FakeBridge {
  capabilities = ["log"];
  asked = [];

  constructor({ oldest = 1, last = 0, epoch = "e" } = {}) {
    Object.assign(this, { oldest, last, epoch });
  }

  async log({ before = null, after = null, epoch, limit, filter }) {
    this.asked.push({ before, after, limit, filter });
    if (epoch !== undefined && epoch !== this.epoch) throw Object.assign(new Error("this is another epoch"), { code: "gone" });
    const all = [];
    for (let seq = this.oldest; seq <= this.last; seq += 1) all.push(replyOf({ seq, epoch: this.epoch, body: { n: seq } }));
    const side = after === null ? all.filter(({ seq }) => before === null || seq < before) : all.filter(({ seq }) => seq > after);
    const entries = after === null ? side.slice(-limit) : side.slice(0, limit);
    const next = after === null ? entries[0]?.seq ?? null : entries.at(-1)?.seq ?? null;
    return { epoch: this.epoch, oldest: this.oldest, more: entries.length < side.length, next, entries: entries.map((reply) => ({ reply })) };
  }
}

const seqs = ({ items }) => items.map(({ reply }) => reply?.seq ?? "gap");
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

function hear(ring, from, to, fields = {}) {
  for (const seq of range(from, to)) ring.reply(replyOf({ seq, body: { n: seq }, ...fields }), seq * 1_000);
}

function start({ bridge = new FakeBridge(), query = new LogQuery(), limits, kept } = {}) {
  const ring = new LogRing(kept);
  const calls = [];
  const model = new LogModel(bridge, ring, query, (what) => calls.push(what), limits);
  return { bridge, ring, model, calls };
}

test("what was before the page was loaded comes from the bridge, without a hole and once", async () => {
  const { ring, model, calls } = start({ bridge: new FakeBridge({ last: 1_203 }) });
  hear(ring, 1_201, 1_203);
  model.update(true);
  await model.loadOlder();
  assert.deepEqual(seqs(model), range(701, 1_203));
  assert.equal(calls.at(-1).prepended, 500);
  await model.loadOlder();
  await model.loadOlder();
  assert.deepEqual(seqs(model), range(1, 1_203));
  assert.equal(model.hasOlder, false);
  assert.match(model.head, /^The bridge has nothing before 00:00:01 /);
});

test("replies that arrive while the bridge is asked are not listed twice", async () => {
  const { bridge, ring, model } = start({ bridge: new FakeBridge({ last: 10 }) });
  const asked = model.loadOlder();  // the page has heard nothing, so it asks for the newest
  hear(ring, 9, 12);
  model.update(true);
  await asked;
  assert.deepEqual(seqs(model), range(1, 12));
  assert.equal(bridge.asked[0].before, null);
});

test("replies that the page of the log has overtaken are not listed twice", async () => {
  const { ring, model } = start({ bridge: new FakeBridge({ last: 10 }) });
  await model.loadOlder();
  hear(ring, 8, 12);
  assert.equal(model.update(true).added, 2);
  assert.deepEqual(seqs(model), range(1, 12));
});

test("rare replies are searched for in several pages", async () => {
  const { bridge, model } = start({ bridge: new FakeBridge({ last: 10_000 }), query: new LogQuery({ text: "/\"n\":7777\\b/" }) });
  await model.loadOlder();
  assert.deepEqual(seqs(model), [7_777]);
  assert.equal(bridge.asked.length, 6);
  assert.match(model.head, /^Searched back to 01:56:41; there is more before that\.$/);
  assert.equal(model.hasOlder, true);
});

test("what the page hears is appended, and counted while the list is paused", () => {
  const { ring, model } = start();
  hear(ring, 1, 3);
  assert.deepEqual(model.update(true), { dropped: 0, added: 3 });
  hear(ring, 4, 5);
  model.update(true, true);
  hear(ring, 6, 6);
  model.update(true, true);
  assert.deepEqual([seqs(model), model.waiting], [[1, 2, 3], 3]);
  model.update(true);
  assert.deepEqual([seqs(model), model.waiting], [range(1, 6), 0]);
});

test("after a pause so long that the page has dropped replies, the list begins anew", () => {
  const { ring, model } = start({ kept: { entries: 10, chars: 1e6 } });
  hear(ring, 1, 5);
  model.update(true);
  hear(ring, 6, 40);
  model.update(true, true);
  model.update(true);
  assert.deepEqual(seqs(model), range(31, 40));
  assert.equal(model.hasOlder, true);
});

test("marks of missing replies are listed whatever is selected", () => {
  const { ring, model } = start({ query: new LogQuery({ text: "nothing has this" }) });
  hear(ring, 1, 2);
  ring.mark("replies may be missing here", 2_500, { from: null, to: 2_500, count: null });
  model.update(true);
  assert.deepEqual(seqs(model), ["gap"]);
});

test("it is bounded at the top while one follows the newest", async () => {
  const { ring, model } = start({ bridge: new FakeBridge({ last: 25 }), limits: { items: 20, chars: 1e9 } });
  hear(ring, 1, 25);
  const { dropped } = model.update(true);
  assert.deepEqual([seqs(model), dropped], [range(8, 25), 7]);
  assert.equal(model.detached, false);
  assert.equal(model.hasOlder, true, "what was dropped can be fetched again");
});

test("it is bounded at the end while one reads far back, and finds the way forward", async () => {
  const { bridge, ring, model } = start({ bridge: new FakeBridge({ last: 2_000 }), limits: { items: 1_000, chars: 1e9 } });
  hear(ring, 1_901, 2_000);
  model.update(true);
  while (model.hasOlder) await model.loadOlder();
  assert.equal(model.detached, true);
  assert.deepEqual(seqs(model), range(1, 900));
  bridge.last = 2_001;
  hear(ring, 2_001, 2_001);
  model.update(false);
  assert.equal(model.waiting, 1);
  while (model.detached) await model.loadNewer();
  assert.deepEqual(seqs(model).slice(-3), [1_999, 2_000, 2_001]);
  hear(ring, 2_002, 2_002);
  model.update(true);
  const listed = seqs(model);
  assert.deepEqual(listed, range(listed[0], 2_002));
});

test("the log opens at one reply, with what was around it", async () => {
  const { model } = start({ bridge: new FakeBridge({ last: 3_000 }) });
  const index = await model.open({ epoch: "e", seq: 1_500 });
  assert.equal(model.items[index].reply.seq, 1_500);
  assert.deepEqual(seqs(model), range(1_001, 2_000));
  assert.equal(model.detached, true);
});

test("a reply of an epoch that has ended is not there any more", async () => {
  const { ring, model } = start({ bridge: new FakeBridge({ last: 3 }) });
  hear(ring, 1, 3);
  assert.equal(await model.open({ epoch: "earlier", seq: 2 }), -1);
  assert.match(model.head, /started anew/);
  assert.deepEqual(seqs(model), [1, 2, 3]);
});

test("an answer to what was asked before the query changed is ignored", async () => {
  const { model } = start({ bridge: new FakeBridge({ last: 10 }) });
  const asked = model.loadOlder();
  model.setQuery(new LogQuery({ senders: ["roof"] }));
  await asked;
  assert.deepEqual(seqs(model), []);
  assert.equal(model.busy, false);
});

test("a server without a log is said to have none", async () => {
  const { model } = start({ bridge: { capabilities: [] } });
  await model.loadOlder();
  assert.equal(model.hasOlder, false);
  assert.equal(model.head, "This server keeps no log: the list begins when this page was loaded.");
});

test("a refusal is shown in words, and the next attempt may succeed", async () => {
  const { bridge, model } = start({ bridge: new FakeBridge({ last: 2 }) });
  const { log } = bridge;
  bridge.log = async () => { throw new Error("the link is lost"); };
  await model.loadOlder();
  assert.equal(model.problem, "The bridge did not give its log: the link is lost.");
  bridge.log = log;
  await model.loadOlder();
  assert.deepEqual(seqs(model), [1, 2]);
});
