/**
 * The style sheets that the first view does not need: `<link rel="later">` in index.html, which browsers leave alone. They
 * are loaded together with the first view that needs one.
 */

let loading = null;

/** Loads them, once: one that the bridge did not give is asked for again with the next view. @returns {Promise<void>} */
export function laterStyles() {
  loading ??= Promise.all([...document.querySelectorAll('link[rel="later"]')].map(load)).then((given) => {
    if (given.includes(false)) loading = null;
  });
  return loading;
}

function load(link) {
  return new Promise((resolve) => {
    link.addEventListener("load", () => resolve(true), { once: true });
    link.addEventListener("error", () => {  // the view is shown nevertheless
      link.rel = "later";
      resolve(false);
    }, { once: true });
    link.rel = "stylesheet";
  });
}
