/* One edge, or one neuron (its bias): the three factors of the chain rule, and the sums over paths behind the third. */

import { factors, parameterAt, paths } from "./chain_rule.js";
import { byId, element } from "./dom.js";
import { number, signed } from "./format.js";
import { atLayer, formula, parameterName, spokenFormula } from "./formula.js";
import { derivativeName, derivativeNoun, isWish, shownDerivative } from "./sign.js";

const MOST_PATHS = 10; // rows of a table of paths; the others are added up in one

export function renderEdge(view) {
  const { looked, derivatives, command } = view;
  const panel = byId("edge");
  if (!looked) {
    panel.replaceChildren();
    return;
  }
  const parts = [element("p", {}, ...edgeWords(view, looked))];
  if (derivatives) {
    parts.push(factorTable(view, looked), element("p", {}, effectWords(view, looked)));
    parts.push(...pathTables(view, looked));
  }
  if (command) parts.push(element("p", { class: "note" }, "The same in a terminal: ", element("code", {}, command)));
  panel.replaceChildren(...parts);
}

/* A layer's neuron in words: of the last layer, its class. */
export function neuronName({ network, className }, layer, j) {
  return layer === network.L ? `output ${className(j)}` : `neuron ${j} of layer ${layer}`;
}

/* Where an edge comes from, in words. */
export function sourceName(view, { layer, k }) {
  if (layer > 1) return neuronName(view, layer - 1, k);
  return `pixel ${k} (row ${Math.floor(k / view.columns)}, column ${k % view.columns})`;
}

/* What it does forwards. */
function edgeWords(view, address) {
  const { network, trace } = view;
  const { layer, j, k } = address;
  const value = parameterAt(network, address);
  const itself = formula(`${parameterName(address)} = ${number(value, 6)}`);
  const z = `z_{${j}}^(${layer}) = ${number(trace.Z[layer][j])}`;
  if (k === null) {
    const a = `a_{${j}}^(${layer}) = ${number(trace.A[layer][j])}`;
    const name = neuronName(view, layer, j);
    return [`${name[0].toUpperCase()}${name.slice(1)}: `, formula(`${z} , ${a}`), "; its bias is ", itself, "."];
  }
  const product = `${parameterName(address)} a_{${k}}^(${layer - 1}) = ${signed(value * trace.A[layer - 1][k])}`;
  return [
    itself,
    `, to ${neuronName(view, layer, j)} from ${sourceName(view, address)}. It adds `,
    formula(product),
    " to ",
    formula(z),
    ".",
  ];
}

/* Backwards: the factors of ∂C_0/∂w, the last of them and the product in the sign of the view. */
export function factorList(view, address) {
  const { network, trace, derivatives } = view;
  const { layer, j, k } = address;
  const { a_k, slope, dC_da, dC_dz, product } = factors(trace, derivatives, address);
  const { cost } = network;
  const own = atLayer(isWish(view) ? cost.wish_formula : cost.derivative_formula, layer).replaceAll("_j", `_{${j}}`);
  const list =
    k === null
      ? [{ what: "a_k", name: "1", value: 1, means: "a bias: always 1" }]
      : [{ what: "a_k", name: `a_{${k}}^(${layer - 1})`, value: a_k, means: "how active the input is" }];
  if (slope === null) {
    list.push({ what: "dC_dz", name: own, value: shownDerivative(view, dC_dz), means: "how wrong the output is" });
  } else {
    list.push({ what: "slope", name: `σ′(z_{${j}}^(${layer}))`, value: slope, means: "how responsive the neuron is" });
    const name = derivativeName(view, `∂C_0/∂a_{${j}}^(${layer})`);
    const means = layer < network.L ? "the sum over its paths" : ["how wrong the output is: ", formula(own)];
    list.push({ what: "dC_da", name, value: shownDerivative(view, dC_da), means });
  }
  const name = derivativeName(view, `∂C_0/∂${parameterName(address)}`);
  const means = isWish(view) ? "what this image wishes of it" : "how sensitive the cost is to it";
  return { list, product: { what: "product", name, value: shownDerivative(view, product), means } };
}

