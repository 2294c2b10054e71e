/* The label that the digit should have: the cost, output by output, and the nudges that follow from it.
 *
 * Here and in the other files that render, view is what main.js shows: {network, trace, y, derivatives, drawn, stage,
 * …}. y and derivatives are null while no label is chosen. */

import { outputs } from "./chain_rule.js";
import { byId, element, svgElement } from "./dom.js";
import { fixed, number } from "./format.js";
import { atLayer, formula, withFormulas } from "./formula.js";
import { cost } from "./network.js";

export function renderCost({ network, trace, y, derivatives, target, drawn, className }) {
  const { L } = network;
  const { formula: costFormula, share_formula, is_square } = network.cost;
  for (const input of document.querySelectorAll("#targets input")) input.checked = Number(input.value) === target;
  const select = document.querySelector("#targets select");
  if (select) select.value = target ?? "";

  const whole = atLayer(costFormula, L).replace("_t", target === null ? "_j" : `_{${target}}`);
  byId("cost-formula").replaceChildren(formula(`C_0 = ${whole}`));
  if (y) byId("cost-formula").append(" = ", element("strong", { id: "cost" }, number(cost(network, trace, y))));

  const heads = [
    element("span", { class: "hidden" }, "digit"),
    formula(`a_j^(${L})`),
    formula("y_j"),
    formula(atLayer(share_formula, L)),
    ...(is_square ? [""] : []),
    "nudge",
  ];
  byId("outputs-head").replaceChildren(...heads.map((head) => element("th", { scope: "col" }, head)));
  const rows = y ? outputs(network, trace, derivatives, y) : Array.from(trace.A[L], (a) => ({ a }));
  byId("outputs-body").replaceChildren(...drawn[L].map((j) => outputRow(j, className(j), rows[j], is_square)));
  const rest = rows.length - drawn[L].length;
  byId("cost-note").replaceChildren(...costWords(network, y), rest ? ` ${rest} more outputs are not shown.` : "");
}

function outputRow(j, name, { a, y, cost: share, nudge }, isSquare) {
  const cells = [element("th", { scope: "row" }, name), element("td", { "data-what": "a" }, fixed(a))];
  if (y !== undefined) {
    const wish = nudge ? `${nudge > 0 ? "▲ +" : "▼ "}${fixed(nudge)}` : fixed(0);
    cells.push(
      element("td", {}, number(y)),
      element("td", { "data-what": "cost" }, isSquare || y || share ? fixed(share) : ""),
      ...(isSquare ? [element("td", { class: "square" }, costSquare(Math.abs(a - y)))] : []),
      element("td", { class: nudge > 0 ? "up" : "down", "data-what": "nudge" }, wish),
    );
  }
  return element("tr", { class: y ? "wanted" : null, "data-j": j }, cells);
}

/* A share of the cost, drawn as a square with the side |a − y|. */
function costSquare(side) {
  const whole = 24;
  const length = Math.min(1, side) * whole;
  return svgElement(
    "svg",
    { width: whole + 2, height: whole + 2, "aria-hidden": "true" },
    svgElement("rect", { class: "whole", x: 1, y: 1, width: whole, height: whole }),
    svgElement("rect", { x: 1, y: 1 + whole - length, width: length, height: length }),
  );
}

function costWords(network, y) {
  if (!y) return ["Choose a digit: then the cost says how bad this answer is."];
  const count = y.length === 10 ? "ten" : y.length;
  return withFormulas(atLayer(network.cost.cost_note, network.L).replace("{n}", count));
}
