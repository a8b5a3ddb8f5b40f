import { SILENT_AFTER } from "../core/liveness.js";

/** Whether what the page shows is what is. Nothing here depends on the page. */

/** Seconds behind from which a page says that it is behind. */
const BEHIND = 3;

/**
 * @param {{link: string, silence?: number, broker: string|undefined, lag: number|null, behind: boolean, first: boolean}} of
 *   `silence`: seconds for which the bridge has not answered; `behind`: values may be older than the lag says; `first`: it
 *   was never connected
 * @returns {{kind: "link"|"silent"|"broker"|"behind"|null, text: string}}
 */
export function deadness({ link, silence = 0, broker, lag, behind, first }) {
  if (link !== "open") {
    return { kind: "link", text: first ? "Not connected to the bridge yet." : "Not connected to the bridge: nothing here is current." };
  }
  if (silence > SILENT_AFTER) return { kind: "silent", text: `The bridge has not answered for ${Math.round(silence)} s: nothing here is current.` };
  if (broker === "down") return { kind: "broker", text: "The bridge has no connection to the broker: nothing here is current, and commands fail." };
  if (broker === "no_replies") return { kind: "broker", text: "The bridge gets no replies from the broker: nothing here is current." };
  if (lag !== null && lag > BEHIND) return { kind: "behind", text: `This page is ${Math.round(lag)} s behind.` };
  if (behind) return { kind: "behind", text: "This page was behind, and fetches the last values." };
  return { kind: null, text: "" };
}
