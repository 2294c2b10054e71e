/* The numbers of the layer that the backward pass has reached. */

import { byId, setProperty, setText } from "./dom.js";
import { number, signed } from "./format.js";
import { derivativeName, derivativeNoun, shownDerivative } from "./sign.js";
import { hasPart, stageNow } from "./stages.js";
import { renderTable } from "./tables.js";

export function renderLayer(view) {
  const now = stageNow(view);
  const isLayer = now !== null && now.layer > 0;
  setProperty(byId("layer-part"), "hidden", !isLayer);
  byId("panel-numbers").classList.toggle("is-layer-first", view.stage > 1);
  if (!isLayer) return;
  const { layer } = now;
  const { network, drawn, looked, className } = view;
  const letter = now.part === "a" && layer < network.L ? "k" : "j"; // as in the stage's formula
  const known = columnsOf(view, layer, letter).filter(({ isKnown = true }) => isKnown);
  const rows = drawn[layer].map((j) => ({
    id: j,
    name: layer === network.L ? className(j) : String(j),
    look: looked && looked.layer === layer && looked.j === j ? "chosen-row" : "",
    cells: known.map(({ values, format }) => format(values[j])),
  }));
  const count = drawn[layer].length < network.sizes[layer] ? `${drawn[layer].length} of its` : "its";
  setText(byId("layer-caption"), `Layer ${layer}, ${count} ${network.sizes[layer]} neurons`);
  renderTable(
    byId("layer-table"),
    letter,
    known.map(({ what, name, words }) => ({ what, name, words })),
    rows,
  );
}

/* The columns of a layer's table, with the letter that is the index of its neurons. */
function columnsOf(view, layer, letter) {
  const { trace } = view;
  const { dC_dA, dC_dZ } = view.derivatives;
  const derivative = (what, of, values, part) => ({
    what,
    name: derivativeName(view, `∂C_0/∂${of}_${letter}`),
    words: `${derivativeNoun(view)} for ${of}`,
    values,
    format: (dC) => signed(shownDerivative(view, dC), 3),
    isKnown: hasPart(view, part, layer),
  });
  return [
    { what: "z", name: `z_${letter}`, words: "weighted sum", values: trace.Z[layer], format: (z) => number(z, 3) },
    { what: "a", name: `a_${letter}`, words: "activation", values: trace.A[layer], format: (a) => number(a, 3) },
    derivative("dC_dz", "z", dC_dZ[layer], "z"),
    derivative("dC_da", "a", dC_dA[layer], "a"),
    {
      what: "slope",
      name: `σ′(z_${letter})`,
      words: "slope",
      values: trace.dA_dZ[layer],
      format: (slope) => number(slope, 3),
      isKnown: hasPart(view, "slope", layer),
    },
    derivative("dC_db", "b", dC_dZ[layer], "w"),
  ];
}
