/* The state of the page: what is shown now, and what each action changes. Every action ends in changed(). */

import { backwardStages } from "./backward.js";
import { content, exampleGrey, inputs, labels, network } from "./content.js";
import { backward, cost, forward } from "./network.js";

const trained = network.parameters.slice();
const listeners = [];

export const stages = backwardStages(network);

const firstEvaluation = evaluate();

export const state = {
  grey: null, // what the network sees: a grey level for each pixel
  example: 0, // the test digit that this is, or null for a drawing
  target: null, // the label that it should have, or null
  stage: 0, // number of stages of the backward pass that are done
  chosen: null, // the address that was chosen, and the one under the pointer
  hovered: null,
  rate: content.learning_rate,
  version: 0, // of the parameters, which steps change
  taken: 0, // gradient steps since the network was as it was trained
  steps: [], // {cost, evaluation} before the first step on this digit and after each
  isTooLong: false, // true if the last step left the finite numbers
  evaluation: firstEvaluation,
  firstEvaluation,
};

/* Predictions for all test digits by the network as it is now. */
function evaluate() {
  const predictions = labels.map((_, example) => network.predict(forward(network, inputs(exampleGrey(example)))));
  return { predictions, correct: predictions.filter((label, example) => label === labels[example]).length };
}

export function onChange(listener) {
  listeners.push(listener);
}

export function changed() {
  for (const listener of listeners) listener();
}

/* Everything that is computed from the state, once for each change. */
export function computed() {
  const trace = forward(network, inputs(state.grey));
  const y = state.target === null ? null : network.oneHot(state.target);
  return { trace, y, derivatives: y && backward(network, trace, y) };
}

export function isBlank() {
  return state.example === null && state.grey.every((level) => level === 0);
}

export function isMisclassified(example) {
  return state.evaluation.predictions[example] !== labels[example];
}

/* Show these grey levels: a test digit, or a drawing if example is null. */
export function show(grey, example, target) {
  Object.assign(state, { grey, example });
  setTarget(target);
}

export function setTarget(label) {
  state.target = label;
  if (label === null) state.stage = 0;
  beginSteps();
  changed();
}

export function setStage(stage) {
  if (state.target === null) return;
  state.stage = Math.max(0, Math.min(stages.length, stage));
  changed();
}

export function setRate(rate) {
  state.rate = rate;
  changed();
}

export function setHovered(address) {
  state.hovered = address;
  changed();
}

export function setChosen(address) {
  Object.assign(state, { chosen: address, hovered: null });
  changed();
}

/* Begin to count steps on what is shown now. */
function beginSteps() {
  const { trace, y } = computed();
  state.isTooLong = false;
  state.steps = y ? [{ cost: cost(network, trace, y), evaluation: state.evaluation }] : [];
}

/* Take gradient steps. A step that is so long that it leaves the finite numbers is taken back. */
export function takeSteps(count) {
  state.isTooLong = false;
  for (let i = 0; i < count && !state.isTooLong; i++) takeStep();
  changed();
}

function takeStep() {
  const before = network.parameters.slice();
  const { y, derivatives } = computed();
  network.step(derivatives.gradient, state.rate);
  const costNow = cost(network, computed().trace, y);
  state.isTooLong = !Number.isFinite(costNow);
  if (state.isTooLong) {
    network.parameters.set(before);
    return;
  }
  state.taken++;
  state.version++;
  state.evaluation = evaluate();
  state.steps.push({ cost: costNow, evaluation: state.evaluation });
}

/* Give the network back the parameters that it was trained to. */
export function reset() {
  network.parameters.set(trained);
  state.version++;
  state.taken = 0;
  state.evaluation = firstEvaluation;
  beginSteps();
  changed();
}
