/* Numbers for each pixel, as an image on a canvas. */

import { largestSize } from "./scales.js";

const colours = new Map();

/* A colour of page.css, as [red, green, blue]; also where the reader's own colours replace ours. */
export function colour(name) {
  if (!colours.has(name)) colours.set(name, colourNow(name));
  return colours.get(name);
}

/* Forget the colours, because the reader's preferences changed. */
export function forgetColours() {
  colours.clear();
}

function colourNow(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const [red, green, blue] = getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    .map(Number);
  probe.remove();
  return [red, green, blue];
}

/* Grey levels, 0 to 255, light on dark as MNIST has them. */
export function drawGrey(canvas, grey, rows, columns) {
  paint(canvas, rows, columns, (data, i) => {
    data[4 * i] = data[4 * i + 1] = data[4 * i + 2] = grey[i];
  });
}

/* Numbers of either sign: paper is 0, the two colours are ± the largest, which is returned. */
export function drawDiverging(canvas, values, rows, columns) {
  const [zero, plus, minus] = ["--zero", "--plus", "--minus"].map(colour);
  const most = largestSize(values);
  paint(canvas, rows, columns, (data, i) => {
    const share = most ? Math.abs(values[i]) / most : 0;
    const end = values[i] > 0 ? plus : minus;
    for (let channel = 0; channel < 3; channel++) {
      data[4 * i + channel] = Math.round(zero[channel] + share * (end[channel] - zero[channel]));
    }
  });
  return most;
}

/* Edges of the ink, between pixels of more and of less than half the brightness, as an SVG path. */
export function contour(grey, { rows, columns }, { x, y, scale }) {
  const isInk = (row, column) =>
    row >= 0 && column >= 0 && row < rows && column < columns && grey[row * columns + column] > 127;
  const parts = [];
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const start = `M${x + column * scale} ${y + row * scale}`;
      if (isInk(row, column) !== isInk(row - 1, column)) parts.push(`${start}h${scale}`);
      if (isInk(row, column) !== isInk(row, column - 1)) parts.push(`${start}v${scale}`);
    }
  }
  return parts.join("");
}

function paint(canvas, rows, columns, setPixel) {
  if (canvas.width !== columns) canvas.width = columns;
  if (canvas.height !== rows) canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  image.data.fill(255);
  for (let i = 0; i < rows * columns; i++) setPixel(image.data, i);
  context.putImageData(image, 0, 0);
}
