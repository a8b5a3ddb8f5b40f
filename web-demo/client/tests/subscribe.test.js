// Subscriptions and their values, frame by frame.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FakeSocket, reconnect, client, connected, dome, envelope, gapNotice, hello, numbered, ok, advance, pong, recordEvents, resumed, snapshot, subscribed } from "./fakebridge.js";

beforeEach(() => {
  FakeSocket.all = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2026, 10, 21, 2) });
});
afterEach(() => mock.timers.reset());

// What is requested, and who gets what.

test("a page without subscriptions gets everything from the start", async () => {
  const clu = await connected();
  const log = recordEvents(clu);
  assert.equal(FakeSocket.last.url, "ws://bridge/?silent=0");
  FakeSocket.last.say(hello(), numbered(42), numbered(43));
  assert.deepEqual(log, [42, 43]);
  assert.deepEqual(FakeSocket.last.requests(), []);
  assert.equal(clu.protocol, "v1");
});

test("a subscription made before connecting is requested after the hello, from that position on", async () => {
  const clu = client();
  clu.subscribe({ sender: "dome" }, { throttle: 200, ordered: true });
  clu.connect();
  FakeSocket.last.accept();
  assert.equal(FakeSocket.last.url, "ws://bridge/?silent=1");
  assert.deepEqual(FakeSocket.last.requests(), [], "CLU's own server must get no request");
  FakeSocket.last.say(hello());
  assert.deepEqual(FakeSocket.last.requests(), [
    { op: "subscribe", id: "1", filter: { sender: "dome" }, throttle_ms: 200, ordered: true, snapshot: true, since: { epoch: "e1", seq: 41 } },
  ]);
});

test("the values come with the snapshot, and follow the replies", async () => {
  const clu = client();
  const changes = [];
  const subscription = clu.subscribe({ keyword: "s*" }, { onValues: (values, came) => changes.push(came.map(({ keyword, value, before }) => [keyword, value, before?.value])) });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(), resumed("1", 41), snapshot("1", 41, dome("closed", 40, { internal: true })));
  assert.equal(await subscription.ready, subscription);
  const { shutter } = subscription.values.dome;
  assert.deepEqual([shutter.value, shutter.time.toISOString(), shutter.code, shutter.seq, shutter.internal], ["closed", "2026-11-21T01:50:00.500Z", "i", 40, true]);

  FakeSocket.last.say(numbered(42, { shutter: "open", temperature: 3 }), numbered(43, { shutter: "open" }));
  assert.deepEqual(Object.keys(subscription.values.dome), ["shutter"], "only what the filter includes");
  assert.equal(subscription.values.dome.shutter.time.getTime(), Date.now());
  assert.deepEqual(changes, [[["shutter", "closed", undefined]], [["shutter", "open", "closed"]], [["shutter", "open", "open"]]]);
});

test("an older value never replaces a newer one, and one too large is marked as such", async () => {
  const clu = client();
  const subscription = clu.subscribe({}, { throttle: 200 });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(), resumed("1", 41), numbered(45, { shutter: "open" }), numbered(43, { shutter: "closed", light: 1 }));
  assert.equal(subscription.values.dome.shutter.value, "open");
  assert.equal(subscription.values.dome.light.value, 1, "a delayed reply counts");
  const { value, ...tooLarge } = dome(0, 46).dome.keywords.shutter;
  FakeSocket.last.say(snapshot("1", 46, { dome: { keywords: { shutter: { ...tooLarge, too_large: 70_000 } } } }));
  assert.equal(subscription.values.dome.shutter.value, undefined);
  assert.equal(subscription.values.dome.shutter.tooLarge, 70_000);
});

test("keywords and actors may have any name", async () => {
  const clu = client();
  const subscription = clu.subscribe({});
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(), resumed("1", 41), JSON.stringify(numbered(42, {}, { sender: "__proto__" })).replace('"body":{}', '"body":{"__proto__": 1, "constructor": 2}'));
  assert.deepEqual(Object.entries(subscription.values.__proto__).map(([name, { value }]) => [name, value]), [["__proto__", 1], ["constructor", 2]]);
});

