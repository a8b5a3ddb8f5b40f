/** What the model of an actor says of a command string, in a sentence. It is advice: the model may be older than the actor. */

import { read } from "./commandstring.js";
import { sentence } from "../core/format.js";
import { openQuotation } from "../core/shlex.js";
import { pathName } from "./usage.js";
import { incomplete, problemsOf } from "./validate.js";

/**
 * @param {import("./models.js").ActorModel} model
 * @param {string} actor
 * @param {string} command
 * @returns {string|null} null if there is nothing to say
 */
export function adviceOn(model, actor, command) {
  if (model.commands.length === 0) return null;
  const open = openQuotation(command);
  if (open !== null) return sentence(open);
  const form = read(model.commands, command);
  if (form === null) return `${actor} has no command ${command.split(/\s/)[0]}, as far as it has said.`;
  const first = incomplete(form.path) ?? (form.missing ? `${form.missing} needs a value.` : null) ?? [...problemsOf(form.path, form.values).values()][0] ?? null;
  if (first !== null) return first;
  if (form.extra.length > 0 && !form.path.at(-1).unread) return `${pathName(form.path)} does not take "${form.extra.join(" ")}".`;
  return form.path.some(({ deprecated }) => deprecated) ? "This command is deprecated." : null;
}
