// Which replies the log shows, and how the URL says it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LogQuery } from "../log/query.js";
import { replyOf } from "./replies.js";

const dome = replyOf({ code: "w", body: { text: "The Shutter is slow", humidity: 72.5 } });

test("all words must occur, and those with a minus must not", () => {
  const cases = {
    "": true, shutter: true, "SHUTTER slow": true, "shutter fast": false, "-fast": true, "-slow": false, "- slow": true,
    '"shutter is"': true, '"is shutter"': false, '-"is shutter"': true, dome: true, "72.5": true,
    "/shut+er/": true, "/^dome w/": true, "/SHUTTER IS/": true, "/shutter (is|was) slow/": true, "-/sh.t/": false, "/a\\/b/": false,
    "/usr/bin": false,  // words, since no slash ends it before a space
  };
  for (const [text, accepted] of Object.entries(cases)) {
    const query = new LogQuery({ text });
    assert.equal(query.error, null, text);
    assert.equal(query.accepts(dome), accepted, text);
  }
});

test("the bridge's own questions are left out, unless one looks for them", () => {
  const answer = Object.assign(replyOf({ code: ":" }), { commandId: "model-0b6d9f7e-1111-4222-8333-123456789abc" });
  assert.equal(new LogQuery().accepts(answer), false);
  assert.equal(new LogQuery({ text: "model-" }).accepts(answer), true);
  assert.equal(new LogQuery().accepts(Object.assign(replyOf(), { commandId: "model-railway" })), true);
});

test("an expression that is not understood is named, and hides nothing", () => {
  const query = new LogQuery({ text: "shutter /(/" });
  assert.match(query.error, /^\/\(\/ is no regular expression: .+\.$/);
  assert.equal(query.accepts(replyOf()), true);
});

test("an expression that might take for ever is refused, and hides nothing", () => {
  const long = replyOf({ body: { text: "a".repeat(40) } });
  for (const text of ["/(a+)+!/", "/(a|aa)*!/", "/(?:a?a?)*!/", "/((a*)b?)+!/", "/(a{1,9}){1,9}!/", "/(?<x>a|a)+?!/", "/(.*){9,}!/", "/a*a*a*a*a*a*a*!/"]) {
    const query = new LogQuery({ text });
    assert.match(query.error, /may take for ever/, text);
    assert.equal(query.accepts(long), true);
  }
  for (const text of ["/(ab)+/", "/(a+)?b|c/", "/[(a+)]+/", "/\\(a+\\)+/", "/x{3}/", "/(a|b)c+?/", "/.*foo.*bar/"]) assert.equal(new LogQuery({ text }).error, null, text);
});

test("an expression that takes too long on a text is given up, says so, and hides nothing", () => {
  const query = new LogQuery({ text: "dome /a+a+a+a+!/" });
  const long = replyOf({ body: { text: "a".repeat(20_000) } });
  assert.equal(query.accepts(long), true);  // to search all of it would take hours
  assert.match(query.error, /takes too long/);
  assert.equal(query.accepts(replyOf({ body: { text: "b" } })), true);
});

test("codes, senders and internal replies are chosen", () => {
  const query = new LogQuery({ codes: ["w", "?"], senders: ["dome", ""], hideInternal: true });
  const cases = [[{ code: "w" }, true], [{ code: "i" }, false], [{ code: "x" }, true], [{ code: "w", sender: "roof" }, false],
    [{ code: "w", sender: null }, true], [{ code: "w", internal: true }, false]];
  for (const [fields, accepted] of cases) assert.equal(query.accepts(replyOf(fields)), accepted, JSON.stringify(fields));
  assert.equal(query.acceptsButSender(replyOf({ code: "w", sender: "roof" })), true);
});

test("a query is read from the URL as it was written", () => {
  for (const url of ["", "q=shutter+-%22is+slow%22+%2Fa%7Cb%2F", "code=we%21f", "code=-", "sender=dome%2Croof", "q=x&code=%3E%3F&sender=dome&internal=hide"]) {
    const written = Object.entries(LogQuery.read(new URLSearchParams(url)).write()).filter(([, value]) => value !== "");
    assert.deepEqual(Object.fromEntries(new URLSearchParams(written)), normalCodes(new URLSearchParams(url)));
  }
});

/** The codes of a URL, in the order in which they are written. */
function normalCodes(params) {
  const all = Object.fromEntries(params);
  if (all.code && all.code !== "-") all.code = [..."> i d w e : f ! ?".replaceAll(" ", "")].filter((code) => all.code.includes(code)).join("");
  return all;
}

test("the bridge leaves out what it can", () => {
  assert.deepEqual(new LogQuery({ text: "x" }).serverFilter, {});
  assert.deepEqual(new LogQuery({ codes: ["w", "!"], senders: ["dome", "a*b"], hideInternal: true }).serverFilter,
    { internal: false, message_code: ["w", "!"], sender: ["dome", "a[*]b"] });
  assert.deepEqual(new LogQuery({ codes: ["w", "?"] }).serverFilter, {});
});
