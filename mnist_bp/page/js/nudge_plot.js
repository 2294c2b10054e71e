/* The plot of the nudge: the curve, its tangent, Δw and ΔC. The whole of it is a handle for mouse and finger. */

import { largest } from "./arrays.js";
import { niceTicks } from "./charts.js";
import { svgElement } from "./dom.js";
import { signed, tidy } from "./format.js";

const PLOT = { width: 340, height: 184, left: 52, right: 10, top: 12, bottom: 32 };
const TANGENT = 78; // half its length
const LEAST_SPAN = 0.02; // of the cost: a curve that is flatter is drawn flat

export function drawNudge(svg, curve, { letter, slope, cost, own }) {
  const scale = scaleOf(curve);
  const { across, up } = scale;
  const [here, there] = [
    { x: across(0), y: up(cost) },
    { x: across(own.dw), y: up(cost + own.dC) },
  ];
  svg.setAttribute("viewBox", `0 0 ${PLOT.width} ${PLOT.height}`);
  svg.setAttribute("aria-label", `The cost as a function of ${letter}; its slope is ${signed(slope)}`);
  svg.replaceChildren(
    ...axes(scale, curve, letter),
    line("nudge-here", here.x, PLOT.top, here.x, PLOT.height - PLOT.bottom),
    svgElement("path", { d: pathOf(curve, scale), class: "nudge-curve" }),
    ...tangent(here, scale, slope, letter, sideOf(own.dw, slope)),
    ...changes(here, there, letter),
    svgElement("circle", { cx: here.x, cy: here.y, r: 3.5, class: "nudge-start" }),
    svgElement("circle", { cx: there.x, cy: there.y, r: 8, class: "nudge-point" }),
  );
}

/* The Δw at a point of the window. */
export function nudgeAt(svg, { clientX }, { reach }) {
  const box = svg.getBoundingClientRect();
  const x = ((clientX - box.left) / box.width) * PLOT.width;
  return ((x - PLOT.left) / (PLOT.width - PLOT.left - PLOT.right)) * 2 * reach - reach;
}

function scaleOf({ reach, points }) {
  const costs = points.map(({ cost }) => cost).filter(Number.isFinite);
  const [least, most] = [-largest(costs.map((one) => -one)), largest(costs)];
  const missing = Math.max(0, LEAST_SPAN * most - (most - least)) / 2;
  const ticks = niceTicks(Math.max(0, least - missing), most + missing);
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const { width, height, left, right, top, bottom } = PLOT;
  return {
    ticks,
    across: (dw) => left + ((dw + reach) / (2 * reach)) * (width - left - right),
    up: (C) => height - bottom - ((C - low) / (high - low)) * (height - top - bottom),
    perUnit: (height - top - bottom) / (high - low) / ((width - left - right) / (2 * reach)), // of the slope
  };
}

function axes({ ticks, across, up }, { w, reach }, letter) {
  const { width, height, left, right, top, bottom } = PLOT;
  const text = (x, y, words, anchor) => svgElement("text", { x, y, class: "tick", "text-anchor": anchor }, words);
  const along = niceTicks(w - reach, w + reach).filter((value) => Math.abs(value - w) <= reach);
  return [
    ...ticks.flatMap((tick) => [
      line("grid", left, up(tick), width - right, up(tick)),
      text(left - 5, up(tick) + 4, tidy(tick, 3), "end"),
    ]),
    ...along.map((value) => text(across(value - w), height - bottom + 14, tidy(value, 3), "middle")),
    text(width - right, height - 4, letter, "end"),
    text(4, (top + height - bottom) / 2 + 4, "C₀", "start"),
  ];
}

function pathOf({ points }, { across, up }) {
  const finite = points.filter(({ cost }) => Number.isFinite(cost));
  return finite.map(({ dw, cost }, i) => `${i ? "L" : "M"}${across(dw).toFixed(1)} ${up(cost).toFixed(1)}`).join("");
}

/* Where the name of the tangent is in nobody's way: opposite the nudge, or at its upper end. */
function sideOf(dw, slope) {
  if (dw !== 0) return dw > 0 ? -1 : 1;
  return slope < 0 ? -1 : 1;
}

/* Its name is at its right end or, if side is −1, at its left end. */
function tangent({ x, y }, { perUnit }, slope, letter, side) {
  const rise = -slope * perUnit; // down the window is positive
  const [dx, dy] = [1, rise].map((part) => (TANGENT * part) / Math.hypot(1, rise));
  const place = {
    x: Math.min(Math.max(x + side * dx, PLOT.left + 4), PLOT.width - PLOT.right),
    y: Math.min(Math.max(y + side * dy - 8, PLOT.top + 6), PLOT.height - PLOT.bottom - 4),
  };
  const name = `∂C₀/∂${letter} = ${signed(slope, 3)}`;
  return [
    line("nudge-tangent", x - dx, y - dy, x + dx, y + dy),
    svgElement("text", { ...place, class: "nudge-name", "text-anchor": anchorAt(place.x) }, name),
  ];
}

/* Δw across and ΔC up, with their names where they are long enough. */
function changes(here, there, letter) {
  if (here.x === there.x) return [];
  const parts = [
    line("nudge-change", here.x, here.y, there.x, here.y),
    line(`nudge-change ${there.y < here.y ? "plus" : "minus"}`, there.x, here.y, there.x, there.y),
  ];
  if (Math.abs(there.x - here.x) < 20) return parts;
  const below = there.y < here.y ? 13 : -5; // on the side where the curve is not
  const label = (x, y, words, anchor) =>
    svgElement("text", { x, y, class: "nudge-name", "text-anchor": anchor }, words);
  parts.push(label((here.x + there.x) / 2, here.y + below, `Δ${letter}`, "middle"));
  if (Math.abs(there.y - here.y) < 16) return parts;
  const outside = there.x > here.x ? 1 : -1;
  const isOut = there.x + outside * 30 < PLOT.width && there.x + outside * 30 > PLOT.left;
  const side = isOut ? outside : -outside;
  parts.push(label(there.x + side * 6, (here.y + there.y) / 2 + 4, "ΔC₀", side > 0 ? "start" : "end"));
  return parts;
}

function anchorAt(x) {
  if (x < PLOT.width * 0.35) return "start";
  return x > PLOT.width * 0.65 ? "end" : "middle";
}

function line(look, x1, y1, x2, y2) {
  return svgElement("line", { x1, y1, x2, y2, class: look });
}
