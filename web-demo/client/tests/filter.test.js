// Filters select the same replies in the page as in the bridge: both are tested against one table.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { CompiledFilter, fieldsOf } from "../filter.js";
import { parseReply } from "../reply.js";

const table = JSON.parse(readFileSync(new URL("../../../bridge/filter/testdata/cases.json", import.meta.url), "utf8"));

/** The envelope of a reply of the table: absent fields are absent here too, or null. */
function envelopeOf(reply) {
  return {
    headers: {
      sender: reply.sender, message_code: reply.message_code ?? null, command_id: reply.command_id ?? null,
      commander_id: reply.commander, internal: reply.internal ?? false,
    },
    routing_key: reply.routing_key,
    body: reply.keywords ? Object.fromEntries(reply.keywords.map((name) => [name, 1])) : "no object",
  };
}

test("filters select what the bridge's table says", () => {
  assert.ok(table.filters.length > 80);
  for (const { filter, selects } of table.filters) {
    const compiled = new CompiledFilter(filter ?? undefined);
    const got = Object.entries(table.replies)
      .filter(([, reply]) => compiled.selects(fieldsOf(parseReply(JSON.stringify(envelopeOf(reply)))), reply.mine ?? false))
      .map(([name]) => name);
    assert.deepEqual(got.sort(), selects, JSON.stringify(filter));
  }
});

test("a filter that the bridge refuses is refused here too, with a message", () => {
  for (const filter of table.wrong) {
    assert.throws(() => new CompiledFilter(filter), { name: "TypeError", message: /filter|pattern|words/ }, JSON.stringify(filter));
  }
});

test("of a selected reply, only the keywords that the filter includes are kept", () => {
  const kept = (filter) => ["dome_open", "temperature"].filter((name) => new CompiledFilter(filter).includesKeyword(name));
  assert.deepEqual(kept({ keyword: "dome_*" }), ["dome_open"]);
  assert.deepEqual(kept({ keyword: ["x", "*"] }), ["dome_open", "temperature"]);
  assert.deepEqual(kept({ sender: "dome" }), ["dome_open", "temperature"]);
});

test("only a filter without constraints selects everything", () => {
  for (const filter of [{}, { sender: "*" }, { routing_key: "#", keyword: ["a", "**"], internal: [true, false] }, { sender: null }]) {
    assert.equal(new CompiledFilter(filter).selectsAll, true, JSON.stringify(filter));
  }
  for (const filter of [{ sender: "a" }, { internal: true }, { commander: "me" }, { message_code: [">", "i", "d", "w", "e", ":", "f", "!"] }]) {
    assert.equal(new CompiledFilter(filter).selectsAll, false, JSON.stringify(filter));
  }
});
