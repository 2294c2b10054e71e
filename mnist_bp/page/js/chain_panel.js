/* The panel of the chain: a parameter of 1-1-1-1 is nudged; its number lines, and the ratios beside the derivatives. */

import { INPUT, REACH, chain, change, follow, inReach, layerName, letterOf, rounded } from "./chain.js";
import { drawChain, heldAt, spokenName, valueAt } from "./chain_plot.js";
import { parameterAt } from "./chain_rule.js";
import { byId, element, setProperty, setText } from "./dom.js";
import { number, signed, tidy } from "./format.js";
import { formula, withFormulas } from "./formula.js";
import { set, state } from "./state.js";
import { renderTable } from "./tables.js";

const TINY = 0.01; // "some tiny nudge to w, like a change by 0.01"

let shown = null; // what the number lines show, as from follow()

export function connectChain() {
  byId("chain-of").append(...[1, 2, 3].flatMap((layer) => [0, null].map((k) => parameterButton(layer, k))));
  byId("chain-given").append(...withFormulas(givenWords()));
  byId("chain-by").addEventListener("input", ({ target }) => nudgeBy(Number(target.value)));
  byId("chain-less").addEventListener("click", () => nudgeBy(state.chain.by - TINY));
  byId("chain-more").addEventListener("click", () => nudgeBy(state.chain.by + TINY));
  byId("chain-tiny").addEventListener("click", () => nudgeBy(TINY));
  byId("chain-y").addEventListener("input", ({ target }) => choose({ y: Number(target.value) }));
  connectPlot(byId("chain-plot"));
}

function connectPlot(plot) {
  let held = null;
  const drag = (event) => {
    if (!plot.hasPointerCapture(event.pointerId)) return;
    const value = valueAt(plot, event, held, shown);
    if (held === "y") choose({ y: rounded(value) });
    else nudgeBy(value);
  };
  plot.addEventListener("pointerdown", (event) => {
    plot.setPointerCapture(event.pointerId);
    held = heldAt(plot, event, shown);
    drag(event);
  });
  plot.addEventListener("pointermove", drag);
}

function choose(choice) {
  set({ chain: { ...state.chain, ...choice } });
}

function nudgeBy(by) {
  choose({ by: inReach(state.chain, by) });
}

function parameterButton(layer, k) {
  const words = `${k === null ? "bias" : "weight"} of layer ${layer}`;
  const input = element("input", { type: "radio", name: "chain", value: letterOf(k) + layer, "aria-label": words });
  input.addEventListener("change", () => choose({ layer, k, by: inReach({ layer, k }, state.chain.by) }));
  return element("label", {}, input, element("span", {}, formula(`${letterOf(k)}^${layerName(layer)}`)));
}

function givenWords() {
  const values = [1, 2, 3].flatMap((layer) =>
    [0, null].map((k) => `$${letterOf(k)}^${layerName(layer)}$ = ${tidy(parameterAt(chain, { layer, j: 0, k }))}`),
  );
  return `Given: $a^${layerName(0)}$ = ${INPUT}, ${values.join(", ")}.`;
}

export function renderChain({ chain: choice }) {
  shown = follow(choice);
  renderControls(choice);
  drawChain(byId("chain-plot"), shown, choice.y);
  renderNumbers(choice);
}

function renderControls({ layer, k, by, y }) {
  const letter = letterOf(k);
  for (const input of document.querySelectorAll("#chain-of input")) input.checked = input.value === letter + layer;
  const w = parameterAt(chain, { layer, j: 0, k });
  const slider = byId("chain-by");
  Object.assign(slider, { min: rounded(-REACH - w), max: rounded(REACH - w) });
  slider.value = by;
  const [C] = shown.numbers.slice(-1);
  slider.setAttribute("aria-valuetext", `Δ${letter} ${signed(by)}, cost ${number(C.after)}`);
  setProperty(byId("chain-tiny"), "disabled", by === TINY);
  byId("chain-y").value = y;
  setText(byId("chain-y-name"), tidy(y));
}

/* Each derivative beside the ratio of the changes, and their products. */
function renderNumbers({ k, by }) {
  const { numbers, links, product } = shown;
  const rows = links.map(({ factor, derivative, measured }, i) => ({
    id: i,
    name: `${ratioName(numbers[i + 1], numbers[i])} = ${factor}`,
    words: spokenRatio(numbers[i + 1], numbers[i]),
    look: "",
    cells: [signed(derivative), by === 0 ? "–" : signed(measured)],
  }));
  const [first, last] = [numbers[0], numbers[numbers.length - 1]];
  const measured = change(last) / change(first);
  rows.push({
    id: "product",
    name: ratioName(last, first),
    words: spokenRatio(last, first),
    look: "sum",
    cells: [signed(product), by === 0 ? "–" : signed(measured)],
  });
  const columns = [
    { what: "derivative", words: "derivative" },
    { what: "measured", words: "measured Δ/Δ" },
  ];
  renderTable(byId("chain-table"), "ratio", columns, rows);
  setText(byId("chain-words"), chainWords(letterOf(k), by, product, measured));
}

function ratioName(above, below) {
  return `∂${nameOf(above)}/∂${nameOf(below)}`;
}

function spokenRatio(above, below) {
  return `${spokenName(above)} by ${spokenName(below)}`;
}

function nameOf({ letter, layer }) {
  return layer === null ? "C_0" : `${letter}^${layerName(layer)}`;
}

function chainWords(letter, by, product, measured) {
  if (by === 0) return "Drag the point on the first line, or press an arrow key on the slider.";
  const apart = product === 0 ? "" : ` They differ by ${number(Math.abs(measured / product - 1) * 100, 2)} %:`;
  return (
    `The ratios multiply to ΔC₀/Δ${letter}, the derivatives to ∂C₀/∂${letter}.${apart} ` +
    "the smaller the nudge, the closer."
  );
}
