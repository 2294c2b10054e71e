/* The picture of the network: the image that it sees, a column of neurons for each layer, edges between them.
 *
 * Blue and solid is positive, orange and dashed is negative, stronger is wider, all over the page. layout.js says where
 * things are drawn, scales.js what counts as large. */

import { factors, parameterAt } from "./chain_rule.js";
import { setAttributes, setText, svgElement } from "./dom.js";
import { number } from "./format.js";
import { contour, drawDiverging, drawGrey } from "./images.js";
import { layOut, PIXEL_EDGES } from "./layout.js";
import { nearest } from "./navigation.js";
import { gradientNorm } from "./network.js";
import { largestSize, reference } from "./scales.js";
import { shownDerivative } from "./sign.js";
import { hasPart, stageNow } from "./stages.js";
import { strongestPixels } from "./strongest.js";

export class Diagram {
  /* labels: {shape, names}, the shape of the image and the names of the outputs; drawn: see content.js;
   * render shows everything again. */
  constructor(svg, network, drawn, labels, render) {
    Object.assign(this, { svg, network, drawn, labels, render });
    this.view = null;
    this.size = null; // of the space that the layout is for
    new ResizeObserver(() => this.resize()).observe(svg.parentElement);
  }

  resize() {
    const { width, height } = this.available();
    if (width === this.size?.width && height === this.size?.height) return;
    this.size = null;
    if (this.view) this.render(); // with the lights over it
  }

  available() {
    const { clientWidth, clientHeight } = this.svg.parentElement;
    return { width: clientWidth, height: clientHeight };
  }

  /* Show a view; see main.js. */
  draw(view) {
    this.view = view;
    if (!this.size) this.layOut();
    this.drawInput();
    this.drawEdges();
    this.drawNeurons();
    this.drawNorms();
    this.drawLooked();
  }

  /* A network that needs more height than there is gets it. */
  layOut() {
    const box = this.svg.parentElement;
    box.style.minHeight = "";
    const available = this.available();
    this.layout = layOut(this.svg, this.network, this.drawn, this.labels, available);
    if (this.layout.height > available.height) box.style.minHeight = `${this.layout.height}px`;
    this.size = this.available();
  }

  /* The place of a neuron; those that are not drawn share one. */
  place(layer, j) {
    return this.layout.places[layer].get(j) ?? this.layout.rest[layer];
  }

  /* The place where an edge begins: a neuron, or a pixel of the image. */
  source({ layer, k }) {
    if (layer > 1) return this.place(layer - 1, k);
    const { x, y, scale } = this.layout.image;
    const { columns } = this.labels.shape;
    return { x: x + ((k % columns) + 0.5) * scale, y: y + (Math.floor(k / columns) + 0.5) * scale };
  }

  /* The place of an address: the middle of an edge, or a neuron. */
  placeOf(address) {
    const to = this.place(address.layer, address.j);
    if (address.k === null) return to;
    const from = this.source(address);
    return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  }

