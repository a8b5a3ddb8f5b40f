/** The values of a plot as a table, for a spreadsheet and for screen readers: a row for each time at which one has changed. */

import { csvLine } from "../core/files.js";
import { lastBefore, stateText } from "./series.js";

/** @typedef {{name: string, cell: (time: number) => string|number|null, times: number[]}} Column */

/**
 * The columns of a plot. A number that comes in buckets has three: the last, the least and the greatest.
 * @param {import("./source.js").Track[]} tracks
 * @returns {Column[]}
 */
function columnsOf(tracks) {
  return tracks.flatMap(({ name, number, state }) => {
    const columns = [];
    if (number !== null) {
      const of = (what) => (time) => {
        const i = indexOf(number.t, time);
        return i < 0 || Number.isNaN(number[what][i]) ? null : number[what][i];
      };
      columns.push({ name, times: number.t, cell: of("last") });
      if (number.bucket > 0 || number.fineFrom > -Infinity) columns.push({ name: `${name} min`, times: [], cell: of("min") }, { name: `${name} max`, times: [], cell: of("max") });
    }
    if (state !== null) {
      columns.push({ name: number === null ? name : `${name} text`, times: state.t, cell: (time) => {
        const i = indexOf(state.t, time);
        return i < 0 ? null : stateText(state.value[i]);
      } });
    }
    return columns;
  });
}

function indexOf(times, time) {
  const i = lastBefore(times, time);
  return times[i] === time ? i : -1;
}

/** The times in a span at which something has changed, ascending. @param {Column[]} columns */
function timesOf(columns, from, to) {
  const all = new Set();
  for (const { times } of columns) {
    for (let i = Math.max(0, lastBefore(times, from)); i < times.length && times[i] <= to; i += 1) if (times[i] >= from) all.add(times[i]);
  }
  return [...all].sort((a, b) => a - b);
}

/** A table of values: an empty cell is a time at which that keyword has not changed. @typedef {Map<number, Map<string, string|number>>} Rows */

/** Adds the values of a span to a table. @param {Rows} rows @param {import("./source.js").Track[]} tracks */
export function addRows(rows, tracks, from, to) {
  const columns = columnsOf(tracks);
  for (const time of timesOf(columns, from, to)) {
    if (!rows.has(time)) rows.set(time, new Map());
    for (const { name, cell } of columns) {
      const value = cell(time);
      if (value !== null) rows.get(time).set(name, value);
    }
  }
}

/** Writes a table as CSV. @param {Rows} rows @param {import("./source.js").Track[]} tracks  for the order of the columns */
export function writeCSV(rows, tracks) {
  const used = new Set([...rows.values()].flatMap((row) => [...row.keys()]));
  const names = tracks.flatMap(({ name }) => [name, `${name} min`, `${name} max`, `${name} text`]).filter((name) => used.has(name));
  const lines = [...rows.keys()].sort((a, b) => a - b).map((time) => [new Date(time).toISOString(), ...names.map((name) => rows.get(time).get(name))]);
  return [["time", ...names], ...lines].map(csvLine).join("");
}

/** Writes the values of a span as CSV. */
export function plotCSV(tracks, from, to) {
  const rows = new Map();
  addRows(rows, tracks, from, to);
  return writeCSV(rows, tracks);
}

/**
 * The values at some moments of a span, for reading: those that hold then.
 * @returns {{time: number, cells: string[]}[]}
 */
export function sampled(tracks, from, to, rows, write) {
  const step = (to - from) / Math.max(1, rows - 1);
  return Array.from({ length: rows }, (_, n) => from + n * step).map((time) => ({ time, cells: tracks.map((track) => write(track, time)) }));
}
