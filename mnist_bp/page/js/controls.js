/* The controls: what each button, field and key does. */

import { connectAddress } from "./address.js";
import { className, network } from "./content.js";
import { byId, element, hasModifier, setAttributes, setProperty } from "./dom.js";
import { openPanel } from "./drawer.js";
import { board, examplesInReach, moveExample, showExample } from "./examples.js";
import { forgetColours } from "./images.js";
import {
  changed,
  isMisclassified,
  reset,
  set,
  setChosen,
  setStage,
  setTarget,
  stages,
  state,
  takeSteps,
} from "./state.js";
import { STORY_KEYS } from "./story.js";

const MOST_BUTTONS = 16; // classes that each have a button; more are a list

export function connect() {
  connectBoard();
  connectBackwardPass();
  connectAddress();
  connectSteps();
  connectWeights();
  document.addEventListener("keydown", onKey);
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(query).addEventListener("change", () => {
      forgetColours();
      changed();
    });
  }
}

function on(id, event, action) {
  byId(id).addEventListener(event, action);
}

/* A click, unless the button is disabled but keeps the focus. */
function onClick(id, action) {
  on(id, "click", ({ currentTarget }) => currentTarget.getAttribute("aria-disabled") !== "true" && action());
}

function connectBoard() {
  onClick("undo", () => board.undo());
  onClick("clear", () => board.clear());
  on("example", "input", () => showExample(examplesInReach()[byId("example").value]));
  onClick("previous", () => moveExample(-1));
  onClick("next", () => moveExample(1));
  onClick("random", () => {
    const list = examplesInReach();
    showExample(list[Math.floor(Math.random() * list.length)]);
  });
  on("only-mistakes", "change", ({ target }) => {
    state.isOnlyMistakes = target.checked;
    const isShown = state.example === null || !target.checked || isMisclassified(state.example);
    if (isShown) changed();
    else moveExample(1);
  });
}

function connectBackwardPass() {
  onClick("step-back", nextStep);
  onClick("step-forth", () => setStage(state.stage - 1));
  on("sign", "change", ({ target }) => set({ sign: target.value }));
  on("common-scale", "change", ({ target }) => set({ isCommonScale: target.checked }));
  onClick("legend-toggle", () => set({ hasLegend: !state.hasLegend }));
}

/* One stage back; after the last one, a step downhill. */
function nextStep() {
  if (state.stage < stages.length) {
    setStage(state.stage + 1);
    return;
  }
  openPanel("step");
  takeSteps(1);
}

function connectSteps() {
  on("rate", "input", () => set({ rate: 10 ** Number(byId("rate").value) }));
  onClick("take-step", () => takeSteps(1));
  onClick("take-ten", () => takeSteps(10));
  onClick("reset", reset);
}

function connectWeights() {
  byId("neuron").max = network.sizes[1] - 1;
  on("neuron", "input", () => set({ neuron: Number(byId("neuron").value) }));
  on("thumbnails", "click", ({ target }) => {
    const button = target.closest("button");
    if (button) set({ neuron: Number(button.value) });
  });
  on("weights-kind", "change", ({ target }) => set({ kind: target.value }));
}

const KEYS = {
  ArrowLeft: () => setStage(state.stage + 1), // to the left is back towards the pixels
  ArrowRight: () => setStage(state.stage - 1),
  Escape: () => (state.chosen ? setChosen(null) : openPanel(null)),
};

/* Keys of the whole page, where they have no other meaning. On the board, up and down show test digits. */
function onKey(event) {
  if (hasModifier(event)) return;
  const { key, target } = event;
  const byExample = target === board.canvas && { ArrowUp: -1, ArrowDown: 1 }[key];
  const isField = target.matches("input, select, textarea") && key !== "Escape";
  const action = (state.story && STORY_KEYS[key]) || KEYS[key];
  if (byExample) moveExample(byExample);
  else if (action && !isField) action();
  else return;
  event.preventDefault();
}

/* Add the choice of the label that the digit should have: buttons, or a list if there are many or they have names. */
export function addTargets() {
  const n = network.sizes[network.L];
  const names = Array.from({ length: n }, (_, label) => className(label));
  const isList = n > MOST_BUTTONS || names.some((name) => name.length > 2);
  byId("targets").append(...(isList ? [targetList(names)] : names.map(targetButton)));
}

function targetButton(name, label) {
  const input = element("input", { type: "radio", name: "target", value: label });
  input.addEventListener("change", () => setTarget(label));
  return element("label", {}, input, element("span", {}, name));
}

function targetList(names) {
  const options = names.map((name, label) => element("option", { value: label }, name));
  const none = element("option", { value: "" }, "choose");
  const select = element("select", { "aria-labelledby": "targets-title" }, none, options);
  select.addEventListener("change", () => setTarget(select.value === "" ? null : Number(select.value)));
  return select;
}

export function renderControls({ target, sign, isCommonScale, hasLegend, isBlank, stage }) {
  for (const input of document.querySelectorAll("#targets input")) input.checked = Number(input.value) === target;
  const select = document.querySelector("#targets select");
  if (select) select.value = target ?? "";
  for (const input of document.querySelectorAll("#sign input")) input.checked = input.value === sign;
  byId("common-scale").checked = isCommonScale;
  setProperty(byId("legend"), "hidden", !hasLegend);
  setAttributes(byId("legend-toggle"), { "aria-expanded": hasLegend });
  renderNext(isBlank ? 1 : target === null ? 2 : stage < stages.length ? 3 : 4);
}

/* Of the numbered steps of the page, mark the one that comes next. */
function renderNext(next) {
  for (const mark of document.querySelectorAll(".number")) {
    mark.classList.toggle("next", mark.textContent === String(next));
  }
}
