/* The ink of the digit in a picture, separated from the paper and from everything else.
 *
 * It mirrors mnist_bp/data/ink.py, in names and in order; why each step is as it is stands there. */

import { largest, mapped, median, picture, transposed } from "./arrays.js";
import { components } from "./components.js";
import { nearStrokes } from "./threshold.js";

/* {ink, contrast}: ink of the digit, 0 to 1, in the smallest box that contains it; null if there is none. */
export function findDigit(grey, limits) {
  const range = largest(grey.at) + largest(grey.at.map((level) => -level));
  if (!grey.at.length || range < limits.least_contrast) return null;
  const contrast = contrastOf(grey);
  const isLightOnDark = contrast.at.reduce((sum, x) => sum + x * x * x, 0) >= 0;
  const all = inkOf(isLightOnDark ? contrast : mapped(contrast, (x) => -x), limits);
  if (!all) return null;
  const ink = transposed(withoutLines(transposed(withoutLines(all, limits)), limits));
  const parts = components(ink);
  const digit = onSheet(grey, parts[0], ink, limits);
  const strongest = largest(contrast.at.map(Math.abs));
  if (digit && digit.contrast >= limits.faintest * strongest) return digit;
  const kept = picture(ink.rows, ink.columns, () => 0);
  for (const { pixels } of selected(parts, ink, limits)) for (const i of pixels) kept.at[i] = ink.at[i];
  return { ink: cropped(kept), contrast: strongest };
}

/* The ink without the horizontal lines of ruled paper: what is ink both above and below remains in their place. */
function withoutLines(ink, limits) {
  const { rows, columns, at } = ink;
  const isLine = (row) =>
    at[row * columns] && at[(row + 1) * columns - 1] && inkIn(ink, row, row + 1, 0, columns) >= limits.line * columns;
  const lines = [];
  for (let row = 0; row < rows; row++) {
    if (!isLine(row)) continue;
    const start = row;
    while (row + 1 < rows && isLine(row + 1)) row++;
    if (row + 1 - start <= limits.line_width * rows) lines.push([start, row + 1]);
  }
  if (lines.filter(([start, end]) => start > 0 && end < rows).length < 2) return ink;
  const result = { ...ink, at: at.slice() };
  const inkAt = (row, column) => (row >= 0 && row < rows ? at[row * columns + column] : 1);
  for (const [start, end] of lines) {
    for (let i = start * columns; i < end * columns; i++) {
      result.at[i] = Math.min(inkAt(start - 1, i % columns), inkAt(end, i % columns));
    }
  }
  return largest(result.at) ? result : ink;
}

/* How many pixels of ink these rows and columns have. */
function inkIn({ columns, at }, top, bottom, left, right) {
  let count = 0;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) count += at[row * columns + column] !== 0;
  }
  return count;
}

/* The digit on a sheet of paper that lies on something else; null if there is no sheet. */
function onSheet(grey, sheet, ink, limits) {
  const { top, bottom, left, right } = sheet;
  const [rows, columns] = [bottom - top, right - left];
  const isLarge =
    rows * columns >= limits.sheet * grey.at.length &&
    inkIn(ink, top, bottom, left, right) >= limits.sheet_ink * rows * columns;
  if (!isLarge) return null;
  const [high, wide] = [rows, columns].map((length) => Math.max(1, Math.floor(length * limits.sheet_edge)));
  const along = [new Set(), new Set(), new Set(), new Set()];
  for (const i of sheet.pixels) {
    const [row, column] = [Math.floor(i / grey.columns), i % grey.columns];
    if (row < top + high) along[0].add(column);
    if (row >= bottom - high) along[1].add(column);
    if (column < left + wide) along[2].add(row);
    if (column >= right - wide) along[3].add(row);
  }
  const lengths = [columns, columns, rows, rows];
  if (along.some((side, i) => side.size < limits.frame_pixels * lengths[i])) return null;
  return findDigit(section(grey, top + high, bottom - high, left + wide, right - wide), limits);
}