test("each of two overlapping subscriptions gets its replies, and what both select is an event once", async () => {
  const clu = client();
  const received = { all: [], open: [] };
  clu.subscribe({ sender: "dome" }, { onReply: ({ seq }) => received.all.push(seq) });
  clu.subscribe({ keyword: "shutter" }, { onReply: ({ seq }) => received.open.push(seq) });
  const log = recordEvents(clu);
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(), resumed("1", 41), resumed("2", 41), pong(41));
  FakeSocket.last.say(numbered(42, { x: 1 }), numbered(43, { shutter: 1 }), numbered(44, { shutter: 1 }, { sender: "roof" }), numbered(45, { x: 1 }, { sender: "roof" }));
  assert.deepEqual(received, { all: [42, 43], open: [43, 44] });
  assert.deepEqual(log, [42, 43, 44], "what no subscription selects is no event");
});

test("the first subscription on an open connection ends that to everything, and nothing is missed", async () => {
  const { clu, log } = await subscribed();
  const socket = reconnect();
  assert.equal(socket.url, "ws://bridge/?silent=1");
  socket.say(hello(52));
  assert.deepEqual(socket.requests(), [{ op: "subscribe", id: "clu.js: all", filter: {}, since: { epoch: "e1", seq: 50 } }]);
  socket.say(resumed("clu.js: all", 52), numbered(51), numbered(52));
  assert.deepEqual(log, [51, 52]);
  const subscription = clu.subscribe({ sender: "roof" });
  assert.deepEqual(socket.requests().map(({ op, id, since }) => [op, id, since]), [["subscribe", "1", undefined], ["unsubscribe", "clu.js: all"]].map((row) => [...row, undefined].slice(0, 3)));
  socket.say(numbered(53, {}, { sender: "roof" }), ok("1"), numbered(54, {}, { sender: "roof" }), ok("clu.js: all"));
  await subscription.ready;
  assert.equal(log.at(-1), 54);
});

test("a wrong filter is reported to its subscription with the bridge's message, and the others continue", async () => {
  const clu = client();
  const errors = [];
  clu.on("error", ({ message }) => errors.push(message));
  const received = [];
  const wrong = clu.subscribe({ senders: "dome" });
  clu.subscribe({ sender: "dome" }, { onReply: ({ seq }) => received.push(seq) });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello());
  assert.deepEqual(FakeSocket.last.requests().map(({ filter }) => filter), [{ senders: "dome" }, { sender: "dome" }]);
  const words = 'the filter has an unknown field "senders"';
  FakeSocket.last.say({ op: "error", id: "1", code: "bad_request", message: words }, resumed("2", 42), numbered(42));
  assert.equal(FakeSocket.last.requests()[0].op, "ping", "all requests are answered");
  FakeSocket.last.say(pong(42));
  await assert.rejects(wrong.ready, { message: words });
  assert.equal(wrong.closed, true);
  assert.deepEqual(errors, [`A subscription was refused: ${words}`]);
  assert.deepEqual(received, [42]);

  const socket = reconnect();
  socket.say(hello());
  assert.deepEqual(socket.requests().map(({ id }) => id), ["2"], "it is not requested again");
});

test("a closed subscription gets nothing more, whatever its state was", async () => {
  const { clu, subscriptions: [subscription] } = await subscribed({ sender: "dome" });
  const received = [];
  clu.on("reply", ({ seq }) => received.push(seq));
  subscription.close();
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "unsubscribe", id: "1" }]);
  FakeSocket.last.say(numbered(51), ok("1"));
  assert.deepEqual(received, []);
  assert.equal(subscription.values.dome.n.value, 50, "its values stay");
  const early = clu.subscribe({ sender: "roof" });
  early.close();
  await assert.rejects(early.ready, { message: "the subscription was closed" });
  assert.deepEqual(FakeSocket.last.requests().map(({ op }) => op), ["subscribe"]);
  FakeSocket.last.say(ok("2"));
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "unsubscribe", id: "2" }], "a pending subscription cannot be ended");
  const socket = reconnect();
  socket.say(hello(60));
  assert.deepEqual(socket.requests(), []);
});

