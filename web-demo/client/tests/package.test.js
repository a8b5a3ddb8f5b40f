// What the npm package holds, and that its types declare what the modules export.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import * as clu from "../index.js";
import { FakeSocket, page } from "./fakebridge.js";

const folder = new URL("../", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const types = ["index.d.ts", "clu.d.ts", "command.d.ts"].map(read).join("\n");

/** The members that clu.d.ts declares for a class or an interface. */
function declared(name) {
  const found = types.matchAll(new RegExp(`(?:export|declare) (?:class|interface) ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "gs"));
  const members = [...found].flatMap(([, body]) => [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??(?:[:(<])/gm)]).map(([, member]) => member);
  return [...new Set(members)].filter((member) => member !== "constructor").sort();
}

test("the package holds every module that index.js needs, and no other", () => {
  const needed = ["index.js"];
  for (const name of needed) {
    for (const [, imported] of read(name).matchAll(/from "\.\/([\w.-]+)"/g)) if (!needed.includes(imported)) needed.push(imported);
  }
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".js")).sort(), needed.sort());
  const { exports: entry, files } = JSON.parse(read("package.json"));
  assert.deepEqual(Object.values(entry).map((one) => one.default), ["./index.js", "./react/index.js"]);
  assert.deepEqual(files, ["*.js", "*.d.ts", "bin/*.js", "react/*"]);
});

test("the types declare every export", () => {
  const names = [...types.matchAll(/^export (?:declare )?(?:class|const|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(names)].sort(), Object.keys(clu).sort());
});

test("the types declare the members that objects have", () => {
  FakeSocket.all = [];
  const bridge = new clu.Clu("ws://bridge/", { WebSocket: FakeSocket, ...page() });
  const command = bridge.send("dome", "status");
  const subscription = bridge.subscribe({});
  const reply = clu.parseReply('{"headers": {}, "body": {}}');
  assert.deepEqual(declared("Reply"), Object.keys(reply).sort());
  const more = { Keyword: bridge.keyword("dome", "n"), Rooms: bridge.rooms, CommandSnapshot: command.getSnapshot(), KeywordSnapshot: bridge.keyword("dome", "n").getSnapshot() };
  for (const [name, object] of Object.entries({ ...more, Clu: bridge, Asker: bridge, Command: command, Subscription: subscription })) {
    for (const member of declared(name)) assert.ok(member in object, `${name}.${member}`);
  }
  const members = (prototype) => Object.getOwnPropertyNames(prototype).filter((member) => member !== "constructor");
  const core = Object.getPrototypeOf(clu.Clu.prototype);
  assert.deepEqual(declared("Clu"), [...new Set([...members(clu.Clu.prototype), ...members(core), "rooms"])].sort());
  assert.deepEqual(declared("Asker"), members(Object.getPrototypeOf(core)).sort());
  assert.deepEqual(declared("Keyword"), ["actor", "getSnapshot", "heard", "name", "stale", "subscribe", "time", "value"]);
  assert.deepEqual(declared("CommandError"), Object.keys(new clu.CommandError("why", command)).filter((member) => member !== "name").sort());
});

test("the documented options of a client are those of its types", () => {
  const documented = [...read("clu.js").matchAll(/@property \{[^}]*\} \[(\w+)\]/g)].map(([, name]) => name);
  assert.deepEqual(declared("CluOptions"), documented.sort());
  const events = [...read("clu.js").matchAll(/^ \* \| `(\w+)` /gm)].map(([, name]) => name);
  assert.deepEqual(declared("CluEvents"), events.sort());
});

test("the hooks are for the client: a bundler that renders on a server must not run them as a server's component", () => {
  assert.match(read("react/index.js"), /^"use client";\n/);
});
