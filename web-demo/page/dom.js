/** Builds and updates the page. Data becomes text and attributes, never markup. */

/**
 * Returns a new element. `attributes` may hold `text`, `data` (an object of data-*) and `on` (an object of listeners);
 * the rest become attributes.
 */
export function element(tag, { text, data, on, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(data ?? {})) made.dataset[name] = value;
  for (const [type, listener] of Object.entries(on ?? {})) made.addEventListener(type, listener);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Sets a text only if it differs: even an equal assignment makes the browser lay the page out again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Coalesces calls: `work` runs once in the next animation frame, and at most every `gap` ms, however often the returned
 * function is called. In a hidden page it runs when the page becomes visible.
 */
export function batched(work, gap = 0) {
  let due = false;
  let last = -Infinity;
  const run = (now) => {
    if (now - last < gap) {
      requestAnimationFrame(run);
      return;
    }
    due = false;
    last = now;
    work();
  };
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(run);
  };
}

/** Whether text inside a node is selected: then a click only ends the selection. */
export function hasSelection(node) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(node, true);
}
