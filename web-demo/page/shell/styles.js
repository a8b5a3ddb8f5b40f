/**
 * The style sheets that the first view does not need: `<link rel="later">` in index.html, which browsers leave alone. They
 * are loaded together with the first view that needs one.
 */

let loading = null;

/** Loads them, once. @returns {Promise<void>} fulfilled when they are there, or when the bridge did not give them */
export function laterStyles() {
  loading ??= Promise.all([...document.querySelectorAll('link[rel="later"]')].map(load)).then(() => {});
  return loading;
}

function load(link) {
  return new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);  // the view is shown nevertheless
    link.rel = "stylesheet";
  });
}
