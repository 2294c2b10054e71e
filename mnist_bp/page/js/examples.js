/* The digit that is shown: a test digit or a drawing, and the prediction of the network. */

import { Board, BOARD } from "./board.js";
import { aClass, className, content, exampleGrey, labels, network, pixels, shape } from "./content.js";
import { byId, element } from "./dom.js";
import { fixed } from "./format.js";
import { preprocess } from "./preprocess.js";
import { isBlank, isMisclassified, show, state } from "./state.js";

export const board = new Board(byId("board"), showDrawing);

/* The test digits that the controls lead to. */
export function examplesInReach() {
  const all = labels.map((_, example) => example);
  return byId("only-mistakes").checked ? all.filter(isMisclassified) : all;
}

export function showExample(example) {
  if (example === undefined) return;
  const grey = exampleGrey(example);
  board.show(grey, shape.rows, shape.columns);
  show(grey, example, labels[example]);
}

/* Show the example that is this many places further on, round and round. */
export function moveExample(by) {
  const list = examplesInReach();
  const place = Math.max(0, list.indexOf(state.example ?? list[byId("example").value]));
  showExample(list[(place + by + list.length) % list.length]);
}

/* A drawing keeps the target that was chosen for it. */
function showDrawing() {
  const target = state.example === null ? state.target : null;
  const ink = preprocess({ rows: BOARD, columns: BOARD, at: board.grey() }, shape, content.preprocess);
  show(ink || new Uint8Array(pixels), null, target);
}

export function renderExample() {
  const list = examplesInReach();
  const slider = byId("example");
  slider.max = Math.max(0, list.length - 1);
  slider.disabled = !list.length;
  if (state.example !== null) slider.value = Math.max(0, list.indexOf(state.example));
  const shown = list[slider.value];
  byId("example-name").textContent =
    shown === undefined ? "none: there is no mistake" : `test digit ${shown}, ${aClass(labels[shown])}`;
  slider.setAttribute("aria-valuetext", byId("example-name").textContent);
  for (const id of ["previous", "next", "random"]) byId(id).disabled = !list.length;
  byId("undo").disabled = byId("clear").disabled = board.isEmpty;
  byId("hint").textContent =
    state.example === null ? "Prepared as MNIST’s digits were." : "Draw here: large, in the middle.";
}

export function renderPrediction({ trace, target }) {
  const line = byId("answer");
  if (isBlank()) {
    line.replaceChildren("There is nothing on the board yet.");
    return;
  }
  const predicted = network.predict(trace);
  const verdict = target === predicted ? ": right." : `: wrong, it should have been ${aClass(target)}.`;
  line.replaceChildren(
    "It says ",
    element("strong", { id: "prediction" }, className(predicted)),
    ` (${fixed(trace.A[network.L][predicted], 4)})`,
    target === null ? "." : verdict,
  );
}
