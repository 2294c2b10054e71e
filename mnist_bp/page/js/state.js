/* The state of the page: what is shown now, and what each action changes. Every action ends in changed(). */

import { START } from "./chain.js";
import { content, exampleGrey, inputs, labels, network } from "./content.js";
import { inSlices } from "./jobs.js";
import { backward, cost, forward, gradient, sensitivities } from "./network.js";
import { referencesOf } from "./scales.js";
import { backwardStages } from "./stages.js";

const trained = network.parameters.slice();
const listeners = [];

export const stages = backwardStages(network);

const firstEvaluation = evaluation(content.examples.predictions);

/* What somebody chose to see. Together with the drawing and the parameters, it determines all that is shown: an address
 * of the page can be made from these, and show and set lead back to them. */
export const CHOICES = {
  example: 0, // the test digit that is shown, or null for a drawing
  target: null, // the label that it should have, or null
  stage: 0, // number of stages of the backward pass that are done
  chosen: null, // the address of an edge or a neuron
  sign: "wish", // or "derivative"; see sign.js
  isCommonScale: false, // one scale for all layers; see scales.js
  hasLegend: matchMedia("(min-width: 68rem) and (min-height: 50rem)").matches, // where there is room
  panel: null, // the panel of the drawer that is open; see drawer.js
  neuron: 0, // the neuron of layer 1 in the panel of weights
  kind: "weights", // what is shown of it: weights, contributions or derivatives
  rate: content.step_rate, // η
  isOnlyMistakes: false, // the controls lead to misclassified digits alone
  batch: null, // the examples of the mini-batch, or null for eight of different classes; see batch.js
  batchSteps: 1, // how many steps are taken, and forecast, at a time
  pace: "medium", // of the training here: slow, medium or fast
  trainingRate: content.training?.rate, // η of the training here
  chain: START, // the nudge in the network 1-1-1-1; see chain.js
  story: 0, // the caption of the guided story, from 1 on, or 0; see story.js
  isLive: true, // the diagram shows the network that is trained here
};

export const state = {
  ...CHOICES,
  grey: null, // what the network sees: a grey level for each pixel
  hovered: null, // the address under the pointer
  spot: null, // what is pointed at in a formula or a table; see spot.js
  pointed: null, // where in the diagram it was pointed at what is chosen or hovered, {x, y}, or null
  nudge: null, // what is added to one parameter, as a question; see what_if.js
  version: 0, // of the parameters, which steps change
  taken: 0, // gradient steps since the network was as it was trained
  forecast: null, // what steps would do; see batch_panel.js
  training: null, // the training here; see train_here.js
  storyCosts: [], // the mean costs of the mini-batch before and after the step of the story
  steps: [], // {cost, evaluation} before the first step on this digit and after each
  references: null, // what counts as large, as it was before the first step on this digit; see scales.js
  isTooLong: false, // true if the last step left the finite numbers
  busy: null, // how far a long job is, in words, or null
  evaluation: firstEvaluation,
  firstEvaluation,
};

function evaluation(predictions) {
  return { predictions, correct: predictions.filter((label, example) => label === labels[example]).length };
}

export function onChange(listener) {
  listeners.push(listener);
}

export function changed() {
  for (const listener of listeners) listener();
}

/* Change choices that have no consequences beyond what they show. */
export function set(choices) {
  Object.assign(state, choices);
  changed();
}

let last = {}; // what was computed last, and of what

/* What follows from image, target and parameters: {trace, y, derivatives}. An empty board has no cost, and its y and
 * derivatives are null, as they are without a target. */
export function computed() {
  const { grey, target, version } = state;
  if (last.grey !== grey || last.target !== target || last.version !== version) {
    const trace = forward(network, inputs(grey));
    const y = target === null || isBlank() ? null : network.oneHot(target);
    last = { grey, target, version, trace, y, derivatives: y && backward(network, trace, y) };
  }
  const { derivatives } = last;
  if (derivatives && state.stage === stages.length) {
    derivatives.dC_dA[0] ??= sensitivities(network, derivatives.dC_dZ, 0); // only the last stage needs it
  }
  return last;
}

