/**
 * The values of one keyword: what the bridge's history has of it, and what has arrived since.
 *
 * A value holds until the next one. The history has only changes, so a line between two of them would be an invention;
 * where the actor was silent, nothing is known and nothing is shown.
 */

/** Values that may follow those of the history. The oldest are dropped beyond it, and `oldest` says so. */
export const MAX_VALUES = 400_000;

const MINUTE = 60_000;

/** @typedef {[from: number, to: number]} Span  ms */

/** The index of the last time that is not after `time`, or -1. @param {number[]} times ascending */
export function lastBefore(times, time) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

class Series {
  constructor() {
    /** @type {number[]} */ this.t = [];
    /** When it was last said, even if it had not changed. */ this.until = 0;
    /** The width of the history's buckets, ms; 0 where each change is there. */ this.bucket = 0;
    /** Before this time buckets are a minute wide. */ this.fineFrom = -Infinity;
    /** Nothing is known before this time; null if that is not said. @type {number|null} */ this.oldest = null;
    /** When nothing was heard of the actor, ascending. @type {Span[]} */ this.silent = [];
  }

  take({ until, bucket_ms: bucket = 0, fine_from: fineFrom = -Infinity, oldest = null, silent = [] }) {
    this.until = until ?? this.t.at(-1) ?? 0;
    this.bucket = bucket;
    this.fineFrom = fineFrom;
    this.oldest = oldest;
    this.silent = silent;
  }

  /** The width of the bucket with an index, ms; 0 is a single value. */
  widthOf(index) { return this.t[index] < this.fineFrom ? MINUTE : this.bucket; }

  /** The end of the value with an index: the next one, or when it was last said. */
  endOf(index) {
    return this.t[index + 1] ?? Math.max(this.until, this.t[index] + this.widthOf(index));
  }

  /**
   * The spans in which the value with an index is known to have held: without those in which nothing was heard. After one
   * it holds again, since a change would be there.
   * @returns {Span[]}
   */
  spansOf(index) {
    const end = this.endOf(index);
    let start = this.t[index];
    if (this.silent.length === 0) return [[start, end]];
    const spans = [];
    for (const [from, to] of this.silent) {
      if (to <= start || from >= end) continue;
      if (from > start) spans.push([start, from]);
      start = to;
    }
    if (start < end || (start === end && spans.length === 0)) spans.push([start, end]);
    return spans;
  }

  /** The index of the value that holds at a time, or -1 where none is known. */
  indexAt(time) {
    const index = lastBefore(this.t, time);
    return index >= 0 && this.spansOf(index).some(([from, to]) => from <= time && time <= to) ? index : -1;
  }

  tooMany(columns) {
    const surplus = this.t.length - MAX_VALUES;
    if (surplus <= 0) return;
    const drop = surplus + MAX_VALUES / 4;
    for (const column of columns) column.splice(0, drop);
    this.oldest = this.t[0];
  }
}

/** A number: with buckets, the least, the greatest and the last of each. NaN is no value. */
export class NumberSeries extends Series {
  kind = "number";
  min = [];
  max = [];
  last = [];

  /** @param {object} answer  a series of the op `history` */
  static from(answer) {
    const series = new NumberSeries();
    series.t = answer.t.map(Number);
    series.last = answer.last.map(toNumber);
    series.min = answer.min?.map(toNumber) ?? series.last.slice();
    series.max = answer.max?.map(toNumber) ?? series.last.slice();
    series.take(answer);
    return series;
  }

  /** Adds a value that was heard. @returns {boolean} whether it is a change */
  add(time, value) {
    if (time < this.until) return false;
    this.until = time;
    const number = toNumber(value);
    if (this.t.length > 0 && Object.is(this.last.at(-1), number)) return false;
    this.t.push(time);
    for (const column of [this.min, this.max, this.last]) column.push(number);
    this.tooMany([this.t, this.min, this.max, this.last]);
    return true;
  }

  /** The least and the greatest value between two times; null without any. @returns {[number, number]|null} */
  extent(from, to) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = Math.max(0, lastBefore(this.t, from)); i < this.t.length && this.t[i] <= to; i += 1) {
      if (this.min[i] < low) low = this.min[i];
      if (this.max[i] > high) high = this.max[i];
    }
    return low <= high ? [low, high] : null;
  }

  /** What is known at a time. @returns {{time: number, last: number, min: number, max: number}|null} */
  at(time) {
    const i = this.indexAt(time);
    return i < 0 ? null : { time: this.t[i], last: this.last[i], min: this.min[i], max: this.max[i] };
  }
}

/** A word, a boolean, or any other value that is not a number. */
export class StateSeries extends Series {
  kind = "state";
  value = [];
  count = [];  // changes in a bucket, which shows the last

  static from(answer) {
    const series = new StateSeries();
    series.t = answer.t.map(Number);
    series.value = [...answer.value];
    series.count = answer.count?.map(Number) ?? series.t.map(() => 1);
    series.take(answer);
    return series;
  }

  /** Adds a value that was heard. @returns {boolean} whether it is a change */
  add(time, value) {
    if (time < this.until) return false;
    this.until = time;
    if (this.t.length > 0 && stateText(this.value.at(-1)) === stateText(value)) return false;
    this.t.push(time);
    this.value.push(value);
    this.count.push(1);
    this.tooMany([this.t, this.value, this.count]);
    return true;
  }

  at(time) {
    const i = this.indexAt(time);
    return i < 0 ? null : { time: this.t[i], value: this.value[i], count: this.count[i] };
  }
}

/** Numbers of JSON, of any size; what is none is NaN. */
function toNumber(value) {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return NaN;
}

/** The text of a state. */
export function stateText(value) {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item)) ?? "null";
}

/** Whether a value belongs on a line. What JSON cannot hold as a number comes as one of three words. */
export function isNumeric(value) {
  return typeof value === "number" || typeof value === "bigint" || value === "NaN" || value === "Infinity" || value === "-Infinity";
}
