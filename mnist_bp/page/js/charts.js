/* Small line charts. Their colours come from page.css. */

import { largest } from "./arrays.js";
import { svgElement } from "./dom.js";

const CHART = { width: 320, height: 190, left: 46, right: 62, top: 10, bottom: 34 };

/* Draw curves over the same x.
 *
 * series: [{name, y, look}]; look is a class of page.css that gives colour and dashes. A y that is null leaves a gap.
 * Each curve has its name at its end. */
export function drawChart(svg, { x, series, xLabel, format }) {
  const numbers = series.flatMap(({ y }) => y).filter((value) => value !== null && Number.isFinite(value));
  svg.setAttribute("viewBox", `0 0 ${CHART.width} ${CHART.height}`);
  svg.replaceChildren();
  if (!numbers.length) return;
  const ticks = niceTicks(-largest(numbers.map((value) => -value)), largest(numbers)); // a call takes only so many arguments
  const scale = scaleOf(x, ticks);
  svg.append(...axes(scale, ticks, xLabel, format));
  const ends = series.map((one) => drawCurve(svg, x, one, scale)).filter(Boolean);
  ends.sort((one, other) => one.y - other.y);
  for (const [i, end] of ends.entries()) {
    if (i) end.y = Math.max(end.y, ends[i - 1].y + 13); // names that would lie on each other
    svg.append(svgElement("text", { x: end.x + 6, y: end.y + 4, class: `curve-name ${end.look}` }, end.name));
  }
}

/* From values to places in the chart, and the first and last x. */
function scaleOf(x, ticks) {
  const { width, height, left, right, top, bottom } = CHART;
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const [first, last] = [x[0], Math.max(x[x.length - 1], x[0] + 1)];
  return {
    first,
    last,
    across: (value) => left + ((value - first) / (last - first)) * (width - left - right),
    up: (value) => height - bottom - ((value - low) / (high - low)) * (height - top - bottom),
  };
}

function axes({ first, last, across, up }, ticks, xLabel, format) {
  const { width, height, left, right, bottom } = CHART;
  const text = (x, y, words, anchor = "middle") =>
    svgElement("text", { x, y, class: "tick", "text-anchor": anchor }, words);
  return [
    ...ticks.flatMap((tick) => [
      svgElement("line", { x1: left, x2: width - right, y1: up(tick), y2: up(tick), class: "grid" }),
      text(left - 6, up(tick) + 4, format(tick), "end"),
    ]),
    ...wholeTicks(first, last).map((tick) => text(across(tick), height - bottom + 16, String(tick))),
    text((left + width - right) / 2, height - 3, xLabel),
  ];
}

/* Draw one curve; its end, or null if it has no point. */
function drawCurve(svg, x, { name, y, look }, { across, up }) {
  const isPoint = (value) => value !== null && Number.isFinite(value);
  const path = [];
  let [cx, cy] = [null, null];
  for (const [i, value] of x.entries()) {
    if (!isPoint(y[i])) continue;
    [cx, cy] = [across(value), up(y[i])];
    path.push(`${i && isPoint(y[i - 1]) ? "L" : "M"}${cx.toFixed(1)} ${cy.toFixed(1)}`);
  }
  if (!path.length) return null;
  svg.append(
    svgElement("path", { d: path.join(""), class: `curve ${look}` }),
    svgElement("circle", { cx, cy, r: 2.5, class: `curve-end ${look}` }),
  );
  return { name, look, x: cx, y: cy };
}

/* Four or so round numbers from at most low to at least high. */
export function niceTicks(low, high) {
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
