// Shared by the tests of logins: clients that end with their test, a bridge's greeting, and its /whoami.

import { afterEach, beforeEach, mock } from "node:test";

import { FakeSocket, client as newClient, hello } from "./fakebridge.js";

let clients = [];

beforeEach(() => {
  FakeSocket.all = [];
  clients = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
});
afterEach(() => {
  clients.forEach((clu) => clu.close());
  mock.timers.reset();
});

/** A client that ends with the test. */
export function client(options) {
  clients.push(newClient(options));
  return clients.at(-1);
}

export const grants = { hear: [{}], own: true, command: [{ consumer: ["dome"], verb: ["open", "close"] }] };

/** What a bridge says about the client. */
export const access = (more = {}) => ({ name: "ann", grants, expires: "1970-01-01T01:00:00Z", ...more });

export const greeting = (more) => ({ ...hello(), access: access(more) });

/** Lets promises settle. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Records events of a client. */
export function record(clu, ...types) {
  const log = [];
  for (const type of types) clu.on(type, (detail) => log.push({ type, ...detail }));
  return log;
}

/** A client with a token that a bridge has greeted. */
export async function admitted(options = {}, more = {}) {
  const clu = client({ token: () => "t1", ...options });
  const opening = clu.connect();
  await settle();
  FakeSocket.last.accept();
  FakeSocket.last.say(greeting(more));
  await opening;
  return clu;
}

/** A bridge's /whoami that answers with these in turn, and the requests that it got. */
export function whoami(...answers) {
  const asked = [];
  const fetch = async (url, { headers }) => {
    asked.push([url, headers.Authorization ?? null]);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    const { status, retryAfter = null, ...body } = answer;
    return { status, type: "basic", headers: new Headers(retryAfter === null ? {} : { "Retry-After": retryAfter }), json: async () => body };
  };
  return { fetch, asked };
}
