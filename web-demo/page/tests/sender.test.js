// What stands between a line and the bridge: the site's dangerous commands, and not knowing them.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, client } from "../../client/tests/fakebridge.js";
import { Questions } from "../shell/questions.js";
import { Sender } from "../shell/sender.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
});
afterEach(() => mock.timers.reset());

const settled = () => new Promise((resolve) => { setImmediate(resolve); });
const DANGEROUS = [{ consumer: ["mirror"], verb: ["open"] }];

/** A page that is connected to a bridge, with the answers to its requests for the site. */
async function page({ capabilities = ["site"], access = null } = {}) {
  const clu = client();
  const questions = new Questions(clu);
  const asked = [];  // what somebody was asked to confirm
  const sender = new Sender({
    clu, arm: { armed: true, used() {} }, site: () => questions.site, siteKnown: () => questions.siteKnown, notify() {},
    confirm: { ask: async (line) => { asked.push(line); return "it was not confirmed"; }, abandon() {} },
  });
  clu.connect();
  const socket = FakeSocket.last;
  socket.accept();
  socket.say({ op: "hello", name: "bridge", epoch: "e1", seq: 40, broker: "up", time: new Date().toISOString(), capabilities, ...(access && { access }) });
  const answer = async (message) => {
    const { id } = socket.requests().find(({ op }) => op === "site");
    socket.say({ id, ...message });
    await settled();
  };
  const send = async (line) => {
    await sender.send("mirror", line);
    const sent = socket.sent.splice(0).map((text) => JSON.parse(text).command_string).filter((text) => text !== undefined);
    return [...sent.map((text) => `sent ${text}`), ...asked.splice(0).map((text) => `asked ${text}`)];
  };
  return { socket, questions, answer, send };
}

test("until the bridge has said which commands are dangerous, each one that does more than read is asked about", async () => {
  const { socket, send } = await page();
  const [request] = socket.requests().filter(({ op }) => op === "site");
  assert.deepEqual(await send("open"), ["asked mirror open"]);
  assert.deepEqual(await send("status"), ["sent status"]);
  socket.say({ op: "site", id: request.id, dangerous: DANGEROUS });
  await settled();
  assert.deepEqual(await send("open"), ["asked mirror open"]);
  assert.deepEqual(await send("close"), ["sent close"]);
});

test("a site that the bridge had no time to tell is asked for again", async () => {
  const { answer, send, questions } = await page();
  await answer({ op: "error", code: "rate", message: "too many messages" });
  assert.deepEqual(await send("close"), ["asked mirror close"]);
  mock.timers.tick(1_000);
  await answer({ op: "site", dangerous: DANGEROUS });
  assert.deepEqual([questions.siteKnown, questions.site.dangerous], [true, DANGEROUS]);
  assert.deepEqual(await send("close"), ["sent close"]);
});

test("with other grants the bridge may tell of other dangerous commands", async () => {
  const grants = { hear: [{}], command: [{ consumer: ["dome"] }] };
  const { socket, answer, send } = await page({ access: { name: "ann", grants } });
  await answer({ op: "site", dangerous: [] });
  socket.say({ op: "access", changed: ["command"], name: "ann", grants: { hear: [{}], command: [{}] } });
  const [request] = socket.requests().filter(({ op }) => op === "site");
  assert.deepEqual(await send("open"), ["asked mirror open"], "it has not said it yet");
  socket.say({ op: "site", id: request.id, dangerous: DANGEROUS });
  await settled();
  assert.deepEqual(await send("open"), ["asked mirror open"]);
  assert.deepEqual(await send("close"), ["sent close"]);
});

test("CLU's own server has no site, and nothing is dangerous there", async () => {
  const { send } = await page({ capabilities: [] });
  assert.deepEqual(await send("open"), ["sent open"]);
});