function factorTable(view, address) {
  const { list, product } = factorList(view, address);
  const rows = [...list.map((one, i) => factorRow(i ? "×" : "", one)), factorRow("=", product)];
  return element("table", { class: "factors" }, element("tbody", {}, rows));
}

function factorRow(sign, { what, name, value, means }) {
  return element(
    "tr",
    {},
    element("td", {}, sign),
    element("th", { scope: "row" }, ...spokenFormula(name, typeof means === "string" ? means : means[0])),
    element(
      "td",
      { class: "value", "data-what": what },
      what === "a_k" || what === "slope" ? number(value, 6) : signed(value, 6),
    ),
    element("td", { class: "means" }, means),
  );
}

/* What a parameter's derivative says, in words. */
export function effectWords({ trace, derivatives }, address) {
  const { a_k, product } = factors(trace, derivatives, address);
  const what = address.k === null ? "bias" : "weight";
  if (a_k === 0) {
    const source = address.layer === 1 ? "This pixel is dark" : "The neuron that it comes from is off";
    return `${source}: for this image, the weight does not matter.`;
  }
  if (product === 0) return `For this image, the ${what} does not matter.`;
  const [moves, becomes] = product > 0 ? ["rises", "smaller"] : ["falls", "larger"];
  return `The cost ${moves} when this ${what} grows: a step downhill makes the ${what} ${becomes}.`;
}

/* The sums behind ∂C_0/∂a_j, layer after layer, along the path that contributes most, up to the outputs. */
function pathTables(view, { layer, j }) {
  const { network, trace, derivatives } = view;
  const tables = [];
  for (let neuron = j; layer < network.L; layer++) {
    const through = paths(network, trace, derivatives, layer, neuron);
    through.sort((one, other) => Math.abs(other.contribution) - Math.abs(one.contribution));
    const name = derivativeName(view, `∂C_0/∂a_{${neuron}}^(${layer})`);
    const title = [formula(name), ` is the sum over ${through.length} paths`];
    const table = pathTable(view, layer + 1, through);
    tables.push(
      tables.length
        ? element("details", {}, element("summary", {}, "Along its strongest path: ", ...title), table)
        : element("div", {}, element("h3", {}, ...title), table),
    );
    neuron = through[0].to;
  }
  return tables;
}

function pathTable(view, layer, through) {
  const { network } = view;
  const above = network.isFused(layer)
    ? [[derivativeName(view, "∂C_0/∂z_j"), derivativeNoun(view)]]
    : [
        ["σ′(z_j)", "slope"],
        [derivativeName(view, "∂C_0/∂a_j"), derivativeNoun(view)],
      ];
  const heads = [[`w_jk^(${layer})`, "weight"], ...above];
  const total = (name, value, what) => {
    const cell = element("td", { colspan: heads.length + 1, "data-what": what }, value);
    return element("tr", { class: what }, element("th", { scope: "row" }, name), cell);
  };
  const sum = (some) => shownDerivative(view, sumOf(some));
  const rows = through.slice(0, MOST_PATHS).map((path) => pathRow(view, layer, path));
  const others = through.slice(MOST_PATHS);
  if (others.length) rows.push(total(`${others.length} others`, signed(sum(others), 3), "others"));
  rows.push(total("sum", signed(sum(through), 6), "sum"));
  const column = (...name) => element("th", { scope: "col" }, ...name);
  const formulas = heads.map(([name, words]) => column(...spokenFormula(name, words)));
  const head = element("tr", {}, column("to j"), formulas, column("product"));
  return element("table", { class: "numbers paths" }, element("thead", {}, head), element("tbody", {}, rows));
}

function pathRow(view, layer, { to, w, slope, dC_da, dC_dz, contribution }) {
  const derivative = signed(shownDerivative(view, slope === null ? dC_dz : dC_da), 3);
  const texts = [number(w, 3), ...(slope === null ? [] : [number(slope, 3)]), derivative];
  const product = signed(shownDerivative(view, contribution), 3);
  const name = layer === view.network.L ? view.className(to) : String(to);
  const cells = [...texts, product].map((text) => element("td", {}, text));
  return element("tr", { "data-to": to }, element("th", { scope: "row" }, name), cells);
}

function sumOf(some) {
  return some.reduce((total, { contribution }) => total + contribution, 0);
}
