/** Which keywords share a panel: numbers with the same unit share one with an axis, states have one for all of them. */

/** @typedef {{kind: "number"|"state", unit: string, tracks: import("./source.js").Track[]}} Group */

/**
 * @param {import("./source.js").Track[]} tracks
 * @param {(track: import("./source.js").Track) => string} unitOf  "" if it is not known
 * @returns {Group[]} the lines in the order in which they are named, then the states
 */
export function groupTracks(tracks, unitOf) {
  const groups = new Map();
  const states = [];
  for (const track of tracks) {
    if (track.number !== null) {
      const unit = unitOf(track);
      const key = unit === "" ? `of ${track.name}` : `in ${unit}`;  // numbers without a unit are not compared
      if (!groups.has(key)) groups.set(key, { kind: "number", unit, tracks: [] });
      groups.get(key).tracks.push(track);
    }
    if (track.state !== null) states.push(track);
  }
  const all = [...groups.values()];
  if (states.length > 0) all.push({ kind: "state", unit: "", tracks: states });
  return all;
}

/** A key that changes when the panels have to be made anew. */
export function shapeOf(groups) {
  return JSON.stringify(groups.map(({ kind, unit, tracks }) => [kind, unit, tracks.map(({ name }) => name)]));
}

/**
 * The bounds of an axis for some values.
 * @param {[number, number][]} extents
 * @returns {[number, number]} with room above and below, also for a value that does not change
 */
export function axisBounds(extents) {
  const low = Math.min(...extents.map(([least]) => least));
  const high = Math.max(...extents.map(([, greatest]) => greatest));
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) {
    const room = Math.abs(low) * 0.05 || 1;
    return [low - room, high + room];
  }
  const room = (high - low) * 0.07;
  return [low >= 0 && low < room ? 0 : low - room, high + room];
}
