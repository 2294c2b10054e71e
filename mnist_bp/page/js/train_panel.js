/* The panel of the training here: its buttons, how far it is, its curves, and the weights as they form. */

import { drawChart } from "./charts.js";
import { content } from "./content.js";
import { byId, isNew, setText } from "./dom.js";
import { percent, tidy } from "./format.js";
import { drawDiverging } from "./images.js";
import { ParameterVector } from "./parameters.js";
import { largestSize } from "./scales.js";
import { reset } from "./state.js";
import { asPercent } from "./steps.js";
import { isTrainable, play, setLive, setPace, setTrainingRate, startAnew, takeOneStep } from "./train_here.js";

const COLUMNS = 8; // of the pictures of weights
const GAP = 1; // pixels between them

export function connectTrainPanel() {
  byId("train-here").hidden = !isTrainable();
  if (!isTrainable()) return;
  const clicks = { play, step: takeOneStep, new: startAnew, back: reset };
  for (const [name, action] of Object.entries(clicks)) byId(`train-${name}`).addEventListener("click", () => action());
  byId("train-pace").addEventListener("change", ({ target }) => setPace(target.value));
  byId("train-live").addEventListener("change", ({ target }) => setLive(target.checked));
  byId("train-rate").addEventListener("input", ({ target }) => setTrainingRate(10 ** Number(target.value)));
  setText(byId("train-about"), aboutWords());
}

function aboutWords() {
  const { dataset, training } = content;
  const kind = `${dataset.is_synthetic ? "SYNTHETIC" : dataset.name} training images`;
  const count = (training.labels.length - training.validation).toLocaleString("en");
  return (
    `From random weights, on ${count} ${kind}. Each step averages the wishes of a mini-batch of ` +
    `${training.batch_size}. ${training.validation} others, which it never trains on, validate it.`
  );
}

export function renderTraining(view) {
  if (!isTrainable()) return;
  const { training, pace, isLive, trainingRate, taken } = view;
  const isPlaying = Boolean(training?.isPlaying);
  setText(byId("train-play"), isPlaying ? "❚❚ Pause" : "▶ Train");
  byId("train-back").hidden = taken === 0;
  for (const input of document.querySelectorAll("#train-pace input")) input.checked = input.value === pace;
  byId("train-live").checked = isLive;
  byId("train-rate").value = Math.log10(trainingRate);
  setText(byId("train-rate-name"), tidy(trainingRate, 3));
  setText(byId("train-status"), statusWords(training));
  byId("train-result").hidden = !training?.points;
  if (training?.points && isNew(byId("train-result"), "shown", training.parameters)) drawResult(view);
}

export function statusWords(training) {
  if (training?.problem) return training.problem;
  if (!training?.points) return "Nothing is trained yet.";
  const { taken, stepsPerEpoch, perSecond, validation } = training;
  if (!Number.isFinite(validation.cost)) return "η is too large: the numbers are not finite. Start with new weights.";
  const speed = perSecond === null ? "" : `, ${tidy(perSecond, 2)} steps a second`;
  return `Epoch ${Math.floor(taken / stepsPerEpoch) + 1}, step ${taken}${speed}: ${percent(validation.accuracy)} of the validation images.`;
}

function drawResult({ training: { points, parameters }, network, drawn, rows, columns }) {
  const x = points.map(({ taken }) => taken);
  const draw = (id, format, what) => {
    const series = ["training", "validation"].map((part) => ({
      name: part === "training" ? "train" : part,
      look: part === "training" ? "train" : part,
      y: points.map((point) => point[part][what]),
    }));
    drawChart(byId(id), { x, xLabel: "steps", format, series });
  };
  draw("train-cost", (tick) => tidy(tick, 3), "cost");
  draw("train-accuracy", asPercent, "accuracy");
  drawWeights(new ParameterVector(network.sizes, parameters).W[1], drawn[1], { rows, columns });
  setText(
    byId("train-weights-name"),
    `Weights into ${drawn[1].length} neurons of layer 1: blue positive, orange negative`,
  );
}

/* The weights into each neuron as an image, all on one canvas, each on its own scale. */
function drawWeights(W, neurons, { rows, columns }) {
  const across = Math.min(COLUMNS, neurons.length);
  const down = Math.ceil(neurons.length / across);
  const width = across * (columns + GAP) - GAP;
  const height = down * (rows + GAP) - GAP;
  const values = new Float64Array(width * height);
  for (const [place, j] of neurons.entries()) {
    const weights = Float64Array.from({ length: rows * columns }, (_, k) => W.at(j, k));
    const most = largestSize(weights) || 1;
    const start = Math.floor(place / across) * (rows + GAP) * width + (place % across) * (columns + GAP);
    for (const [k, w] of weights.entries()) {
      values[start + Math.floor(k / columns) * width + (k % columns)] = w / most;
    }
  }
  drawDiverging(byId("train-weights"), values, height, width);
}