  /* Points along an edge, from end to end, or the place of a neuron. */
  pointsOf(address) {
    const to = this.place(address.layer, address.j);
    if (address.k === null) return [to];
    const from = this.source(address);
    const between = (share) => ({ x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) });
    return Array.from({ length: 11 }, (_, i) => between(i / 10));
  }

  /* The digit, or at the last stage the sensitivity of the cost to each pixel, with the contour of the digit. */
  drawInput() {
    const { grey, derivatives } = this.view;
    const { rows, columns } = this.labels.shape;
    const { canvas } = this.layout;
    const isSensitivity = this.has("a", 0);
    const d = isSensitivity ? contour(grey, this.labels.shape, this.layout.image) : "";
    setAttributes(this.layout.contour, { d });
    if (isSensitivity) {
      const values = derivatives.dC_dA[0].map((dC) => shownDerivative(this.view, dC));
      drawDiverging(canvas, values, rows, columns);
    } else {
      drawGrey(canvas, grey, rows, columns);
    }
  }

  has(part, layer) {
    return hasPart(this.view, part, layer);
  }

  isNow(layer, part) {
    const now = stageNow(this.view);
    return now !== null && now.layer === layer && now.part === part;
  }

  /* What the edges into a layer show now: their weights, what they carry back on a path, or ∂C_0/∂w. Of the last two,
   * in the sign of the view. */
  shown(layer) {
    const { view, network } = this;
    const { trace, derivatives } = view;
    if (this.isNow(layer - 1, "a")) {
      const dC_dz = derivatives.dC_dZ[layer];
      return (address) => shownDerivative(view, parameterAt(network, address) * dC_dz[address.j]);
    }
    if (this.has("w", layer)) return (address) => shownDerivative(view, factors(trace, derivatives, address).product);
    return (address) => parameterAt(network, address);
  }

  drawEdges() {
    for (const [layer, edges] of this.layout.edges.entries()) if (layer > 0) this.drawEdgesInto(layer, edges);
  }

  drawEdgesInto(layer, edges) {
    const { view } = this;
    const isPath = this.isNow(layer - 1, "a");
    const isGradient = !isPath && this.has("w", layer);
    const value = this.shown(layer);
    if (layer === 1) {
      this.choosePixels(edges, isGradient || isPath ? value : (address) => this.contribution(address), isPath);
    }
    for (const edge of edges) edge.value = edge.address.k === null ? 0 : value(edge.address);
    const most = isGradient
      ? reference(view.references.gradients, layer, view.isCommonScale)
      : largestSize(edges.map((edge) => edge.value)) || 1;
    const isWaiting = view.stage > 0 && !isGradient && !isPath;
    for (const edge of edges) this.drawEdge(edge, Math.min(1, Math.abs(edge.value) / most), isWaiting);
  }

  /* What a pixel adds to the z of a neuron of layer 1. */
  contribution(address) {
    return parameterAt(this.network, address) * this.view.trace.A[0][address.k];
  }

  /* Choose the pixels whose edges into each neuron are strongest. */
  choosePixels(edges, value, isDarkToo) {
    const input = this.view.trace.A[0];
    const pixels = Array.from(input.keys()).filter((k) => isDarkToo || input[k] > 0);
    for (let i = 0; i < edges.length; i += PIXEL_EDGES) {
      const { layer, j } = edges[i].address;
      const address = { layer, j, k: 0 };
      const strongest = strongestPixels(pixels, (k) => value(Object.assign(address, { k })), PIXEL_EDGES);
      for (const [rank, k] of strongest.entries()) edges[i + rank].address = { layer, j, k };
    }
  }

  drawEdge(edge, share, isWaiting) {
    const { line, address, value } = edge;
    if (address.k === null) {
      setAttributes(line, { visibility: "hidden" });
      return;
    }
    const from = this.source(address);
    const to = this.place(address.layer, address.j);
    Object.assign(edge, { from, to, share });
    setAttributes(line, {
      x1: from.x,
      y1: from.y,
      x2: to.x,
      y2: to.y,
      visibility: "visible",
      class: `edge ${value < 0 ? "minus" : "plus"}`,
      "stroke-width": (0.4 + 2.8 * share).toFixed(1),
      "stroke-opacity": ((0.06 + 0.84 * share) * (isWaiting ? 0.35 : 1)).toFixed(2),
    });
  }

  drawNeurons() {
    const { trace, isBlank } = this.view;
    const predicted = isBlank ? null : this.network.predict(trace);
    for (const neuron of this.layout.neurons) {
      const { layer, j } = neuron.address;
      const a = trace.A[layer];
      const most = this.network.σ[layer].is_bounded ? 1 : largestSize(a) || 1;
      setAttributes(neuron.light, {
        class: `light ${a[j] < 0 ? "minus" : "plus"}`,
        "fill-opacity": isBlank ? 0 : Math.min(1, Math.abs(a[j]) / most).toFixed(2),
      });
      this.drawSlope(neuron);
      this.drawNudge(neuron);
      if (neuron.value) this.drawOutput(neuron, a[j], most, predicted);
    }
  }

  drawOutput({ address: { j }, name, value, bar, barLength }, a, most, predicted) {
    const { target, isBlank } = this.view;
    setText(value, isBlank ? "" : number(a, this.layout.isNarrow ? 2 : 3));
    const classes = ["output-name", target === j && "wanted", predicted === j && "answer"];
    setAttributes(name, { class: classes.filter(Boolean).join(" ") });
    if (bar) setAttributes(bar, { width: (isBlank ? 0 : Math.max(0, Math.min(1, a / most)) * barLength).toFixed(1) });
  }

  /* σ′ as a ring around the neuron, closed where σ is steepest. */
  drawSlope({ address: { layer, j }, ring }) {
    const isKnown = this.has("slope", layer);
    setAttributes(ring, { visibility: isKnown ? "visible" : "hidden" });
    if (!isKnown) return;
    const share = this.view.trace.dA_dZ[layer][j] / this.network.σ[layer].steepest;
    setAttributes(ring, { "stroke-dasharray": `${share.toFixed(3)} 1` });
  }

  /* ∂C_0/∂a or ∂C_0/∂z of a neuron, in the sign of the view, as a triangle that points up or down. Its area is
   * proportional to it. */
  drawNudge({ address: { layer, j }, x, y, r, nudge, nudgeSize }) {
    const { view } = this;
    const isKnown = this.has("a", layer) || this.has("z", layer);
    const dC = isKnown ? (view.derivatives.dC_dA[layer] || view.derivatives.dC_dZ[layer])[j] : 0;
    setAttributes(nudge, { visibility: dC === 0 ? "hidden" : "visible" });
    if (dC === 0) return;
    const share = Math.abs(dC) / reference(view.references.nudges, layer, view.isCommonScale);
    const size = Math.max(0.8, nudgeSize * Math.sqrt(Math.min(share, 2)));
    const sign = shownDerivative(view, dC) > 0 ? -1 : 1; // up is minus y
    const [cx, tip] = [x + r + nudgeSize + 3, y + sign * size];
    setAttributes(nudge, {
      d: `M${(cx - size).toFixed(1)} ${(y - sign * size * 0.8).toFixed(1)}h${(2 * size).toFixed(1)}L${cx.toFixed(1)} ${tip.toFixed(1)}z`,
      class: `nudge ${sign < 0 ? "plus" : "minus"}`,
    });
  }

  /* Norm of the gradient of each layer that the backward pass has reached. */
  drawNorms() {
    const { trace, derivatives } = this.view;
    const { L } = this.network;
    const [name, ...values] = this.layout.norms;
    setText(name, this.has("w", L) ? "‖∂C₀/∂W‖" : "");
    for (let layer = 1; layer <= L; layer++) {
      setText(
        values[layer - 1],
        this.has("w", layer) ? number(gradientNorm(trace, derivatives, layer), this.layout.isTight ? 2 : 3) : "",
      );
    }
  }

  /* The edge or the neuron that is looked at, and the paths on which it goes on to the cost. */
  drawLooked() {
    const { looked, stage } = this.view;
    const { over } = this.layout.groups;
    over.replaceChildren();
    if (!looked) return;
    const to = this.place(looked.layer, looked.j);
    const next = this.layout.places[looked.layer + 1];
    if (next && stage > 0) for (const end of next.values()) over.append(straight(to, end, "path"));
    if (looked.k !== null) {
      const from = this.source(looked);
      over.append(straight(from, to, "halo"), straight(from, to, "chosen"));
      if (looked.layer === 1) over.append(this.pixelFrame(from));
    }
    const r = Math.min(0.32 * this.layout.spacing[looked.layer], 0.68 * this.layout.unit) + 5;
    over.append(svgElement("circle", { cx: to.x, cy: to.y, r, class: "chosen-neuron" }));
  }

  pixelFrame({ x, y }) {
    const { scale } = this.layout.image;
    const place = { x: x - scale / 2, y: y - scale / 2, width: scale, height: scale };
    return svgElement("rect", { ...place, class: "chosen-pixel" });
  }

  /* The address that is nearest to a point of the window, or null; and the point in the diagram. */
  at({ clientX, clientY }, pointerType) {
    const box = this.svg.getBoundingClientRect();
    const pointed = { x: clientX - box.left, y: clientY - box.top };
    return { address: nearest(this.layout, pointed.x, pointed.y, pointerType), pointed };
  }
}

function straight(from, to, look) {
  return svgElement("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: look });
}
