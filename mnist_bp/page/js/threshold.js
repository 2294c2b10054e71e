/* Separation of strokes from what is fainter.
 *
 * It mirrors mnist_bp/data/threshold.py, in names and in order; why each step is as it is stands there. */

import { mapped, picture, transposed } from "./arrays.js";

/* 1 for pixels that are strokes or within their grey edges, 0 for others. */
export function nearStrokes(ink, limits) {
  const threshold = otsuThreshold(ink, limits.bins);
  const isStroke = mapped(ink, (x) => Number(x > threshold));
  const longer = Math.max(extent(isStroke), extent(transposed(isStroke)));
  const distance = Math.max(1, Math.floor(longer * limits.edge + 0.5));
  return transposed(nearInColumns(transposed(nearInColumns(isStroke, distance)), distance));
}

/* From the first to the last row with a stroke. */
function extent({ columns, at }) {
  return Math.floor(at.lastIndexOf(1) / columns) - Math.floor(at.indexOf(1) / columns) + 1;
}

/* The threshold with the largest variance between the means below and above it (Otsu 1979). */
function otsuThreshold(ink, bins) {
  const count = new Float64Array(bins);
  for (const x of ink.at) count[Math.min(Math.max(Math.floor(x * bins), 0), bins - 1)]++;
  const mass = count.reduce((sum, n, level) => sum + n * level, 0);
  let [below, massBelow, most, best] = [0, 0, -1, 0];
  for (let level = 0; level < bins; level++) {
    below += count[level];
    massBelow += count[level] * level;
    const above = ink.at.length - below;
    const between = ((mass * below) / ink.at.length - massBelow) ** 2 / Math.max(below * above, 1);
    if (between > most) [most, best] = [between, level];
  }
  return (best + 1) / bins;
}

/* 1 where a stroke is at most "distance" pixels above or below. */
function nearInColumns({ rows, columns, at }, distance) {
  const last = new Float64Array(columns).fill(-Infinity); // the last row with a stroke
  const above = picture(rows, columns, (row, column) => {
    if (at[row * columns + column]) last[column] = row;
    return row - last[column];
  });
  last.fill(Infinity);
  for (let i = at.length - 1; i >= 0; i--) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    if (at[i]) last[column] = row;
    above.at[i] = Number(Math.min(above.at[i], last[column] - row) <= distance);
  }
  return above;
}
