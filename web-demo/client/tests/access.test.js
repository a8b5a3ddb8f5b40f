// Who a client is: where its token travels, and what the bridge says about it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeSocket, advance, hello, numbered, ok } from "./fakebridge.js";
import { access, admitted, client, grants, greeting, record, settle } from "./login.js";

test("the token is asked for before every attempt, and travels beside the protocol", async () => {
  let n = 0;
  const clu = client({ token: async () => { n += 1; return `token-${n}`; } });
  clu.connect();
  assert.equal(clu.state, "connecting");
  await settle();
  assert.deepEqual(FakeSocket.last.protocols, ["clu-ws.v1", "bearer.token-1"]);
  assert.ok(!FakeSocket.last.url.includes("token-1"), "a URL is logged by proxies");
  FakeSocket.last.drop();
  advance(600);
  await settle();
  assert.deepEqual(FakeSocket.last.protocols, ["clu-ws.v1", "bearer.token-2"]);
});

test("without the option token, and with one that returns nothing, a page connects as it always did", async () => {
  client().connect();
  assert.deepEqual(FakeSocket.last.protocols, []);
  for (const nothing of [null, undefined, ""]) {
    client({ token: () => nothing }).connect();
    await settle();
    assert.deepEqual(FakeSocket.last.protocols, []);
  }
  assert.equal(FakeSocket.all.length, 4);
});

test("a token that no subprotocol can hold travels in the first message", async () => {
  const clu = client({ token: () => "a b/c=" });
  clu.connect();
  await settle();
  assert.deepEqual(FakeSocket.last.protocols, []);
  FakeSocket.last.accept();
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "auth", id: "clu.js: auth", token: "a b/c=" }]);
});

test("a ticket is always a message, so that no handshake spends it in vain", async () => {
  client({ token: () => ({ ticket: "once" }) }).connect();
  await settle();
  assert.deepEqual(FakeSocket.last.protocols, []);
  FakeSocket.last.accept();
  assert.deepEqual(FakeSocket.last.requests(), [{ op: "auth", id: "clu.js: auth", ticket: "once" }]);
});

test("a token in a message is the first one, and the client is connected once the bridge greets it", async () => {
  const clu = client({ token: () => "ticket", tokenBy: "message" });
  const log = record(clu, "open", "access");
  const opening = clu.connect();
  await settle();
  const socket = FakeSocket.last;
  socket.accept();
  assert.deepEqual(socket.requests(), [{ op: "auth", id: "clu.js: auth", token: "ticket" }]);
  assert.equal(clu.state, "connecting");
  await assert.rejects(clu.send("dome", "open"), { state: "rejected", message: /not connected/ });
  socket.say({ op: "hello", auth: "required" }, greeting(), ok("clu.js: auth", { access: access() }));
  assert.equal(await opening, clu);
  assert.deepEqual([clu.state, clu.protocol, clu.access.name], ["open", "v1", "ann"]);
  assert.deepEqual(log.map(({ type }) => type), ["access", "open", "access"]);
  clu.send("dome", "open");
  assert.equal(JSON.parse(socket.sent.at(-1)).command_string, "open");
});

test("the hello says who the client is, and what it may do", async () => {
  const clu = await admitted();
  assert.deepEqual(clu.access, { name: "ann", source: null, grants, expires: new Date(3_600_000) });
  assert.equal(clu.may({ command: { consumer: "dome", command_string: "open now" } }), true);
  assert.equal(clu.may({ command: { consumer: "mirror", command_string: "open" } }), false);
  assert.equal(clu.refusal({ command: { consumer: "dome", command_string: "stop" } }), 'you may not send "stop" to dome; you may send open, close');
});

test("the end of the login is told by the clock of this computer", async () => {
  const clu = client({ token: () => "t" });
  clu.connect();
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...greeting({ expires: "2026-11-21T05:00:00.000000+00:00" }), time: "2026-11-21T04:00:00.000000+00:00" });
  assert.equal(clu.access.expires - Date.now(), 3_600_000);
});

test("where there is no access control, everything is granted and nothing is reported", () => {
  const clu = client();
  const log = record(clu, "access", "unauthorized", "expiring");
  clu.connect();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(), numbered(42));
  assert.equal(clu.access, null);
  assert.equal(clu.may({ admin: true }), true);
  assert.equal(clu.may({ publish: "/live/x" }), false, "which a bridge without access control refuses");
  assert.deepEqual(log, []);
});

test("grants that are not understood are reported, and restrict nothing", async () => {
  const clu = client({ token: () => "t" });
  const log = record(clu, "error");
  clu.connect();
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say(greeting({ grants: { command: [{ consumer: ["["] }] } }));
  assert.match(log[0].message, /is not understood/);
  assert.equal(clu.may({ command: { consumer: "dome", command_string: "open" } }), true);
});

test("close while the token is awaited ends the client", async () => {
  let give;
  const clu = client({ token: () => new Promise((resolve) => { give = resolve; }) });
  const opening = clu.connect();
  clu.close();
  await assert.rejects(opening);
  give("t");
  await settle();
  assert.deepEqual([clu.state, FakeSocket.all.length], ["closed", 0]);
});

test("options that are none are TypeErrors", async () => {
  assert.throws(() => client({ token: "t" }), { name: "TypeError", message: /token is a function/ });
  assert.throws(() => client({ tokenBy: "url" }), { name: "TypeError", message: /tokenBy/ });
  const clu = client({ token: () => 7 });
  await assert.rejects(clu.connect(), { message: /must return a text/ });
  assert.equal(clu.retryAt, null);
});
