// What a page that is behind reads of a frame is what parsing all of it gives, whatever an actor has sent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backlog } from "../backlog.js";
import { envelope } from "./fakebridge.js";

/** A generator of numbers below `n`, the same for the same seed. */
function random(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const NOISE = ['"seq": 7, "epoch": "x", "heard": 9}', '{"op"', "}", '\\"', '"', "\n", "heard", "5853498713190525696", "é€😀", '"seq": 1', ' "epoch": "'];

/** Any JSON value, with texts that look like the end of a frame. */
function value(pick, depth = 0) {
  switch (pick(depth > 3 ? 4 : 6)) {
    case 0: return pick(1_000_000) - 500_000;
    case 1: return null;
    case 2: return pick(2) === 1;
    case 3: return Array.from({ length: pick(6) }, () => NOISE[pick(NOISE.length)]).join("");
    case 4: return Array.from({ length: pick(4) }, () => value(pick, depth + 1));
    default: return Object.fromEntries(Array.from({ length: pick(4) }, () => [NOISE[pick(NOISE.length)], value(pick, depth + 1)]));
  }
}

const NOW = 1_000_000;

/** A page that is behind, and what it has skipped. */
function behind() {
  const skipped = [];
  const backlog = new Backlog({
    send: () => {}, emit: () => {}, now: () => NOW, ids: () => [], isLive: () => true, held: () => 0,
    skipped: (epoch, seq) => skipped.push([epoch, seq]), valued: () => [], snapshot: () => {},
  }, { monotonic: () => 0 });
  backlog.reply({ seq: 1, heard: 1.5 });
  return { backlog, skipped };
}

test("the end of a frame is read as all of it would be, also by bridges that write no spaces", () => {
  const pick = random(17);
  for (let n = 0; n < 5_000; n += 1) {
    const { backlog, skipped } = behind();
    const [seq, epoch, heard] = [pick(1e9), `e${pick(1e6)}`, 1_000_001 + pick(1e6)];
    const frame = JSON.stringify({ ...envelope("i", null, value(pick)), seq, epoch, heard });
    const written = pick(2) ? frame : frame.replace(/,"seq":(\d+),"epoch":"([^"]*)","heard":(\d+)\}$/, ', "seq": $1, "epoch": "$2", "heard": $3}');
    assert.equal(backlog.skips(written), true, written);
    assert.deepEqual(skipped, [[epoch, seq]], written);
  }
});

test("what is no numbered reply is never skipped, whatever it ends with", () => {
  const pick = random(99);
  for (let n = 0; n < 5_000; n += 1) {
    const { backlog, skipped } = behind();
    const frames = [JSON.stringify(value(pick)), JSON.stringify(envelope("i", null, value(pick))), JSON.stringify({ op: "pong", seq: 1, epoch: "e", heard: 5 }),
      JSON.stringify({ ...envelope("i", null, {}), seq: 1, epoch: "e" }), NOISE[pick(NOISE.length)]];
    for (const frame of frames) {
      const looksLike = /"seq": ?\d+, ?"epoch": ?"[^"]*", ?"heard": ?\d+\}\s*$/.test(frame) && !frame.startsWith('{"op"');
      if (!looksLike) assert.equal(backlog.skips(frame), false, frame);
    }
    assert.deepEqual(skipped, []);
  }
});
