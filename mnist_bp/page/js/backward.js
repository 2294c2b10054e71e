"use strict";

/* The backward pass, stage by stage: formulas, what they mean, and the numbers of the layer that it has come to. */

/* Of each layer, from the last to the first: what is wished of its neurons (a; of a softmax, z), how responsive they
 * are (slope), and what follows for the weights into them (w). */
function backwardStages(network) {
  const stages = [];
  for (let layer = network.layers; layer >= 1; layer--) {
    const parts = layer === network.layers && network.isSoftmax ? ["z", "w"] : ["a", "slope", "w"];
    stages.push(...parts.map((part) => ({ layer, part })));
  }
  return stages;
}

/* Whether the backward pass has this part of a layer behind it. */
function hasPart({ stages, stage }, part, layer) {
  const place = stages.findIndex((one) => one.layer === layer && one.part === part);
  return place >= 0 && place < stage;
}

function renderStage(view) {
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
  const L = network.layers;
  const line = `z_j^(${L}) = Σ_k w_jk^(${L}) a_k^(${L - 1}) + b_j^(${L}) , a_j^(${L}) = σ(z_j^(${L}))`;
  const next = y
    ? "We cannot change activations, only weights and biases; but it helps to keep track of what each layer should " +
      "have been. Step back to see how sensitive the cost is to each of them."
    : "Say what it should have been to go back.";
  return [line, `So far, forward: each neuron adds up what comes in, and lights up. ${next}`];
}

/* A stage's formula, and what it means. */
function stageWords(network, { layer, part }) {
  const isLast = layer === network.layers;
  const isSoftmax = (one) => one === network.layers && network.isSoftmax;
  if (part === "z") {
    const words =
      "How wrong each output is. A softmax has no σ′ of its own: with a cross-entropy, all that the chain rule " +
      "multiplies comes to this difference. The triangles show the wish, which points the other way.";
    return [`∂C_0/∂z_j^(${layer}) = a_j^(${layer}) − y_j`, words];
  }
  if (part === "a" && isLast) {
    const words =
      "How wrong each output is: proportional to the difference between what it is and what we want it to be. The " +
      "triangles show the wish, which points the other way: up for brighter, down for dimmer.";
    return [`∂C_0/∂a_j^(${layer}) = 2 (a_j^(${layer}) − y_j)`, words];
  }
  if (part === "a") {
    const next = layer + 1;
    const rest = isSoftmax(next) ? `∂C_0/∂z_j^(${next})` : `σ′(z_j^(${next})) ∂C_0/∂a_j^(${next})`;
    const words =
      `Propagating backwards: a neuron of layer ${layer} influences the cost through ${network.sizes[next]} paths, ` +
      `one through each neuron of layer ${next}, and they add up. The edges show what each path carries: in ` +
      "proportion to its weight, and to how much the neuron at its end needs to change.";
    return [`∂C_0/∂a_k^(${layer}) = Σ_j w_jk^(${next}) ${rest}`, words];
  }
  if (part === "slope") {
    const words = SLOPES[isLast ? network.outputActivation : network.activation];
    return [
      `∂a_j^(${layer})/∂z_j^(${layer}) = σ′(z_j^(${layer}))`,
      `How responsive each neuron is: the ring around it, ${words}`,
    ];
  }
  const rest = isSoftmax(layer) ? `∂C_0/∂z_j^(${layer})` : `σ′(z_j^(${layer})) ∂C_0/∂a_j^(${layer})`;
  const words =
    layer === 1
      ? "The edges show it: dark pixels, whose a is 0, have no say. That is the whole gradient of this one example, " +
        `${network.parameters.length.toLocaleString("en")} numbers.`
      : "The edges show it: those from the brightest neurons have the biggest effect, since their weights are " +
        "multiplied by larger activations. Neurons that fire together wire together.";
  return [`∂C_0/∂w_jk^(${layer}) = a_k^(${layer - 1}) ${rest}`, words];
}

const SLOPES = {
  sigmoid:
    "closed where the sigmoid is steepest (¼, at a = ½), nearly gone where it is flat. A neuron that is sure of " +
    "itself hardly moves, however wrong it is.",
  tanh: "closed where tanh is steepest (1, at a = 0), nearly gone where it is flat.",
  relu: "closed (1) where a relu is on, gone (0) where it is off: through a neuron that is off, nothing goes back.",
  "leaky-relu": "closed (1) where a leaky relu is on, nearly gone (0.01) where it is off.",
};

/* What the edges of the picture are just now, and which of them are drawn. */
function renderLegend({ network, drawn }, now) {
  const what = ["Edges: "];
  if (now && now.part === "a" && now.layer < network.layers)
    what.push(`what each path into layer ${now.layer + 1} carries back`);
  else if (now && (now.layer < network.layers || now.part === "w"))
    what.push(formula("∂C_0/∂w_jk"), " as far as known");
  else what.push("weights");
  const isPart = network.sizes.some((n, layer) => layer > 0 && drawn[layer].length < n);
  byId("legend").replaceChildren(
    ...what,
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
  const { network, trace, known, drawn, looked } = view;
  const { slope, dC_da, dC_dz } = known[layer];
  const columns = [
    ["z", `z_j^(${layer})`, trace.Z[layer], fixed],
    ["a", `a_j^(${layer})`, trace.A[layer], fixed],
    ["dC_dz", `∂C_0/∂z_j^(${layer})`, dC_dz, signedShort, hasPart(view, "z", layer)],
    ["dC_da", `∂C_0/∂a_j^(${layer})`, dC_da, signedShort, hasPart(view, "a", layer)],
    ["slope", `σ′(z_j^(${layer}))`, slope, short, hasPart(view, "slope", layer)],
    ["dC_db", `∂C_0/∂b_j^(${layer})`, dC_dz, signedShort, hasPart(view, "w", layer)],
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