/* The components of the digit: no frames, no specks, and nothing at the picture's edge, unless the largest one touches
 * the edge, too. */
function selected(parts, ink, limits) {
  const isLarge = (part, _, all) => part.pixels.length >= limits.speck * all[0].pixels.length;
  const large = parts.filter(isLarge);
  const isFrame = (part) => large.some((other) => surrounds(part, other)) && isAlongItsBox(part, ink.columns, limits);
  const frames = new Set(large.slice(0, limits.most_frames).filter(isFrame));
  const rest = parts.filter((part) => !frames.has(part)).filter(isLarge);
  return touchesEdge(rest[0], ink) ? rest : rest.filter((part) => !touchesEdge(part, ink));
}

function surrounds(part, other) {
  const isInside =
    part.top <= other.top && other.bottom <= part.bottom && part.left <= other.left && other.right <= part.right;
  return other !== part && isInside;
}

/* True if almost all pixels lie in strips along the sides of the component's box. */
function isAlongItsBox(part, columns, limits) {
  const [high, wide] = [part.bottom - part.top, part.right - part.left].map((length) =>
    Math.max(1, Math.floor(length * limits.frame_width)),
  );
  const middle = part.pixels.filter((i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const isRow = part.top + high <= row && row < part.bottom - high;
    return isRow && part.left + wide <= column && column < part.right - wide;
  });
  return middle.length <= (1 - limits.frame_pixels) * part.pixels.length;
}

function touchesEdge(part, { rows, columns }) {
  return part.top === 0 || part.left === 0 || part.bottom === rows || part.right === columns;
}

/* The smallest box that holds all the ink. */
export function cropped({ rows, columns, at }) {
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  at.forEach((ink, i) => {
    if (!ink) return;
    const [row, column] = [Math.floor(i / columns), i % columns];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  });
  return section({ rows, columns, at }, top, bottom + 1, left, right + 1);
}

function section({ columns, at }, top, bottom, left, right) {
  return picture(bottom - top, right - left, (row, column) => at[(top + row) * columns + left + column]);
}

/* What differs from the paper, by sign: from the border's median, or from a plane through the medians of its sides. */
function contrastOf(grey) {
  const { rows, columns } = grey;
  const [top, bottom, left, right] = sides(grey).map(median);
  const [down, across] = [bottom - top, right - left];
  if (Math.abs(top + bottom - left - right) > (Math.abs(down) + Math.abs(across)) / 2) {
    const paper = median(sides(grey).flat());
    return mapped(grey, (x) => x - paper);
  }
  const [y, x] = [places(rows), places(columns)];
  const middle = (top + bottom + left + right) / 4;
  return mapped(grey, (level, row, column) => level - (middle + down * y[row] + across * x[column]));
}

/* Positions of a number of pixels, from −½ for the first to ½ for the last. */
function places(count) {
  return Array.from({ length: count }, (_, i) => (i - (count - 1) / 2) / Math.max(count - 1, 1));
}

/* Top, bottom, left, right. */
export function sides({ rows, columns, at }) {
  const row = (i) => Array.from({ length: columns }, (_, j) => at[i * columns + j]);
  const column = (j) => Array.from({ length: rows }, (_, i) => at[i * columns + j]);
  return [row(0), row(rows - 1), column(0), column(columns - 1)];
}

/* How much ink there is, from 0 to 1; null if it is all paper. */
function inkOf(contrast, limits) {
  const strongest = largest(contrast.at);
  const differences = sides(contrast).map((side) => side.slice(1).map((x, i) => Math.abs(x - side[i])));
  const noise = limits.noise * median(differences.flat());
  if (strongest < Math.max(limits.least_contrast, 2 * noise)) return null;
  const ink = mapped(contrast, (x) => x / strongest);
  const near = nearStrokes(ink, limits);
  const least = Math.max(noise, limits.faintest * strongest);
  return mapped(ink, (x, row, column) => {
    const i = row * ink.columns + column;
    return contrast.at[i] > least && near.at[i] ? x : 0;
  });
}
