/** Commands: what one sends, and what is known of it. Times are in ms. */

import type { Reply } from "./clu.js";

/**
 * `rejected`: it was not sent. `unknown`: the connection broke, or it took too long: the actor may be executing it. It is
 * never sent again, and becomes `done` or `failed` if its replies come later.
 */
export type CommandState = "sent" | "running" | "done" | "failed" | "unknown" | "rejected";

export interface CommandResult {
  command: Command;
  /** The reply that ended it; null if this client may not hear it, or it holds more subscriptions than leave room for replies to commands. */
  reply: Reply | null;
  /** All replies, or the newest if there were very many. */
  replies: Reply[];
  /** Their keywords, with the latest values. */
  keywords: Record<string, any>;
}

/** What was known of a command at one moment: frozen, and a new object at each change. */
export interface CommandSnapshot {
  /** The command itself. */
  readonly command: Command;
  readonly commandId: string;
  readonly consumer: string;
  readonly commandString: string;
  readonly state: CommandState;
  /** The latest text about it. */
  readonly message: string | null;
  /** The newest replies, oldest first. */
  readonly replies: readonly Reply[];
  readonly replyCount: number;
  readonly sentAt: number;
  readonly endedAt: number | null;
  readonly active: boolean;
  /** Why it did not succeed; null while it runs, and if it did. */
  readonly error: CommandError | null;
}

/** A command: await it, or watch it. Made by Clu.send. */
export class Command implements PromiseLike<CommandResult> {
  private constructor();
  readonly commandId: string;
  readonly consumer: string;
  readonly commandString: string;
  readonly state: CommandState;
  /** The latest text about it. */
  readonly message: string | null;
  /** The newest replies, oldest first. */
  readonly replies: Reply[];
  /** How many replies it got, including those not kept. */
  readonly replyCount: number;
  /** ms since 1970. */
  readonly sentAt: number;
  /** ms since 1970, or null while it runs. */
  readonly endedAt: number | null;
  /** Why it did not succeed; null while it runs, and if it did. */
  readonly error: CommandError | null;
  /** Whether it is in flight: sent or running. */
  readonly active: boolean;
  /** ms from sending to the end, or until now. */
  readonly elapsed: number;
  /** The keywords of the kept replies, with the latest values. */
  readonly keywords: Record<string, any>;
  /** Fulfilled or rejected once, with a CommandError. */
  readonly finished: Promise<CommandResult>;
  /** Calls a listener at each change, and returns a function that removes it. Not with the module clu.js alone. */
  subscribe(listener: () => void): () => void;
  /** What is known of it now: the same object until something changes. */
  getSnapshot(): CommandSnapshot;
  then<R = CommandResult, E = never>(onFulfilled?: ((result: CommandResult) => R | PromiseLike<R>) | null, onRejected?: ((error: any) => E | PromiseLike<E>) | null): Promise<R | E>;
  catch<E = never>(onRejected?: ((error: any) => E | PromiseLike<E>) | null): Promise<CommandResult | E>;
  finally(onFinally?: (() => void) | null): Promise<CommandResult>;
}

/** Why a command did not succeed, or, with the name "AbortError", why it is not waited for any more. */
export class CommandError extends Error {
  constructor(message: string, command: Command, reply?: Reply | null, code?: string | null);
  readonly command: Command;
  /** That of the command when this was made. After an abort, the command goes on: "sent" or "running". */
  readonly state: CommandState;
  /** The reply that ended it, if any. */
  readonly reply: Reply | null;
  /** The code of the bridge's error that ended it, "aborted" after an abort, or null. */
  readonly code: string | null;
}

export interface SendOptions {
  /** Default: a new UUID4. */
  commandId?: string;
  /** How long the command may take to reach the bridge, at most an hour; default: the client's, or `timeout` if that is shorter. */
  expires?: number;
  /** How long to wait until the command counts as unknown; default: forever. */
  timeout?: number;
  /** For an application that decides about the command. */
  extra?: object;
  /** Ends the waiting, not what the actor does: the promise rejects with an AbortError, and the command is followed further. */
  signal?: AbortSignal;
  onReply?: (reply: Reply, command: Command) => void;
}
