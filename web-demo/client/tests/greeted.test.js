// What is asked before it is known what the server is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Queries } from "../queries.js";

test("a request that the server turns out not to have is rejected, and the others wait for their answers", async () => {
  const sent = [];
  const queries = new Queries({ send: (text) => sent.push(JSON.parse(text)), unusable: () => null, capabilities: () => null, date: () => {} });
  const model = queries.model("dome");
  const site = queries.site();
  queries.greeted(["site"]);
  await assert.rejects(model, { code: "unsupported" });
  queries.message({ op: "site", id: sent[1].id, title: "here" });
  assert.equal((await site).title, "here");
});
