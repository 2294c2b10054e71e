"use strict";

/* What the digit should have been: the cost, output by output, and the nudges that follow from it.
 *
 * Here and in the files after it, view is what main.js shows: {network, trace, y, known, drawn, stage, …}; y and
 * known are null as long as nobody has said what it should have been. */

function renderCost({ network, trace, y, target, drawn, className }) {
  const L = network.layers;
  for (const input of document.querySelectorAll("#targets input")) input.checked = Number(input.value) === target;
  const select = document.querySelector("#targets select");
  if (select) select.value = target ?? "";

  const share = network.isSoftmax
    ? `− ln a_${target === null ? "j" : `{${target}}`}^(${L})`
    : `Σ_j (a_j^(${L}) − y_j)^2`;
  byId("cost-formula").replaceChildren(formula(`C_0 = ${share}`));
  if (y) byId("cost-formula").append(" = ", element("strong", { id: "cost" }, number(network.costOf(trace, y))));

  const heads = [
    element("span", { class: "hidden" }, "digit"),
    formula(`a_j^(${L})`),
    formula("y_j"),
    formula(network.isSoftmax ? `− ln a_j^(${L})` : `(a_j^(${L}) − y_j)^2`),
    ...(network.isSoftmax ? [] : [""]),
    "nudge",
  ];
  byId("outputs-head").replaceChildren(...heads.map((head) => element("th", { scope: "col" }, head)));
  const rows = y ? network.outputs(trace, y) : Array.from(trace.A[L], (a) => ({ a }));
  byId("outputs-body").replaceChildren(...drawn[L].map((j) => outputRow(j, className(j), rows[j], network.isSoftmax)));
  const rest = rows.length - drawn[L].length;
  byId("cost-note").replaceChildren(...costWords(network, y), rest ? ` ${rest} more outputs are not shown.` : "");
}

function outputRow(j, name, { a, y, cost, nudge }, isSoftmax) {
  const cells = [element("th", { scope: "row" }, name), element("td", { "data-what": "a" }, fixed(a))];
  if (y !== undefined) {
    const wish = nudge ? `${nudge > 0 ? "▲ +" : "▼ "}${fixed(nudge)}` : fixed(0);
    cells.push(
      element("td", {}, number(y)),
      element("td", { "data-what": "cost" }, isSoftmax && !y ? "" : fixed(cost)),
      ...(isSoftmax ? [] : [element("td", { class: "square" }, costSquare(Math.abs(a - y)))]),
      element("td", { class: nudge > 0 ? "up" : "down", "data-what": "nudge" }, wish),
    );
  }
  return element("tr", { class: y ? "wanted" : null, "data-j": j }, cells);
}

/* A share of the cost as what it is: a square with the side |a − y|. */
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
  const L = network.layers;
  if (!y) return ["Choose a digit: then the cost says how bad this answer is."];
  if (network.isSoftmax) {
    return [
      "A cross-entropy asks the wanted output only; but through the softmax all of them have a say. The nudges, ",
      formula(`y_j − a_j^(${L})`),
      ", are those of ",
      formula(`z_j^(${L})`),
      ".",
    ];
  }
  return [
    `The ${y.length === 10 ? "ten" : y.length} squares add up to the cost. Each nudge, `,
    formula(`2 (y_j − a_j^(${L}))`),
    ", is proportional to how far the output is from its target.",
  ];
}
