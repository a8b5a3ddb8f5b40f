/**
 * The console. One client feeds the store; the shell and the view that is shown read the store, four times a second.
 *
 *     Clu ─> Store ── changes ─> Bar, Badge, Announcer, Drawer, Menu, CommandLine, and the view
 *         ── access ───────────> Identity
 *         ── unauthorized ─────> Login
 *     Router ── a route ─> Views ── mounts ─> a view (views.js)
 *     Login ── a credential ─> clu.connect
 *     a view ── app.send ─> Sender ── armed, granted, confirmed ─> clu.send
 */

import { CommandLine } from "./actor/commandline.js";
import { Clu } from "../client/clu.js";
import { hears, SILENT_AFTER } from "./core/liveness.js";
import { Models } from "./core/models.js";
import { isOpen } from "./core/problems.js";
import { BATCH, Store } from "./core/store.js";
import { Announcer } from "./shell/announce.js";
import { Arm } from "./shell/arm.js";
import { Badge } from "./shell/badge.js";
import { Bar } from "./shell/bar.js";
import { Confirm } from "./shell/confirm.js";
import { Keys } from "./shell/keys.js";
import { Later } from "./shell/later.js";
import { Login } from "./shell/login.js";
import { Menu } from "./shell/menu.js";
import { Views } from "./shell/mount.js";
import { Notices } from "./shell/notices.js";
import { Questions } from "./shell/questions.js";
import { Router } from "./shell/router.js";
import { Sender } from "./shell/sender.js";
import { Sound } from "./shell/sound.js";
import { Theme } from "./shell/theme.js";
import { loadAll } from "./views.js";

/** How far behind the page may be until it says so, ms. What the bridge may keep back does not count to clu.js. */
const TOLD_AFTER = 3_000;

/** Silence after which the bridge is asked whether it is there, ms. */
const PULSE = 1_000;

const login = new Login({ onLogin: loggedIn });
const clu = new Clu(".", { probe: "ping", bigint: "bigint", maxLag: TOLD_AFTER - BATCH, pulse: PULSE, token: () => login.credential() });
const store = new Store(clu);
const notices = new Notices(() => store.now());
const notify = (text, options) => notices.show(text, options);
const models = new Models((actor) => clu.model(actor));
const questions = new Questions(clu);
const arm = new Arm();
const sender = new Sender({ clu, arm, confirm: new Confirm(), site: () => questions.site, siteKnown: () => questions.siteKnown, notify });

/** What views and the shell share. */
const app = {
  clu, store, models, notices, notify, arm,
  router: new Router(),
  theme: new Theme(),
  badge: new Badge(),
  sound: new Sound(() => app.menu?.update()),
  get site() { return questions.site; },
  onSite: (listener) => questions.onSite(listener),
  history: (keywords, range) => questions.history(keywords, range),
  send: (consumer, string) => sender.send(consumer, string),
  danger: (consumer, string) => sender.danger(consumer, string),
  refusal: (consumer, string) => sender.refusal(consumer, string),
  prompt: () => {},
  focusLine: () => {},
};

app.views = new Views(app);
const missing = ({ message }) => notify(`This part of the page could not be loaded: ${message}. Load the page again.`, { urgent: true });
const failed = (error) => {
  missing(error);
  app.checkVersion();  // a bridge of another version does not have the part
};
const drawer = new Later(async () => new (await import("./shell/drawer.js")).Drawer(app), failed);
const palette = new Later(async () => new (await import("./shell/palette.js")).Palette(app), failed);
const help = new Later(async () => new (await import("./shell/help.js")).Help(keys), failed);
const renewal = new Later(async () => new (await import("./shell/renewal.js")).Renewal(notify), missing);
app.checkVersion = () => renewal.with((it) => it.check());
app.drawer = { get open() { return drawer.made?.open ?? false; }, toggle: () => drawer.show((it) => it.toggle()), close: () => drawer.made?.close() };
app.palette = { show: () => palette.show((it) => it.show()) };
app.help = { show: () => help.show((it) => it.show()) };
document.getElementById("worst").addEventListener("click", app.drawer.toggle);
document.getElementById("palette-open").addEventListener("click", app.palette.show);
const keys = new Keys(app);
app.menu = new Menu(app);
const line = new CommandLine(app);
line.mount(document.getElementById("command-dock"));
app.prompt = (text) => line.address(text);
app.focusLine = () => line.focus();
const bar = new Bar(app);
const identity = new Later(async () => new (await import("./shell/identity.js")).Identity({ onLogin: () => login.show("", false), onLogout: logOut, remembered: () => login.remembered }), failed);
const armNote = new Later(async () => new (await import("./shell/armnote.js")).ArmNote(arm), failed);
const announcer = new Announcer({ onNew: (level) => app.sound.alarm(level) });

store.onUpdate((changes) => {
  bar.update(changes);
  if (changes.problems || changes.link) tellProblems();
  drawer.made?.update(changes);
  if (changes.link) app.menu.update();
  if (changes.tick) identity.made?.tick();
  line.update(changes);
  app.views.update(changes);
});

