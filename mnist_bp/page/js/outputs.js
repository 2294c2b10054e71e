/* The cost, output by output, and the nudges that follow from it.
 *
 * Here and in the other files that render, view is what main.js shows: {network, trace, y, derivatives, drawn, stage,
 * …}. y and derivatives are null while no label is chosen. */

import { outputs } from "./chain_rule.js";
import { byId, element, isNew, setText } from "./dom.js";
import { number, signed } from "./format.js";
import { atLayer, formula, showFormula, withFormulas } from "./formula.js";
import { cost } from "./network.js";
import { derivativeName, derivativeNoun, shownDerivative } from "./sign.js";
import { renderTable } from "./tables.js";

/* The cost, beside the prediction. */
export function renderCostLine({ network, trace, y }) {
  const line = byId("cost-line");
  if (isNew(line, "has cost", Boolean(y))) {
    const parts = y
      ? [element("span", { class: "word" }, "cost "), formula("C_0"), " = ", element("strong", { id: "cost" })]
      : [];
    line.replaceChildren(...parts);
  }
  if (y) setText(byId("cost"), number(cost(network, trace, y), 6));
}

/* The table of outputs. */
export function renderOutputs(view) {
  const { network, trace, y, derivatives, target, drawn, className, isBlank } = view;
  const { L } = network;
  const { formula: costFormula, derivative_by } = network.cost;
  showFormula(
    byId("cost-formula"),
    `C_0 = ${atLayer(costFormula, L).replace("_t", target === null ? "_j" : `_{${target}}`)}`,
  );
  const columns = [{ what: "a", name: `a_j^(${L})`, words: "activation" }];
  if (y) {
    const nudge = derivativeName(view, `∂C_0/∂${derivative_by}_j`);
    columns.push(
      { what: "y", name: "y_j", words: "target" },
      { what: "cost", name: "C_{0,j}", words: "share of the cost" },
    );
    columns.push({ what: "nudge", name: nudge, words: derivativeNoun(view) });
  }
  const all = y ? outputs(network, trace, derivatives, y) : Array.from(trace.A[L], (a) => ({ a: isBlank ? null : a }));
  const shown = shownOutputs(drawn[L], target, network.predict(trace));
  const rows = shown.map((j) => outputRow(view, j, className(j), all[j]));
  renderTable(byId("outputs"), "j", columns, rows);
  const rest = all.length - shown.length;
  const words = [...costWords(view), rest ? ` ${rest} more outputs are not shown.` : ""];
  if (isNew(byId("cost-note"), "words", [y === null, isBlank, rest].join())) {
    byId("cost-note").replaceChildren(...words);
  }
}

/* The outputs that are drawn, and with them the prediction and the target. */
function shownOutputs(drawn, target, predicted) {
  const shown = new Set([...drawn, predicted, ...(target === null ? [] : [target])]);
  return [...shown].sort((one, other) => one - other);
}

function outputRow(view, j, name, { a, y, cost: share, derivative }) {
  if (y === undefined) return { id: j, name, look: "", cells: [a === null ? "–" : number(a, 3)] };
  const nudge = shownDerivative(view, derivative);
  const triangle = nudge === 0 ? "" : nudge > 0 ? "▲ " : "▼ ";
  return {
    id: j,
    name,
    look: [y ? "wanted" : "", nudge > 0 ? "up" : nudge < 0 ? "down" : ""].join(" ").trim(),
    cells: [number(a, 3), String(y), number(share, 3), triangle + signed(nudge, 3)],
  };
}

function costWords({ network, y, isBlank }) {
  if (isBlank) return ["Draw something: then each output has an activation."];
  if (!y) return ["Choose what it should have been: then the cost says how bad this answer is."];
  const count = y.length === 10 ? "ten" : y.length;
  return withFormulas(atLayer(network.cost.cost_note, network.L).replace("{n}", count));
}
