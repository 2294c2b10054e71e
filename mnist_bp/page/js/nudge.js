/* The nudge: the cost as a function of one weight or bias, a point to drag along it, the tangent, and the ratio ΔC/Δw,
 * which becomes ∂C/∂w as the nudge becomes small. The lesson's first picture, on a real network. */

import { factors } from "./chain_rule.js";
import { byId, isNew, setText } from "./dom.js";
import { number, signed, tidy } from "./format.js";
import { parameterName, spokenParameter } from "./formula.js";
import { drawNudge, nudgeAt } from "./nudge_plot.js";
import { isWish } from "./sign.js";
import { set, setChosen, state } from "./state.js";
import { renderTable } from "./tables.js";
import { costCurve, costWith, nudgeOf } from "./what_if.js";

const TINY = 0.01; // "some tiny nudge to w, like a change by 0.01"

let shown = {}; // what the panel shows: {view, address, curve}
let source = []; // what the curve was computed from

export function connectNudge() {
  const [slider, plot] = [byId("nudge-by"), byId("nudge-plot")];
  const drag = (event) => plot.hasPointerCapture(event.pointerId) && nudgeBy(nudgeAt(plot, event, shown.curve));
  slider.addEventListener("input", () => nudgeBy(Number(slider.value)));
  byId("nudge-less").addEventListener("click", () => nudgeBy(nudgeOf(shown.view) - TINY));
  byId("nudge-more").addEventListener("click", () => nudgeBy(nudgeOf(shown.view) + TINY));
  byId("nudge-none").addEventListener("click", () => nudgeBy(0));
  byId("nudge-choose").addEventListener("click", () => setChosen(mostSensitive(shown.view)));
  plot.addEventListener("pointerdown", (event) => {
    plot.setPointerCapture(event.pointerId);
    drag(event);
  });
  plot.addEventListener("pointermove", drag);
}

/* Try a nudge, a multiple of 0.01. */
function nudgeBy(dw) {
  const { address, curve } = shown;
  const { version, grey, target } = state;
  const inReach = Math.max(-curve.reach, Math.min(curve.reach, dw));
  set({ nudge: { dw: Math.round(inReach / TINY) * TINY, address, version, grey, target } });
}

/* The weight of the last layer with the largest |∂C_0/∂w|. */
function mostSensitive({ network: { L }, trace, derivatives, drawn }) {
  const strongest = (values, places) =>
    places.reduce((one, other) => (Math.abs(values[other]) > Math.abs(values[one]) ? other : one));
  const sources = L > 1 ? drawn[L - 1] : Array.from(trace.A[0].keys());
  return { layer: L, j: strongest(derivatives.dC_dZ[L], drawn[L]), k: strongest(trace.A[L - 1], sources) };
}

export function renderNudge(view) {
  const { looked, derivatives } = view;
  const isReady = derivatives !== null;
  const isShown = isReady && looked !== null;
  byId("nudge").hidden = !isShown;
  byId("edge-hint").hidden = isShown;
  byId("nudge-choose").hidden = !isReady || looked !== null;
  shown = { ...shown, view, address: looked };
  if (!isShown) return;
  shown.curve = curveOf(view, looked);
  const question = questionOf(view, looked, nudgeOf(view));
  renderControls(question, shown.curve.reach);
  renderNumbers(question);
  drawNudge(byId("nudge-plot"), shown.curve, question);
}

/* The curve, computed anew where what it depends on has changed. */
function curveOf(view, address) {
  const now = [view.grey, view.target, view.version, address.layer, address.j, address.k];
  if (now.every((one, i) => one === source[i])) return shown.curve;
  source = now;
  return costCurve(view, address);
}

/* What is asked and what the answer is: {letter, address, slope, cost, own, tiny}, the last two {dw, dC}. */
function questionOf(view, address, dw) {
  const cost = costWith(view, address, 0);
  const change = (by) => ({ dw: by, dC: costWith(view, address, by) - cost });
  return {
    letter: address.k === null ? "b" : "w",
    address,
    cost,
    slope: factors(view.trace, view.derivatives, address).product,
    own: change(dw),
    tiny: change(TINY),
  };
}

function renderControls({ address, cost, own: { dw, dC } }, reach) {
  const name = parameterName(address);
  const title = byId("nudge-title");
  if (isNew(title, "name", name)) {
    title.replaceChildren("Nudge ", ...spokenParameter(address), ": what does the cost do?");
  }
  const slider = byId("nudge-by");
  Object.assign(slider, { min: -reach, max: reach });
  slider.value = dw;
  slider.setAttribute("aria-valuetext", `${signed(dw)}, cost ${number(cost + dC)}`);
  byId("nudge-none").disabled = dw === 0;
}

/* The nudge that is tried, beside a tiny one and the derivative. */
function renderNumbers({ letter, slope, own, tiny }) {
  const row = (id, name, { dw, dC }, look = "") => ({
    id,
    name,
    look,
    cells: [dw === 0 ? "0" : (dw > 0 ? "+" : "") + tidy(dw), signed(dC, 3), dw === 0 ? "–" : signed(dC / dw)],
  });
  const derivative = { id: "derivative", name: `∂C₀/∂${letter}`, look: "sum", cells: ["", "", signed(slope)] };
  const rows = [row("own", "yours", own), row("tiny", "a tiny one", tiny), derivative];
  const columns = [
    { what: "dw", name: `Δ${letter}`, words: `change of ${letter}` },
    { what: "dC", name: "ΔC_0", words: "change of the cost" },
    { what: "ratio", name: `ΔC_0 / Δ${letter}`, words: "their ratio" },
  ];
  renderTable(byId("nudge-table"), "nudge", columns, rows);
  const sign = isWish(state) ? ` ∂C₀/∂${letter} is the slope of the tangent; the wish is its opposite.` : "";
  setText(byId("nudge-words"), nudgeWords(letter, slope, own) + sign);
}

function nudgeWords(letter, slope, { dw, dC }) {
  if (slope === 0 && dC === 0) return `For this image, this ${letter} does not matter: the cost stays as it is.`;
  if (dw === 0) return "Drag the point, or press an arrow key on the slider: the smaller the nudge, the closer.";
  const per = number(Math.abs(dC / dw / (slope || NaN) - 1) * 100, 2);
  const how = slope === 0 ? "" : ` Its ratio differs from the derivative by ${per} %.`;
  return `The cost ${dC > 0 ? "rises" : "falls"}: see the outputs move.${how}`;
}
