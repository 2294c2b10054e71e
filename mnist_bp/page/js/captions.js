/* The captions of the guided story: {title, words, lights, stage, about}. Title, words and lights in the diagram are
 * functions of the view; stage is the stage of the backward pass that is shown; about selects the element of the panel
 * of a mini-batch that the caption is about. */

import { membersOf } from "./batch.js";
import { firstWish } from "./batch_panel.js";
import { className, drawn, labels, network } from "./content.js";
import { number, signed, tidy } from "./format.js";
import { cost } from "./network.js";
import { derivativeName, isWish, shownDerivative } from "./sign.js";
import { stages } from "./state.js";

const { L, sizes } = network;
const own = network.isFused(L) ? "z" : "a"; // what the cost gives a derivative of
const others = sizes[L] - 1;
const last = stages.length - 1; // stage with all weights
const before = L - 1; // the layer before the outputs

/* Those that apply: without hidden layers, nothing adds up; a single image has no average. */
export const CAPTIONS = [
  { title: ({ target }) => `This ${className(target)} wants …`, words: answerWords, lights: outputs, stage: 0 },
  { title: () => "Its output", words: outputWords, lights: ownOutput, stage: stageOf(L, own) },
  { title: () => `${before ? "Three" : "Two"} avenues`, words: avenueWords, lights: avenues, stage: stageOf(L, "w") },
  {
    title: () => (others === 1 ? "The other output" : `The other ${others === 9 ? "nine" : others}`),
    words: otherWords,
    lights: outputs,
    stage: stageOf(L, own),
  },
  { title: () => "Add up", words: sumWords, lights: hidden, stage: stageOf(before, "a"), isLeftOut: !before },
  {
    title: () => "Back a layer",
    words: backWords,
    lights: () => [column(before)],
    stage: stageOf(before, "w"),
    isLeftOut: !before,
  },
  {
    title: () => "Average",
    words: meanWords,
    about: "#batch-table tbody tr",
    stage: last,
    isLeftOut: labels.length < 2,
  },
  {
    title: () => "Step",
    words: stepWords,
    about: "#forecast [data-what=batch]",
    stage: last,
    isStep: true,
    isLeftOut: labels.length < 2,
  },
].filter(({ isLeftOut }) => !isLeftOut);

function stageOf(layer, part) {
  return 1 + stages.findIndex((one) => one.layer === layer && one.part === part);
}

function column(layer) {
  return { kind: "column", address: null, layer };
}

function neuron(layer, j) {
  return { kind: "neuron", address: { layer, j, k: null } };
}

function outputs() {
  return [column(L)];
}

function ownOutput({ target }) {
  return [neuron(L, target)];
}

/* The bias, the weight from the brightest neuron or pixel, and the neuron with the largest weight. */
function avenues({ target, trace }) {
  const edge = { kind: "edge", address: { layer: L, j: target, k: brightest(trace) } };
  return [neuron(L, target), edge, ...(before ? [neuron(before, weightiest(target))] : [])];
}

function hidden(view) {
  return [neuron(before, loudest(view))];
}

/* The neuron among those that are drawn, or the pixel, with the largest size. */
function largest(layer, size) {
  const all = layer ? drawn[layer] : Array.from({ length: sizes[0] }, (_, k) => k);
  return all.reduce((one, other) => (size(other) > size(one) ? other : one));
}

function brightest({ A }) {
  return largest(before, (k) => Math.abs(A[before][k]));
}

function weightiest(j) {
  return largest(before, (k) => Math.abs(weight(j, k)));
}

function loudest({ derivatives }) {
  return largest(before, (j) => Math.abs(derivatives.dC_dA[before][j]));
}

function weight(j, k) {
  return network.W[L].at(j, k);
}

function wish(dC) {
  return dC === 0 ? "it wants nothing" : `it wants to go ${dC < 0 ? "up" : "down"}`;
}

function ownDerivatives({ derivatives }) {
  return own === "a" ? derivatives.dC_dA[L] : derivatives.dC_dZ[L];
}