test("a page may have as many subscriptions as the bridge accepts, which are requested a few at a time", async () => {
  const clu = client();
  const refused = [];
  const all = Array.from({ length: 65 }, () => clu.subscribe({ sender: "dome" }, { onRefused: (reason) => refused.push(reason) }));
  clu.connect();
  FakeSocket.last.accept();
  const serve = () => {
    const socket = FakeSocket.last;
    const ids = [];
    for (let asked = socket.requests(); asked.length > 0; asked = socket.requests()) {
      assert.ok(asked.length <= 25, `${asked.length} requests at once`);
      for (const { op, id } of asked) {
        if (op === "ping") socket.say(pong(41, id));
        else if (ids.length === 64) socket.say({ op: "error", id, code: "bad_request", message: "you hold 64 subscriptions, and no client may have more; unsubscribe from some" });
        else socket.say(resumed(id, 41));
        if (op === "subscribe") ids.push(id);
      }
    }
    return ids;
  };
  FakeSocket.last.say(hello());
  assert.equal(serve().length, 65);
  await assert.rejects(all[64].ready, { message: /you hold 64 subscriptions/ });
  assert.deepEqual(refused, ["you hold 64 subscriptions, and no client may have more; unsubscribe from some"]);
  await Promise.all(all.slice(0, 64).map(({ ready }) => ready));
  const command = clu.send("dome", "open");
  FakeSocket.last.drop();
  assert.equal(command.state, "unknown");
  mock.timers.tick(10_000);
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(41));
  const ids = serve();
  assert.deepEqual([ids.length, ids.at(-1)], [65, "clu.js: lost"], "the page's come first");
  assert.equal(all.filter(({ closed }) => closed).length, 1);
});

// Commands.

test("the bridge's error ends the command that it names: unknown, failed, or rejected if it was not sent", async () => {
  const clu = await connected();
  FakeSocket.last.say(hello());
  const errors = [];
  clu.on("error", ({ message }) => errors.push(message));
  const rejected = ["bad_request", "forbidden", "in_use", "away", "blocked", "full", "expired", "gone", "invalid", "leaving"].map((code) => [code, "rejected"]);
  for (const [code, state] of [...rejected, ["returned", "failed"], ["unknown", "unknown"], ["refused", "unknown"], ["from the future", "unknown"]]) {
    const command = clu.send("dome", "open", { commandId: code });
    FakeSocket.last.say({ op: "error", id: null, command_id: code, code, message: "Because." });
    await assert.rejects(command, { state, code, message: "Because." });
  }
  assert.deepEqual(errors, []);
  assert.deepEqual(clu.commands, []);
  FakeSocket.last.say({ op: "error", id: null, code: "bad_request", message: "What?" }, { op: "error", id: null, command_id: "x", code: "away", message: "Not mine." });
  assert.deepEqual(errors, ["The bridge refused a message: What?", "The bridge refused a message: Not mine."]);
});

test("the replies to a command arrive even if no subscription selects them", async () => {
  const { clu } = await subscribed({ sender: "weather" });
  const command = clu.send("dome", "open", { commandId: "id-1" });
  assert.deepEqual(FakeSocket.last.sent.map((text) => JSON.parse(text)), [
    { op: "subscribe", id: "clu.js: mine", filter: { commander: "me" }, since: { epoch: "e1", seq: 50 } },
    { consumer: "dome", command_string: "open", command_id: "id-1" },
  ]);
  FakeSocket.last.say(resumed("clu.js: mine", 50), numbered(51, {}, { code: ":", commandId: "id-1" }));
  await command;
  FakeSocket.last.sent = [];
  clu.send("dome", "close", { commandId: "id-2" });
  assert.equal(FakeSocket.last.sent.length, 1, "once per connection");
});

test("a command is not unknown because a bridge has no history", async () => {
  const { clu, log } = await subscribed({ sender: "weather" });
  const command = clu.send("dome", "open", { commandId: "id-1" });
  FakeSocket.last.say(ok("clu.js: mine", { resumed: false, reason: "gone", epoch: "e1", seq: 60 }), snapshot("clu.js: mine", 60, {}));
  assert.equal(command.state, "sent");
  assert.deepEqual(log, []);
});

test("if a subscription selects everything, commands need none of their own", async () => {
  const { clu } = await subscribed({});
  clu.send("dome", "open", { commandId: "id-1" });
  assert.deepEqual(FakeSocket.last.requests(), []);
});

