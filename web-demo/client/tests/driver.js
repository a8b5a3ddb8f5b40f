/**
 * Drives a client by calls on standard input, and prints what it shows: see conformance/README.md. It judges nothing.
 *
 *     go run ./conformance/scripted -- node web-demo/client/tests/driver.js
 */

import { createInterface } from "node:readline";

import { Clu } from "../index.js";
import { formatJSON } from "../json.js";

/** A module with another WebSocket than that of node, which has none before version 22. */
const MODULE = process.env.CLU_WS_TEST_WEBSOCKET;
const WebSocket = MODULE ? (await import(MODULE)).WebSocket : globalThis.WebSocket;

const print = (event, members = {}) => process.stdout.write(`${formatJSON({ event, ...members })}\n`);

/** A client, and the names that the calls have given to its commands and subscriptions. */
class Driven {
  #clu;
  #token;
  #subscriptions = new Map();
  #commands = new Map();  // command -> its name
  #shown = new Map();     // command -> its last state that was printed

  constructor({ url, token, token_by: tokenBy = "subprotocol", silence_ms: silence }) {
    this.#token = token ?? null;
    const login = token === undefined ? {} : { token: () => this.#token, tokenBy };
    const patience = silence === undefined ? {} : { probeAfter: silence, grace: silence };
    this.#clu = new Clu(url, { minDelay: 10, maxDelay: 50, batch: 0, maxLag: Infinity, bigint: "bigint", WebSocket, ...login, ...patience });
    this.#clu.on("state", ({ state }) => print("state", { state }));
    this.#clu.on("command", ({ command }) => this.#show(command));
    this.#clu.on("gap", ({ seconds, from, to, reason }) => print("gap", { seconds, from, to, reason }));
    this.#clu.on("dropped", ({ count }) => print("dropped", { count }));
    this.#clu.on("broker", ({ state }) => print("broker", { state }));
    this.#clu.on("notice", (notice) => print("notice", { notice }));
    this.#clu.on("access", ({ access, changed }) => print("access", { name: access?.name ?? null, changed }));
    this.#clu.on("unauthorized", ({ code }) => print("unauthorized", { code }));
    this.#clu.connect().catch(() => {});
  }

  token({ token }) {
    this.#token = token;
    print("token");
  }

  renew() { this.#clu.renew().catch(() => {}); }

  send({ as, consumer, command_string: commandString, command_id: commandId, timeout_ms: timeout, expires_ms: expires }) {
    const onReply = ({ seq, code, body }) => print("command_reply", { as, seq, message_code: code, body });
    const command = this.#clu.send(consumer, commandString, { commandId, timeout, expires, onReply });
    this.#commands.set(command, as);
    this.#show(command);
  }

  /** Prints a state once, with the code of its error. */
  #show(command) {
    const as = this.#commands.get(command);
    const { state, error } = command;
    if (as === undefined || this.#shown.get(command) === state) return;
    this.#shown.set(command, state);
    print("command", { as, state, code: error?.code ?? null });
  }

  subscribe({ as, filter, snapshot, throttle_ms: throttle, ordered, notices, rooms }) {
    if (rooms) return this.#enter(as, rooms);
    const subscription = this.#clu.subscribe(filter, {
      snapshot, throttle, ordered, notices,
      onReply: ({ seq, sender, code, body }) => print("reply", { on: as, seq, sender, message_code: code, body }),
      onValues: (_, changes) => print("values", {
        on: as, values: Object.fromEntries(changes.map(({ actor, keyword, value }) => [`${actor}.${keyword}`, value])),
      }),
      onRefused: (_, code) => print("refused", { on: as, code }),
    });
    this.#subscriptions.set(as, subscription);
    subscription.ready.then(() => print("subscribed", { on: as }), () => {});
  }

  /** Connects to rooms: a client of clu.js has a connection for each. */
  #enter(as, paths) {
    const rooms = paths.map((path) => this.#clu.rooms.subscribe(path, (body) => print("message", { on: as, body })));
    this.#subscriptions.set(as, { close: () => rooms.forEach((room) => room.close()) });
    const look = () => {
      if (rooms.every(({ state }) => state === "open")) print("subscribed", { on: as });
      else setTimeout(look, 5);
    };
    look();
  }

  wait_for({ as, actor, keyword, equals, timeout_ms: timeout }) {
    this.#clu.waitFor(actor, keyword, (value) => value === equals, { timeout })
      .then(({ value }) => print("answer", { as, value }), ({ code }) => print("error", { as, code: code ?? null }));
  }

  unsubscribe({ as }) { this.#subscriptions.get(as).close(); }

  ask({ as, what, args = {} }) {
    this.#asked(what, args).then((value) => print("answer", { as, value }), ({ code }) => print("error", { as, code: code ?? null }));
  }

  async #asked(what, { keywords, actor, path, body, ...rest }) {
    switch (what) {
      case "history": return this.#clu.history(keywords, rest);
      case "model": return this.#clu.model(actor, rest);
      case "problems": return this.#clu.problems();
      case "ack": return await this.#clu.acknowledge(actor, rest) ?? {};
      case "log": {
        const { entries, more, next } = await this.#clu.log(rest);
        return { seqs: entries.filter(({ reply }) => reply).map(({ reply }) => reply.seq), more, next };
      }
      case "commands": return { commands: await this.#clu.everyCommand() };
      case "site": return this.#clu.site();
      case "actors": return { actors: await this.#clu.actors() };
      default: return await this.#clu.publish(path, body) ?? {};
    }
  }

  close() {
    this.#clu.close();
    setTimeout(() => print("closed"));  // after what the promises still print
  }
}

let driven = null;
print("ready", { client: "clu.js", without: [] });
for await (const line of createInterface({ input: process.stdin })) {
  const { call, ...members } = JSON.parse(line);
  if (call === "connect") driven = new Driven(members);
  else driven[call](members);
}
process.exit(0);
