/* One edge, or one neuron (its bias): the three factors of the chain rule, and the sums over paths behind the third. */

import { factors, parameterAt, paths } from "./chain_rule.js";
import { byId, element } from "./dom.js";
import { fixed, number, short, signed, signedShort } from "./format.js";
import { atLayer, formula, parameterName } from "./formula.js";

const MOST_PATHS = 10; // rows of a table of paths; the others are added up in one

export function renderEdge(view, address, command) {
  const panel = byId("edge");
  if (!address) {
    panel.replaceChildren();
    return;
  }
  const parts = [element("p", {}, ...edgeWords(view, address))];
  if (view.derivatives) parts.push(factorTable(view, address), element("p", {}, wishWords(view, address)));
  if (command) parts.push(element("p", { class: "note" }, "The same in a terminal: ", element("code", {}, command)));
  const tables = view.derivatives ? pathTables(view, address) : [];
  panel.className = tables.length ? "has-paths" : "";
  panel.replaceChildren(element("div", {}, parts), ...(tables.length ? [element("div", {}, tables)] : []));
}

/* What it does forwards. */
function edgeWords({ network, trace, columns }, address) {
  const { layer, j, k } = address;
  const value = parameterAt(network, address);
  const itself = formula(`${parameterName(address)} = ${number(value)}`);
  const z = `z_{${j}}^(${layer}) = ${fixed(trace.Z[layer][j])}`;
  if (k === null) {
    const a = `a_{${j}}^(${layer}) = ${fixed(trace.A[layer][j])}`;
    return [`Neuron ${j} of layer ${layer}: `, formula(`${z} , ${a}`), "; its bias is ", itself, "."];
  }
  const place = `pixel ${k} (row ${Math.floor(k / columns)}, column ${k % columns})`;
  const from = layer === 1 ? place : `neuron ${k} of layer ${layer - 1}`;
  const product = `${parameterName(address)} a_{${k}}^(${layer - 1}) = ${signed(value * trace.A[layer - 1][k], 5)}`;
  return [
    itself,
    `, to neuron ${j} of layer ${layer} from ${from}. It adds `,
    formula(product),
    " to ",
    formula(z),
    ".",
  ];
}

/* Backwards: factor by factor, with the meaning of each, and their product. */
function factorTable({ network, trace, derivatives }, address) {
  const { layer, j, k } = address;
  const { a_k, slope, dC_da, dC_dz, product } = factors(trace, derivatives, address);
  const rows = [
    k === null
      ? factorRow("", "a_k", "1", a_k, "a bias: always 1")
      : factorRow("", "a_k", `a_{${k}}^(${layer - 1})`, a_k, "how active the input is"),
  ];
  if (slope === null) {
    const name = atLayer(network.cost.derivative_formula, layer).replaceAll("_j", `_{${j}}`);
    rows.push(factorRow("×", "dC_dz", name, dC_dz, "how wrong the output is"));
  } else {
    rows.push(
      factorRow("×", "slope", `σ′(z_{${j}}^(${layer}))`, slope, "how responsive the neuron is"),
      factorRow("×", "dC_da", `∂C_0/∂a_{${j}}^(${layer})`, dC_da, sensitivityMeaning(network, layer)),
    );
  }
  rows.push(factorRow("=", "product", `∂C_0/∂${parameterName(address)}`, product, "how sensitive the cost is to it"));
  return element("table", { class: "factors" }, element("tbody", {}, rows));
}

/* Meaning of ∂C_0/∂a_j of a layer. */
function sensitivityMeaning({ cost, L }, layer) {
  if (layer < L) return "the sum over its paths";
  return `how wrong the output is: ${cost.derivative_formula.replace(/_j|\^\(L\)/g, "")}`;
}

function factorRow(sign, what, name, value, means) {
  return element(
    "tr",
    {},
    element("td", {}, sign),
    element("th", { scope: "row" }, formula(name)),
    element("td", { class: "value", "data-what": what }, signed(value)),
    element("td", { class: "means" }, means),
  );
}

function wishWords({ trace, derivatives }, address) {
  const { a_k, product } = factors(trace, derivatives, address);
  const what = address.k === null ? "bias" : "weight";
  if (a_k === 0) {
    const source = address.layer === 1 ? "This pixel is dark" : "The neuron that it comes from is off";
    return `${source}: for this digit, the weight does not matter.`;
  }
  if (product === 0) return `For this digit, the ${what} does not matter.`;
  const [moves, becomes] = product > 0 ? ["rises", "smaller"] : ["falls", "larger"];
  return `The cost ${moves} when this ${what} grows: a step downhill makes it ${becomes}.`;
}

/* The sums behind ∂C_0/∂a_j, layer after layer, along the path that contributes most, up to the outputs. */
function pathTables({ network, trace, derivatives }, { layer, j }) {
  const tables = [];
  for (let neuron = j; layer < network.L; layer++) {
    const through = paths(network, trace, derivatives, layer, neuron);
    through.sort((one, other) => Math.abs(other.contribution) - Math.abs(one.contribution));
    const title = [formula(`∂C_0/∂a_{${neuron}}^(${layer})`), ` is the sum over ${through.length} paths`];
    const table = pathTable(network, layer + 1, through);
    tables.push(
      tables.length
        ? element("details", {}, element("summary", {}, "Along its strongest path: ", ...title), table)
        : element("div", {}, element("h3", {}, ...title), table),
    );
    neuron = through[0].to;
  }
  return tables;
}

function pathTable(network, layer, through) {
  const above = network.isFused(layer)
    ? [atLayer(network.cost.derivative_formula, layer)]
    : [`σ′(z_j^(${layer}))`, `∂C_0/∂a_j^(${layer})`];
  const heads = ["to j", ...[`w_jk^(${layer})`, ...above].map(formula), "product"];
  const total = (name, value, what) => {
    const cell = element("td", { colspan: heads.length - 1, "data-what": what }, value);
    return element("tr", { class: what }, element("th", { scope: "row" }, name), cell);
  };
  const rows = through.slice(0, MOST_PATHS).map(pathRow);
  const others = through.slice(MOST_PATHS);
  if (others.length) rows.push(total(`${others.length} others`, signedShort(sumOf(others)), "others"));
  rows.push(total("sum", signed(sumOf(through)), "sum"));
  const head = element(
    "tr",
    {},
    heads.map((one) => element("th", { scope: "col" }, one)),
  );
  const table = element("table", { class: "numbers paths" }, element("thead", {}, head), element("tbody", {}, rows));
  return element("div", { class: "scroll" }, table);
}

function pathRow({ to, w, slope, dC_da, dC_dz, contribution }) {
  const values = slope === null ? [w, dC_dz] : [w, slope, dC_da];
  const cells = [...values.map((value) => short(value)), signedShort(contribution)].map((text) =>
    element("td", {}, text),
  );
  return element("tr", { "data-to": to }, element("th", { scope: "row" }, String(to)), cells);
}

function sumOf(some) {
  return some.reduce((total, { contribution }) => total + contribution, 0);
}