export function isBlank() {
  return state.example === null && state.grey.every((level) => level === 0);
}

export function isMisclassified(example) {
  return state.evaluation.predictions[example] !== labels[example];
}

/* Put these grey levels in place: a test digit, or a drawing if example is null. The caller renders. */
export function put(grey, example, target) {
  Object.assign(state, { grey, example, target });
  if (target === null || isBlank()) state.stage = 0;
  beginSteps();
}

export function show(grey, example, target) {
  put(grey, example, target);
  changed();
}

export function setTarget(label) {
  show(state.grey, state.example, label);
}

export function setStage(stage) {
  if (!computed().y) return;
  set({ stage: Math.max(0, Math.min(stages.length, stage)) });
}

/* Where it was pointed at in the diagram, {x, y}, is where its card opens. */
export function setHovered(address, pointed = null) {
  set({ hovered: address, pointed });
}

/* Choose an address, or nothing: null. */
export function setChosen(address, pointed = null) {
  set({ chosen: address, hovered: null, pointed, ...(address?.layer === 1 ? { neuron: address.j } : {}) });
}

/* Begin to count steps on what is shown now. */
function beginSteps() {
  state.isTooLong = false;
  state.steps = [];
  state.references = null;
  const { trace, y, derivatives } = computed();
  if (!y) return;
  state.steps = [{ cost: cost(network, trace, y), evaluation: state.evaluation }];
  state.references = referencesOf(network, trace, derivatives);
}

/* Take gradient steps, for what is shown or against another gradient. A step that is so long that it leaves the finite numbers is taken back. */
export async function takeSteps(count, gradientNow = ownGradient) {
  if (state.busy !== null || !computed().y) return;
  state.busy = "";
  state.isTooLong = false;
  await inSlices(steps(count, gradientNow), (words) => set({ busy: words }));
  set({ busy: null });
}

function ownGradient() {
  const { trace, derivatives } = computed();
  return gradient(network, trace, derivatives);
}

function* steps(count, gradientNow) {
  const onThisDigit = state.steps;
  for (let i = 0; i < count; i++) {
    const costNow = step(gradientNow());
    if (state.isTooLong) {
      state.version++; // they are as they were, but not as they were computed with
      return;
    }
    const { version } = state;
    const evaluationNow = yield* evaluate(count > 1 ? `step ${i + 1} of ${count}` : "testing");
    if (state.version !== version) return; // reset meanwhile
    state.evaluation = evaluationNow;
    if (state.steps !== onThisDigit) return; // another digit meanwhile
    state.steps.push({ cost: costNow, evaluation: evaluationNow });
  }
}

/* Take one step and return the cost after it. */
function step(against) {
  const before = network.parameters.slice();
  network.step(against, state.rate);
  state.version++;
  const { trace: after, y } = computed();
  const costNow = cost(network, after, y);
  state.isTooLong = !Number.isFinite(costNow);
  if (state.isTooLong) {
    network.parameters.set(before);
  } else {
    state.taken++;
  }
  return costNow;
}

/* Predictions for all test digits by the network as it is now. */
function* evaluate(words) {
  const predictions = [];
  for (let example = 0; example < labels.length; example++) {
    predictions.push(network.predict(forward(network, inputs(exampleGrey(example)))));
    yield words;
  }
  return evaluation(predictions);
}

/* Give the network other parameters, those of a training here. Its predictions are not known until predictAgain(). */
export function adopt(parameters) {
  network.parameters.set(parameters);
  state.version++;
  state.taken++;
  beginSteps();
  changed();
}

/* Predict all test digits by the network as it is now. */
export async function predictAgain() {
  const { version } = state;
  await inSlices(
    (function* () {
      const evaluationNow = yield* evaluate("testing");
      if (state.version !== version) return;
      state.evaluation = evaluationNow;
      beginSteps();
    })(),
    () => {},
  );
  changed();
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
