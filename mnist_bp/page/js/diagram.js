/* The picture of the network: the image that it sees, a column of neurons for each layer, edges between them.
 *
 * Blue and solid is positive, orange and dashed is negative, stronger is wider, all over the page. selection.js says
 * what is drawn of a wide layer, layout.js where. */

import { hasPart } from "./backward.js";
import { factors, parameterAt } from "./chain_rule.js";
import { hasModifier, svgElement } from "./dom.js";
import { fixed } from "./format.js";
import { drawGrey } from "./images.js";
import { layOut, PIXEL_EDGES } from "./layout.js";
import { along, beside, nearest } from "./navigation.js";
import { drawnNeurons, strongestPixels } from "./selection.js";

export class Diagram {
  /* onHover is called with the address under the pointer, or null; onChoose with one that is clicked, tapped or gone to. */
  constructor(svg, network, { shape, onHover, onChoose }) {
    Object.assign(this, { svg, network, shape, onChoose });
    this.view = null;
    svg.addEventListener("pointermove", (event) => event.pointerType === "mouse" && onHover(this.nearest(event)));
    svg.addEventListener("pointerdown", (event) => (this.pointerType = event.pointerType)); // not every click tells
    svg.addEventListener("pointerleave", () => onHover(null));
    svg.addEventListener("click", (event) => {
      const found = this.nearest(event);
      if (found) onChoose(found);
    });
    svg.addEventListener("keydown", (event) => this.walk(event));
    new ResizeObserver(() => this.view && this.width() !== this.drawnWidth && this.draw(this.view)).observe(
      svg.parentElement,
    );
  }

  width() {
    return Math.floor(this.svg.parentElement.clientWidth);
  }

  /* Show a view: {trace, derivatives, stage, stages, looked, wanted, grey, target}; see main.js. */
  draw(view) {
    this.view = view;
    const drawn = drawnNeurons(this.network, view);
    const isNew = this.drawnWidth !== this.width() || JSON.stringify(drawn) !== JSON.stringify(this.drawn);
    if (isNew) this.layOut(drawn);
    this.drawInput();
    this.drawEdges();
    this.drawNeurons();
    this.drawChosen();
  }

  layOut(drawn) {
    this.drawn = drawn;
    this.drawnWidth = this.width();
    this.layout = layOut(this.svg, this.network, drawn, this.shape, this.drawnWidth);
  }

  /* The place where an edge begins: a neuron, or a pixel of the image. */
  source({ layer, k }) {
    if (layer > 1) return this.layout.places[layer - 1].get(k);
    const { x, y, scale } = this.layout.image;
    const { columns } = this.shape;
    return { x: x + ((k % columns) + 0.5) * scale, y: y + (Math.floor(k / columns) + 0.5) * scale };
  }

  drawInput() {
    drawGrey(this.layout.canvas, this.view.grey, this.shape.rows, this.shape.columns);
  }

  has(part, layer) {
    return hasPart(this.view, part, layer);
  }

  /* What the edges into a layer show now: their weights, what they carry back on a path, or ∂C_0/∂w. */
  shown(layer) {
    const { stages, stage, trace, derivatives } = this.view;
    const { network } = this;
    const now = stage > 0 ? stages[stage - 1] : null;
    if (now && now.part === "a" && now.layer === layer - 1) {
      return (address) => parameterAt(network, address) * derivatives.dC_dZ[layer][address.j];
    }
    if (this.has("w", layer)) return (address) => factors(trace, derivatives, address).product;
    return (address) => parameterAt(network, address);
  }

  drawEdges() {
    for (let layer = 1; layer <= this.network.L; layer++) {
      const value = this.shown(layer);
      const edges = this.layout.edges.filter(({ address }) => address.layer === layer);
      if (layer === 1) this.choosePixels(edges, this.has("w", 1) ? value : (address) => this.contribution(address));
      for (const edge of edges) edge.value = edge.address.k === null ? 0 : value(edge.address);
      const most = Math.max(...edges.map((edge) => Math.abs(edge.value))) || 1;
      const isWaiting = this.view.stage > 0 && !this.has("w", layer) && !this.isNow(layer - 1, "a");
      for (const edge of edges) this.drawEdge(edge, Math.abs(edge.value) / most, isWaiting);
    }
  }

  /* What a pixel adds to the z of a neuron of layer 1. */
  contribution(address) {
    return parameterAt(this.network, address) * this.view.trace.A[0][address.k];
  }

  isNow(layer, part) {
    const { stages, stage } = this.view;
    return stage > 0 && stages[stage - 1].layer === layer && stages[stage - 1].part === part;
  }

  /* Choose the pixels whose edges into each neuron are strongest. */
  choosePixels(edges, value) {
    const input = this.view.trace.A[0];
    const lit = Array.from(input.keys()).filter((k) => input[k] > 0);
    for (let i = 0; i < edges.length; i += PIXEL_EDGES) {
      const { layer, j } = edges[i].address;
      const pixels = strongestPixels(lit, (k) => value({ layer, j, k }), PIXEL_EDGES);
      for (const [rank, k] of pixels.entries()) edges[i + rank].address = { layer, j, k };
    }
  }

