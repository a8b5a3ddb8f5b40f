/** Acknowledges problems for all pages, and says what was not. */

/**
 * @param {import("../core/store.js").Store} store
 * @param {import("../core/problems.js").Problem[]} problems  each as the page knows it: one that was raised anew stays
 * @returns {Promise<string|null>} a sentence, or null if all were acknowledged
 */
export async function acknowledge(store, problems) {
  const results = await Promise.allSettled(problems.map((problem) => store.acknowledge(problem)));
  const refused = results.filter(({ status }) => status === "rejected");
  if (refused.length === 0) return null;
  const what = refused.length === problems.length ? "Nothing was acknowledged" : `${refused.length} of ${problems.length} problems were not acknowledged`;
  return `${what}: ${refused[0].reason.message.replace(/\.$/, "")}.`;
}
