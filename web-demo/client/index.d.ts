/** The client with what programs use: the entry of the package, and of /clu.js. Times are in ms unless they are Dates. */

import { Clu as Core } from "./clu.js";
import type { CluOptions, Command, Filter, Gap, Reply, SendOptions } from "./clu.js";

export * from "./clu.js";
export type * from "./clu.js";

/**
 * What a site's actors have: write it by hand, or by `npx clu-ws types ws://host:9876 --output site.d.ts`. An actor has the types of
 * its keywords, and its commands.
 */
export interface ActorTypes {
  keywords: object;
  commands: string;
}

/** Any such types. */
export type SiteTypes = Record<string, ActorTypes>;

/** The default: any actor, any keyword, any command. */
export interface AnySite {
  [actor: string]: { keywords: Record<string, any>; commands: string };
}

type Named<T> = keyof T & string;
type Actors<S> = { [A in Named<S>]: ActorTypes };
type KeywordsOf<S, A extends Named<S>> = S[A] extends { keywords: infer K } ? K : never;
type CommandsOf<S, A extends Named<S>> = S[A] extends { commands: infer C extends string } ? C : never;

/** What is known of a keyword: frozen, and a new object at each change. */
export interface KeywordSnapshot<T = any> {
  /** Undefined before there is one, and if it is too large for the bridge to keep. */
  readonly value: T | undefined;
  /** When it was heard, by this computer's clock; null before that. */
  readonly time: Date | null;
  /** The same by the bridge's clock; null also from CLU's own server. */
  readonly heard: number | null;
  readonly code: string | null;
  readonly seq: number | null;
  readonly epoch: string | null;
  /** Whether it is not known to be current: no connection, what was missed still comes, or changes may have been missed. */
  readonly stale: boolean;
}

/** The last value of a keyword, for as long as it has listeners. Made by Clu.keyword. */
export interface Keyword<T = any> {
  readonly actor: string;
  readonly name: string;
  readonly value: T | undefined;
  readonly time: Date | null;
  readonly heard: number | null;
  readonly stale: boolean;
  /** Calls a listener at each change, and returns a function that removes it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** All of this: the same object until something changes. */
  readonly getSnapshot: () => KeywordSnapshot<T>;
}

/** Why a wait has ended. */
export class WaitError extends Error {
  constructor(message: string, code: "timeout" | "aborted" | "closed", cause?: unknown);
  name: "TimeoutError" | "AbortError";
  readonly code: "timeout" | "aborted" | "closed";
}

export interface WaitOptions {
  /** How long to wait; default: forever. */
  timeout?: number;
  signal?: AbortSignal;
  /** How old the value may be, by the bridge's clock; default: any age. */
  maxAge?: number;
}

export interface RepliesOptions {
  /** Ends the loop, without an error. */
  signal?: AbortSignal;
  /** Begins with what the bridge has kept after this reply. */
  since?: { epoch: string; seq: number };
  /** How many replies are kept for a loop that reads slowly; default 10 000. The oldest are left out. */
  limit?: number;
  /** That many replies were left out here. */
  onDropped?: (count: number) => void;
  /** Replies may be missing here. */
  onGap?: (gap: Gap) => void;
}

/** Replies to loop over with `for await`. */
export interface Replies extends AsyncIterableIterator<Reply> {
  /** How many were left out, because the loop reads too slowly. */
  readonly dropped: number;
}

/** A connection to a room. */
export interface Room {
  readonly path: string;
  /** "closed" also while waiting for the next attempt. */
  readonly state: "connecting" | "open" | "closed";
  close(): void;
}

export interface RoomOptions {
  /** Messages may be missing: it was not connected. */
  onGap?: (gap: { from: Date; to: Date }) => void;
  /** It has ended, because it was closed, or the bridge does not let this client in. */
  onEnd?: (reason: string, code: number) => void;
}

export interface Rooms {
  /** Connects to a room, such as "/live/x". `body` is the message as JSON, else as text; `data` is as it came. */
  subscribe(path: string, onMessage: (body: any, data: string | Blob | ArrayBuffer) => void, options?: RoomOptions): Room;
  /** Publishes any JSON value to a room. Fulfilled when the broker has it; rejected with a RequestError. */
  publish(path: string, body: any): Promise<void>;
}

export class Clu<S extends Actors<S> = AnySite> extends Core {
  /** @param url  ws(s):// or http(s)://, absolute or relative to the page; default: the page's folder */
  constructor(url?: string | URL, options?: CluOptions);
  readonly rooms: Rooms;
  connect(): Promise<this>;
  /** The last value of one keyword, for as long as it has listeners. The same names yield the same object. */
  keyword<A extends Named<S>, K extends Named<KeywordsOf<S, A>>>(actor: A, name: K): Keyword<KeywordsOf<S, A>[K]>;
  /** Sends a command and follows it. It never throws: a mistake yields a rejected command. */
  send<A extends Named<S>>(consumer: A, commandString: CommandsOf<S, A> | `${CommandsOf<S, A>} ${string}`, options?: SendOptions): Command;
  /** Waits until a keyword has a current value for which the predicate is true; by default any. Rejected with a WaitError. */
  waitFor<A extends Named<S>, K extends Named<KeywordsOf<S, A>>>(
    actor: A, name: K, predicate?: (value: KeywordsOf<S, A>[K], snapshot: KeywordSnapshot<KeywordsOf<S, A>[K]>) => boolean, options?: WaitOptions,
  ): Promise<KeywordSnapshot<KeywordsOf<S, A>[K]>>;
  /** The replies that a filter selects, to loop over with `for await`. A refusal is thrown as a RequestError. */
  replies(filter?: Filter | null, options?: RepliesOptions): Replies;
  /** Calls a function at `close`, and returns a function that takes that back. */
  onClose(end: () => void): () => void;
}

/**
 * Returns a client that connects, and reconnects until `close`. It rejects nothing where the bridge is not there: await
 * `clu.connect()` to wait for the connection.
 */
export function connect<S extends Actors<S> = AnySite>(url?: string | URL, options?: CluOptions): Clu<S>;
