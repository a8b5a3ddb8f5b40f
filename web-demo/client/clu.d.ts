/** The browser client of clu-ws. Times are in ms unless they are Dates. */

import type { ActorEntry, CommandEntry, History, LogPart, LogRequest, Model, Notice, NoticeKind, Problem, Site, When } from "./answers.js";
import type { Command, CommandSnapshot, SendOptions } from "./command.js";
import type { Action, Credential, Identity } from "./grants.js";

export type * from "./answers.js";
export { Command, CommandError } from "./command.js";
export type { CommandResult, CommandSnapshot, CommandState, SendOptions } from "./command.js";
export type * from "./grants.js";

/** What integers beyond 2^53 become: a string of their digits, a BigInt, or the nearest number. */
export type BigIntMode = "text" | "bigint" | "number";

export interface CluOptions {
  /** Shortest wait before reconnecting; default 200. */
  minDelay?: number;
  /** Longest wait before reconnecting; default 10 000. */
  maxDelay?: number;
  /** How long an attempt to connect may take; default 10 000. */
  connectTimeout?: number;
  /** A text that CLU's own server answers, sent after silence to detect a dead socket. With clu-ws, silence is always probed. */
  probe?: string | null;
  /** Silence after which a bridge is asked for a sign of life, see `silence`; default Infinity, never. */
  pulse?: number;
  /** Replies kept for each command; default 500. */
  maxReplies?: number;
  /** Commands in flight at the same time; default 500. */
  maxActive?: number;
  /** Unknown commands whose replies are still followed; default 200. */
  maxUnknown?: number;
  /** After this time a command must not be sent to its actor any more; default 5 000. */
  expires?: number;
  /** How long the bridge may delay a reply so that several leave in one write, 0 to 1 000; default 50, or the URL's `batch_ms`. */
  batch?: number;
  /**
   * How far the page may be behind until it skips what is old and asks for the last values; default 3 000. Infinity for a
   * program that must have every reply, however late.
   */
  maxLag?: number;
  /** Default "text". */
  bigint?: BigIntMode;
  /**
   * The credential for a bridge that asks who one is. Called before every attempt to connect, and when the bridge says
   * that the login expires.
   */
  token?: () => Credential | Promise<Credential>;
  /** How a token travels: in the handshake, the default, or in the first message, as a ticket always does. */
  tokenBy?: "subprotocol" | "message";
  /** Asks the bridge why an attempt to connect failed, which a browser does not say; default: the global one. */
  fetch?: typeof fetch;
  /** The class to connect with; default: the global one. */
  WebSocket?: new (url: string, protocols?: string[]) => WebSocket;
}

/** A reply of an actor. Fields that the envelope lacks are null. */
export interface Reply {
  sender: string | null;
  /** The message code as sent, "" if there is none; see CODES. */
  code: string;
  level: "ok" | "warn" | "error";
  /** The command that it answers; null on a broadcast. */
  commandId: string | null;
  commanderId: string | null;
  internal: boolean;
  /** Any JSON value. */
  body: any;
  /** The body if it is an object, else an empty object. */
  keywords: Record<string, any>;
  /**
   * What it says: the body's `error`, `text`, `message`, `warning`, `alert`, `reason` or `info`, or a body that is a string; of
   * a warning or an error without these, its first text.
   */
  text: string | null;
  /** The bridge itself refused a message of this client; no actor got it. */
  refused: boolean;
  /** The broker found no such consumer, and the bridge answers in its name. */
  returned: boolean;
  /** When it was sent, to the second. */
  time: Date | null;
  /** When it arrived here. */
  receivedAt: number;
  /**
   * When the bridge heard it, ms since 1970 by the bridge's clock: ages count from here. 0 if that is not known, null from
   * a server that does not say it.
   */
  heard: number | null;
  /** The same by the local clock; without `heard`, when it was published, as far as is known. */
  at: number;
  /** It was published while this page was not connected, and arrived afterwards. */
  late: boolean;
  /** Its number; null from CLU's own server. */
  seq: number | null;
  /** The numbering that `seq` belongs to. */
  epoch: string | null;
  /** Length of the frame, in characters. */
  size: number;
  /** The envelope, unchanged. */
  envelope: any;
}

/** A reply must match every field that is present, and matches a field by one of its values. */
export interface Filter {
  /** Globs: `*` any text, `?` a character, `[a-z]` one of these; "" is no sender. */
  sender?: string | string[] | null;
  /** Globs; one must match one of the body's keys. */
  keyword?: string | string[] | null;
  /** AMQP patterns: `reply.*`, `reply.#`. */
  routing_key?: string | string[] | null;
  /** Among > i d w e : f ! */
  message_code?: string | string[] | null;
  /** Globs. */
  command_id?: string | string[] | null;
  /** Globs; "me" matches replies to commands of this client. */
  commander?: string | string[] | null;
  /** True: replies that are not meant for people; false: the others. */
  internal?: boolean | boolean[] | null;
}

