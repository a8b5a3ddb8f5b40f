// Models of actors: asked for once, told of when they come and when they differ.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Models } from "../core/models.js";
import { MetaOfTracks } from "../plot/meta.js";

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

test("a model is asked for once, and told of when it has come", async () => {
  const asked = [];
  const models = new Models(async (actor) => {
    asked.push(actor);
    return { state: "known", commands: [{ name: "open", params: [] }] };
  });
  const told = [];
  models.onChange((actor) => told.push(actor));
  assert.equal(models.get("dome").state, "asking");
  models.get("dome");
  await turn();
  assert.deepEqual([asked, told], [["dome"], ["dome"]]);
  assert.equal(models.get("dome").commands[0].name, "open");
  assert.deepEqual(models.get("dome").keywords, {});
});

test("one that is as it was stays the same object, and is not told of", async () => {
  let n = 0;
  const models = new Models(async () => ({ state: "known", asked: n += 1, commands: [{ name: "open", params: [{ min: 5n }] }] }));
  models.get("dome");
  await turn();
  const before = models.get("dome");
  models.onChange(() => assert.fail("nothing has changed"));
  models.refresh();
  await turn();
  assert.equal(n, 2);
  assert.equal(models.get("dome"), before);
});

test("a change during a question is asked for after it", async () => {
  const answers = [];
  const models = new Models(() => new Promise((resolve) => { answers.push(resolve); }));
  models.get("dome");
  models.changed("dome");
  models.changed("weather");
  assert.equal(answers.length, 1);
  answers[0]({ state: "asking" });
  await turn();
  answers[1]({ state: "known", commands: [{ name: "open", params: [] }] });
  await turn();
  assert.equal(models.get("dome").commands.length, 1);
});

test("a server without models leaves the reason", async () => {
  const models = new Models(async () => { throw new Error("CLU's own server has no model"); });
  models.get("dome");
  await turn();
  assert.deepEqual(models.get("dome"), { state: "none", commands: [], keywords: {}, problem: "CLU's own server has no model" });
});

test("a plot has the units of its keywords once a bridge that was away has answered", async () => {
  let isAway = true;
  const models = new Models(async () => {
    if (isAway) throw new Error("not connected");
    return { state: "known", keywords: { wind_speed_ms: { unit: "m/s", max: 20 } } };
  });
  let changed = 0;
  const meta = new MetaOfTracks({ models, site: { keywords: {} }, onSite: () => () => {} }, () => { changed += 1; });
  const wind = { actor: "weather", path: "wind_speed_ms" };
  assert.equal(meta.of(wind).unit, "");
  await turn();
  isAway = false;
  models.refresh();
  await turn();
  assert.equal(meta.of(wind).unit, "m/s");
  assert.equal(changed, 2);
  meta.stop();
  models.changed("weather");
  await turn();
  assert.equal(changed, 2);
});
