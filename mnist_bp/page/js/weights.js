/* Weights into a neuron of layer 1, as an image. */

import { parameterAt } from "./chain_rule.js";
import { byId, element, setText } from "./dom.js";
import { number, signed } from "./format.js";
import { showFormula } from "./formula.js";
import { colour, drawDiverging } from "./images.js";
import { derivativeName, isWish, shownDerivative } from "./sign.js";

export function renderWeights(view) {
  const { network, trace, derivatives, rows, columns, neuron: j, kind } = view;
  const a = trace.A[0];
  const value = {
    weights: (k) => parameterAt(network, { layer: 1, j, k }),
    contributions: (k) => parameterAt(network, { layer: 1, j, k }) * a[k],
    derivatives: (k) => (derivatives ? shownDerivative(view, a[k] * derivatives.dC_dZ[1][j]) : 0),
  }[kind];
  const most = drawDiverging(byId("weights"), Float64Array.from(a.keys(), value), rows, columns);
  byId("neuron").value = j;
  for (const input of document.querySelectorAll("#weights-kind input")) input.checked = input.value === kind;
  setText(byId("neuron-name"), String(j));
  setText(byId("kind-words"), isWish(view) ? "what this image wishes:" : "the sensitivities");
  showFormula(byId("kind-derivatives"), derivativeName(view, "∂C_0/∂w_jk^(1)"));
  setText(byId("scale-minus"), number(-most, 3));
  setText(byId("scale-plus"), signed(most, 3));
  setText(byId("weights-note"), weightsWords(view, kind, j));
  renderThumbnails(view, j);
}

function weightsWords(view, kind, j) {
  const { network, trace, derivatives } = view;
  if (kind === "weights") {
    return "Ink on blue makes the neuron brighter, ink on orange dimmer. Few of them look like strokes or loops.";
  }
  if (kind === "contributions") {
    const bias = signed(parameterAt(network, { layer: 1, j, k: null }), 4);
    return `Together with the bias, ${bias}, they add up to z = ${number(trace.Z[1][j])}.`;
  }
  if (!derivatives) return "Say first what it should have been.";
  const factor = isWish(view) ? "−∂C₀/∂z" : "∂C₀/∂z";
  return `It is this image, times ${factor} of the neuron: weights change where there is ink, and nowhere else.`;
}

/* The neurons that are drawn, small, to choose from; drawn anew when weights or colours are not what they were. */
function renderThumbnails({ network, drawn, version, rows, columns }, chosen) {
  const place = byId("thumbnails");
  const look = [drawn[1], version, colour("--zero")].join();
  if (place.dataset.look !== look) {
    place.dataset.look = look;
    place.replaceChildren(...drawn[1].map((j) => thumbnail(network, j, rows, columns)));
  }
  for (const button of place.children) button.setAttribute("aria-pressed", button.value === String(chosen));
}

function thumbnail(network, j, rows, columns) {
  const canvas = element("canvas");
  const weights = Float64Array.from({ length: rows * columns }, (_, k) => parameterAt(network, { layer: 1, j, k }));
  drawDiverging(canvas, weights, rows, columns);
  return element("button", { type: "button", value: j, "aria-label": `neuron ${j}` }, canvas);
}