/** The last value of a keyword. */
export interface Value {
  /** Any JSON value; undefined if it is too large for the bridge to keep. */
  value: any;
  /** When it was heard, by the local clock. */
  time: Date;
  /** When the bridge heard it, ms since 1970 by the bridge's clock; null from CLU's own server. */
  heard: number | null;
  /** The message code of its reply. */
  code: string;
  seq: number | null;
  epoch: string | null;
  internal: boolean;
  /** Bytes of a value that the bridge does not keep. */
  tooLarge?: number;
}

/** The values of each keyword of each actor: frozen, and a new object at each change. */
export type Values = Readonly<Record<string, Readonly<Record<string, Value>>>>;

export interface Change extends Value {
  actor: string;
  keyword: string;
  before: Value | undefined;
}

export interface SubscriptionOptions {
  /** Request the last values at once; default true. */
  snapshot?: boolean;
  /** Keep the last values in `values`; default true. A page that keeps them itself saves the work. */
  values?: boolean;
  /** Of what the event `notice` tells. With the filter null the subscription is for these alone, and selects no replies. */
  notices?: NoticeKind[];
  /** At most one reply of each actor in this time. Final replies and errors are never delayed. */
  throttle?: number;
  /** As in CluOptions; default: the client's. */
  batch?: number;
  /** Drop replies whose header `order` is lower than that of an earlier one. */
  ordered?: boolean;
  /** For an application that decides about the subscription; its answer is `data`. */
  extra?: object;
  onReply?: (reply: Reply) => void;
  /** Values arrived, changed or not. */
  onValues?: (values: Values, changes: Change[]) => void;
  /** The bridge's message, before its values are stored. */
  onSnapshot?: (snapshot: any) => void;
  /** The bridge has refused or ended it, for instance because the right to it was withdrawn: code `forbidden`. */
  onRefused?: (reason: string, code: string | null) => void;
}

/** Made by Clu.subscribe. */
export class Subscription {
  private constructor();
  readonly id: string;
  /** A copy of the filter; null for notices alone. */
  readonly filter: Filter | null;
  /** The last value of each keyword of each actor: `values.dome?.dome_shutter?.value`. */
  readonly values: Values;
  /** What an application that decides about it has for this page; null if there is none. */
  readonly data: any;
  /** Whether it has ended, by `close` or because the bridge refused it. */
  readonly closed: boolean;
  /** Fulfilled when the bridge, or CLU's own server, serves it; rejected when it is refused or closed before that. */
  readonly ready: Promise<Subscription>;
  /** Ends it. Its values stay as they are. */
  close(): void;
}

/** Why a request did not succeed. */
export class RequestError extends Error {
  /** The bridge's error code; "unsupported" if this server has no such request; null if the bridge has not answered. */
  readonly code: string | null;
}

/** A place where replies may be missing, with times by the bridge's clock. `reason` is null if the bridge itself lost its broker. */
export interface Gap {
  from: Date | null;
  to: Date;
  seconds: number | null;
  reason: string | null;
}

/** "blocked": commands fail. "no_replies": commands are sent, no reply arrives. "unknown": without a connection to a bridge. */
export type BrokerState = "up" | "blocked" | "no_replies" | "down" | "unknown";

export interface CluEvents {
  open: { url: string };
  close: { code: number; reason: string; wasOpen: boolean; retryAt: number | null };
  state: { state: "connecting" | "open" | "closed"; reason: string; retryAt: number | null; attempts: number };
  /** Before the first subscription: every reply. After it: the selected ones, and those to commands of this client. */
  reply: Reply;
  /** At each change of a command's state or replies. */
  command: CommandSnapshot;
  gap: Gap;
  /** On each connection, at each change, and when the connection is lost. CLU's own server does not report it. */
  broker: { state: BrokerState; reason: string | null };
  /**
   * That many messages were left out here, because this page reads too slowly. The dates are by the bridge's clock. The
   * values are right again when it comes.
   */
  dropped: { count: number; from?: Date; to?: Date };
  /** This page has fallen behind, and skips what is old; or it is current again. */
  lag: { seconds: number; behind: boolean };
  /** What the server is has become known. */
  hello: { protocol: "v1" | "plain"; name: string | null; version: string | null; epoch: string | null; capabilities: string[] };
  /** What a subscription has asked for with `notices`. */
  notice: Notice;
  /** Who this client is has become known, or its grants have changed; `changed` lists which, or is null. */
  access: { access: Identity | null; changed: string[] | null };
  /** The login ends in so many ms. With the option `token` it is renewed. */
  expiring: { expiresIn: number; expires: Date };
  /**
   * The bridge does not let this client in, and no attempt follows until `connect`. `status` is 401 or 403, or the close
   * code: 3000 (expired), 3003 (revoked), 3008 (no login in time).
   */
  unauthorized: { status: number; code: string | null; reason: string };
  /** Written to the console if no listener hears it, and so is `unauthorized`. */
  error: { message: string; cause: unknown };
}

