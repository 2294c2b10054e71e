/* A drawing of a digit, preprocessed as MNIST's makers preprocessed theirs (LeCun, Bottou, Bengio and Haffner 1998).
 *
 * It mirrors mnist_bp/data/preprocess.py, in names and in order; why each step is as it is stands there. A picture is
 * {rows, columns, at}: numbers row by row. */

import { largest, mapped, median, picture, product, rowSums, transposed } from "./arrays.js";
import { cropped, findDigit, sides } from "./ink.js";

/* Grey levels, 0 to 255, as an image {rows, columns} for the network: 0 to 255, light on black. Null: all paper.
 * What counts as ink, and how large a digit is, is as in Python: {box, least_contrast, faintest, …}. */
export function preprocess(grey, { rows, columns }, limits) {
  const side = Math.max(1, Math.floor(Math.min(rows, columns) * limits.box + 0.5));
  if (grey.rows === rows && grey.columns === columns && isPrepared(grey, side, limits)) return levels(grey).at;
  const digit = findDigit(grey, limits);
  if (!digit) return null;
  const image = centred(scaledTo(digit.ink, side), { rows, columns });
  const most = largest(image.at);
  return levels(mapped(image, (x) => x * (255 / most))).at;
}

/* True for an image like those of MNIST: black border, longer side of its digit, mass in the middle. */
function isPrepared(grey, side, limits) {
  const ink = mapped(grey, (level) => (level > limits.least_contrast ? level : 0));
  if (sides(ink).some((edge) => median(edge) > 0) || !largest(ink.at)) return false;
  const digit = cropped(ink);
  const isCentred = [ink, transposed(ink)].every((image) => {
    const centre = centreOf(rowSums(image));
    return Math.abs(centre - Math.floor(image.rows / 2)) <= 1;
  });
  return isCentred && [side - 1, side].includes(Math.max(digit.rows, digit.columns));
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
  return Math.min(Math.max(Math.floor(length / 2) - Math.floor(centreOf(mass) + 0.5), 0), length - mass.length);
}

function centreOf(mass) {
  return mass.reduce((sum, x, i) => sum + x * i, 0) / mass.reduce((sum, x) => sum + x, 0);
}

function levels(image) {
  return { ...image, at: Uint8Array.from(image.at, (x) => Math.floor(Math.min(Math.max(x, 0), 255) + 0.5)) };
}