  drawEdge(edge, share, isWaiting) {
    const { line, address, value } = edge;
    if (address.k === null) {
      line.setAttribute("visibility", "hidden");
      return;
    }
    const from = this.source(address);
    const to = this.layout.places[address.layer].get(address.j);
    Object.assign(edge, { from, to, share });
    const attributes = {
      x1: from.x,
      y1: from.y,
      x2: to.x,
      y2: to.y,
      visibility: "visible",
      class: `edge ${value < 0 ? "minus" : "plus"}`,
      "stroke-width": (0.4 + 2.8 * share).toFixed(2),
      "stroke-opacity": ((0.06 + 0.84 * share) * (isWaiting ? 0.35 : 1)).toFixed(3),
    };
    for (const [name, text] of Object.entries(attributes)) line.setAttribute(name, text);
  }

  drawNeurons() {
    for (const neuron of this.layout.neurons) {
      const { layer, j } = neuron.address;
      const a = this.view.trace.A[layer];
      const { is_bounded } = this.network.σ[layer];
      const most = is_bounded ? 1 : a.reduce((x, y) => Math.max(x, Math.abs(y)), 0) || 1;
      neuron.light.setAttribute("class", `light ${a[j] < 0 ? "minus" : "plus"}`);
      neuron.light.setAttribute("fill-opacity", Math.min(1, Math.abs(a[j]) / most).toFixed(3));
      this.drawSlope(neuron);
      this.drawNudge(neuron);
      if (neuron.value) this.drawOutput(neuron, a[j], most);
    }
  }

  drawOutput({ address: { j }, name, value, bar }, a, most) {
    const { target, trace } = this.view;
    const isPredicted = this.network.predict(trace) === j;
    value.textContent = fixed(a, 3);
    name.setAttribute("class", `output-name ${target === j ? "wanted" : ""} ${isPredicted ? "answer" : ""}`);
    if (bar) bar.setAttribute("width", Math.max(0, Math.min(1, a / most) * 56).toFixed(1));
  }

  /* σ′ as a ring around the neuron, closed where σ is steepest. */
  drawSlope({ address: { layer, j }, ring }) {
    const isKnown = this.has("slope", layer);
    ring.setAttribute("visibility", isKnown ? "visible" : "hidden");
    if (!isKnown) return;
    const share = this.view.trace.dA_dZ[layer][j] / this.network.σ[layer].steepest;
    ring.setAttribute("stroke-dasharray", `${share.toFixed(4)} 1`);
  }

  /* The nudge that is wished of a neuron, −∂C_0/∂a or −∂C_0/∂z, as a triangle that points up or down. */
  drawNudge({ address: { layer, j }, x, y, r, nudge }) {
    const { derivatives } = this.view;
    const isKnown = this.has("a", layer) || this.has("z", layer);
    nudge.setAttribute("visibility", isKnown ? "visible" : "hidden");
    if (!isKnown) return;
    const wishes = derivatives.dC_dA[layer] || derivatives.dC_dZ[layer];
    const most = wishes.reduce((largest, wish) => Math.max(largest, Math.abs(wish)), 0) || 1;
    const size = 1.5 + 5.5 * Math.sqrt(Math.abs(wishes[j]) / most);
    const sign = wishes[j] > 0 ? 1 : -1; // what raises the cost is wished smaller: it points down
    const [cx, tip] = [x + r + 9, y + sign * size];
    nudge.setAttribute("d", `M${cx - size} ${y - sign * size * 0.8}h${2 * size}L${cx} ${tip}z`);
    nudge.setAttribute("class", `nudge ${sign > 0 ? "minus" : "plus"}`);
  }

  /* The edge or the neuron that is looked at, and the paths on which it goes on to the cost. */
  drawChosen() {
    const { looked: chosen } = this.view;
    this.layout.groups.over.replaceChildren();
    if (!chosen || !this.layout.places[chosen.layer].has(chosen.j)) return;
    const to = this.layout.places[chosen.layer].get(chosen.j);
    const next = this.layout.places[chosen.layer + 1];
    if (next && this.view.stage > 0) {
      for (const end of next.values()) this.layout.groups.over.append(this.straight(to, end, "path"));
    }
    const from = chosen.k === null ? null : this.source(chosen);
    if (from) this.layout.groups.over.append(this.straight(from, to, "halo"), this.straight(from, to, "chosen"));
    if (from && chosen.layer === 1) {
      const { scale } = this.layout.image;
      this.layout.groups.over.append(
        svgElement("rect", {
          x: from.x - scale / 2,
          y: from.y - scale / 2,
          width: scale,
          height: scale,
          class: "chosen-pixel",
        }),
      );
    }
    this.layout.groups.over.append(
      svgElement("circle", { cx: to.x, cy: to.y, r: this.layout.radius + 6, class: "chosen-neuron" }),
    );
  }

  straight(from, to, look) {
    return svgElement("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: look });
  }

  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const pointerType = event.type === "click" ? this.pointerType : event.pointerType;
    return nearest(this.layout, event.clientX - box.left, event.clientY - box.top, pointerType);
  }

  walk(event) {
    const go = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!go || hasModifier(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const to = this.neighbour(go);
    if (to) this.onChoose(to);
  }

  /* The address that an arrow key leads to, or null. */
  neighbour([sideways, down]) {
    const { L } = this.network;
    const here = this.view.looked;
    if (!here) return { layer: L, j: this.drawn[L][0], k: null };
    return down ? beside(this.drawn, this.layout.edges, here, down) : along(this.layout.edges, here, sideways);
  }
}