/** What a client asks the bridge. All are rejected with a RequestError. */
declare class Asker extends EventTarget {
  protected constructor();
  /** Publishes any JSON value to a room. Fulfilled when the broker has it; rejected with a RequestError. */
  publish(path: string, body: any): Promise<void>;
  /** What keywords were, such as "weather.wind_speed_ms"; by default in the last hour. */
  history(keywords: string[], span?: { from?: When; to?: When | null; points?: number }): Promise<History>;
  /** The commands and keywords of an actor. `refresh`: the bridge asks the actor again. */
  model(actor: string, options?: { refresh?: boolean }): Promise<Model>;
  /** The problems of all actors, and how many more an actor has that are not listed. */
  problems(): Promise<{ problems: Problem[]; omitted: Record<string, number> }>;
  /**
   * Acknowledges one problem of an actor, for all pages, or all up to a reply. With the epoch of `seq` (event `hello`), it is
   * rejected if the bridge numbers anew.
   */
  acknowledge(actor: string, what: { key?: string; seq?: number; epoch?: string | null }): Promise<void>;
  /** A part of the log, the newest if nothing is asked for. */
  log(request?: LogRequest): Promise<LogPart>;
  /** The commands of everybody: those that run, and the last that have ended. */
  everyCommand(): Promise<CommandEntry[]>;
  /** What the operators have configured for this site. */
  site(): Promise<Site>;
  /** The actors that have sent replies. */
  actors(): Promise<ActorEntry[]>;
}

export class Clu extends Asker {
  /** @param url  ws(s):// or http(s)://, absolute or relative to the page; default: the page's folder */
  constructor(url?: string | URL, options?: CluOptions);
  readonly url: string;
  /** "closed" also while waiting for the next attempt, see `retryAt`. */
  readonly state: "connecting" | "open" | "closed";
  /** "v1" with clu-ws, "plain" with CLU's own server, null before that is known. */
  readonly protocol: "v1" | "plain" | null;
  /** When the next attempt to connect is due, ms since 1970, or null. */
  readonly retryAt: number | null;
  /** The bridge's link to the broker. */
  readonly broker: BrokerState;
  /** When something was last received, ms since 1970; 0 for never. */
  readonly lastHeard: number;
  /** Who this client is and what it may do; null if the bridge has no access control, and before it has said so. */
  readonly access: Identity | null;
  /** What this server can do; empty for CLU's own server, null before that is known. */
  readonly capabilities: string[] | null;
  /** The bridge's clock, ms since 1970; this computer's if the server does not say it. */
  now(): number;
  /** ms by which this computer's clock is ahead of the bridge's; 0 if that is too little to tell, or not known. */
  readonly clockError: number;
  /** How far this page is behind, seconds: how long ago the bridge heard what arrives here now, or was heard itself. */
  readonly lag: number;
  /** Seconds for which the bridge has sent nothing, although it was asked for a sign of life; else 0. See `pulse`. */
  readonly silence: number;
  /** Whether what was missed without a connection may still be coming. */
  readonly resuming: boolean;
  /** Whether `now` may be wrong, because this computer's clock was set or stood. If so, the bridge is being asked. */
  readonly uncertain: boolean;
  /** The commands in flight. */
  readonly commands: Command[];
  /** Connects, and reconnects until `close`. Fulfilled when connected, however many attempts that takes. */
  connect(): Promise<Clu>;
  /** Disconnects until the next `connect`. Commands in flight become unknown. */
  close(): void;
  /** Subscribes to the replies that a filter selects, across all connections, until the subscription is closed. */
  subscribe(filter?: Filter | null, options?: SubscriptionOptions): Subscription;
  /** Sends a command and follows it. It never throws: a mistake yields a rejected command. */
  send(consumer: string, commandString: string, options?: SendOptions): Command;
  /** Whether this client may do something, as far as it knows; the bridge decides. */
  may(action: Action): boolean;
  /** Why this client may not do something, in words for its user; null if it may. */
  refusal(action: Action): string | null;
  /** Shows the bridge a new token on the open connection; the option `token` is asked for it. */
  renew(): Promise<void>;
  /** Adds a listener, and returns a function that removes it. */
  on<T extends keyof CluEvents>(type: T, listener: (detail: CluEvents[T]) => void): () => void;
}

/** The message codes of CLU. `final` codes end a command. */
export const CODES: Readonly<Record<string, { name: string; final: boolean; level: "ok" | "warn" | "error" }>>;

/** Whether a code ends a command. Unknown codes do not. */
export function isFinal(code: string): boolean;

/** Reads one frame: an envelope as JSON. Throws if it is not a JSON object. */
export function parseReply(frame: string, receivedAt?: number, bigint?: BigIntMode): Reply;

/** JSON.parse, but integers beyond Number.MAX_SAFE_INTEGER keep their digits, and NaN and Infinity, which Python writes, become strings. */
export function parseJSON(text: string, as?: BigIntMode): any;

/** JSON.stringify, but a BigInt is written as an integer with all its digits. */
export function formatJSON(value: any, indent?: number): string | undefined;

/** Returns a new command id, a UUID4. */
export function newCommandId(crypto?: { randomUUID?: () => string; getRandomValues?: (bytes: Uint8Array) => Uint8Array }): string;

/** Returns the WebSocket URL for any form of it; a relative one is relative to the page. */
export function websocketURL(url: string | URL, page?: string): string;
