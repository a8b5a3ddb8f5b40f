// Grants mean the same in the page as in the bridge: both are tested against one table.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Grants } from "../grants.js";

const table = JSON.parse(readFileSync(new URL("../../../bridge/access/testdata/decisions.json", import.meta.url), "utf8"));

test("what is granted is what the bridge's table says", () => {
  assert.ok(table.length > 10);
  for (const { grants, allowed = [], denied = [] } of table) {
    const compiled = new Grants(grants);
    const name = (action) => `${JSON.stringify(grants)}: ${JSON.stringify(action)}`;
    for (const action of allowed) assert.equal(compiled.refusal(action), null, name(action));
    for (const action of denied) assert.notEqual(compiled.refusal(action), null, name(action));
  }
});

test("a refusal says what is granted instead", () => {
  const grants = new Grants({ command: [{ consumer: ["dome", "mount"] }, { consumer: ["roof"], verb: ["status"] }], forbid: [{ verb: ["shutdown"] }, { consumer: ["secret"] }] });
  const refusal = (consumer, line) => grants.refusal({ command: { consumer, command_string: line } });
  assert.equal(refusal("dome", "open"), null);
  assert.equal(refusal("mirror", "open"), "you may not command mirror; you may command dome, mount, roof");
  assert.equal(refusal("roof", "open"), 'you may not send "open" to roof; you may send status');
  assert.equal(refusal("dome", "shutdown"), 'you may not send "shutdown" to dome');
  assert.equal(refusal("secret", "status"), "you may not command secret");
  assert.match(refusal("dome", '"shut"down'), /does not begin with a plain word/);
  assert.equal(new Grants({}).refusal({ command: { consumer: "dome" } }), "you may only look: no commands are granted to you");
  const any = (consumer) => grants.refusal({ command: { consumer } });
  assert.deepEqual([any("dome"), any("roof")], [null, null]);
  assert.equal(any("secret.x"), "you may not command secret.x");
  assert.equal(any("mirror"), "you may not command mirror; you may command dome, mount, roof");
  const hears = (filters, actor) => new Grants(filters).refusal({ hear: actor }) === null;
  assert.ok(hears({ hear: [{}] }, "dome") && hears({ hear: [{ sender: ["do*"], keyword: "az" }] }, "dome"));
  assert.ok(hears({ hear: [{}], hide: [{ sender: "dome", keyword: "az" }, { sender: "weather" }] }, "dome"));
  assert.ok(!hears({}, "dome") && !hears({ hear: [{ sender: "mount" }] }, "dome") && !hears({ hear: [{}], hide: [{ sender: "dome" }] }, "dome"));
  assert.equal(new Grants({ own: true }).refusal({ hear: "dome" }), "you may not hear dome");
  assert.equal(new Grants({}).refusal({ publish: "/a" }), "you may not publish to the room /a");
});
