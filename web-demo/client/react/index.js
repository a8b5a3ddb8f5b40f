"use client";

/**
 * clu.js for React 18 and later:
 *
 *     <CluProvider url="ws://localhost:9876/"><Dome /></CluProvider>
 *
 *     function Dome() {
 *       const shutter = useKeyword("dome", "dome_shutter");
 *       const open = useCommand("dome", "open");
 *       return <button disabled={open.running} onClick={() => open.send()}>{String(shutter.value)}</button>;
 *     }
 *
 * What a component shows comes from frozen snapshots, so that one rendering never mixes two moments, and a component is
 * rendered again only when its own keyword or command changes. On a server, and until a page is hydrated, no value is known.
 */

import { createContext, createElement, useCallback, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { Clu } from "../index.js";

const CluContext = createContext(/** @type {Clu|null} */ (null));

/** The keyword of which nothing is known. */
const NOTHING = Object.freeze({ value: undefined, time: null, heard: null, code: null, seq: null, epoch: null, stale: true });

/** The connection before there is any. */
const UNCONNECTED = Object.freeze({ state: "closed", broker: "unknown", current: false, behind: false, reason: "", retryAt: null, refused: null });

/** Silence, ms, after which the bridge is asked for a sign of life, as with `connect`. */
const PULSE = 1_000;

/** Stands where there is no WebSocket, as on a server with node 20: such a client renders, and cannot connect. */
class NoWebSocket {
  constructor() { throw new Error("there is no WebSocket here"); }
}

/** The URL of a bridge, and its client. */
function clientOf(url, options) {
  return { url, clu: new Clu(url, { pulse: PULSE, WebSocket: globalThis.WebSocket ?? NoWebSocket, ...options }) };
}

/**
 * Gives a client to the components below: `clu`, which the page has made, connects and closes; or one of its own for `url`, which is
 * connected as long as the provider is mounted. `options` are read when the client is made.
 */
export function CluProvider({ clu, url, options, children }) {
  return clu ? createElement(CluContext.Provider, { value: clu }, children) : createElement(OwnClient, { url, options }, children);
}

function OwnClient({ url, options, children }) {
  const [made, setMade] = useState(() => clientOf(url, options));
  let current = made;
  if (made.url !== url) {
    current = clientOf(url, options);
    setMade(current);
  }
  const { clu } = current;
  useEffect(() => {
    clu.connect().catch(() => {});  // the event `unauthorized` tells why not, and so does useConnection
    return () => clu.close();
  }, [clu]);
  return createElement(CluContext.Provider, { value: clu }, children);
}

/** The client of the provider. */
export function useClu() {
  const clu = useContext(CluContext);
  if (clu === null) throw new Error("there is no <CluProvider> around this component");
  return clu;
}

/** The last value of a keyword, and whether it is stale: not known to be what the actor says now. */
export function useKeyword(actor, name) {
  const clu = useClu();
  const keyword = useMemo(() => clu.keyword(actor, name), [clu, actor, name]);
  return useSyncExternalStore(keyword.subscribe, keyword.getSnapshot, () => NOTHING);
}

/** The command string. What is no text is left to `clu.send`, which rejects it: `onClick={send}` hands over an event. */
function commandOf(verb, words) {
  const rest = words ?? "";
  return typeof rest === "string" ? [verb, rest].filter(Boolean).join(" ") : rest;
}

const noCommand = () => null;
const never = () => () => {};

/**
 * Sends commands to an actor and follows the last one. With a verb, `send` takes the rest of the command. The command goes
 * on when the component is gone.
 */
export function useCommand(actor, verb) {
  const clu = useClu();
  const [sent, setSent] = useState(null);
  const command = sent !== null && sent.clu === clu && sent.actor === actor && sent.verb === verb ? sent.command : null;
  const subscribe = useCallback((listener) => command === null ? never() : command.subscribe(listener), [command]);
  const snapshot = useSyncExternalStore(subscribe, command === null ? noCommand : () => command.getSnapshot(), noCommand);
  const send = useCallback((words, options) => {
    const command = clu.send(actor, commandOf(verb, words), options);
    setSent({ clu, actor, verb, command });
    return command;
  }, [clu, actor, verb]);
  const reset = useCallback(() => setSent(null), []);
  return {
    send,
    reset,
    command: snapshot,
    state: snapshot?.state ?? "idle",
    running: snapshot?.active ?? false,
    message: snapshot?.message ?? null,
    error: snapshot?.error ?? null,
  };
}

/** What is known of a client's connection, as a frozen object that is replaced when something changes. */
class Connection {
  #clu;
  #listeners = new Set();
  #snapshot;
  #behind;
  #reason = "";
  #refused = null;

  constructor(clu) {
    this.#clu = clu;
    this.#behind = clu.lag * 1_000 > FAR_BEHIND;
    this.#snapshot = this.#now();
    clu.on("state", ({ reason }) => { this.#reason = reason; this.#changed(); });
    clu.on("broker", () => this.#changed());
    clu.on("lag", ({ behind }) => { this.#behind = behind; this.#changed(); });
    clu.on("open", () => { this.#refused = null; this.#changed(); });
    clu.on("close", () => { this.#behind = false; this.#changed(); });
    clu.on("unauthorized", (refused) => { this.#refused = refused; this.#changed(); });
  }

  subscribe = (listener) => {
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  };

  getSnapshot = () => this.#snapshot;

  #now() {
    const { state, broker, retryAt, protocol } = this.#clu;
    const hears = broker === "up" || broker === "blocked" || protocol === "plain";
    return Object.freeze({ state, broker, current: state === "open" && hears && !this.#behind, behind: this.#behind, reason: this.#reason, retryAt, refused: this.#refused });
  }

  #changed() {
    const now = this.#now();
    if (Object.keys(now).every((name) => now[name] === this.#snapshot[name])) return;
    this.#snapshot = now;
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener();
  }
}

/** ms behind which a client that has said nothing of it yet counts as behind. */
const FAR_BEHIND = 3_000;

/** The connection of each client. */
const connections = new WeakMap();

function connectionOf(clu) {
  if (!connections.has(clu)) connections.set(clu, new Connection(clu));
  return connections.get(clu);
}

/** Whether the page is connected, and whether what it shows is current. */
export function useConnection() {
  const connection = connectionOf(useClu());
  return useSyncExternalStore(connection.subscribe, connection.getSnapshot, () => UNCONNECTED);
}

const all = Object.freeze({ CluProvider, useClu, useKeyword, useCommand, useConnection });

/** The same hooks with the types of a site: `const { useKeyword } = hooks<Site>()`. */
export function hooks() {
  return all;
}
