// What the npm package holds, and that its types declare what the modules export.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import * as clu from "../clu.js";
import { FakeSocket, client } from "./fakebridge.js";

const folder = new URL("../", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const types = ["clu.d.ts", "command.d.ts"].map(read).join("\n");

/** The members that clu.d.ts declares for a class or an interface. */
function declared(name) {
  const body = new RegExp(`(?:export|declare) (?:class|interface) ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(types)[1];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??(?:[:(<])/gm)].map(([, member]) => member).filter((member) => member !== "constructor").sort();
}

test("the package holds every module that clu.js needs, and no other", () => {
  const needed = ["clu.js"];
  for (const name of needed) {
    for (const [, imported] of read(name).matchAll(/from "\.\/([\w.-]+)"/g)) if (!needed.includes(imported)) needed.push(imported);
  }
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".js")).sort(), needed.sort());
  const { exports: entry, files } = JSON.parse(read("package.json"));
  assert.deepEqual([entry["."].default, files], ["./clu.js", ["*.js", "*.d.ts", "bin/*.js"]]);
});

test("the types declare every export", () => {
  const names = [...types.matchAll(/^export (?:declare )?(?:class|const|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(names.sort(), Object.keys(clu).sort());
});

test("the types declare the members that objects have", () => {
  FakeSocket.all = [];
  const bridge = client();
  const command = bridge.send("dome", "status");
  const subscription = bridge.subscribe({});
  const reply = clu.parseReply('{"headers": {}, "body": {}}');
  assert.deepEqual(declared("Reply"), Object.keys(reply).sort());
  for (const [name, object] of Object.entries({ Clu: bridge, Asker: bridge, Command: command, Subscription: subscription })) {
    for (const member of declared(name)) assert.ok(member in object, `${name}.${member}`);
  }
  assert.deepEqual(declared("Clu"), Object.getOwnPropertyNames(clu.Clu.prototype).filter((member) => member !== "constructor").sort());
  assert.deepEqual(declared("Asker"), Object.getOwnPropertyNames(Object.getPrototypeOf(clu.Clu.prototype)).filter((member) => member !== "constructor").sort());
  assert.deepEqual(declared("CommandError"), Object.keys(new clu.CommandError("why", command)).filter((member) => member !== "name").sort());
});

test("the documented options of a client are those of its types", () => {
  const documented = [...read("clu.js").matchAll(/@property \{[^}]*\} \[(\w+)\]/g)].map(([, name]) => name);
  assert.deepEqual(declared("CluOptions"), documented.sort());
  const events = [...read("clu.js").matchAll(/^ \* \| `(\w+)` /gm)].map(([, name]) => name);
  assert.deepEqual(declared("CluEvents"), events.sort());
});
