/** What the bridge answers, see docs/protocol.md. Times are texts unless they are said to be ms. */

import type { Filter, Gap, Reply } from "./clu.js";
import type { CommandRule } from "./grants.js";

export type NoticeKind = "actors" | "problems" | "commands" | "models" | "site";

/** A problem of an actor. Times are text, as in all answers of the bridge. */
export interface Problem {
  actor: string;
  /** Tells it from the actor's others. */
  key: string;
  /** What an actor said, a condition of the site, or the silence of an actor that has a rhythm. */
  kind: "broadcast" | "condition" | "silent";
  level: "warn" | "error" | "critical";
  code: string | null;
  text: string;
  keyword: string | null;
  began: string;
  /** When it was last said. */
  time: string;
  count: number;
  seq: number | null;
  /** Of conditions: whether it still holds. */
  active: boolean | null;
  acked: { by: string | null; time: string } | null;
}

/** A command of anybody. */
export interface CommandEntry {
  command_id: string;
  consumer: string;
  /** Null if only its replies were seen. */
  command_string: string | null;
  commander: string | null;
  /** Who sent it, as far as the bridge says. */
  client: string | null;
  state: "sent" | "running" | "done" | "failed" | "unknown";
  began: string;
  ended: string | null;
  message_code: string | null;
  message: string | null;
  replies: number;
  /** Of its last reply. */
  seq: number | null;
}

/** What a subscription with `notices` tells. */
export type Notice =
  | { op: "actor"; name: string; interval_ms: number | null; consumer: boolean | null }
  | { op: "problem"; actor: string; problems: Problem[]; omitted?: Record<string, number> }
  | { op: "command_state"; command: CommandEntry }
  | { op: "model"; actor: string; state: "changed" }
  | { op: "site"; state: "changed" };

/** A time: "-6h", ms since 1970, a text as in the bridge's messages, or a Date. */
export type When = string | number | Date;

/** What a keyword was. Times are ms since 1970 by the bridge's clock, ascending. */
export type Series =
  | {
      keyword: string; kind: "number";
      /** The length of each bucket; 0 for changes as they came, which have only `t` and `last`. */
      bucket_ms: number;
      oldest: number; t: number[]; last: number[]; min?: number[]; max?: number[]; count?: number[];
    }
  | { keyword: string; kind: "state"; t: number[]; value: any[]; until: number }
  | { keyword: string; kind: null };

export interface History {
  from: number;
  to: number;
  series: Series[];
  /** Keywords of which something was dropped. */
  evicted: string[];
}

export interface ModelParam {
  name: string;
  kind: "argument" | "option";
  opts?: string[];
  type: "choice" | "float" | "int" | "text" | "bool" | "path" | "datetime" | "uuid" | "other";
  choices?: string[];
  min?: number;
  max?: number;
  min_open?: boolean;
  max_open?: boolean;
  required: boolean;
  nargs: number;
  multiple: boolean;
  default?: any;
  flag?: boolean;
  count?: boolean;
  help?: string;
}

export interface ModelCommand {
  name: string;
  help?: string;
  deprecated?: boolean;
  params: ModelParam[];
  commands?: ModelCommand[];
}

export interface ModelKeyword {
  type?: string;
  /** Whether it may also be null. */
  nullable?: boolean;
  unit?: string;
  unit_from?: "schema" | "site" | "suffix";
  description?: string;
  min?: number;
  max?: number;
  enum?: any[];
  members?: Record<string, ModelKeyword>;
}

/** What an actor can do and say. */
export interface Model {
  actor: string;
  /** "asking": it has not answered yet, and a notice comes when it has. */
  state: "known" | "partial" | "none" | "asking";
  asked: string;
  source: "get-command-model" | "__commands" | "help" | null;
  commands: ModelCommand[];
  keywords: Record<string, ModelKeyword>;
  /** Why something is missing. */
  problem: string | null;
}

export interface LogRequest {
  /** Numbers of replies: those before, or those after. */
  before?: number;
  after?: number;
  /** 1 to 1 000; default 500. */
  limit?: number;
  filter?: Filter;
  /** Of the numbers. If the bridge has others by now, the request is rejected with the code `gone`. */
  epoch?: string;
}

export interface LogPart {
  epoch: string;
  /** The oldest number that the bridge has. */
  oldest: number | null;
  /** Whether there is more in this direction, and what to write as `before` or `after` to get it. */
  more: boolean;
  next: number | null;
  /** The oldest first. */
  entries: Array<{ reply: Reply } | { gap: Gap }>;
}

/** What the operators have configured for their site. */
export interface Site {
  title?: string;
  keywords?: Record<string, { unit?: string; description?: string; low?: number; high?: number; low_critical?: number; high_critical?: number }>;
  conditions?: Array<{ name: string; when: string; level: string; text: string }>;
  pins?: Record<string, string[]>;
  dangerous?: CommandRule[];
  boards?: Array<{ name: string; title: string; items: object[] }>;
}

/** An actor that has sent replies. */
export interface ActorEntry {
  name: string;
  time: string;
  code: string;
  seq: number;
  /** How many are kept. */
  keywords: number;
  /** Its usual interval of broadcasts; null without a rhythm. */
  interval_ms?: number | null;
  /** Whether something takes its commands; null if that is not known. */
  consumer?: boolean | null;
}
