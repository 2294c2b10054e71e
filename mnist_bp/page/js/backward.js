/* The backward pass, stage by stage: formulas, their meaning, and the numbers of the layer that it has reached. */

import { byId, element } from "./dom.js";
import { fixed, short, signedShort } from "./format.js";
import { atLayer, formula } from "./formula.js";
import { PIXEL_EDGES } from "./layout.js";

/* The stages of each layer, from the last to the first: what is wished of its neurons (a; z if the cost gives ∂C_0/∂z
 * directly), how responsive they are (slope), and what follows for the weights into them (w). */
export function backwardStages(network) {
  const stages = [];
  for (let layer = network.L; layer >= 1; layer--) {
    const parts = network.isFused(layer) ? ["z", "w"] : ["a", "slope", "w"];
    stages.push(...parts.map((part) => ({ layer, part })));
  }
  return stages;
}

/* True if the backward pass has computed this part of a layer. */
export function hasPart({ stages, stage }, part, layer) {
  const place = stages.findIndex((one) => one.layer === layer && one.part === part);
  return place >= 0 && place < stage;
}

export function renderStage(view) {
  const { stages, stage, y, network } = view;
  const now = stage ? stages[stage - 1] : null;
  byId("step-back").setAttribute("aria-disabled", !y || stage === stages.length); // it keeps the focus, and the arrow keys
  byId("step-forth").setAttribute("aria-disabled", stage === 0);
  byId("progress").textContent = `${stage} of ${stages.length}`;
  const [line, words] = now ? stageWords(network, now) : forwardWords(network, y);
  byId("stage-formula").replaceChildren(formula(line));
  byId("stage-text").textContent = words;
  renderLegend(view, now);
  byId("layer-table").hidden = !now;
  if (now) renderLayerTable(view, now.layer);
}

function forwardWords(network, y) {
  const { L } = network;
  const line = `z_j^(${L}) = Σ_k w_jk^(${L}) a_k^(${L - 1}) + b_j^(${L}) , a_j^(${L}) = σ(z_j^(${L}))`;
  const next = y
    ? "We cannot change activations, only weights and biases; but it helps to keep track of what each layer should " +
      "have been. Step back to see how sensitive the cost is to each of them."
    : "Say what it should have been to go back.";
  return [line, `So far, forward: each neuron adds up what comes in, and lights up. ${next}`];
}

const WISHES = " The triangles show the wish, which points the other way";

/* A stage's formula, and its meaning. */
function stageWords(network, { layer, part }) {
  const isLast = layer === network.L;
  if (part === "w") return gradientWords(network, layer);
  if (part === "slope") {
    return [
      `∂a_j^(${layer})/∂z_j^(${layer}) = σ′(z_j^(${layer}))`,
      `How responsive each neuron is: the ring around it, ${network.σ[layer].slope_note}`,
    ];
  }
  if (!isLast) return pathWords(network, layer);
  const { derivative_formula, derivative_note } = network.cost;
  const ending = part === "a" ? ": up for brighter, down for dimmer." : ".";
  return [`∂C_0/∂${part}_j^(${layer}) = ${atLayer(derivative_formula, layer)}`, derivative_note + WISHES + ending];
}

/* ∂C_0/∂z_j of a layer, in factors where it has them. */
function errorFormula(network, layer) {
  return network.isFused(layer) ? `∂C_0/∂z_j^(${layer})` : `σ′(z_j^(${layer})) ∂C_0/∂a_j^(${layer})`;
}

function pathWords(network, layer) {
  const next = layer + 1;
  const words =
    `Propagating backwards: a neuron of layer ${layer} influences the cost through ${network.sizes[next]} paths, ` +
    `one through each neuron of layer ${next}, and they add up. The edges show what each path carries: in ` +
    "proportion to its weight, and to how much the neuron at its end needs to change.";
  return [`∂C_0/∂a_k^(${layer}) = Σ_j w_jk^(${next}) ${errorFormula(network, next)}`, words];
}

function gradientWords(network, layer) {
  const words =
    layer === 1
      ? "The edges show it: dark pixels, whose a is 0, have no say. That is the whole gradient of this one example, " +
        `${network.parameters.length.toLocaleString("en")} numbers.`
      : "The edges show it: those from the brightest neurons have the biggest effect, since their weights are " +
        "multiplied by larger activations. Neurons that fire together wire together.";
  return [`∂C_0/∂w_jk^(${layer}) = a_k^(${layer - 1}) ${errorFormula(network, layer)}`, words];
}

/* Meaning of the edges of the diagram at this stage. */
function edgesMeaning({ L }, now) {
  if (now && now.part === "a" && now.layer < L) return [`what each path into layer ${now.layer + 1} carries back`];
  if (now && (now.layer < L || now.part === "w")) return [formula("∂C_0/∂w_jk"), " as far as known"];
  return ["weights"];
}

function renderLegend({ network, drawn }, now) {
  const isPart = network.sizes.some((n, layer) => layer > 0 && drawn[layer].length < n);
  byId("legend").replaceChildren(
    "Edges: ",
    ...edgesMeaning(network, now),
    "; ",
    element("span", { class: "key" }),
    "positive",
    element("span", { class: "key minus" }),
    "negative; wider is stronger. ",
    `From the pixels, the ${PIXEL_EDGES} strongest into each neuron are drawn`,
    isPart ? "; of a wide layer, the neurons that add most to the next one." : ".",
  );
}

function renderLayerTable(view, layer) {
  const { network, trace, derivatives, drawn, looked } = view;
  const [dC_dA, dC_dZ] = [derivatives.dC_dA[layer], derivatives.dC_dZ[layer]];
  const columns = [
    ["z", `z_j^(${layer})`, trace.Z[layer], fixed],
    ["a", `a_j^(${layer})`, trace.A[layer], fixed],
    ["dC_dz", `∂C_0/∂z_j^(${layer})`, dC_dZ, signedShort, hasPart(view, "z", layer)],
    ["dC_da", `∂C_0/∂a_j^(${layer})`, dC_dA, signedShort, hasPart(view, "a", layer)],
    ["slope", `σ′(z_j^(${layer}))`, trace.dA_dZ[layer], short, hasPart(view, "slope", layer)],
    ["dC_db", `∂C_0/∂b_j^(${layer})`, dC_dZ, signedShort, hasPart(view, "w", layer)],
  ].filter(([, , , , isKnown = true]) => isKnown);
  const heads = columns.map(([what, name]) => element("th", { class: what, scope: "col" }, formula(name)));
  const row = (j) => {
    const isLookedAt = looked && looked.layer === layer && looked.j === j;
    const cells = columns.map(([what, , values, format]) =>
      element("td", { class: what, "data-what": what }, format(values[j], 4)),
    );
    return element(
      "tr",
      { "data-j": j, class: isLookedAt && "chosen-row" },
      element("th", { scope: "row" }, String(j)),
      cells,
    );
  };
  const count = drawn[layer].length < network.sizes[layer] ? `${drawn[layer].length} of its` : "its";
  byId("layer-caption").textContent = `layer ${layer}, ${count} ${network.sizes[layer]} neurons`;
  byId("layer-head").replaceChildren(element("th", { scope: "col" }, formula("j")), ...heads);
  byId("layer-body").replaceChildren(...drawn[layer].map(row));
}
