/* Signals that move: forwards, layer by layer, when another digit is shown; backwards with each step back, in the
 * colours of what is passed on. Readers who asked for less motion see none. */

import { parameterAt } from "./chain_rule.js";
import { svgElement } from "./dom.js";
import { stageNow } from "./stages.js";

const DURATION = 600; // milliseconds of the whole way
const PAUSE = { forwards: 150, backwards: 50 }; // ms: a stroke is one signal, and the layout has settled
const MOST_EDGES = 40; // of a layer
const LEAST_SHARE = 0.08; // of the strongest signal of a layer

const isStill = matchMedia("(prefers-reduced-motion: reduce)");

let last = { grey: null, stage: 0 };
let timer = null;

export function renderSignals(diagram, view) {
  const { grey, stage } = view;
  const isNewDigit = grey !== last.grey;
  const isStepBack = stage > last.stage && !isNewDigit;
  last = { grey, stage };
  if (isStill.matches || document.hidden || (!isNewDigit && !isStepBack)) return;
  clearTimeout(timer);
  if (isStepBack) timer = setTimeout(() => sendBackwards(diagram, view), PAUSE.backwards);
  else timer = setTimeout(() => sendForwards(diagram, view), PAUSE.forwards);
}

/* What each neuron passes on, w a, along the edges of each layer in turn. */
function sendForwards(diagram, { network, trace }) {
  const duration = DURATION / network.L;
  for (const [layer, edges] of diagram.layout.edges.entries()) {
    const value = ({ address }) => parameterAt(network, address) * trace.A[layer - 1][address.k];
    const timing = { duration, delay: (layer - 1) * duration };
    for (const { edge, share } of strongest(edges, value)) {
      move(diagram, edge.from, edge.to, { share, isPlus: edge.value >= 0, timing });
    }
  }
}

/* What the stage passes back along its edges, or, without edges, a ring around each of its neurons. */
function sendBackwards(diagram, view) {
  const { layer, part } = stageNow(view);
  const edges = diagram.layout.edges[part === "w" ? layer : layer + 1];
  if (part !== "w" && (part !== "a" || !edges)) {
    for (const neuron of diagram.layout.neurons) if (neuron.address.layer === layer) ring(diagram, neuron);
    return;
  }
  for (const { edge, share } of strongest(edges, ({ value }) => value)) {
    move(diagram, edge.to, edge.from, { share, isPlus: edge.value >= 0, timing: { duration: DURATION } });
  }
}

/* The edges with the strongest signals: {edge, share}. */
function strongest(edges, value) {
  const shown = edges.filter(({ address, from }) => address.k !== null && from);
  const sizes = shown
    .map((edge) => ({ edge, size: Math.abs(value(edge)) }))
    .sort((one, other) => other.size - one.size);
  const most = sizes[0]?.size || 1;
  const all = sizes.map(({ edge, size }) => ({ edge, share: size / most }));
  return all.slice(0, MOST_EDGES).filter(({ share }) => share >= LEAST_SHARE);
}

function move(diagram, from, to, { share, isPlus, timing }) {
  const dot = svgElement("circle", { r: 2 + 3 * share, class: `signal ${isPlus ? "plus" : "minus"}` });
  const place = ({ x, y }) => `translate(${x}px, ${y}px)`;
  const frames = [
    { transform: place(from), opacity: 0 },
    { opacity: 1, offset: 0.15 },
    { transform: place(to), opacity: 1 },
  ];
  play(diagram, dot, frames, { ...timing, easing: "ease-in-out", fill: "backwards" });
}

function ring(diagram, { x, y, r }) {
  const circle = svgElement("circle", { cx: x, cy: y, r: r + 3, class: "signal-ring" });
  const frames = [
    { transform: "scale(0.6)", opacity: 1 },
    { transform: "scale(1.9)", opacity: 0 },
  ];
  play(diagram, circle, frames, { duration: DURATION, easing: "ease-out" });
}

function play({ svg }, node, frames, timing) {
  const group = svg.querySelector(".signals") ?? svg.appendChild(svgElement("g", { class: "signals" }));
  group.append(node);
  node.animate(frames, timing).addEventListener("finish", () => node.remove());
}
