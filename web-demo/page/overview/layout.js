/**
 * Where each row of the overview is. Nothing here depends on the page.
 *
 * If all rows fit, they read down the columns, as in a printed list. If not, they read across, so that scrolling shows
 * them in their order.
 */

/** The narrowest column that shows a row's values, px. */
const COLUMN = 470;

/** Rows beyond the visible ones that are drawn, so that scrolling shows no holes. */
const SPARE = 6;

/**
 * @param {{count: number, width: number, height: number, rowHeight: number}} of  px; `height` that can be seen at once
 */
export function layOut({ count, width, height, rowHeight }) {
  const most = Math.max(1, Math.floor(width / COLUMN));
  const visible = Math.max(1, Math.floor(height / rowHeight));
  const columns = Math.min(most, Math.max(1, Math.ceil(count / visible)));
  const rows = Math.ceil(count / columns);
  return { count, columns, rows, down: rows <= visible, rowHeight, width: width / columns, height: rows * rowHeight };
}

/** @typedef {ReturnType<typeof layOut>} Layout */

/** The place of a row. @param {Layout} layout @param {number} index @returns {{column: number, row: number}} */
export function placeOf({ columns, rows, down }, index) {
  return down ? { column: Math.floor(index / rows), row: index % rows } : { column: index % columns, row: Math.floor(index / columns) };
}

/** Which rows are drawn. @param {Layout} layout @param {number} top  px of it that are scrolled away @param {number} height  px that can be seen */
export function drawn({ count, columns, rows, down, rowHeight }, top, height) {
  if (down) return { from: 0, to: count };
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const last = Math.min(rows, Math.ceil((top + height) / rowHeight) + SPARE);
  return { from: Math.min(count, first * columns), to: Math.min(count, Math.max(first, last) * columns) };
}

/** The row that a key moves to, or null. */
export function moved({ count, columns, rows, down }, index, key) {
  const [across, along] = down ? [rows, 1] : [1, columns];
  const to = {
    ArrowDown: index + along, ArrowUp: index - along, ArrowRight: index + across, ArrowLeft: index - across,
    Home: 0, End: count - 1, PageDown: Math.min(count - 1, index + 10 * along), PageUp: Math.max(0, index - 10 * along),
  }[key];
  return to === undefined || to < 0 || to >= count ? null : to;
}
