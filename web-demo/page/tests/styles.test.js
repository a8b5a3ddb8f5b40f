import assert from "node:assert/strict";
import { test } from "node:test";
import { laterStyles } from "../shell/styles.js";

test("a style sheet that the bridge did not give is asked for again with the next view, and others are not", async (t) => {
  const links = [new EventTarget(), new EventTarget()].map((link) => Object.assign(link, { rel: "later" }));
  globalThis.document = { querySelectorAll: () => links.filter(({ rel }) => rel === "later") };
  t.after(() => delete globalThis.document);

  const first = laterStyles();
  assert.equal(laterStyles(), first);
  links[0].dispatchEvent(new Event("load"));
  links[1].dispatchEvent(new Event("error"));
  await first;
  assert.deepEqual(links.map(({ rel }) => rel), ["stylesheet", "later"]);

  const again = laterStyles();
  assert.equal(links[1].rel, "stylesheet");
  links[1].dispatchEvent(new Event("load"));
  await again;
  assert.equal(laterStyles(), again);
});
