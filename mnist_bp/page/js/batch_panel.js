/* The panel of a mini-batch: the lesson's table of wishes, and what a step for one digit or for all of them does. */

import { batchGradient, batchRows, keptBatch, membersOf, otherDigits } from "./batch.js";
import { aClass, exampleWords, network, shape } from "./content.js";
import { byId, element, isNew, setText } from "./dom.js";
import { showExample } from "./examples.js";
import { forecast } from "./forecast.js";
import { number, percent, signed, tidy } from "./format.js";
import { formula, spokenParameter } from "./formula.js";
import { drawGrey } from "./images.js";
import { isWish, shownDerivative } from "./sign.js";
import { missingWords } from "./steps.js";
import { computed, reset, set, setChosen, state, takeSteps } from "./state.js";

let members = []; // of the mini-batch that is shown
let rows = []; // of its table
let source = []; // what they were computed from

export function connectBatch() {
  const on = (id, event, action) => byId(id).addEventListener(event, action);
  const isReady = () => state.busy === null && computed().y !== null;
  on("batch-other", "click", () => set({ batch: otherDigits(state) }));
  on("batch-steps", "change", ({ target }) => set({ batchSteps: Number(target.value) }));
  on("batch-rate", "input", ({ target }) => set({ rate: 10 ** Number(target.value) }));
  on("batch-one", "click", () => isReady() && takeSteps(state.batchSteps));
  on("batch-all", "click", () => isReady() && takeSteps(state.batchSteps, () => batchGradient(network, members)));
  on("batch-reset", "click", reset);
  on("batch-table", "click", ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.example) showMember(Number(button.dataset.example));
    else if (button?.dataset.row) setChosen(rows[Number(button.dataset.row)].address);
  });
}

/* Show a digit of the mini-batch, which stays as it is. */
function showMember(example) {
  state.batch = keptBatch(members);
  showExample(example);
}

export function renderBatch(view) {
  const { y, rate, batchSteps, busy, taken } = view;
  const isReady = y !== null;
  byId("batch-table").hidden = byId("forecast").hidden = !isReady;
  byId("batch-rate").value = Math.log10(rate);
  setText(byId("batch-rate-name"), tidy(rate, 3));
  for (const input of byId("batch-steps").elements) input.checked = Number(input.value) === batchSteps;
  for (const id of ["batch-one", "batch-all"]) byId(id).setAttribute("aria-disabled", !isReady || busy !== null);
  byId("batch-reset").disabled = taken === 0;
  setText(byId("batch-progress"), busy ?? "");
  setText(
    byId("batch-words"),
    isWish(view) ? "what it wishes of some weights and biases." : "its derivatives by some weights and biases.",
  );
  setText(byId("forecast-note"), noteWords(view));
  if (!isReady) return;
  renderTable(view);
  renderForecast(view);
}

function noteWords({ y, isBlank, isTooLong }) {
  if (!y) return missingWords(isBlank);
  if (isTooLong) return "That step was too long: it left the finite numbers, and was taken back. Try a smaller η.";
  return "A step for one image alone often costs the others something. The mean is a step that most of them can live with.";
}

/* Compute members and rows anew where what they depend on has changed. */
function compute(view) {
  const { drawn, chosen, grey, target, version, batch } = view;
  const now = [grey, target, version, batch, chosen];
  if (now.every((one, i) => one === source[i])) return;
  source = now;
  members = membersOf(view);
  rows = batchRows(drawn, members, chosen);
}

function renderTable(view) {
  compute(view);
  const { sign } = view;
  const table = byId("batch-table");
  if (!isNew(table, "rows", rows) && !isNew(table, "sign", sign)) return;
  isNew(table, "sign", sign);
  table.replaceChildren(
    element(
      "thead",
      {},
      element("tr", {}, element("td"), members.map(digitHead), element("th", { class: "mean", scope: "col" }, "mean")),
    ),
    element(
      "tbody",
      {},
      rows.map((row, i) => parameterRow(view, row, i)),
    ),
  );
  const rest = (network.parameters.length - rows.length).toLocaleString("en");
  byId("batch-note").replaceChildren(
    `And so on, for ${rest} more. The means are `,
    formula(isWish(view) ? "−∂C/∂w" : "∂C/∂w"),
    " of the mini-batch: the direction of a training step.",
  );
}

