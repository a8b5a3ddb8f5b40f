// Programs that compile, and lines that must not. They are checked, not run.

import { CommandError, connect, Clu, RequestError, WaitError } from "../../client/index.js";
import type { CommandSnapshot, Keyword, KeywordSnapshot, Replies, SiteTypes, Values } from "../../client/index.js";

interface Site {
  dome: { keywords: { dome_shutter: "open" | "closed"; az: number }; commands: "open" | "rotate" };
  "odd-name": { keywords: Record<string, any>; commands: string };
}
type Alias = { dome: { keywords: { az: number }; commands: "open" } };

const clu = connect<Site>("ws://host:9876", { token: async () => "text", bigint: "bigint" });
const any = connect(new URL("ws://host:9876"));
const plain: Clu = new Clu();
connect<Alias>().keyword("dome", "az");

// Keywords.
const shutter: Keyword<"open" | "closed"> = clu.keyword("dome", "dome_shutter");
const value: "open" | "closed" | undefined = shutter.value;
const seen: KeywordSnapshot = shutter.getSnapshot();
const stop: () => void = shutter.subscribe(() => console.log(seen.stale, value));
any.keyword("anything", "at_all").value.member;
clu.keyword("odd-name", "anything");

// Commands: awaited, watched, stopped.
async function command(): Promise<void> {
  const { keywords, reply } = await clu.send("dome", "rotate 5", { timeout: 6e4, signal: AbortSignal.timeout(5) });
  console.log(keywords.az, reply?.text);
  try {
    await any.send("camera", "expose 5");
  } catch (error) {
    if (error instanceof CommandError) console.log(error.state, error.code, error.message, error.reply?.text);
  }
  const running = clu.send("odd-name", "anything at all");
  running.subscribe(() => console.log(running.getSnapshot().state));
  running.catch((error: CommandError) => console.log(error.state)).finally(stop);
}

// Events, values, waiting, loops, requests, rooms.
async function rest(): Promise<void> {
  clu.on("gap", (gap) => console.log(gap.seconds?.toFixed(1)));
  clu.on("command", (snapshot: CommandSnapshot) => console.log(snapshot.state === "done", snapshot.error?.code));
  clu.on("broker", ({ state }) => console.log(state === "unknown", clu.broker === "no_replies"));
  let values: Values = {};
  clu.subscribe({ sender: ["dome"] }, { onValues: (now, changes) => { values = now; console.log(changes[0]?.before); } });
  console.log(values.dome?.az?.value);
  const { value: az }: KeywordSnapshot<number> = await clu.waitFor("dome", "az", (now) => now > 5, { timeout: 5, maxAge: 6e4 });
  console.log(az?.toFixed());
  const replies: Replies = clu.replies({ sender: "dome" }, { since: { epoch: "e", seq: 1 }, onGap: ({ from }) => console.log(from) });
  for await (const reply of replies) console.log(reply.text, replies.dropped);
  const { series } = await clu.history(["weather.wind_speed_ms"], { from: "-6h", points: 1200 });
  console.log(series[0]?.kind);
  await clu.publish("/live/x", { n: 1 }).catch((error: RequestError) => error.code);
  clu.rooms.subscribe("/live/x", (body) => console.log(body.n)).close();
  const error: WaitError = new WaitError("why", "timeout");
  const types: SiteTypes = { dome: { keywords: { a: 1 }, commands: "open" } };
  console.log(error.code, types, await plain.connect());
}
console.log(command, rest);

// Mistakes.
// @ts-expect-error
clu.on("gpa", () => {});
// @ts-expect-error
clu.on("gap", (gap) => gap.secondss);
// @ts-expect-error
clu.keyword("dome", "dome_shuter");
// @ts-expect-error
clu.keyword("dom", "az");
// @ts-expect-error
clu.send("dome", "opne");
// @ts-expect-error
clu.send("dom", "open");
// @ts-expect-error
clu.send("dome", "open", { timeuot: 5 });
// @ts-expect-error
const wrong: number = shutter.value;
// @ts-expect-error
clu.waitFor("dome", "az", (now) => now.length > 5);
// @ts-expect-error
connect("ws://host:9876", { bigints: "bigint" });
// @ts-expect-error
clu.subscribe({ senders: "dome" });
// @ts-expect-error
shutter.getSnapshot().value = "open";
// @ts-expect-error
clu.replies({ sender: "dome" }, { since: 5 });
// @ts-expect-error
for (const reply of clu.replies()) console.log(reply);
// @ts-expect-error
new CommandError("why", "command");
