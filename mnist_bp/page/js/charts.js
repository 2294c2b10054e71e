"use strict";

/* Small line charts and diverging images. Colours are the page's: var(--…) in CSS, or asked for as numbers. */

const CHART = { width: 320, height: 190, left: 46, right: 62, top: 10, bottom: 34 };

/* Draw curves over the same x.
 *
 * series: [{name, y, look}]; look is a class of page.css that gives colour and dashes. A y that is null leaves a gap.
 * Each curve has its name at its end. */
function drawChart(svg, { x, series, xLabel, format }) {
  const { width, height, left, right, top, bottom } = CHART;
  const numbers = series.flatMap(({ y }) => y).filter((value) => value !== null && Number.isFinite(value));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  if (!numbers.length) return;
  const ticks = niceTicks(-largest(numbers.map((value) => -value)), largest(numbers)); // a call takes only so many arguments
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const [first, last] = [x[0], Math.max(x[x.length - 1], x[0] + 1)];
  const across = (value) => left + ((value - first) / (last - first)) * (width - left - right);
  const up = (value) => height - bottom - ((value - low) / (high - low)) * (height - top - bottom);

  for (const tick of ticks) {
    svg.append(
      svgElement("line", { x1: left, x2: width - right, y1: up(tick), y2: up(tick), class: "grid" }),
      svgElement("text", { x: left - 6, y: up(tick) + 4, class: "tick", "text-anchor": "end" }, format(tick)),
    );
  }
  for (const tick of wholeTicks(first, last)) {
    svg.append(
      svgElement(
        "text",
        { x: across(tick), y: height - bottom + 16, class: "tick", "text-anchor": "middle" },
        String(tick),
      ),
    );
  }
  svg.append(
    svgElement(
      "text",
      { x: (left + width - right) / 2, y: height - 3, class: "tick", "text-anchor": "middle" },
      xLabel,
    ),
  );
  const ends = [];
  for (const { name, y, look } of series) {
    const points = x.map((value, i) => [value, y[i]]).filter(([, value]) => value !== null && Number.isFinite(value));
    if (!points.length) continue;
    const path = points.map(
      ([value, height], i) => `${i ? "L" : "M"}${across(value).toFixed(1)} ${up(height).toFixed(1)}`,
    );
    svg.append(svgElement("path", { d: path.join(""), class: `curve ${look}` }));
    const [lastX, lastY] = points[points.length - 1];
    svg.append(svgElement("circle", { cx: across(lastX), cy: up(lastY), r: 2.5, class: `curve-end ${look}` }));
    ends.push({ name, look, x: across(lastX), y: up(lastY) });
  }
  ends.sort((one, other) => one.y - other.y);
  for (const [i, end] of ends.entries()) {
    if (i) end.y = Math.max(end.y, ends[i - 1].y + 13); // names that would lie on each other
    svg.append(svgElement("text", { x: end.x + 6, y: end.y + 4, class: `curve-name ${end.look}` }, end.name));
  }
}

/* Four or so round numbers from at most low to at least high. */
function niceTicks(low, high) {
  // Numbers that differ by less than ticks can say are all the same: so small a step would lead nowhere.
  const span = high - low > 1e-9 * Math.abs(high) ? high - low : Math.abs(high) || 1;
  const rough = span / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((multiple) => multiple * power >= rough);
  const ticks = [];
  for (let i = Math.floor(low / step + 1e-9); ; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
    if (i * step >= high - 1e-9 * step && ticks.length > 1) return ticks;
  }
}

function wholeTicks(first, last) {
  const step = Math.max(1, niceTicks(0, last - first)[1]);
  const ticks = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return ticks[0] > first && ticks[0] - first >= step / 2 ? [first, ...ticks] : ticks;
}

/* --- images ----------------------------------------------------------------------------------- */

/* A colour of page.css, as [red, green, blue]. */
function colour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}

/* Grey levels, 0 to 255, light on dark as MNIST has them. */
function drawGrey(canvas, grey, rows, columns) {
  paint(canvas, rows, columns, (i) => [grey[i], grey[i], grey[i]]);
}

/* Numbers of either sign: paper is 0, the two colours are ± the largest, which is returned. */
function drawDiverging(canvas, values, rows, columns) {
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
