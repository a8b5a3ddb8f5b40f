/** clu.js for Vue: what changes is a shallow ref, since a snapshot is frozen and replaced as a whole. */

import { onScopeDispose, shallowRef } from "vue";
import { connect } from "clu-ws";

export const clu = connect(new URLSearchParams(location.search).get("bridge") ?? "ws://localhost:9876/");

/** A ref that follows something with `subscribe` and `getSnapshot`, until the component is gone. */
function follow(source, ref) {
  const stop = source.subscribe(() => { ref.value = source.getSnapshot(); });
  ref.value = source.getSnapshot();
  return stop;
}

/** The last value of a keyword: `{value, time, stale, ...}`. */
export function useKeyword(actor, name) {
  const keyword = shallowRef(null);
  onScopeDispose(follow(clu.keyword(actor, name), keyword));
  return keyword;
}

/** Sends a command to an actor, and follows the last one. It goes on when the component is gone. */
export function useCommand(actor, verb) {
  const command = shallowRef(null);
  let stop = () => {};
  onScopeDispose(() => stop());
  const send = (words = "", options) => {
    stop();
    // What is no text is rejected: `@click="send"` hands over the event.
    stop = follow(clu.send(actor, typeof words === "string" ? `${verb} ${words}`.trim() : words, options), command);
  };
  return { command, send };
}

/** Whether the page is connected to a bridge that is linked to its broker. */
export function useConnected() {
  const connected = shallowRef(false);
  const look = () => { connected.value = clu.state === "open" && ["up", "blocked"].includes(clu.broker); };
  for (const event of ["state", "broker"]) onScopeDispose(clu.on(event, look));
  look();
  return connected;
}
