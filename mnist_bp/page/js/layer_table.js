/* The numbers of the layer that the backward pass has reached. */

import { byId, setText } from "./dom.js";
import { number, signed } from "./format.js";
import { derivativeName, derivativeNoun, shownDerivative } from "./sign.js";
import { hasPart, stageNow } from "./stages.js";
import { renderTable } from "./tables.js";

export function renderLayer(view) {
  const now = stageNow(view);
  const isLayer = now !== null && now.layer > 0;
  byId("layer-part").hidden = !isLayer;
  byId("panel-numbers").classList.toggle("is-layer-first", view.stage > 1);
  if (!isLayer) return;
  const { layer } = now;
  const { network, trace, derivatives, drawn, looked, className } = view;
  const known = columnsOf(view, layer, trace, derivatives).filter(({ isKnown = true }) => isKnown);
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
    "j",
    known.map(({ what, name, words }) => ({ what, name, words })),
    rows,
  );
}

function columnsOf(view, layer, trace, { dC_dA, dC_dZ }) {
  const derivative = (what, of, values, part) => ({
    what,
    name: derivativeName(view, `∂C_0/∂${of}_j`),
    words: `${derivativeNoun(view)} for ${of}`,
    values,
    format: (dC) => signed(shownDerivative(view, dC), 3),
    isKnown: hasPart(view, part, layer),
  });
  return [
    { what: "z", name: "z_j", words: "weighted sum", values: trace.Z[layer], format: (z) => number(z, 3) },
    { what: "a", name: "a_j", words: "activation", values: trace.A[layer], format: (a) => number(a, 3) },
    derivative("dC_dz", "z", dC_dZ[layer], "z"),
    derivative("dC_da", "a", dC_dA[layer], "a"),
    {
      what: "slope",
      name: "σ′(z_j)",
      words: "slope",
      values: trace.dA_dZ[layer],
      format: (slope) => number(slope, 3),
      isKnown: hasPart(view, "slope", layer),
    },
    derivative("dC_db", "b", dC_dZ[layer], "w"),
  ];
}
