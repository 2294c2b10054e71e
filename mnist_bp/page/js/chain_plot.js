/* The numbers of the chain, each on its own line, and the way of the nudge from line to line. The parameter's point is
 * a handle, and so is y on the line of the output. */

import { REACH, change, layerName } from "./chain.js";
import { svgElement } from "./dom.js";
import { signed, tidy } from "./format.js";

const PLOT = { width: 340, left: 66, right: 70, top: 22, most: 174, step: 42, mark: 8, bottom: 20 };
const NEAR = 18; // to the end of a line, where a number no longer has room on both sides of its point
const ENDS = { w: [-REACH, REACH], b: [-REACH, REACH], z: [-6, 6], a: [0, 1], C: [0, 1] };

export function drawChain(svg, { numbers, links }, y) {
  const rows = numbers.map((one, i) => {
    const across = (value) => acrossOf(one, value);
    return { ...one, at: placeOf(i, numbers), from: across(one.before), to: across(one.after) };
  });
  const output = rows[rows.length - 2];
  svg.setAttribute("viewBox", `0 0 ${PLOT.width} ${rows[rows.length - 1].at + PLOT.bottom}`);
  svg.setAttribute("aria-label", `${rows.map(spoken).join(", ")}; y is ${tidy(y)}`);
  svg.replaceChildren(
    ...rows.slice(1).flatMap((row, i) => way(rows[i], row, links[i])),
    ...rows.flatMap((row, i) => numberLine(row, i === 0)),
    ...target(output, y),
  );
}

/* How far down the line of a number is: all lines are in sight on a phone, and y's mark has room above the last. */
function placeOf(i, { length }) {
  const step = Math.min(PLOT.step, PLOT.most / (length - 1));
  return PLOT.top + i * step + (i === length - 1 ? PLOT.mark : 0);
}

/* What is held at a point of the window: "y" on the line of the output and below, or else "by", the nudge. */
export function heldAt(svg, { clientY }, { numbers }) {
  const box = svg.getBoundingClientRect();
  const y = ((clientY - box.top) / box.width) * PLOT.width;
  const [above, output] = [3, 2].map((fromEnd) => placeOf(numbers.length - fromEnd, numbers));
  return y > (above + output) / 2 ? "y" : "by";
}

/* The value of y, or that of the nudge, at a point of the window. */
export function valueAt(svg, { clientX }, held, { numbers }) {
  const box = svg.getBoundingClientRect();
  const x = ((clientX - box.left) / box.width) * PLOT.width;
  const share = (x - PLOT.left) / (PLOT.width - PLOT.left - PLOT.right);
  if (held === "y") return Math.max(0, Math.min(1, share));
  return 2 * REACH * share - REACH - numbers[0].before;
}

function acrossOf({ letter }, value) {
  const [low, high] = ENDS[letter];
  return PLOT.left + ((value - low) / (high - low)) * (PLOT.width - PLOT.left - PLOT.right);
}

/* The band from one number's change to that of the next, and the derivative that is the ratio of their widths. */
function way(one, next, { derivative }) {
  const [top, bottom] = [one.at, next.at];
  return [
    svgElement("path", {
      d: `M${one.from} ${top}L${one.to} ${top}L${next.to} ${bottom}L${next.from} ${bottom}Z`,
      class: "chain-way",
    }),
    svgElement("line", { x1: one.to, y1: top, x2: next.to, y2: bottom, class: "chain-now" }),
    text("tick", 4, (top + bottom) / 2 + 4, "start", `× ${tidy(derivative, 3)}`),
  ];
}

function numberLine(row, isHandle) {
  const { letter, at, from, to, after } = row;
  const [low, high] = ENDS[letter];
  const end = PLOT.width - PLOT.right;
  const sign = to < from ? "minus" : "plus";
  return [
    svgElement("line", { x1: PLOT.left, y1: at, x2: end, y2: at, class: "chain-line" }),
    text("tick", PLOT.left, at + 13, "start", tidy(low)),
    text("tick", end, at + 13, "end", tidy(high)),
    nameOf(row),
    svgElement("line", { x1: from, y1: at, x2: to, y2: at, class: `nudge-change ${sign}` }),
    svgElement("circle", { cx: from, cy: at, r: 3.5, class: "nudge-start" }),
    svgElement("circle", { cx: to, cy: at, r: isHandle ? 8 : 4, class: "nudge-point" }),
    text("nudge-name", to, at - (isHandle ? 11 : 8), to < PLOT.left + NEAR ? "start" : "middle", tidy(after, 3)),
    text(`chain-change ${sign}`, PLOT.width - 2, at + 4, "end", from === to ? "" : signed(change(row), 3)),
  ];
}

function nameOf({ letter, layer, at }) {
  if (layer === null) return text("nudge-name", 4, at + 4, "start", "C₀");
  const above = svgElement("tspan", { dy: "-0.4em", "font-size": "0.75em" }, layerName(layer));
  return text("nudge-name", 4, at + 4, "start", letter, above);
}

/* The mark of y below the line of the output. */
function target(output, y) {
  const x = acrossOf(output, y);
  const { at } = output;
  const side = y > 0.5 ? -1 : 1; // away from the nearer end, which has its number there
  return [
    svgElement("path", { d: `M${x} ${at + 3}l7 11h-14Z`, class: "nudge-point" }),
    text("nudge-name", x + side * 10, at + 14, side > 0 ? "start" : "end", "y"),
  ];
}

function text(look, x, y, anchor, ...words) {
  return svgElement("text", { x, y, class: look, "text-anchor": anchor }, ...words);
}

export function spokenName({ letter, layer }) {
  return layer === null ? "the cost" : `${letter} of layer ${layer}`;
}

function spoken(row) {
  const { before, after } = row;
  const name = spokenName(row);
  return before === after ? `${name} is ${tidy(after)}` : `${name} from ${tidy(before)} to ${tidy(after)}`;
}
