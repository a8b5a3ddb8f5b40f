// When a client that is not let in tries again, and when it stops and says why.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { FakeSocket, advance } from "./fakebridge.js";
import { admitted, client, greeting, record, settle, whoami } from "./login.js";

test("after a 401 the client stops, and says why", async () => {
  const bridge = whoami({ status: 401, code: "expired", error: "the token has expired" });
  const clu = client({ token: () => "old", fetch: bridge.fetch });
  const log = record(clu, "unauthorized");
  const opening = clu.connect();
  await settle();
  FakeSocket.last.drop();
  await settle();
  advance(60_000);
  await settle();
  advance(60_000);
  await settle();
  assert.deepEqual(log, [{ type: "unauthorized", status: 401, code: "expired", reason: "the token has expired" }]);
  assert.deepEqual(bridge.asked, [["http://bridge/whoami", "Bearer old"]]);
  assert.deepEqual([clu.state, clu.retryAt, FakeSocket.all.length], ["closed", null, 1]);
  await assert.rejects(opening, { message: "the token has expired" });
});

test("after a 401 the page may connect again, with another token", async () => {
  let token = "old";
  const clu = client({ token: () => token, fetch: whoami({ status: 401 }).fetch });
  clu.connect();
  await settle();
  FakeSocket.last.drop();
  advance(600);
  await settle();
  assert.equal(clu.retryAt, null);
  token = "new";
  clu.connect();
  await settle();
  assert.deepEqual(FakeSocket.last.protocols, ["clu-ws.v1", "bearer.new"]);
});

test("a page that connects anew is not held to what was said of its last attempt", async () => {
  let token = "old";
  const clu = client({ token: () => token, fetch: whoami({ status: 401 }).fetch });
  clu.connect();
  await settle();
  FakeSocket.last.drop();
  clu.close();
  token = "new";
  clu.connect();
  await settle();
  assert.deepEqual(FakeSocket.last.protocols, ["clu-ws.v1", "bearer.new"]);
});

test("a page without a token learns that the bridge asks for one", async () => {
  for (const ask of [
    (socket) => socket.drop(),
    (socket) => { socket.accept(); socket.say({ op: "hello", auth: "required" }); },
    (socket) => { socket.accept(); socket.drop(3008, "no login within 10 s"); },
  ]) {
    FakeSocket.all = [];
    const clu = client({ fetch: whoami({ status: 401, code: "required", error: "this bridge asks for a login" }).fetch });
    const log = record(clu, "unauthorized");
    clu.connect();
    ask(FakeSocket.last);
    advance(600);
    await settle();
    advance(60_000);
    await settle();
    assert.equal(log.length, 1);
    assert.equal(FakeSocket.all.length, 1);
  }
});

test("a bridge that is away is tried again", async () => {
  const clu = client({ token: () => "t", fetch: whoami(new TypeError("Failed to fetch")).fetch });
  clu.connect();
  for (let n = 1; n <= 4; n += 1) {
    await settle();
    assert.equal(FakeSocket.all.length, n);
    FakeSocket.last.drop();
    advance(10_000);
  }
});

test("a page of an origin that is not allowed stops, and says why", async () => {
  const bridge = whoami({ status: 403, code: "forbidden", error: "pages of http://other may not use this bridge" });
  const asked = [];
  const fetch = async (url, options) => {
    asked.push(options.credentials);
    if (options.credentials === "include") throw new TypeError("Failed to fetch");  // by CORS
    return bridge.fetch(url, options);
  };
  const clu = client({ fetch });
  const log = record(clu, "unauthorized");
  const opening = clu.connect();
  await settle();
  FakeSocket.last.drop();
  await settle();
  advance(60_000);
  await settle();
  assert.deepEqual(log, [{ type: "unauthorized", status: 403, code: "forbidden", reason: "pages of http://other may not use this bridge" }]);
  assert.deepEqual([asked, clu.retryAt, FakeSocket.all.length], [["include", "omit"], null, 1]);
  await assert.rejects(opening, { message: "pages of http://other may not use this bridge" });
});

test("a bridge that does not say why an attempt failed delays the next one by a second at most", async () => {
  const clu = client({ fetch: () => new Promise(() => {}) });
  clu.connect();
  for (let n = 1; n <= 3; n += 1) {
    assert.equal(FakeSocket.all.length, n);
    FakeSocket.last.drop();
    mock.timers.tick(clu.retryAt - Date.now());
    await settle();
    assert.equal(FakeSocket.all.length, n);
    mock.timers.tick(1_000);
    await settle();
  }
});

test("a login page of a proxy in front stops the client", async () => {
  const clu = client({ fetch: async () => ({ type: "opaqueredirect", status: 0 }) });
  const log = record(clu, "unauthorized");
  clu.connect();
  FakeSocket.last.drop();
  advance(600);
  await settle();
  assert.deepEqual(log.map(({ code, reason }) => [code, reason]), [["redirect", "the server in front of the bridge asks for a login: load the page again"]]);
});

