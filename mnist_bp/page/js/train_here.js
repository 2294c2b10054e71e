/* The training of a network like the page's, from random weights, in a worker made of the page's own code.
 *
 * state.training is null until it begins, then {isPlaying, taken, stepsPerEpoch, perSecond, parameters, points,
 * problem}: steps taken, steps a second or null, and a list of {taken, training, validation}, each {cost, accuracy}. */

import { content, decoded, network } from "./content.js";
import { byId } from "./dom.js";
import { adopt, changed, onChange, predictAgain, set, state } from "./state.js";

export const PAUSES = { slow: 500, medium: 50, fast: 0 }; // milliseconds between two steps
const MOST_POINTS = 400;

let worker = null; // a promise of it
let seed = 1; // of the weights and of the order of the examples

export function isTrainable() {
  return Boolean(content.training);
}

/* Play, or pause; begin if there is no training yet. */
export async function play() {
  if (state.training?.isPlaying) return tell({ action: "pause" });
  return tell({ action: "rate", rate: state.trainingRate }, { action: "play", pause: PAUSES[state.pace] });
}

export function takeOneStep() {
  return tell({ action: "rate", rate: state.trainingRate }, { action: "step" });
}

export function startAnew() {
  seed++;
  leave();
  return tell();
}

export function setPace(pace) {
  set({ pace });
  if (state.training?.isPlaying) tell({ action: "play", pause: PAUSES[pace] });
}

export function setTrainingRate(trainingRate) {
  set({ trainingRate });
  if (state.training?.isPlaying) tell({ action: "rate", rate: trainingRate });
}

export function setLive(isLive) {
  set({ isLive });
  if (isLive && state.training) show(state.training);
}

/* Pause where nobody sees the training, and end it with the page. */
export function connectTraining() {
  const pause = () => state.training?.isPlaying && tell({ action: "pause" });
  onChange(() => state.panel !== "training" && pause());
  document.addEventListener("visibilitychange", () => document.hidden && pause());
  addEventListener("pagehide", leave);
}

function leave() {
  worker?.then((one) => one.terminate());
  worker = null;
  state.training = null;
  changed();
}

async function tell(...messages) {
  try {
    worker ??= begin();
    const one = await worker;
    for (const message of messages) one.postMessage(message);
  } catch (error) {
    failed(error);
  }
}

function failed({ message }) {
  worker = null;
  set({ training: { ...state.training, isPlaying: false, problem: `The training stopped: ${message}.` } });
}

/* Start the worker with random weights. */
async function begin() {
  const data = await trainingData();
  const { sizes, activation, cost, output_activation } = content.network;
  const address = URL.createObjectURL(new Blob([byId("worker").textContent], { type: "text/javascript" }));
  const one = new Worker(address);
  one.addEventListener("message", ({ data: report }) => hear(report));
  one.addEventListener("error", failed);
  one.postMessage({ action: "start", described: { sizes, activation, cost, output_activation }, data, seed });
  URL.revokeObjectURL(address);
  return one;
}

/* content.training with its images as grey levels, which zlib compressed. */
export async function trainingData() {
  const compressed = new Blob([decoded(content.training.images, Uint8Array)]).stream();
  const stream = compressed.pipeThrough(new DecompressionStream("deflate"));
  return { ...content.training, images: new Uint8Array(await new Response(stream).arrayBuffer()) };
}

function hear(report) {
  const { taken, training, validation } = report;
  const points = [
    ...(state.training?.points ?? []).filter((point) => point.taken < taken),
    { taken, training, validation },
  ];
  const kept = points.length > MOST_POINTS ? points.filter((_, i) => i % 2 === 0 || i === points.length - 1) : points;
  set({ training: { ...report, points: kept, problem: null } });
  if (state.isLive) show(state.training);
}

/* Show the network of the training in place of the page's. */
function show({ parameters, isPlaying }) {
  if (state.busy !== null || parameters.length !== network.parameters.length) return;
  adopt(parameters);
  if (!isPlaying) predictAgain();
}
