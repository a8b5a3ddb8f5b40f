/** How times and values are written at the axes. Times are UTC, and have the date where a day begins. */

const DAY = 86_400_000;

/** The labels of a time axis. @param {number[]} times  ms @param {number} step  ms between two */
export function timeLabels(times, step) {
  let day = null;
  return times.map((exact) => {
    const fine = step >= 1_000 ? 1_000 : 1;  // uPlot adds up fractions, and may begin a millisecond before a whole second
    const time = fine * Math.round(exact / fine);
    const iso = new Date(time).toISOString();
    const date = iso.slice(5, 10);
    const begins = date !== day && (day !== null || time % DAY === 0);
    day = date;
    if (step >= DAY || (begins && time % DAY === 0)) return date;
    if (step >= 60_000) return iso.slice(11, 16);
    return step >= 1_000 ? iso.slice(11, 19) : iso.slice(14, 23);
  });
}

/** Writes a value for reading: six digits that matter. */
export function valueText(value) {
  if (value === null || value === undefined) return "";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "no number" : String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return String(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
  return String(Number(value.toPrecision(6)));
}
