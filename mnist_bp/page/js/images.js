/* Numbers for each pixel, as an image on a canvas. */

/* A colour of page.css, as [red, green, blue]. */
export function colour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}

/* Grey levels, 0 to 255, light on dark as MNIST has them. */
export function drawGrey(canvas, grey, rows, columns) {
  paint(canvas, rows, columns, (i) => [grey[i], grey[i], grey[i]]);
}

/* Numbers of either sign: paper is 0, the two colours are ± the largest, which is returned. */
export function drawDiverging(canvas, values, rows, columns) {
  const [zero, plus, minus] = ["--zero", "--plus", "--minus"].map(colour);
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  paint(canvas, rows, columns, (i) => {
    const share = most ? Math.abs(values[i]) / most : 0;
    const end = values[i] > 0 ? plus : minus;
    return zero.map((from, channel) => Math.round(from + share * (end[channel] - from)));
  });
  return most;
}

function paint(canvas, rows, columns, rgb) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) image.data.set([...rgb(i), 255], 4 * i);
  context.putImageData(image, 0, 0);
}
