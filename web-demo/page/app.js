/**
 * The console. One client subscribes to everything and feeds four views, which do not depend on each other:
 *
 *     Clu ── state, broker ────> Header
 *         ── snapshot, values ─> Actors
 *         ── reply ────────────> Header, Actors, Replies
 *         ── gap, dropped ─────> Replies
 *         ── command ──────────> Commands
 *         ── access ───────────> Identity, Prompt, Actors
 *         ── unauthorized ─────> Login
 *     Prompt ── a line ─> clu.send
 *     Login ── a credential ─> clu.connect
 */

import { Actors } from "./actors.js";
import { Clu } from "../client/clu.js";
import { Commands } from "./commands.js";
import { setText } from "./dom.js";
import { EnvelopeView } from "./envelope.js";
import { describeGap, formatTime } from "./format.js";
import { Header } from "./header.js";
import { Identity } from "./identity.js";
import { Login } from "./login.js";
import { Prompt } from "./prompt.js";
import { Replies } from "./replies.js";

const byId = (id) => document.getElementById(id);

const login = new Login({ onLogin: loggedIn });
const clu = new Clu(".", { probe: "ping", bigint: "bigint", token: () => login.credential() });
const header = new Header(clu);
const envelope = new EnvelopeView();
const showEnvelope = (reply, from) => envelope.open(reply, from);
const replies = new Replies({ onPick: showEnvelope });
const commands = new Commands({ onPick: showEnvelope });
const prompt = new Prompt({ onSend: send, onMistake: notify, refusal });
const identity = new Identity({ onLogin: () => login.show("", false), onLogout: logOut, remembered: () => login.remembered });
const actors = new Actors({ onPick: showEnvelope, onAddress: (actor) => prompt.address(actor), onNew: (actor) => prompt.learn(actor) });

let late = 0;  // late replies that no notice has reported yet

clu.subscribe({}, {
  onSnapshot: (snapshot) => {
    for (const { time } of Object.values(snapshot.actors)) header.noteReply(Date.parse(time));
    actors.applySnapshot(snapshot);
  },
  onReply: (reply) => {
    late += reply.late ? 1 : 0;
    header.count();
    header.noteReply(reply.at);
    actors.addReply(reply);
    replies.add(reply);
  },
  onValues: (_, changes) => actors.setValues(changes),
});
clu.on("gap", (gap) => reportMissing(describeGap(gap)));
clu.on("dropped", ({ count }) => reportMissing(`${count} messages were left out here: this page reads too slowly`));
clu.on("broker", (detail) => {
  header.broker(detail);
  document.body.dataset.broker = detail.state;
  if (detail.state !== "up") notify(`${detail.state === "no_replies" ? "No replies come from the broker" : `The broker is ${detail.state}`}${detail.reason ? `: ${detail.reason}` : ""}.`);
});
clu.on("command", (command) => {
  commands.update(command);
  if (!command.active) notify(`${command.consumer} ${command.commandString}: ${describeEnd(command)}`);
});
clu.on("state", (detail) => {
  document.body.dataset.link = detail.state;
  if (detail.state !== "open") delete document.body.dataset.broker;  // its state is unknown
  header.update();
  if (detail.state === "open") notify("Connected.");
});
clu.on("close", ({ wasOpen, reason }) => {
  if (wasOpen) notify(`Connection lost${reason ? `: ${reason}` : ""}. Commands are refused until it is back.`);
});
clu.on("error", ({ message }) => notify(message));
clu.on("access", ({ access, changed }) => {
  login.hide();
  identity.show(access);
  prompt.granted();
  actors.mark({ refusal, unheard: (actor) => clu.refusal({ hear: actor }) });
  if (changed) notify(`What you may do has changed: ${changed.join(", ")}.`);
});
clu.on("expiring", ({ expiresIn }) => {
  identity.show(clu.access);
  notify(`The login ends in ${Math.round(expiresIn / 1_000)} s.`);
});
clu.on("unauthorized", ({ code, reason }) => {
  notify(`Not connected: ${reason}.`);
  if (code === "redirect") return;  // the page in front of the bridge logs one in
  login.forget();
  identity.show(null);
  login.show(`${reason[0].toUpperCase()}${reason.slice(1)}.`, true);
});

/** @returns {boolean} whether the command was sent */
function send(consumer, commandString) {
  return clu.send(consumer, commandString).state !== "rejected";
}

/** Why a command is not granted, or null; without an actor, why no command at all is. */
function refusal(consumer, command) {
  if (consumer !== undefined) return clu.refusal({ command: { consumer, command_string: command } });
  const { name, grants } = clu.access ?? {};
  if (!grants || grants.command?.length) return null;
  return name === "" ? "you are not logged in, and may only look" : "you may only look: no commands are granted to you";
}

/** Shows the bridge a new credential: on the open connection if it is of the same user, else on a new one. */
async function loggedIn() {
  if (clu.access?.name && clu.state === "open") {
    try {
      await clu.renew();
      return;
    } catch (error) {
      notify(`The login was not renewed: ${error.message}.`);
    }
  }
  if (clu.access?.name) {
    login.reload();
    return;
  }
  clu.close();
  clu.connect().catch(() => {});  // the events close and unauthorized say why
}

function logOut() {
  login.forget();
  login.reload();
}

/** Describes how a command ended. */
function describeEnd({ state, message }) {
  if (message === null) return state;
  return message.startsWith(`${state}: `) ? message : `${state}. ${message}`;
}

/** Reports missing replies, in the list and as a notice. */
function reportMissing(text) {
  replies.mark(text);
  notify(`${text}.`);
}

function notify(text) {
  setText(byId("notice"), `${formatTime(Date.now())} ${text.slice(0, 500)}`);
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
  identity.tick();
  actors.tick();
  if (late > 0) notify(`${late} ${late === 1 ? "reply" : "replies"} from the time without a connection arrived late.`);
  late = 0;
}, 1_000);
header.tick();
clu.connect().catch(() => {});  // the events close and unauthorized say why