function tellProblems() {
  const problems = store.problems.filter(isOpen);
  app.badge.show({ dead: store.link.state !== "open" || store.silence > SILENT_AFTER || !hears(store.broker.state), problems });
  announcer.look(problems, store.problemsUnknown === null);
}

// In a hidden tab browsers delay timers, and with them the updates of the store, by up to a minute. Messages come at once.
for (const type of ["notice", "state", "broker"]) {
  clu.on(type, ({ op = "problem" }) => { if (document.hidden && op === "problem") queueMicrotask(tellProblems); });
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) store.refresh(); });

arm.onChange((armed, itself) => {
  if (itself) notify("This tab has disarmed itself: no command was sent for eight hours.");
  else notify(armed ? "This tab is armed: commands are sent." : "This tab is disarmed: only commands that read are sent.");
});
questions.onSite(({ title }) => app.badge.site(title));
clu.on("notice", ({ op, actor }) => { if (op === "model") models.changed(actor); });
clu.on("hello", () => {  // perhaps it is another bridge
  models.refresh();
  if (wasConnected) app.checkVersion();
});
clu.on("gap", ({ seconds }) => notify(`Replies ${seconds === null ? "" : `of ${seconds.toFixed(1)} s `}may be missing.`));
clu.on("dropped", ({ count }) => notify(`${count === 1 ? "1 reply was" : `${count} replies were`} left out: this page reads too slowly.`));
clu.on("broker", ({ state, reason }) => {
  if (state === "up" || state === "unknown") return;  // of a lost connection the page tells by itself
  notify(`${state === "no_replies" ? "No replies come from the broker" : `The broker is ${state}`}${reason ? `: ${reason}` : ""}.`, { urgent: true });
});
clu.on("state", ({ state }) => { if (state === "open") notify("Connected."); });
clu.on("close", ({ wasOpen, reason }) => {
  if (wasOpen) notify(`Connection lost${reason ? `: ${reason}` : ""}. Commands are refused until it is back.`, { urgent: true });
});
clu.on("error", ({ message }) => notify(message));
clu.on("access", ({ access, changed }) => {
  login.accepted();
  showIdentity(access);
  line.update({ ...NOTHING, access: true });
  app.views.update({ ...NOTHING, access: true });
  if (changed) models.refresh();  // they are what one may hear of the actors' answers
  if (changed) notify(`What you may do has changed: ${changed.join(", ")}.`, { urgent: true });
});
clu.on("expiring", ({ expiresIn }) => {
  showIdentity(clu.access);
  notify(`The login ends in ${Math.round(expiresIn / 1_000)} s.`, { urgent: true });
});
clu.on("unauthorized", ({ code, reason }) => {
  notify(`Not connected: ${reason}.`, { urgent: true });
  if (code === "redirect") return;  // the page in front of the bridge logs one in
  login.forget();
  showIdentity(null);
  login.show(`${reason[0].toUpperCase()}${reason.slice(1)}.`, true);
});

/** Changes for a view, if nothing of the store's has changed but who this client is. */
const NOTHING = { actors: new Set(), keywords: new Map(), problems: false, commands: false, link: false, models: false, replies: 0, tick: false };

let known = null;  // who this page was last; it may be another one while the part that shows it is loaded

/** Shows who this page is, where there is access control. */
function showIdentity(access) {
  known = access;
  if (access !== null || identity.made !== null) identity.with((it) => it.show(known));
}

/**
 * Shows the bridge a new credential: on the open connection if it is of the same user, else on a new one. What the same
 * user has written stays; for another one, the page begins anew.
 */
async function loggedIn() {
  const user = clu.access?.name;
  const open = user && clu.state === "open";
  if (open) {
    try {
      await clu.renew();
      return;
    } catch (error) {
      notify(`The login was not renewed: ${error.message}.`, { urgent: true });
    }
  }
  const owner = user ? await login.owner() : user;
  if (owner === undefined && open) return;  // the former login lasts
  if (owner !== undefined && owner !== user) {
    begin();
    return;
  }
  clu.close();
  clu.connect().catch(() => {});  // the events close and unauthorized say why
}

function logOut() {
  login.forget();
  begin();
}

/** Begins anew for another user, who has not armed the tab. */
function begin() {
  arm.set(false);
  login.reload();
}

/** ms after the first connection at which the rest of the page is loaded: it must be there when the bridge has gone. */
const LOAD_REST = 2_000;
let wasConnected = false;
const loadRest = clu.on("open", () => {
  loadRest();
  setTimeout(async () => {
    wasConnected = true;
    app.checkVersion();
    await line.prepare().catch(() => {});
    await loadAll();
    for (const part of [armNote, drawer, palette, help, identity]) await part.prepare().catch(() => {});
  }, LOAD_REST);
});

store.start();
app.router.start((route) => app.views.show(route));
clu.connect().catch(() => {});  // the events close and unauthorized say why
