/* A drawing of a digit, preprocessed as MNIST's makers preprocessed theirs (LeCun, Bottou, Bengio and Haffner 1998).
 *
 * It mirrors mnist_bp/data/preprocess.py, in names and in order; why each step is as it is stands there. A picture is
 * {rows, columns, at}: numbers row by row. */

import { largest, mapped, median, picture, product, rowSums, transposed } from "./arrays.js";
import { digitOnly } from "./components.js";

/* Grey levels, 0 to 255, as an image {rows, columns} for the network: 0 to 255, light on black. Null: all paper.
 * What counts as ink, and how large a digit is, is as in Python: {box, least_contrast, faintest, noise, smallest, frame_width, frame_pixels}. */
export function preprocess(grey, { rows, columns }, limits) {
  if (largest(grey.at) + largest(grey.at.map((level) => -level)) < limits.least_contrast) return null;
  const contrast = contrastOf(grey);
  const isLightOnDark = contrast.at.reduce((sum, x) => sum + x * x * x, 0) >= 0;
  const side = Math.max(1, Math.floor(Math.min(rows, columns) * limits.box + 0.5));
  if (grey.rows === rows && grey.columns === columns && isLightOnDark && isPrepared(grey, side)) return levels(grey).at;
  const ink = inkOf(isLightOnDark ? contrast : mapped(contrast, (x) => -x), limits);
  if (!ink) return null;
  const image = centred(scaledTo(cropped(digitOnly(ink, limits)), side), { rows, columns });
  const most = largest(image.at);
  return levels(mapped(image, (x) => x * (255 / most))).at;
}

/* True if an image looks like those of MNIST: black border but for a tenth, size and centre of mass as theirs. */
function isPrepared(grey, side) {
  const border = sides(grey).flat();
  if (border.filter((level) => level > 0).length > border.length / 10 || !largest(grey.at)) return false;
  const digit = cropped(grey);
  const longer = Math.max(digit.rows, digit.columns);
  const isCentred = [grey, transposed(grey)].every((image) => {
    const mass = rowSums(image);
    const centre = mass.reduce((sum, x, i) => sum + x * i, 0) / mass.reduce((sum, x) => sum + x, 0);
    return Math.abs(centre - Math.floor(image.rows / 2)) <= 1;
  });
  return side - 1 <= longer && longer <= side && isCentred;
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

/* Where so many pixels lie, the first at −½ and the last at ½. */
function places(count) {
  return Array.from({ length: count }, (_, i) => (i - (count - 1) / 2) / Math.max(count - 1, 1));
}

/* Top, bottom, left, right. */
function sides({ rows, columns, at }) {
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
  return mapped(contrast, (x) => (x > Math.max(noise, limits.faintest * strongest) ? x / strongest : 0));
}

/* The smallest box that holds all the ink. */
function cropped({ rows, columns, at }) {
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  at.forEach((ink, i) => {
    if (!ink) return;
    const [row, column] = [Math.floor(i / columns), i % columns];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  });
  return picture(bottom - top + 1, right - left + 1, (row, column) => at[(top + row) * columns + left + column]);
}

/* Scaled until the longer side has so many pixels. */
function scaledTo(ink, side) {
  const [rows, columns] = [ink.rows, ink.columns].map((length) =>
    Math.max(1, Math.floor((length * side) / Math.max(ink.rows, ink.columns) + 0.5)),
  );
  return product(product(weightsOf(ink.rows, rows), ink), transposed(weightsOf(ink.columns, columns)));
}

/* What each of "after" pixels takes of each of "before": a triangle filter. */
function weightsOf(before, after) {
  const step = before / after;
  const weights = picture(after, before, (row, column) =>
    Math.max(0, 1 - Math.abs(column + 0.5 - (row + 0.5) * step) / Math.max(step, 1)),
  );
  const sums = rowSums(weights);
  return mapped(weights, (x, row) => x / sums[row]);
}

/* On black, moved by whole pixels until the centre of mass is at most half a pixel from the middle, pixel 14 of 28. */
function centred(ink, { rows, columns }) {
  const top = startOf(rowSums(ink), rows);
  const left = startOf(rowSums(transposed(ink)), columns);
  return picture(rows, columns, (row, column) => {
    const [i, j] = [row - top, column - left];
    return i >= 0 && i < ink.rows && j >= 0 && j < ink.columns ? ink.at[i * ink.columns + j] : 0;
  });
}

/* Where along an axis ink of this mass begins; none of it is cut off. */
function startOf(mass, length) {
  const centre = mass.reduce((sum, x, i) => sum + x * i, 0) / mass.reduce((sum, x) => sum + x, 0);
  return Math.min(Math.max(Math.floor(length / 2) - Math.floor(centre + 0.5), 0), length - mass.length);
}

function levels(image) {
  return { ...image, at: Uint8Array.from(image.at, (x) => Math.floor(Math.min(Math.max(x, 0), 255) + 0.5)) };
}