/* Return the first row of the table: ∂C_0/∂w of the digit that is shown, the mean, and the number of digits. */
export function firstWish(view) {
  compute(view);
  const { values, mean } = rows[0];
  return { value: values[members.findIndex(({ example }) => example === state.example)], mean, count: values.length };
}

/* A digit, small; it shows the digit large. */
function digitHead({ example, grey, label }) {
  const canvas = element("canvas");
  drawGrey(canvas, grey, shape.rows, shape.columns);
  const name = example === null ? `your drawing, ${aClass(label)}` : exampleWords(example);
  const isShown = example === state.example;
  const button = { type: "button", "aria-label": name, "aria-pressed": String(isShown), "data-example": example };
  return element("th", { scope: "col", class: isShown ? "shown" : null }, element("button", button, canvas));
}

/* A parameter's derivatives, in whole numbers of a power of ten, which stands beside its name. */
function parameterRow(view, { address, values, mean }, i) {
  const most = Math.max(...[...values, mean].map(Math.abs));
  const power = most > 0 && Number.isFinite(most) ? Math.floor(Math.log10(most)) - 1 : 0;
  const cell = (value, look, what) => {
    const shown = shownDerivative(view, value);
    const isUp = shown > 0;
    const triangle = element("span", { class: isUp ? "up" : "down", "aria-hidden": "true" }, isUp ? "▲" : "▼");
    triangle.style.fontSize = `${(0.3 + 0.6 * Math.sqrt(Math.abs(value) / most || 0)).toFixed(2)}rem`;
    const text = String(Math.round(shown / 10 ** power) || 0).replace("-", "−");
    const attributes = { class: look, "data-what": what, title: signed(shown) };
    return element("td", attributes, shown === 0 ? "" : triangle, element("span", {}, text));
  };
  const unit = power === 0 ? "" : element("small", {}, `×10${superscript(power)}`);
  const name = element("button", { type: "button", "data-row": i }, spokenParameter(address));
  const cells = values.map((value, column) =>
    cell(value, members[column].example === state.example ? "shown" : "", "one"),
  );
  return element("tr", {}, element("th", { scope: "row" }, name, unit), cells, cell(mean, "mean", "mean"));
}

function superscript(power) {
  return String(power).replace(/./g, (sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]));
}

/* What steps would do from here, for one digit and for all. */
function renderForecast(view) {
  const { rate, batchSteps, version, grey, target, batch } = view;
  const key = [rate, batchSteps, version, grey, target, batch];
  const isWanted = () => view.panel === state.panel && state.forecast?.key === key;
  if (!key.every((one, i) => one === state.forecast?.key[i])) {
    state.forecast = { key, found: {} };
    const own = members.find(({ example }) => example === state.example);
    forecast({ members, own, rate, count: batchSteps }, isWanted, (found) => set({ forecast: { key, found } }));
  }
  showForecast(view, state.forecast.found);
}

function showForecast({ labels }, { now, one, all }) {
  setText(byId("forecast-rest"), `${labels.length} test images`);
  for (const row of byId("forecast").tBodies[0].rows) {
    const { what } = row.dataset;
    const isFraction = what === "correct";
    const text = (result) => (isFraction ? percent(result[what] / labels.length) : number(result[what]));
    const arrow = (result) => (result[what] > now[what] ? "↑ " : result[what] < now[what] ? "↓ " : "");
    const texts = [now ? text(now) : "…", ...[one, all].map((result) => (result ? arrow(result) + text(result) : "…"))];
    for (const [column, words] of texts.entries()) setText(row.cells[column + 1], words);
  }
}
