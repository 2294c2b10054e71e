/* The digit that is shown: a test digit or a drawing, and the prediction of the network. */

import { Board, BOARD } from "./board.js";
import { className, content, exampleGrey, exampleWords, labels, network, pixels, shape } from "./content.js";
import { byId, element, isNew, setAttributes, setProperty, setText } from "./dom.js";
import { number } from "./format.js";
import { preprocess } from "./preprocess.js";
import { changed, isMisclassified, put, show, state } from "./state.js";

let isDrawn = false; // true from a change of the drawing until it is prepared
let lastExample = 0; // where the controls continue after a drawing

export const board = new Board(byId("board"), () => {
  isDrawn = true;
  changed();
});

/* The test digits that the controls lead to. The one that is shown remains among them. */
export function examplesInReach() {
  const all = labels.map((_, example) => example);
  if (!state.isOnlyMistakes) return all;
  return all.filter((example) => isMisclassified(example) || example === state.example);
}

export function showExample(example) {
  if (example === undefined) return;
  isDrawn = false;
  lastExample = example;
  const grey = exampleGrey(example);
  board.show(grey, shape.rows, shape.columns);
  show(grey, example, labels[example]);
}

/* Show the example that is this many places further on, round and round. */
export function moveExample(by) {
  const list = examplesInReach();
  if (!list.length) return;
  const place = Math.max(0, list.indexOf(lastExample));
  showExample(list[(place + by + list.length) % list.length]);
}

/* Prepare the drawing, once a frame, however often the pointer moved. It keeps the target that was chosen for it. */
export function prepareDrawing() {
  if (!isDrawn) return;
  isDrawn = false;
  const target = state.example === null ? state.target : null;
  const ink = preprocess({ rows: BOARD, columns: BOARD, at: board.grey() }, shape, content.preprocess);
  put(ink || new Uint8Array(pixels), null, target);
}

export function renderExample({ isBlank, example }) {
  const list = examplesInReach();
  const slider = byId("example");
  setProperty(slider, "max", String(Math.max(0, list.length - 1)));
  setProperty(slider, "disabled", !list.length);
  slider.value = Math.max(0, list.indexOf(lastExample));
  const name = exampleName(example, isBlank, list);
  setText(byId("example-name"), name);
  setAttributes(slider, { "aria-valuetext": name });
  for (const id of ["previous", "next", "random"]) setProperty(byId(id), "disabled", !list.length);
  setProperty(byId("undo"), "disabled", board.isEmpty);
  setProperty(byId("clear"), "disabled", isBlank);
  setProperty(byId("hint"), "hidden", !board.isEmpty);
  byId("only-mistakes").checked = state.isOnlyMistakes;
}

function exampleName(example, isBlank, list) {
  if (example !== null) return exampleWords(example);
  if (state.isOnlyMistakes && !list.length) return "there is no mistake";
  return isBlank ? "an empty board" : "your drawing";
}

export function renderPrediction(view) {
  const line = byId("answer");
  const { trace, target, isBlank } = view;
  const predicted = network.predict(trace);
  const kind = isBlank ? "blank" : target === null ? "open" : target === predicted ? "right" : "wrong";
  if (isNew(line, "state", kind)) line.replaceChildren(...(isBlank ? ["Nothing on the board yet."] : answerParts()));
  setProperty(line, "className", `answer ${kind}`);
  if (isBlank) return;
  setText(byId("prediction"), className(predicted));
  byId("prediction").classList.toggle("is-long", className(predicted).length > 2);
  setText(byId("prediction-value"), number(trace.A[network.L][predicted], 3));
  setText(byId("verdict"), kind === "open" ? "" : kind);
}

function answerParts() {
  return [
    element("span", { class: "says" }, "It says "),
    element("strong", { id: "prediction" }),
    " ",
    element("span", { id: "prediction-value" }),
    " ",
    element("span", { id: "verdict" }),
  ];
}
