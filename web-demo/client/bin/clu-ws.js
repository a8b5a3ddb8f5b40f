#!/usr/bin/env node
/** The command of the npm package: `npx clu-ws types URL --output site.d.ts`. */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { Clu } from "../clu.js";
import { oneLine, siteTypes } from "./sitetypes.js";

const USAGE = `Usage: npx clu-ws types URL --output site.d.ts

Writes the types of a site, from what the actors of the bridge at URL tell of their keywords and commands.

  --output FILE    write to this file, once all is there: one that is there stays as it is if something fails
  --actor NAME     only this actor; may be repeated
  --token TOKEN    the credential, if the bridge asks for one; default: $CLU_WS_TOKEN
  --timeout TIME   seconds to wait for all answers; default: 30
  --help

URL is ws://, wss://, http:// or https://. Without --output the types go to standard output, all else to standard error.
Exit status: 0 done, 1 the server cannot tell models, 2 wrong usage, 3 no connection, or not let in, 6 time ran out.
`;

const DONE = 0, UNABLE = 1, WRONG_USAGE = 2, NOT_CONNECTED = 3, TOO_LATE = 6;

/** How long to wait before an actor that has not told its model yet is asked about again, ms. */
const ASK_AGAIN = 250;

/** An end of the program, with its exit status. */
class Exit extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function readArguments(args) {
  const options = { output: { type: "string" }, actor: { type: "string", multiple: true }, token: { type: "string" }, timeout: { type: "string", default: "30" }, help: { type: "boolean" } };
  let values, positionals;
  try {
    ({ values, positionals } = parseArgs({ args, options, allowPositionals: true }));
  } catch (error) {
    throw new Exit(WRONG_USAGE, `${error.message}\n\n${USAGE}`);
  }
  if (values.help) throw new Exit(DONE, USAGE);
  const [command, url, ...more] = positionals;
  const timeout = Number(values.timeout) * 1_000;
  const wrong =
    command === undefined ? "Say what to do." :
    command !== "types" ? `There is no command ${JSON.stringify(command)}.` :
    url === undefined ? "The URL of the bridge is missing." :
    !/^(wss?|https?):\/\/./.test(url) || !URL.canParse(url) ? `${JSON.stringify(url)} is no URL of a bridge.` :
    more.length > 0 ? `${JSON.stringify(more[0])} is not understood.` :
    !(timeout > 0 && timeout <= 3_600_000) ? `--timeout ${values.timeout} is no time from 0 to 3600 s.` : null;
  if (wrong) throw new Exit(WRONG_USAGE, `${wrong}\n\n${USAGE}`);
  return { url, timeout, only: values.actor, output: values.output, token: values.token ?? process.env.CLU_WS_TOKEN };
}

/** The class WebSocket: node's own, or that of the package ws. */
async function webSocket() {
  if (globalThis.WebSocket) return globalThis.WebSocket;
  try {
    return (await import("ws")).WebSocket;
  } catch {
    throw new Exit(NOT_CONNECTED, `Node ${process.versions.node} has no WebSocket: use node 22 or later, or install one beside this package: npm install ws\n`);
  }
}

/** Connects once. The client itself would try for ever, and here somebody waits. */
async function connect({ url, token }) {
  const clu = new Clu(url, { WebSocket: await webSocket(), token: token ? () => token : undefined });
  clu.on("error", () => {});  // what fails is told by what waits for it
  clu.subscribe(null, { notices: ["models"] });  // no replies
  const failed = new Promise((_, reject) => {
    let attempts = 0;
    clu.on("close", ({ reason, wasOpen }) => {
      attempts += 1;
      // After a first attempt that failed, the client asks the bridge why, and may say `unauthorized`.
      if (!wasOpen && attempts < 2) return;
      queueMicrotask(() => reject(new Exit(NOT_CONNECTED, `There is no connection to ${url}: ${reason || (wasOpen ? "it was lost" : "nothing answers there as a bridge does")}\n`)));
    });
    clu.on("unauthorized", ({ reason }) => reject(new Exit(NOT_CONNECTED, `The bridge does not let this program in: ${reason}\n`)));
  });
  failed.catch(() => {});
  await Promise.race([clu.connect().catch(() => failed), failed]);
  return { clu, failed };
}

async function siteActors(clu, only) {
  const known = (await clu.actors()).map(({ name }) => name);
  const actors = await Promise.all((only ? [...new Set(only)] : known).map((name) => siteActor(clu, name)));
  const missing = actors.filter(({ name, model }) => model?.state === "none" && !known.includes(name)).map(({ name }) => name);
  if (missing.length > 0) throw new Exit(UNABLE, `The bridge has heard no actor ${missing.join(", ")}; there are ${known.join(", ") || "none"}.\n`);
  return actors;
}

async function siteActor(clu, name) {
  for (;;) {
    let model;
    try {
      model = await clu.model(name);
    } catch (error) {
      if (error.code !== "forbidden") throw error;
      return { name, model: null, problem: error.message };  // the others may be known
    }
    if (model.state !== "asking") return { name, model, problem: model.problem };
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
  }
}

async function types({ url, token, timeout, only }) {
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Exit(TOO_LATE, `Not all actors have answered within ${timeout / 1_000} s.\n`)), timeout).unref();
  });
  late.catch(() => {});
  const { clu, failed } = await Promise.race([connect({ url, token }), late]);
  try {
    const actors = await Promise.race([siteActors(clu, only), failed, late]);
    for (const { name, problem } of actors) if (problem) process.stderr.write(`${oneLine(`${name}: ${problem}`)}\n`);
    return siteTypes(actors);
  } catch (error) {
    if (error.code === "unsupported") throw new Exit(UNABLE, `The server at ${url} cannot tell models: ${error.message}\n`);
    throw error;
  } finally {
    clu.close();
  }
}

/** Writes a text, and resolves when it is out: a pipe may take it in parts. */
function write(stream, text) {
  return new Promise((resolve) => stream.write(text, resolve));
}

let status = DONE;
try {
  const asked = readArguments(process.argv.slice(2));
  const text = await types(asked);
  if (asked.output === undefined) await write(process.stdout, text);
  else writeFileSync(asked.output, text);
} catch (error) {
  status = error instanceof Exit ? error.status : UNABLE;
  await write(status === DONE ? process.stdout : process.stderr, error instanceof Exit ? error.message : `${error.message}\n`);
}
process.exit(status);  // the client may have an attempt to connect under way
