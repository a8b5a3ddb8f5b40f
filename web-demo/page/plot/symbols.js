/** Draws what happened to the actors of a plot, in the plot and in its key. Each kind has a shape of its own, for those who see no colours. */

import { drawHatch } from "./draw.js";

/** Half the width of a shape, CSS pixels. */
export const SIZE = 4;

/** Steps of the hatches, CSS pixels: where replies may be missing, and where nothing is known. */
const GAP_STEP = 5;
const UNKNOWN_STEP = 9;

/** Draws lines with a shape at the top, and hatched spans in which replies may be missing. @param {import("./draw.js").Frame} frame */
export function drawMarks({ ctx, x, from, to, top, height, ratio }, marks, palette) {
  ctx.save();
  for (const { time, until, kind, level } of marks) {
    const left = x(Math.max(from, time));
    if (kind === "gap") {
      drawGap(ctx, left, top, Math.max(3 * ratio, x(Math.min(to, until)) - left), height, ratio, palette);
      continue;
    }
    if (time < from) continue;
    ctx.strokeStyle = colorOf(kind, level, palette);
    ctx.lineWidth = ratio;
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    ctx.moveTo(left, top);
    ctx.lineTo(left, top + height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    drawShape(ctx, kind, level, left, top, SIZE * ratio, palette);
  }
  ctx.restore();
}

/** Hatches a span in which replies may be missing. */
export function drawGap(ctx, left, top, width, height, ratio, palette) {
  drawHatch(ctx, left, top, width, height, GAP_STEP * ratio, palette.get("warn"));
}

/** Hatches a span in which nothing is known. */
export function drawUnknown(ctx, left, top, width, height, ratio, palette) {
  ctx.save();
  ctx.globalAlpha = 0.6;  // it is behind values
  drawHatch(ctx, left, top, width, height, UNKNOWN_STEP * ratio, palette.get("plot-many"));
  ctx.restore();
}

const colorOf = (kind, level, palette) => palette.get(kind === "command" && level === "ok" ? "accent" : level);

/** A command is a triangle that points down, and hollow if it failed; a problem is a triangle, a rhombus or a cross by its level. */
export function drawShape(ctx, kind, level, x, top, size, palette) {
  ctx.strokeStyle = ctx.fillStyle = colorOf(kind, level, palette);
  ctx.lineWidth = size / 2.5;
  ctx.beginPath();
  if (kind === "problem" && level === "critical") {
    for (const [begin, end] of [[-size, size], [size, -size]]) {
      ctx.moveTo(x + begin, top);
      ctx.lineTo(x + end, top + 2 * size);
    }
    ctx.stroke();
    return;
  }
  const [first, ...others] = cornersOf(kind, level).map(([right, down]) => [x + right * size, top + down * size]);
  ctx.moveTo(...first);
  for (const corner of others) ctx.lineTo(...corner);
  ctx.closePath();
  if (kind === "command" && level !== "ok") ctx.stroke();
  else ctx.fill();
}

function cornersOf(kind, level) {
  if (kind === "command") return [[-1, 0], [1, 0], [0, 2]];
  return level === "warn" ? [[-1, 2], [1, 2], [0, 0]] : [[0, 0], [1, 1], [0, 2], [-1, 1]];
}
