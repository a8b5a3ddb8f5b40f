// Life on an open connection: renewal, changed grants, subscriptions that are lost, and messages to rooms.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeSocket, advance, dome, hello, ok, resumed, snapshot } from "./fakebridge.js";
import { client, record, settle } from "./login.js";

/** A client whose tokens are t1, t2 and so on, which the bridge has greeted. */
async function admitted(token) {
  let n = 0;
  const clu = client({ token: token ?? (() => { n += 1; return `t${n}`; }) });
  const opening = clu.connect();
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...hello(), access: { name: "ann", grants: { hear: [{}] }, expires: null } }, ok("clu.js: auth"));
  await opening;
  FakeSocket.last.requests();
  return clu;
}

test("a login that expires is renewed on the open connection", async () => {
  const clu = await admitted();
  const log = record(clu, "expiring", "access", "error");
  const socket = FakeSocket.last;
  socket.say({ op: "access", expires_in: 60 });
  assert.deepEqual(log.splice(0), [{ type: "expiring", expiresIn: 60_000, expires: new Date(1_060_000) }]);
  assert.deepEqual(clu.access.expires, new Date(1_060_000), "the time that the warning gives");
  await settle();
  assert.deepEqual(socket.requests(), [{ op: "auth", id: "clu.js: auth", token: "t2" }]);
  socket.say(ok("clu.js: auth", { access: { name: "ann", grants: { hear: [{}] }, expires: "1970-01-01T02:00:00Z" } }));
  assert.equal(clu.access.expires.getTime(), 7_200_000);
  assert.deepEqual(log.map(({ type }) => type), ["access"]);
  assert.equal(FakeSocket.all.length, 1);
});

test("a renewal that fails is reported, and tried again while there is time", async () => {
  let calls = 0;
  const clu = await admitted(() => { calls += 1; if (calls === 2) throw new Error("the session service is away"); return `t${calls}`; });
  const log = record(clu, "error");
  const socket = FakeSocket.last;
  socket.say({ op: "access", expires_in: 60 });
  await settle();
  assert.deepEqual(log.map(({ message }) => message), ["The login was not renewed: there is no token: the session service is away"]);
  advance(10_000);
  socket.say({ op: "pong", id: null });
  advance(10_000);
  await settle();
  assert.equal(socket.requests().filter(({ op }) => op === "auth")[0].token, "t3");
  socket.say({ op: "error", id: "clu.js: auth", code: "forbidden", message: "this is the token of bob" });
  await settle();
  assert.equal(log[1].message, "The login was not renewed: this is the token of bob");
});

test("a token that could not be decided on is shown again", async () => {
  let calls = 0;
  await admitted(() => { calls += 1; return calls === 1 ? "t1" : "t2"; });
  const socket = FakeSocket.last;
  socket.say({ op: "access", expires_in: 30 });
  await settle();
  socket.say({ op: "error", id: "clu.js: auth", code: "undecided", message: "the issuer does not answer" });
  await settle();
  advance(10_000);
  await settle();
  assert.deepEqual(socket.requests().filter(({ op }) => op === "auth").map(({ token }) => token), ["t2", "t2"]);
});

test("a renewal that the connection does not outlive is not reported twice", async () => {
  const clu = await admitted();
  const log = record(clu, "error");
  FakeSocket.last.say({ op: "access", expires_in: 60 });
  await settle();
  FakeSocket.last.drop();
  await settle();
  assert.deepEqual(log, []);
});

test("a page that has no new token lets the login expire", async () => {
  for (const tokens of [[{ ticket: "once" }, null], ["t1", "t1"]]) {
    let calls = 0;
    const clu = await admitted(() => { calls += 1; return tokens[Math.min(calls, 2) - 1]; });
    const log = record(clu, "expiring", "error");
    const socket = FakeSocket.last;
    socket.say({ op: "access", expires_in: 60 });
    await settle();
    advance(10_000);
    assert.deepEqual(log.map(({ type }) => type), ["expiring"]);
    assert.deepEqual(socket.requests(), []);
    await assert.rejects(clu.renew(), /returned no new one/);
  }
});

test("the page may renew by itself", async () => {
  const clu = await admitted();
  const renewed = clu.renew();
  await settle();
  FakeSocket.last.say(ok("clu.js: auth"));
  await renewed;
  await assert.rejects(client().renew(), /no option token/);
  await assert.rejects(client({ token: () => "t" }).renew(), /not connected/);
});

