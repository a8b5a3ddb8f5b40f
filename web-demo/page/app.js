/**
 * The page. One client, which subscribes to everything, feeds four views, which do not know each other:
 *
 *     Clu ── state, broker ────> Header
 *         ── snapshot, values ─> Actors
 *         ── reply ────────────> Header, Actors, Replies
 *         ── gap, dropped ─────> Replies
 *         ── command ──────────> Commands
 *     Prompt ── a line ─> clu.send
 */

import { Actors } from "./actors.js";
import { Clu } from "../client/clu.js";
import { Commands } from "./commands.js";
import { setText } from "./dom.js";
import { EnvelopeView } from "./envelope.js";
import { describeGap, formatTime } from "./format.js";
import { Header } from "./header.js";
import { Prompt } from "./prompt.js";
import { Replies } from "./replies.js";

const byId = (id) => document.getElementById(id);

const clu = new Clu(".", { probe: "ping", bigint: "bigint" });
const header = new Header(clu);
const envelope = new EnvelopeView();
const showEnvelope = (reply, from) => envelope.open(reply, from);
const replies = new Replies({ onPick: showEnvelope });
const commands = new Commands({ onPick: showEnvelope });
const prompt = new Prompt({ onSend: send, onMistake: notify });
const actors = new Actors({ onPick: showEnvelope, onAddress: (actor) => prompt.address(actor), onNew: (actor) => prompt.learn(actor) });

let late = 0;  // replies that came late and were not spoken of yet

clu.subscribe({}, {
  onSnapshot: (snapshot) => {
    for (const { time } of Object.values(snapshot.actors)) header.heard(Date.parse(time));
    actors.show(snapshot);
  },
  onReply: (reply) => {
    late += reply.late ? 1 : 0;
    header.count();
    header.heard(reply.at);
    actors.take(reply);
    replies.take(reply);
  },
  onValues: (_, news) => actors.note(news),
});
clu.on("gap", (gap) => missing(describeGap(gap)));
clu.on("dropped", ({ count }) => missing(`${count} messages were left out here: this page reads too slowly`));
clu.on("broker", (detail) => {
  header.broker(detail);
  document.body.dataset.broker = detail.state;
  if (detail.state !== "up") notify(`${detail.state === "no_replies" ? "No replies come from the broker" : `The broker is ${detail.state}`}${detail.reason ? `: ${detail.reason}` : ""}.`);
});
clu.on("command", (command) => {
  commands.update(command);
  if (!command.active) notify(`${command.consumer} ${command.commandString}: ${endOf(command)}`);
});
clu.on("state", (detail) => {
  document.body.dataset.link = detail.state;
  if (detail.state !== "open") delete document.body.dataset.broker;  // nobody knows
  header.update();
  if (detail.state === "open") notify("Connected.");
});
clu.on("close", ({ wasOpen, reason }) => {
  if (wasOpen) notify(`Connection lost${reason ? `: ${reason}` : ""}. Commands are refused until it is back.`);
});
clu.on("error", ({ message }) => notify(message));

/** @returns {boolean} whether it left the page */
function send(consumer, commandString) {
  return clu.send(consumer, commandString).state !== "rejected";
}

/** How a command ended, in words. */
function endOf({ state, message }) {
  if (message === null) return state;
  return message.startsWith(`${state}: `) ? message : `${state}. ${message}`;
}

/** Says that replies are missing, where they are. */
function missing(words) {
  replies.mark(words);
  notify(`${words}.`);
}

function notify(words) {
  setText(byId("notice"), `${formatTime(Date.now())} ${words.slice(0, 500)}`);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select")) return;
  const action = { c: () => prompt.focus(), "/": () => replies.focusFilter(), p: () => replies.togglePause() }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

setInterval(() => {
  header.tick();
  actors.tick();
  if (late > 0) notify(`${late} ${late === 1 ? "reply" : "replies"} of the time without a connection came late.`);
  late = 0;
}, 1_000);
header.tick();
clu.connect().catch((error) => notify(error.message));
