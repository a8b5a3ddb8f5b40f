/** Who a client is, and what it may do. */

import type { Filter } from "./clu.js";

/** A token, a ticket that is valid once, or none. */
export type Credential = string | { ticket: string } | null | undefined;

/** A rule of `command` or `forbid`. A field that is absent covers everything. */
export interface CommandRule {
  /** Globs. */
  consumer?: string | string[];
  /** Globs for the first word of the command string. */
  verb?: string | string[];
}

/** What a client may do, see docs/access.md. */
export interface Grants {
  hear?: Filter[];
  hide?: Filter[];
  own?: boolean;
  rooms?: string[];
  publish?: string[];
  command?: CommandRule[];
  forbid?: CommandRule[];
  clients?: boolean;
  admin?: boolean;
  limits?: Record<string, number>;
}

/** Who a client is. */
export interface Identity {
  /** "" for an anonymous client. */
  name: string;
  /** How it was identified; null if the bridge does not say. */
  source: string | null;
  grants: Grants;
  /** When the login ends; null for never. */
  expires: Date | null;
}

/** Something that a client may want to do. One of its fields is set. */
export interface Action {
  /** Send a command; without a command_string, any at all. */
  command?: { consumer: string; command_string?: string };
  /** Hear a room. */
  room?: string;
  /** Publish to a room. */
  publish?: string;
  /** Hear an actor: any of its replies, not only those to the client's own commands. */
  hear?: string;
  /** List the connected clients. */
  clients?: boolean;
  /** Close connections. */
  admin?: boolean;
}
