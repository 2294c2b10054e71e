/* The stage of the backward pass: its formula and one sentence, the step buttons, and the legend. */

import { byId, element, isNew, setAttributes, setText } from "./dom.js";
import { atLayer, formula } from "./formula.js";
import { PIXEL_EDGES } from "./layout.js";
import { derivativeName, derivativeNoun, factorName, isWish } from "./sign.js";
import { hasPart, stageNow } from "./stages.js";

export function renderStage(view) {
  const { stages, stage, y } = view;
  const isOver = stage === stages.length;
  renderNextStep(byId("step-back"), isOver);
  setAttributes(byId("step-back"), { "aria-disabled": !y }); // it keeps the focus
  setAttributes(byId("step-forth"), { "aria-disabled": stage === 0 });
  setText(byId("progress"), `${stage} / ${stages.length}`);
  setText(byId("stage-text"), stageWords(view).words);
  renderLegend(view);
}

/* The button of the next step: back, and after the last stage, downhill. */
function renderNextStep(button, isOver) {
  if (!isNew(button, "is over", isOver)) return;
  const [count, words] = isOver ? ["4", " Take a step"] : ["3", " ← Step back"];
  button.replaceChildren(element("span", { class: "number" }, count), words);
}

/* The formula and the sentence of the stage. */
export function stageWords(view) {
  const now = stageNow(view);
  if (!now) return forwardWords(view);
  if (now.part === "w") return gradientWords(view, now.layer);
  if (now.part === "slope") return slopeWords(view, now.layer);
  if (now.layer === view.network.L) return outputWords(view, now);
  return now.layer === 0 ? pixelWords(view) : pathWords(view, now.layer);
}

function forwardWords({ network: { L }, y, isBlank }) {
  return {
    line: `z_j^(${L}) = Σ_k w_jk^(${L}) a_k^(${L - 1}) + b_j^(${L}) , a_j^(${L}) = σ(z_j^(${L}))`,
    words: y
      ? "Forward: each neuron adds up what comes in, and lights up. Step back to see what this image wishes of them."
      : `Forward: each neuron adds up what comes in, and lights up. ${isBlank ? "Draw something" : "Say what it should have been to step back"}.`,
  };
}

function slopeWords({ network }, layer) {
  return {
    line: `∂a_j^(${layer})/∂z_j^(${layer}) = σ′(z_j^(${layer}))`,
    words: `How responsive each neuron is: the ring around it, ${network.σ[layer].slope_note}`,
  };
}

function outputWords(view, { layer, part }) {
  const { derivative_formula, wish_formula, derivative_note } = view.network.cost;
  const triangles = isWish(view)
    ? "Triangles: up wishes it larger, down smaller."
    : "Triangles: up where a larger value raises the cost.";
  return {
    line: `${derivativeName(view, `∂C_0/∂${part}_j^(${layer})`)} = ${atLayer(isWish(view) ? wish_formula : derivative_formula, layer)}`,
    words: `${derivative_note} ${triangles}`,
  };
}

/* ∂C_0/∂z_j of a layer, in factors where it has them. */
function errorFormula(view, layer) {
  if (view.network.isFused(layer)) return factorName(view, `∂C_0/∂z_j^(${layer})`);
  return `σ′(z_j^(${layer})) ${factorName(view, `∂C_0/∂a_j^(${layer})`)}`;
}

/* The sum over paths (6) for a layer before the last. */
function pathFormula(view, layer) {
  const next = layer + 1;
  return `${derivativeName(view, `∂C_0/∂a_k^(${layer})`)} = Σ_j w_jk^(${next}) ${errorFormula(view, next)}`;
}

function pathWords(view, layer) {
  const count = view.network.sizes[layer + 1];
  return {
    line: pathFormula(view, layer),
    words:
      `Propagating backwards: each neuron of layer ${layer} influences the cost through ${count} paths, and what they ` +
      `carry back adds up.`,
  };
}

function pixelWords(view) {
  return {
    line: pathFormula(view, 0),
    words: isWish(view)
      ? "One layer further back: pixels that lower the cost when they are made brighter (blue) or darker (orange)."
      : "One layer further back: pixels that raise the cost when they are made brighter (blue), or lower it (orange).",
  };
}

function gradientWords(view, layer) {
  const name = derivativeName(view, `∂C_0/∂w_jk^(${layer})`);
  const count = view.network.parameters.length.toLocaleString("en");
  const bias = "Of a bias, 1 takes the place of a.";
  return {
    line: `${name} = a_k^(${layer - 1}) ${errorFormula(view, layer)}`,
    words:
      layer === 1
        ? `Dark pixels have no say. ${bias} That is the whole gradient of this one example, ${count} numbers.`
        : `Edges from bright neurons count most: neurons that fire together wire together. ${bias}`,
  };
}

/* Meaning of the edges of the diagram at this stage. */
function edgesMeaning(view) {
  const now = stageNow(view);
  if (!now) return ["weights"];
  const isPath = now.part === "a" && now.layer < view.network.L;
  if (isPath) return [`what each path into layer ${now.layer + 1} carries back`];
  if (!hasPart(view, "w", view.network.L)) return ["weights"];
  return [formula(derivativeName(view, "∂C_0/∂w_jk")), " of the layers reached so far"];
}

function renderLegend(view) {
  const { network, drawn, sign, stage, isCommonScale, hasLegend } = view;
  if (!hasLegend || !isNew(byId("legend"), "words", [sign, stage, isCommonScale].join())) return;
  const isPart = network.sizes.some((n, layer) => layer > 0 && drawn[layer].length < n);
  const [up, down] = isWish(view) ? ["larger", "smaller"] : ["larger values raise the cost", "lower it"];
  const part = network.isFused(network.L) ? "z" : "a";
  const key = (...names) => element("span", { class: ["key", ...names].join(" "), "aria-hidden": "true" });
  const scale = isCommonScale ? "All layers share one scale." : "Each layer has its own scale.";
  byId("legend").replaceChildren(
    element("span", {}, "Edges: ", ...edgesMeaning(view), " – "),
    element("span", {}, key("line", "plus"), "solid: positive "),
    element("span", {}, key("line", "minus"), "dashed: negative; wider is stronger. "),
    element("span", {}, element("b", { class: "up" }, "▲"), " ", element("b", { class: "down" }, "▼"), " "),
    element(
      "span",
      {},
      `${derivativeNoun(view)} `,
      formula(derivativeName(view, `∂C_0/∂${part}_j`)),
      `: ${up}, ${down}. `,
    ),
    element("span", {}, key("ring"), "ring: ", formula("σ′(z_j)"), ", closed where the neuron responds most. "),
    element("span", {}, `${scale} From the pixels, the ${PIXEL_EDGES} strongest edges into each neuron are drawn. `),
    isPart ? element("span", {}, "Of a wide layer, the neurons that matter most over all test images are drawn.") : "",
  );
}