test("Retry-After is honoured after 503 and 429", async () => {
  for (const status of [503, 429]) {
    FakeSocket.all = [];
    const clu = client({ token: () => "t", fetch: whoami({ status, retryAfter: "7", error: "not now" }, new TypeError("away")).fetch });
    clu.connect();
    await settle();
    FakeSocket.last.drop();
    advance(600);
    await settle();
    assert.equal(clu.retryAt - Date.now(), 7_000);
    advance(6_900);
    await settle();
    assert.equal(FakeSocket.all.length, 1);
    advance(200);
    await settle();
    assert.equal(FakeSocket.all.length, 2);
  }
});

test("a token that cannot be had is reported, and asked for again", async () => {
  let calls = 0;
  const clu = client({ token: () => { calls += 1; if (calls === 1) throw new Error("the session service is away"); return "t"; } });
  const log = record(clu, "close");
  clu.connect();
  await settle();
  assert.equal(log[0].reason, "there is no token: the session service is away");
  advance(600);
  await settle();
  assert.equal(FakeSocket.all.length, 1);
});

test("a connection that expires is made again with a new token, once", async () => {
  let n = 0;
  const clu = await admitted({ token: () => { n += 1; return `t${n}`; } });
  const log = record(clu, "unauthorized");
  FakeSocket.last.drop(3000, "the token has expired");
  advance(1_000);
  await settle();
  assert.deepEqual(FakeSocket.last.protocols, ["clu-ws.v1", "bearer.t2"]);
  FakeSocket.last.accept();
  FakeSocket.last.drop(3000, "the token has expired");
  advance(60_000);
  await settle();
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(log, [{ type: "unauthorized", status: 3000, code: "unauthorized", reason: "the token has expired" }]);
});

test("each expiry of a connection that was good deserves a new token", async () => {
  const clu = await admitted();
  for (let n = 2; n <= 4; n += 1) {
    advance(6_000);
    FakeSocket.last.drop(3000, "the token has expired");
    advance(1_000);
    await settle();
    assert.equal(FakeSocket.all.length, n);
    FakeSocket.last.accept();
    FakeSocket.last.say(greeting());
  }
  assert.equal(clu.state, "open");
});

test("after a revocation the client stops at once", async () => {
  const clu = await admitted();
  const log = record(clu, "unauthorized");
  FakeSocket.last.drop(3003, "the token was revoked");
  advance(60_000);
  await settle();
  assert.equal(FakeSocket.all.length, 1);
  assert.deepEqual(log, [{ type: "unauthorized", status: 3003, code: "revoked", reason: "the token was revoked" }]);
  assert.equal(clu.retryAt, null);
});

test("a refused ticket is reported in the bridge's words", async () => {
  const clu = client({ token: () => "ticket", tokenBy: "message" });
  const log = record(clu, "unauthorized");
  clu.connect();
  for (let n = 0; n < 2; n += 1) {
    await settle();
    FakeSocket.last.accept();
    FakeSocket.last.say({ op: "error", id: "clu.js: auth", code: "unauthorized", message: "the ticket was used before" });
    FakeSocket.last.drop(3000, "");
    advance(1_000);
  }
  await settle();
  assert.equal(FakeSocket.all.length, 2);
  assert.equal(log[0].reason, "the ticket was used before");
});

test("a refused ticket does not become anonymous where anonymous clients may enter", async () => {
  for (const [code, state] of [["unauthorized", "closed"], ["undecided", "closed"]]) {
    FakeSocket.all = [];
    const clu = client({ token: () => "ticket", tokenBy: "message" });
    clu.connect();
    await settle();
    FakeSocket.last.accept();
    FakeSocket.last.say(greeting({ name: "" }), { op: "error", id: "clu.js: auth", code, message: "no" });
    assert.equal(clu.state, state);
    assert.equal(FakeSocket.last.readyState, 2);
    assert.equal(clu.retryAt - Date.now(), code === "undecided" ? 7_500 : 400);
  }
});

test("a page that has no other ticket learns why the last one was refused", async () => {
  const tickets = [{ ticket: "used" }];
  const clu = client({ token: () => tickets.shift() ?? null });
  const log = record(clu, "unauthorized");
  clu.connect();
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say({ op: "error", id: "clu.js: auth", code: "unauthorized", message: "the ticket was used before" });
  advance(1_000);
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say({ op: "hello", auth: "required" });
  assert.deepEqual(log.map(({ reason }) => reason), ["the ticket was used before"]);
});

test("only a greeting that lasts resets the waits", async () => {
  const clu = client({ token: () => "t", fetch: null });
  const waits = [];
  clu.on("close", ({ retryAt }) => waits.push(retryAt - Date.now()));
  clu.connect();
  for (let n = 0; n < 4; n += 1) {
    await settle();
    FakeSocket.last.accept();
    advance(6_000);
    if (n === 3) {
      FakeSocket.last.say(greeting());
      advance(6_000);
    }
    FakeSocket.last.drop();
    advance(10_000);
  }
  assert.deepEqual(waits, [400, 700, 1_300, 400]);
});