test("the replies to a command whose connection was lost are requested on the next one", async () => {
  const { clu } = await subscribed({ sender: "weather" });
  const command = clu.send("dome", "open", { commandId: "id-[1]*" });
  FakeSocket.last.say(resumed("clu.js: mine", 50));
  const socket = reconnect();
  assert.equal(command.state, "unknown");
  socket.say(hello(52));
  const [weather, lost] = socket.requests();
  assert.deepEqual(lost, { op: "subscribe", id: "clu.js: lost", filter: { command_id: ["id-[[]1][*]"] }, since: { epoch: "e1", seq: 50 } });
  assert.equal(weather.id, "1");
  socket.say(resumed("clu.js: lost", 52), numbered(52, { text: "Opened." }, { code: ":", commandId: "id-[1]*" }), resumed("1", 52));
  assert.equal(command.state, "unknown", "buffered until all requests are answered");
  assert.deepEqual(socket.requests().map(({ op }) => op), ["ping"]);
  socket.say(pong(52));
  assert.equal(command.state, "done");
  assert.deepEqual(socket.requests(), [{ op: "unsubscribe", id: "clu.js: lost" }]);
});

test("a command of an earlier connection that runs again is followed to its end", async () => {
  const { clu } = await subscribed({ sender: "weather" });
  const command = clu.send("dome", "open", { commandId: "id-1" });
  FakeSocket.last.say(resumed("clu.js: mine", 50));
  const socket = reconnect();
  socket.say(hello(52), resumed("1", 52), resumed("clu.js: lost", 52), pong(52));
  socket.requests();
  for (const [seq, code] of [[53, ">"], [54, "i"]]) {
    socket.say(numbered(seq, {}, { code, commandId: "id-1" }));
    assert.equal(command.state, "running");
    assert.deepEqual(socket.requests(), [], "its other replies are selected by nothing else");
  }
  socket.say(numbered(55, {}, { code: ":", commandId: "id-1" }));
  assert.equal(command.state, "done");
  assert.deepEqual(socket.requests(), [{ op: "unsubscribe", id: "clu.js: lost" }]);
});

test("a command between opening and hello gets its replies, or becomes unknown", async () => {
  const { clu } = await subscribed({ sender: "weather" });
  for (const [resumes, seq] of [[true, 60], [false, 70]]) {
    const socket = reconnect();
    const command = clu.send("dome", "open", { commandId: `resumed ${resumes}` });
    socket.sent = [];
    socket.say(hello(seq));
    const [, mine] = socket.requests();
    assert.deepEqual([mine.id, mine.since], ["clu.js: mine", { epoch: "e1", seq }]);
    socket.say(ok("clu.js: mine", { resumed: resumes, reason: "gone", epoch: "e1", seq: seq + 1 }), resumed("1", seq + 1), pong(seq + 1));
    assert.equal(command.state, resumes ? "sent" : "unknown");
    socket.say(numbered(seq + 2, {}, { code: ":", commandId: `resumed ${resumes}` }));
    assert.equal(command.state, "done");
  }
});

// Messages of the bridge.

test("the broker's state and dropped messages are reported, and unknown messages ignored", async () => {
  const clu = await connected();
  const reported = [];
  for (const type of ["broker", "dropped", "gap", "reply", "error"]) clu.on(type, (detail) => reported.push([type, detail]));
  FakeSocket.last.say(hello(), { op: "broker", state: "down", reason: "refused" }, { op: "broker", state: "no_replies", reason: "no confirm" }, { op: "broker", state: "up" }, { op: "dropped", count: 12 }, { op: "changes" }, { op: "result", id: "x" }, { ...gapNotice(null), seconds: null });
  assert.deepEqual(reported, [
    ["broker", { state: "up", reason: null }], ["broker", { state: "down", reason: "refused" }],
    ["broker", { state: "no_replies", reason: "no confirm" }], ["broker", { state: "up", reason: null }],
    ["dropped", { count: 12 }],
    ["gap", { from: null, to: new Date("2026-11-21T01:58:01.500Z"), seconds: null, reason: null }],
  ]);
});

// CLU's own server.

