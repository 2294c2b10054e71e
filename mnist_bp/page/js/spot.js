/* The light on what is pointed at in a formula or a table: an edge, a neuron, the ring of its σ′ or its triangle. */

import { byId, svgElement } from "./dom.js";
import { set, state } from "./state.js";
import { stageNow } from "./stages.js";

const KINDS = { a_k: "neuron", slope: "ring", dC_da: "triangle", dC_dz: "triangle", product: "edge" }; // of the factors

/* Rows of the tables of neurons, and of the factors of the chosen parameter, light up what they are about. */
export function connectSpots(network, stages) {
  const nowLayer = () => stageNow({ stages, stage: state.stage })?.layer;
  const row = (layerOf) => (target) => {
    const found = target.closest("tr[data-j]");
    return found && { kind: "neuron", address: { layer: layerOf(), j: Number(found.dataset.j), k: null } };
  };
  connect(
    "outputs",
    row(() => network.L),
  );
  connect("layer-table", row(nowLayer));
  connect("edge", (target) => {
    const what = target.closest(".factors tr")?.querySelector("[data-what]").dataset.what;
    return what && state.chosen && factorSpot(what, state.chosen);
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (state.spot && !target.closest(".term, tr")) set({ spot: null }); // a finger does not leave
  });
}

function connect(id, spotAt) {
  const node = byId(id);
  const point = ({ target }) => {
    const spot = spotAt(target) || null;
    if (JSON.stringify(spot) !== JSON.stringify(state.spot)) set({ spot });
  };
  node.addEventListener("pointerover", point);
  node.addEventListener("click", point);
  node.addEventListener(
    "pointerleave",
    ({ pointerType }) => pointerType === "mouse" && state.spot && set({ spot: null }),
  );
}

function factorSpot(what, address) {
  const { layer, j, k } = address;
  const kind = KINDS[what];
  if (kind === "edge" && k !== null) return { kind, address };
  if (what === "a_k" && k !== null) return { kind, address: { layer: layer - 1, j: k, k: null } };
  return { kind: kind === "edge" ? "neuron" : kind, address: { layer, j, k: null } };
}

/* Draw the light over the diagram, and others with it. */
export function drawSpots(diagram, others) {
  const { over } = diagram.layout.groups;
  for (const old of over.querySelectorAll(".spot")) old.remove();
  for (const spot of [state.spot, ...others]) if (spot) over.append(...shapes(diagram, spot));
}

function shapes(diagram, { kind, address, layer: whole }) {
  if (kind === "column") return [column(diagram, whole)];
  const { layer, j } = address;
  if (kind === "edge") {
    const [from, to] = [diagram.source(address), diagram.place(layer, j)];
    return [svgElement("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: "spot" })];
  }
  if (layer === 0) {
    const { x, y } = diagram.source({ layer: 1, k: j });
    return [circle(x, y, diagram.layout.image.scale + 2)];
  }
  const neuron = diagram.layout.neurons.find((one) => one.address.layer === layer && one.address.j === j);
  if (!neuron) return [column(diagram, layer)]; // it is not drawn
  const { x, y, r, nudgeSize } = neuron;
  if (kind === "triangle") return [circle(x + r + nudgeSize + 3, y, nudgeSize + 4)];
  return [circle(x, y, kind === "ring" ? r + 3 : r + 6)];
}

function circle(cx, cy, r) {
  return svgElement("circle", { cx, cy, r, class: "spot" });
}

/* A frame around the neurons of a layer and their triangles. */
function column({ layout }, layer) {
  const all = layout.neurons.filter(({ address }) => address.layer === layer);
  const [{ x, y, r, nudgeSize }, last] = [all[0], all[all.length - 1]];
  const size = { width: 2 * r + 2 * nudgeSize + 10, height: last.y - y + 2 * r + 12 };
  return svgElement("rect", { x: x - r - 6, y: y - r - 6, ...size, rx: r, class: "spot" });
}