test("changed grants are told", async () => {
  const clu = await admitted();
  const log = record(clu, "access");
  assert.equal(clu.may({ clients: true }), false);
  FakeSocket.last.say({ op: "access", changed: ["clients"], grants: { hear: [{}], clients: true } });
  assert.equal(clu.may({ clients: true }), true);
  assert.equal(clu.access.name, "ann");
  assert.deepEqual(log.map(({ changed }) => changed), [["clients"]]);
});

test("values that one may hear from now on are asked for", async () => {
  const clu = await admitted();
  const subscription = clu.subscribe({ keyword: "shutter" });
  clu.subscribe({}, { snapshot: false });
  const socket = FakeSocket.last;
  socket.say(ok("1"), ok("2"), snapshot("1", 41, {}));
  socket.requests();
  socket.say({ op: "access", changed: ["command"], grants: { hear: [{}], command: [{}] } });
  assert.deepEqual(socket.requests(), []);
  socket.say({ op: "access", changed: ["hear"], grants: { hear: [{ sender: ["dome"] }] } });
  assert.deepEqual(socket.requests(), [{ op: "snapshot", id: "1", filter: { keyword: "shutter" } }]);
  socket.say(snapshot("1", 60, dome("open", 55)));
  assert.equal(subscription.values.dome.shutter.value, "open");

  socket.drop();
  advance(1_000);
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...hello(60), access: { name: "bob", grants: { hear: [{}] }, expires: null } });
  assert.equal(FakeSocket.last.requests().find(({ id }) => id === "1").snapshot, true, "another user hears other values");
});

test("a subscription whose right is withdrawn is told, and not asked for again", async () => {
  const clu = await admitted();
  const lost = [];
  const subscription = clu.subscribe({ sender: "mirror" }, { onRefused: (reason, code) => lost.push([reason, code]) });
  const kept = clu.subscribe({ sender: "dome" });
  FakeSocket.last.say(ok("1"), ok("2"));
  FakeSocket.last.say({ op: "unsubscribed", id: "1", code: "forbidden", message: "you may no longer hear the mirror" });
  assert.deepEqual(lost, [["you may no longer hear the mirror", "forbidden"]]);
  assert.deepEqual([subscription.closed, kept.closed], [true, false]);
  FakeSocket.last.drop();
  advance(1_000);
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say({ ...hello(), access: { name: "ann", grants: {}, expires: null } });
  assert.deepEqual(FakeSocket.last.requests().filter(({ op }) => op === "subscribe").map(({ id }) => id), ["2"]);
});

test("a subscription that is forbidden after a reconnection ends", async () => {
  const clu = await admitted();
  const lost = [];
  clu.subscribe({ sender: "mirror" }, { onRefused: (reason, code) => lost.push(code) });
  FakeSocket.last.say(resumed("1", 41));
  FakeSocket.last.drop();
  advance(1_000);
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say(hello(), { op: "error", id: "1", code: "forbidden", message: "no longer" });
  assert.deepEqual(lost, ["forbidden"]);
});

test("an application that decides gets the page's object, and its answer comes back", async () => {
  const clu = await admitted();
  const subscription = clu.subscribe({}, { extra: { seat: 12 } });
  const socket = FakeSocket.last;
  assert.deepEqual(socket.requests()[0].extra, { seat: 12 });
  socket.say(ok("1", { data: { title: "Live" } }));
  assert.deepEqual((await subscription.ready).data, { title: "Live" });
  clu.send("dome", "open", { extra: { key: "k" } });
  assert.deepEqual(JSON.parse(socket.sent.at(-1)).extra, { key: "k" });
});

test("a message to a room is answered", async () => {
  const clu = await admitted();
  const first = clu.publish("/live/x", { n: 1 });
  const second = clu.publish("/live/y", [2]);
  const requests = FakeSocket.last.requests();
  assert.deepEqual(requests.map(({ op, path, body }) => [op, path, body]), [["publish", "/live/x", { n: 1 }], ["publish", "/live/y", [2]]]);
  FakeSocket.last.say({ op: "error", id: requests[1].id, code: "forbidden", message: "you may not publish to /live/y" }, ok(requests[0].id));
  await first;
  await assert.rejects(second, { name: "RequestError", code: "forbidden", message: "you may not publish to /live/y" });
});

test("a message to a room is never kept for later, and its fate is unknown when the connection is lost", async () => {
  await assert.rejects(client().publish("/live/x", 1), { name: "RequestError", code: null, message: /was not sent and will not be sent later/ });
  const clu = await admitted();
  const published = clu.publish("/live/x", 1);
  FakeSocket.last.drop();
  await assert.rejects(published, { message: /may have been published/ });
});