function answerWords({ trace, target, y }) {
  const a = trace.A[L];
  const predicted = network.predict(trace);
  const most =
    predicted === target ? "" : `, and the largest is output ${className(predicted)}, ${number(a[predicted], 3)}`;
  return (
    `Output ${className(target)} should be 1, and the other${others === 1 ? "" : "s"} 0. ` +
    `It is ${number(a[target], 3)}${most}: the cost C₀ is ${number(cost(network, trace, y), 3)}.`
  );
}

function outputWords(view) {
  const { trace, target } = view;
  const { wish_formula, derivative_formula } = network.cost;
  const rule = (isWish(view) ? wish_formula : derivative_formula).replaceAll(/_j(\^\(L\))?/g, "");
  const dC = ownDerivatives(view)[target];
  return (
    `Its z = ${number(trace.Z[L][target], 3)} gives a = ${number(trace.A[L][target], 3)}, where y = 1. ` +
    `${shown(view, own, dC, `${rule} = `)}: ${wish(dC)}.`
  );
}

/* A derivative in the sign that is chosen, such as "−∂C₀/∂a = +1.52". */
function shown(view, variable, dC, rule = "") {
  return `${derivativeName(view, `∂C₀/∂${variable}`)} = ${rule}${signed(shownDerivative(view, dC), 3)}`;
}

function avenueWords({ trace, target }) {
  const k = brightest(trace);
  const most = (what) => `most from ${what} ${k}, a = ${number(trace.A[before][k], 3)}`;
  if (!before) {
    return `What can change is its bias, and its weights in proportion to the pixels, ${most("pixel")}. The pixels are given.`;
  }
  const other = weightiest(target);
  return (
    `What can change is its bias; its weights, in proportion to the activations, ${most("neuron")}; and the activations ` +
    `of layer ${before}, in proportion to the weights, most that of neuron ${other}, w = ${number(weight(target, other), 3)}.`
  );
}

function otherWords(view) {
  const { target, trace } = view;
  const all = ownDerivatives(view);
  const rest = Array.from(all.keys()).filter((j) => j !== target);
  const down = rest.filter((j) => all[j] > 0).length;
  const up = rest.filter((j) => all[j] < 0).length;
  const most = rest.reduce((one, other) => (Math.abs(all[other]) > Math.abs(all[one]) ? other : one));
  return (
    `They have wishes, too: ${down} to go down${up ? `, ${up} to go up` : ""}. The strongest is that of output ` +
    `${className(most)}: a = ${number(trace.A[L][most], 3)}, y = 0, ${shown(view, own, all[most])}.`
  );
}

function sumWords(view) {
  const j = loudest(view);
  const dC = view.derivatives.dC_dA[before][j];
  return (
    `Neuron ${j} of layer ${before} gets a wish from each of the ${sizes[L]} outputs, in proportion to the weight to it. ` +
    `They add up to ${shown(view, "a", dC)}: ${wish(dC)}.`
  );
}

function backWords() {
  const way =
    before > 1
      ? "the same avenues lead back from them, layer by layer"
      : "their weights and biases follow in the same way";
  const count = network.parameters.length.toLocaleString("en");
  return `Now the ${sizes[before]} neurons of layer ${before} have wishes, and ${way}. In the end, this image has a wish for each of ${count} weights and biases.`;
}

function meanWords(view) {
  const { value, mean, count } = firstWish(view);
  const means = signed(shownDerivative(view, mean), 3);
  return (
    `Each image has other wishes. In the first row, this one has ${shown(view, "w", value)}, and the mean of ` +
    `these ${count} is ${means}: a step for all of them follows the mean.`
  );
}

function stepWords(view) {
  const [one, other] = view.storyCosts.map((mean) => number(mean, 4));
  return (
    `A step with η = ${tidy(view.rate, 3)} along the mean of these ${membersOf(view).length} took their cost from ${one} to ${other ?? "…"}. ` +
    "The next step is for other images, and so on: that is training."
  );
}
