// Replies for tests of the log.

import { formatJSON } from "../../client/json.js";
import { readReply } from "../../client/reply.js";

/** Returns a reply as the bridge sends it; `heard` is ms. */
export function replyOf({ seq = null, epoch = "e", sender = "dome", code = "i", body = {}, heard = 1_000 * (seq ?? 0), internal = false } = {}) {
  const envelope = {
    headers: { command_id: null, commander_id: null, internal, message_code: code, sender },
    exchange: "x", message_id: null, routing_key: "reply.broadcast", timestamp: null, body, seq, epoch,
  };
  return Object.assign(readReply(envelope, formatJSON(envelope).length, heard), { heard });
}