test("with CLU's own server filters work in the page, and each lost connection is a gap", async () => {
  const clu = client();
  const log = recordEvents(clu);
  const received = [];
  const subscription = clu.subscribe({ sender: "dome" }, { onReply: ({ body }) => received.push(body.n), throttle: 100 });
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(envelope("i", null, { n: 1 }), envelope("i", null, { n: 2 }, "roof"));
  await subscription.ready;
  assert.equal(subscription.values.dome.n.value, 1);
  assert.equal(subscription.values.dome.n.seq, null);
  const later = clu.subscribe({ sender: "roof" }, { onReply: ({ body }) => received.push(body.n) });
  await later.ready;
  const command = clu.send("camera", "expose", { commandId: "id-1" });
  assert.deepEqual(FakeSocket.last.sent, ['{"consumer":"camera","command_string":"expose","command_id":"id-1"}'], "only commands are sent");
  FakeSocket.last.say(envelope(":", "id-1", { n: 3 }, "camera"), envelope("i", null, { n: 4 }, "roof"));
  await command;
  const socket = reconnect();
  socket.say(envelope("i", null, { n: 5 }));
  assert.deepEqual(received, [1, 4, 5]);
  assert.deepEqual(log, [{ n: 1 }, { n: 3 }, { n: 4 }, "gap: this server keeps no replies to resume from", { n: 5 }]);
  await assert.rejects(clu.subscribe({ senders: "x" }).ready, { message: /no field "senders"/ });
  assert.equal(clu.protocol, "plain");
});

test("a silent server without a hello is CLU's own, until it says hello", async () => {
  const clu = client();
  const subscription = clu.subscribe({ sender: "dome" });
  const wrong = clu.subscribe({ sender: "a[" });
  clu.connect();
  FakeSocket.last.accept();
  assert.equal(clu.protocol, null);
  advance(3_000);
  assert.equal(clu.protocol, "plain");
  await subscription.ready;
  await assert.rejects(wrong.ready);
  FakeSocket.last.say(hello());
  assert.equal(clu.protocol, "v1");
  assert.deepEqual(FakeSocket.last.requests().map(({ id }) => id), ["1"]);
});

test("a slow second hello is waited for", async () => {
  const { clu, log } = await subscribed({ sender: "dome" });
  const socket = reconnect();
  advance(4_000);
  assert.equal(clu.protocol, null);
  socket.say(hello(52));
  assert.equal(socket.requests()[0].since.seq, 50);
  assert.deepEqual(log, []);
});

test("replacing CLU's own server by a bridge, or the other way round, leaves a gap", async () => {
  const clu = await connected();
  const log = recordEvents(clu);
  FakeSocket.last.say(envelope("i", null, { n: 1 }));
  reconnect().say(hello(7), numbered(8));
  reconnect().say(envelope("i", null, { n: 2 }));
  reconnect().say(hello(9), numbered(10));
  assert.deepEqual(log, [{ n: 1 }, "gap: there is nothing to resume from", 8,
    "gap: this server keeps no replies to resume from", { n: 2 }, "gap: there is nothing to resume from", 10]);
});

test("a filter is copied when it is given", async () => {
  const clu = client();
  const filter = { sender: ["dome"] };
  const subscription = clu.subscribe(filter, { snapshot: false });
  filter.sender.push("roof");
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello());
  assert.deepEqual(FakeSocket.last.requests()[0].filter, { sender: ["dome"] });
  assert.deepEqual(subscription.filter, { sender: ["dome"] });
  assert.throws(() => clu.subscribe({ sender: 1n }), TypeError);
});

test("the times of a snapshot are by the local clock, however far it is from the bridge's", async () => {
  for (const ahead of [-3_600_000, 0, 90_000]) {
    const clu = client();
    const subscription = clu.subscribe({});
    clu.connect();
    FakeSocket.last.accept();
    const here = Date.now() - ahead;  // what the bridge's clock shows
    FakeSocket.last.say({ ...hello(), time: new Date(here).toISOString() }, ok(subscription.id));
    const time = new Date(here - 30_000).toISOString();
    const entry = { value: 1, time, code: "i", seq: 3 };
    FakeSocket.last.say(snapshot(subscription.id, 3, { dome: { time, code: "i", seq: 3, keywords: { n: entry } } }));
    assert.equal(subscription.values.dome.n.time.getTime(), Date.now() - 30_000, `ahead by ${ahead} ms`);
  }
});
