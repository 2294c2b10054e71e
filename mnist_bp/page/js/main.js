/* The page itself: every change of the state is rendered, before the browser paints next. */

import { renderStage } from "./backward.js";
import { aClass, className, content, labels, network, shape } from "./content.js";
import { addTargets, choose, connect } from "./controls.js";
import { renderCost } from "./cost.js";
import { Diagram } from "./diagram.js";
import { byId } from "./dom.js";
import { renderExample, renderPrediction, showExample } from "./examples.js";
import { percent } from "./format.js";
import { formula } from "./formula.js";
import { renderEdge } from "./inspector.js";
import { sameAddress } from "./navigation.js";
import { computed, isBlank, isMisclassified, onChange, setHovered, stages, state } from "./state.js";
import { drawCurves, renderSteps } from "./steps.js";
import { renderWeights } from "./weights.js";

export const diagram = new Diagram(byId("diagram"), network, {
  shape,
  onHover: (address) => {
    if (sameAddress(address, state.hovered) || address === state.hovered) return;
    setHovered(address);
  },
  onChoose: choose,
});

let isWaiting = false;

function render() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    renderAtOnce();
  });
}

export function renderAtOnce() {
  const looked = state.hovered || state.chosen;
  const view = {
    ...computed(),
    ...state,
    ...shape,
    network,
    stages,
    labels,
    className,
    aClass,
    looked,
    wanted: [state.chosen, state.hovered].filter(Boolean),
    isBlank: isBlank(),
  };
  diagram.draw(view);
  view.drawn = diagram.drawn;
  renderExample();
  renderPrediction(view);
  renderCost(view);
  renderStage(view);
  renderEdge(view, looked, looked && sameCommand(looked));
  renderSteps(view);
  renderWeights(view, Number(byId("neuron").value));
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
  const correct = percent(state.evaluation.correct / labels.length);
  byId("about").textContent =
    `${name}: ${described.sizes.join("-")}, ${parameters}, ${described.activation}, ${described.cost}. ` +
    `Right of the first ${labels.length} ${dataset.name} test images: ${correct}.`;
  const notes = [];
  if (dataset.is_synthetic) {
    notes.push("The test digits are SYNTHETIC, drawn by a program: what they come to says nothing about MNIST.");
  }
  if (trained_on !== null && trained_on !== dataset.name) {
    notes.push(`The network was trained on ${trained_on}; the test digits are of ${dataset.name}.`);
  }
  byId("notes").textContent = notes.join(" ");
  byId("notes").hidden = !notes.length;
}

function writeFormulas() {
  byId("step-formula").append(formula("− η ∂C_0/∂w_jk"));
  byId("kind-weights").append(formula("w_jk^(1)"));
  byId("kind-contributions").append(formula("w_jk^(1) a_k^(0)"));
  byId("kind-derivatives").append(formula("∂C_0/∂w_jk^(1)"));
}

onChange(render);
describe();
addTargets();
writeFormulas();
connect();
drawCurves(content.history);
const firstMistake = labels.findIndex((_, example) => isMisclassified(example)); // it shows more than a correct one
showExample(Math.max(0, firstMistake));
renderAtOnce();
