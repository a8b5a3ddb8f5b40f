// Files of the log.

import assert from "node:assert/strict";
import { test } from "node:test";

import { csvLine, fileName } from "../core/files.js";
import { csv, ndjson } from "../log/files.js";
import { pretty } from "../log/envelope.js";
import { replyOf } from "./replies.js";

const items = [
  { time: 1_000, reply: replyOf({ seq: 1, body: { text: 'a "b", c', big: 5853498713190525696n } }), mark: null },
  { time: 2_000, reply: null, mark: "replies may be missing here" },
];

test("NDJSON has whole envelopes with all digits, and says where replies are missing", () => {
  const [first, second, end] = ndjson(items).split("\n");
  assert.match(first, /"big":5853498713190525696\b/);
  assert.equal(JSON.parse(first).seq, 1);
  assert.deepEqual(JSON.parse(second), { gap: "replies may be missing here", time: "1970-01-01T00:00:02.000Z" });
  assert.equal(end, "");
});

test("CSV is quoted as RFC 4180 says", () => {
  assert.equal(csv(items), [
    "time,code,sender,command_id,commander_id,internal,epoch,seq,body",
    '1970-01-01T00:00:01.000Z,i,dome,,,false,e,1,"{""text"":""a \\""b\\"", c"",""big"":5853498713190525696}"',
    "1970-01-01T00:00:02.000Z,,,,,,,,replies may be missing here", "",
  ].join("\r\n"));
});

test("what a spreadsheet would run as a formula is text", () => {
  assert.equal(csvLine(["=1+1", "@x", "-5", -5, "+a,b", null]), "'=1+1,'@x,-5,-5,\"'+a,b\",\r\n");
});

test("a file is named by its span of time", () => {
  assert.equal(fileName("log", Date.UTC(2026, 10, 28, 3, 15), Date.UTC(2026, 10, 28, 4, 40), "csv"), "log-20261128-031500-20261128-044000.csv");
});

test("an envelope that is too long to be shown says how much is missing", () => {
  assert.equal(pretty({ body: { a: 1 } }), '{\n  "body": {\n    "a": 1\n  }\n}');
  const shown = pretty({ body: { text: "x".repeat(10_000_000) } });
  assert.ok(shown.length < 501_000);
  assert.match(shown, /…\n\n\(cut here: these are 500000 of 100000\d\d characters/);
});
