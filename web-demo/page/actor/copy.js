/** Copies text. The clipboard API needs a secure context; with plain http on a LAN, execCommand still works. */

import { element } from "../shell/dom.js";

/** @param {string} text @returns {Promise<boolean>} whether it was copied */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "offscreen", "aria-hidden": "true", tabindex: "-1" });
    area.value = text;
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    focused?.focus?.({ preventScroll: true });
    return copied;
  }
}

/**
 * Returns a button that copies a path, and says that it has.
 * @param {string} path
 * @param {(text: string) => void} notify
 */
export function copyButton(path, notify) {
  return element("button", {
    type: "button", class: "copy", text: "copy", title: `Copy ${path}`, "aria-label": `Copy ${path}`,
    on: { click: async () => notify(await copyText(path) ? `Copied ${path}` : `This browser does not let the page copy; the path is ${path}`) },
  });
}
