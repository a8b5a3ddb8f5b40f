/** Builds and updates the page. Data becomes text and attributes, never markup. */

/**
 * Returns a new element. `attributes` may hold `text`, `data` (an object of data-*) and `on` (an object of listeners);
 * the rest become attributes. An attribute that is null or false is left out; true is an empty one.
 */
export function element(tag, { text, data, on, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(data ?? {})) made.dataset[name] = value;
  for (const [type, listener] of Object.entries(on ?? {})) made.addEventListener(type, listener);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Returns a button that does something. */
export function button(text, onClick, attributes = {}) {
  return element("button", { type: "button", text, on: { click: onClick }, ...attributes });
}

/**
 * Sets a text only if it differs: even an equal assignment makes the browser lay the page out again. The node of a text that
 * is there stays, which costs less than another one, and what is selected in it stays so.
 */
export function setText(node, text) {
  const { firstChild: only, lastChild } = node;
  if (text !== "" && only === lastChild && only?.nodeType === 3) {
    if (only.data !== text) only.data = text;
  } else if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** Hides or shows something, if it is not so yet. */
export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** Sets an attribute only if it differs; null removes it. */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** The levels, from the least to the worst, with their shapes. */
export const LEVELS = ["ok", "warn", "error", "critical"];
const SHAPES = { ok: "●", warn: "▲", error: "◆", critical: "✖" };

/** Returns how bad a level is: 0 for ok. */
export function rank(level) {
  return Math.max(0, LEVELS.indexOf(level));
}

/** Returns the shape of a level as text. */
export function shape(level) {
  return SHAPES[level] ?? SHAPES.ok;
}

/** Returns an element that shows a level by its shape and colour, and names it to screen readers. */
export function levelMark(level) {
  return setLevel(element("span", { class: "level", role: "img" }), level);
}

/** Changes what `levelMark` returned. */
export function setLevel(mark, level) {
  if (mark.dataset.level !== level) {
    mark.dataset.level = level;
    mark.setAttribute("aria-label", level);
    mark.textContent = shape(level);
  }
  return mark;
}

/** Does something that may move the element that has the focus, which loses it by that, and gives it back. */
export function keepFocus(work) {
  const focused = document.activeElement;
  work();
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

/** Whether text inside a node is selected: then a click only ends the selection. */
export function hasSelection(node) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(node, true);
}

/** Whether a key that is pressed here is typed into something. */
export function isTyping(event) {
  const target = event.target;
  return target.isContentEditable === true || target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select") != null;
}

/** Reads a choice that this browser keeps; null if there is none, or if nothing may be kept. */
export function recall(storage, key) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a choice, null forgets it. In a private window it lasts as long as the page. */
export function remember(storage, key, text) {
  try {
    if (text === null) storage().removeItem(key);
    else storage().setItem(key, text);
  } catch { /* private mode, or full */ }
}

/** For `recall` and `remember`: in this browser, or in this tab. They are functions since even their mention may throw. */
export const BROWSER = () => localStorage;
export const TAB = () => sessionStorage;
