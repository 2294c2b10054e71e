/* The page itself: every change of the state is rendered, before the browser paints next. */

import { renderAddress } from "./address.js";
import { renderAnnouncement } from "./announce.js";
import { renderCard } from "./card.js";
import { connectChain, renderChain } from "./chain_panel.js";
import { connectBatch, renderBatch } from "./batch_panel.js";
import { aClass, className, content, drawn, labels, network, shape } from "./content.js";
import { addTargets, connect, renderControls } from "./controls.js";
import { Diagram } from "./diagram.js";
import { byId, setText } from "./dom.js";
import { connectDrawer, renderDrawer } from "./drawer.js";
import { prepareDrawing, renderExample, renderPrediction } from "./examples.js";
import { formula } from "./formula.js";
import { renderEdge } from "./inspector.js";
import { renderLayer } from "./layer_table.js";
import { renderCostLine, renderOutputs } from "./outputs.js";
import { connectMoment, renderMoment } from "./moment.js";
import { connectNudge, renderNudge } from "./nudge.js";
import { connectDiagram } from "./pointing.js";
import { renderSight } from "./sight.js";
import { renderSignals } from "./signals.js";
import { connectSpots, drawSpots } from "./spot.js";
import { renderStage } from "./stage.js";
import { connectFormula, renderFormula } from "./stage_formula.js";
import { computed, isBlank, onChange, stages, state } from "./state.js";
import { renderSteps } from "./steps.js";
import { connectStory, renderStory, storyLights } from "./story.js";
import { connectTraining } from "./train_here.js";
import { connectTrainPanel, renderTraining } from "./train_panel.js";
import { accuracyWords, drawCurves } from "./training.js";
import { renderWeights } from "./weights.js";
import { nudged } from "./what_if.js";

/* What renders a panel of the drawer while it is open, by the panel's name. */
const PANELS = {
  numbers: (view) => {
    renderOutputs(view);
    renderLayer(view);
  },
  chain: renderChain,
  edge: (view) => {
    renderAddress();
    renderNudge(view);
    renderEdge(view);
  },
  step: renderSteps,
  batch: renderBatch,
  weights: renderWeights,
  training: (view) => {
    renderTraining(view);
    setText(byId("accuracy-note"), accuracyWords(view.evaluation));
  },
};

const names = Array.from({ length: network.sizes[network.L] }, (_, label) => className(label));

export const diagram = new Diagram(byId("diagram"), network, drawn, { shape, names }, renderAtOnce);

let isWaiting = false; // true from a change until it is rendered

function render() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(renderIfChanged);
}

export function renderIfChanged() {
  if (isWaiting) renderAtOnce();
}

export function renderAtOnce() {
  isWaiting = false;
  prepareDrawing();
  const looked = state.hovered || state.chosen;
  const view = {
    ...computed(),
    ...state,
    ...shape,
    network,
    stages,
    labels,
    drawn,
    className,
    aClass,
    looked,
    command: looked && sameCommand(looked),
    isBlank: isBlank(),
  };
  const lights = storyLights(view);
  view.spot ??= lights[0] ?? null;
  renderDrawer(view);
  renderStage(view);
  renderControls(view);
  renderExample(view);
  const asked = nudged(view); // the network with the nudge that somebody tries
  renderPrediction(asked);
  renderCostLine(asked);
  diagram.draw(asked);
  renderFormula(byId("stage-formula"), asked, diagram);
  drawSpots(diagram, lights);
  renderSignals(diagram, view);
  if (view.panel) PANELS[view.panel](view);
  renderStory(view);
  renderCard(view, diagram);
  renderSight(view);
  renderAnnouncement(view);
  renderMoment();
}

/* The command that explains the same parameter, while network and target are what they were in the training. */
function sameCommand({ layer, j, k }) {
  if (state.example === null || state.taken || state.target !== labels[state.example]) return null;
  const parameter = k === null ? `--bias ${layer}:${j}` : `--weight ${layer}:${j},${k}`;
  return `${content.explain} --example ${state.example} ${parameter}`;
}

function describe() {
  const { dataset, network: described, trained_on, name } = content;
  const parameters = `${network.parameters.length.toLocaleString("en")} weights and biases`;
  byId("about").textContent =
    `${name}: ${described.sizes.join("-")}, ${parameters}, ${described.activation}, ${described.cost}. ` +
    accuracyWords(state.evaluation);
  if (dataset.class_names.length) setText(byId("draw-words"), "Draw an image");
  const notes = [];
  if (dataset.is_synthetic) {
    notes.push("The test digits are SYNTHETIC, drawn by a program: what they come to says nothing about MNIST.");
  }
  if (trained_on !== null && trained_on !== dataset.name) {
    notes.push(`The network was trained on ${trained_on}; the test images are of ${dataset.name}.`);
  }
  byId("notes").textContent = notes.join(" ");
  byId("notes").hidden = !notes.length;
}

function writeFormulas() {
  byId("step-formula").append(formula("− η ∂C_0/∂w_jk"));
  byId("kind-weights").append(formula("w_jk^(1)"));
  byId("kind-contributions").append(formula("w_jk^(1) a_k^(0)"));
}

onChange(render);
describe();
addTargets();
writeFormulas();
connectDrawer();
connectDiagram(diagram);
connectFormula(byId("stage-formula"));
connectSpots(network, stages);
connectChain();
connectNudge();
connectBatch();
connectTraining();
connectTrainPanel();
connectStory();
connect();
drawCurves(content.history);
connectMoment();
renderAtOnce();
