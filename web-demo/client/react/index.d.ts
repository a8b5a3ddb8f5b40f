/** clu.js for React 18 and later. */

import type { ReactNode } from "react";

import type { ActorTypes, BrokerState, Clu, CluOptions, Command, CommandError, CommandSnapshot, CommandState, KeywordSnapshot, SendOptions } from "../index.js";

type Named<T> = keyof T & string;
type Actors<S> = { [A in Named<S>]: ActorTypes };

/** A client that the page has made, connects and closes; or the URL for a client of its own. */
export type CluProviderProps =
  | { clu: Clu<any>; children?: ReactNode }
  | {
      url: string;
      /** Read when the client is made: once for each URL. */
      options?: CluOptions;
      children?: ReactNode;
    };

/** Gives a client to the components below it. */
export function CluProvider(props: CluProviderProps): ReactNode;

/** The client of the provider; throws without one. */
export function useClu(): Clu;

/** The last value of a keyword. It is `stale` unless it is known to be what the actor says now. */
export function useKeyword<V = any>(actor: string, name: string): KeywordSnapshot<V>;

export interface CommandHook {
  /**
   * Sends a command: the verb, if the hook has one, and these words. Call it where something happens, such as in `onClick`, never
   * while rendering. The command is returned; nothing needs to await it, since the fields below follow it.
   */
  send(words?: string, options?: SendOptions): Command;
  /** Forgets the last command. It goes on. */
  reset(): void;
  /** The last command that was sent here, or null. */
  command: CommandSnapshot | null;
  /** "idle" if none was sent. */
  state: CommandState | "idle";
  /** Whether it is sent or running: disable the button meanwhile. */
  running: boolean;
  /** The latest text about it. */
  message: string | null;
  /** Why it did not succeed. Its `state` says whether the actor may be executing it: only if that is "unknown". */
  error: CommandError | null;
}

/** Sends commands to an actor and follows the last one, which goes on when the component is gone. */
export function useCommand(actor: string, verb?: string): CommandHook;

export interface ConnectionSnapshot {
  /** "closed" also while waiting for the next attempt, see `retryAt`. */
  readonly state: "connecting" | "open" | "closed";
  /** The bridge's link to the broker. */
  readonly broker: BrokerState;
  /** Whether the page hears what the actors say now: connected, with a broker, and not behind. */
  readonly current: boolean;
  /** Whether the page reads too slowly. */
  readonly behind: boolean;
  /** Why the connection was lost; "" if it was not. */
  readonly reason: string;
  /** When the next attempt to connect is due, ms since 1970, or null. */
  readonly retryAt: number | null;
  /** Why the bridge does not let this page in: nothing is tried until `clu.connect()`. */
  readonly refused: { status: number; code: string | null; reason: string } | null;
}

/** Whether the page is connected, and whether what it shows is current. */
export function useConnection(): ConnectionSnapshot;

/** The hooks, with the names and types of a site. */
export interface Hooks<S extends Actors<S>> {
  CluProvider(props: CluProviderProps): ReactNode;
  useClu(): Clu<S>;
  useKeyword<A extends Named<S>, K extends Named<S[A]["keywords"]>>(actor: A, name: K): KeywordSnapshot<S[A]["keywords"][K]>;
  useCommand<A extends Named<S>>(actor: A, verb?: S[A]["commands"]): CommandHook;
  useConnection(): ConnectionSnapshot;
}

/** The same functions for a site whose types `npx clu-ws types` has written: `const { useKeyword } = hooks<Site>();` */
export function hooks<S extends Actors<S>>(): Hooks<S>;
