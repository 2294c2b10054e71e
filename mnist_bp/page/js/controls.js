/* The controls: what each button, field and key does. */

import { className, content, network } from "./content.js";
import { byId, element, hasModifier } from "./dom.js";
import { board, examplesInReach, moveExample, showExample } from "./examples.js";
import { MOST_NEURONS } from "./selection.js";
import { changed, reset, setChosen, setRate, setStage, setTarget, state, takeSteps } from "./state.js";

export function connect() {
  connectBoard();
  connectBackwardPass();
  connectSteps();
  connectWeights();
  document.addEventListener("keydown", onKey);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

function on(id, event, action) {
  byId(id).addEventListener(event, action);
}

function connectBoard() {
  on("undo", "click", () => board.undo());
  on("clear", "click", () => board.clear());
  on("example", "input", () => showExample(examplesInReach()[byId("example").value]));
  on("previous", "click", () => moveExample(-1));
  on("next", "click", () => moveExample(1));
  on("random", "click", () => {
    const list = examplesInReach();
    showExample(list[Math.floor(Math.random() * list.length)]);
  });
  on("only-mistakes", "change", () => {
    const list = examplesInReach();
    if (list.includes(state.example) || !list.length) changed();
    else showExample(list.find((example) => example > state.example) ?? list[0]);
  });
}

function connectBackwardPass() {
  on("step-back", "click", () => setStage(state.stage + 1));
  on("step-forth", "click", () => setStage(state.stage - 1));
  on("steps", "keydown", onStepKey);
  for (const name of ["layer", "j", "k"]) on(`address-${name}`, "input", chooseByNumber);
}

function connectSteps() {
  byId("rate").value = Math.log10(state.rate);
  on("rate", "input", () => setRate(10 ** Number(byId("rate").value)));
  on("take-step", "click", () => takeSteps(1));
  on("take-ten", "click", () => takeSteps(10));
  on("reset", "click", reset);
}

function connectWeights() {
  byId("neuron").max = network.sizes[1] - 1;
  byId("address-layer").max = network.L;
  on("neuron", "input", changed);
  on("thumbnails", "click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    byId("neuron").value = button.value;
    changed();
  });
  on("weights-kind", "change", changed);
}

/* Arrow keys show test digits where they have no other meaning. */
function onKey(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || hasModifier(event)) return;
  if (event.target !== document.body && event.target !== board.canvas) return;
  event.preventDefault();
  moveExample(by);
}

function onStepKey(event) {
  const by = { ArrowLeft: 1, ArrowRight: -1 }[event.key]; // to the left is back towards the pixels
  if (!by || hasModifier(event)) return;
  event.preventDefault();
  setStage(state.stage + by);
}

export function choose({ layer, j, k }) {
  byId("address-layer").value = layer;
  byId("address-j").value = j;
  byId("address-k").value = k ?? "";
  chooseByNumber();
}

/* Choose what the three fields name, as soon as there is such a weight; without a k, a bias. */
function chooseByNumber() {
  const [layer, j, k] = ["layer", "j", "k"].map((name) => byId(`address-${name}`));
  const isThere = ({ value }, first, count) => /^\d+$/.test(value) && value >= first && value < first + count;
  const hasLayer = isThere(layer, 1, network.L);
  const hasJ = hasLayer && isThere(j, 0, network.sizes[layer.value]);
  const hasK = hasLayer && (k.value === "" || isThere(k, 0, network.sizes[layer.value - 1]));
  layer.setAttribute("aria-invalid", !hasLayer);
  j.setAttribute("aria-invalid", !hasJ);
  k.setAttribute("aria-invalid", !hasK);
  if (!hasLayer || !hasJ || !hasK) return;
  if (Number(layer.value) === 1) byId("neuron").value = j.value;
  setChosen({ layer: Number(layer.value), j: Number(j.value), k: k.value === "" ? null : Number(k.value) });
}

/* Add the choice of the label that the digit should have: buttons, or a list if there are many. */
export function addTargets() {
  const place = byId("targets");
  const n = network.sizes[network.L];
  if (n > MOST_NEURONS) {
    place.append(targetList(n));
    return;
  }
  place.classList.toggle("named", content.dataset.class_names.length > 0);
  for (let label = 0; label < n; label++) {
    const input = element("input", { type: "radio", name: "target", value: label });
    input.addEventListener("change", () => setTarget(label));
    place.append(element("label", {}, input, element("span", {}, className(label))));
  }
}

function targetList(n) {
  const options = Array.from({ length: n }, (_, label) => element("option", { value: label }, className(label)));
  const select = element(
    "select",
    { "aria-label": "what it should have been" },
    element("option", { value: "" }, "choose"),
    options,
  );
  select.addEventListener("change", () => setTarget(select.value === "" ? null : Number(select.value)));
  return select;
}
