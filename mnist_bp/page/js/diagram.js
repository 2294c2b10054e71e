"use strict";

/* The picture of the network: the image that it sees, a column of neurons for each layer, edges between them.
 *
 * Blue and solid is positive, orange and dashed is negative, stronger is wider: all over the page. Of a wide layer only
 * some neurons are drawn, those that add most to the next layer; of the edges from the pixels, the strongest into each
 * neuron. Neurons and edges go by their addresses, {layer, j, k}; a neuron is its bias, k null. */

const MOST_NEURONS = 20; // of a layer that is drawn whole
const SOME_NEURONS = 16; // of one that is not
const PIXEL_EDGES = 3; // into each neuron
const REACH = { mouse: 8, touch: 16, pen: 12 }; // how far from an edge a pointer may be, in pixels

function sameAddress(one, other) {
  return one && other && one.layer === other.layer && one.j === other.j && one.k === other.k;
}

class Diagram {
  /* onHover is told of the address under the pointer, or null; onChoose of one that is clicked, tapped or gone to. */
  constructor(svg, network, { rows, columns, onHover, onChoose }) {
    Object.assign(this, { svg, network, rows, columns, onChoose });
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

  /* Show a view: {trace, known, stage, stages, looked, wanted, grey, target}; see main.js. */
  draw(view) {
    this.view = view;
    const drawn = this.choose(view);
    const isNew = this.drawnWidth !== this.width() || JSON.stringify(drawn) !== JSON.stringify(this.drawn);
    if (isNew) this.lay(drawn);
    this.drawInput();
    this.drawEdges();
    this.drawNeurons();
    this.drawChosen();
  }

  /* Which neurons of each layer are drawn, in order. */
  choose({ trace, wanted: addresses, target }) {
    const { network } = this;
    return network.sizes.map((n, layer) => {
      if (layer === 0) return [];
      const all = Array.from({ length: n }, (_, j) => j);
      if (n <= MOST_NEURONS) return all;
      const strength = (j) => Math.abs(trace.A[layer][j]) * this.reach(layer, j);
      const strengths = all.map(strength);
      const some = [...all].sort((one, other) => strengths[other] - strengths[one]).slice(0, SOME_NEURONS);
      const wanted = [];
      for (const address of addresses) {
        if (address.layer === layer) wanted.push(address.j);
        if (address.layer === layer + 1 && address.k !== null) wanted.push(address.k);
      }
      if (layer === network.layers && target !== null) wanted.push(target);
      return [...new Set([...wanted, ...some])].slice(0, SOME_NEURONS).sort((one, other) => one - other);
    });
  }

  /* How much the next layer hears of a neuron: the length of its outgoing weights. */
  reach(layer, k) {
    const { network } = this;
    if (layer === network.layers) return 1;
    const start = network.index({ layer: layer + 1, j: 0, k });
    let sum = 0;
    for (let i = start; i < start + network.sizes[layer + 1]; i++) sum += network.parameters[i] ** 2;
    return Math.sqrt(sum);
  }

  /* --- layout --------------------------------------------------------------------------------- */

  lay(drawn) {
    const { svg, network } = this;
    this.drawn = drawn;
    this.drawnWidth = this.width();
    const isNarrow = this.drawnWidth < 560;
    const columns = network.layers;
    const labels = isNarrow ? 88 : 112;
    const image = isNarrow ? 84 : 196;
    const least = image + columns * (isNarrow ? 34 : 60) + labels;
    const width = Math.max(this.drawnWidth, least);
    const most = Math.max(...drawn.map((neurons) => neurons.length));
    const spacing = isNarrow ? 25 : 30;
    const top = 30;
    const height = top + Math.max(most * spacing, image + 20) + 8;
    const bottom = height - 8;
    const middle = (top + bottom) / 2;
    const scale = image / Math.max(this.rows, this.columns);

    this.radius = isNarrow ? 8 : 10;
    this.image = {
      x: 1,
      y: middle - (this.rows * scale) / 2,
      scale,
      width: this.columns * scale,
      height: this.rows * scale,
    };
    this.places = drawn.map((neurons, layer) => {
      const x = image + ((width - labels - image) * layer) / columns;
      const step = Math.min((bottom - top) / neurons.length, layer === columns ? 48 : spacing);
      return new Map(neurons.map((j, i) => [j, { x, y: middle + (i - (neurons.length - 1) / 2) * step }]));
    });

    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.replaceChildren();
    this.captions(top, isNarrow);
    this.canvas = document.createElement("canvas");
    const { x, y } = this.image;
    const frame = svgElement("rect", {
      x: x - 1,
      y: y - 1,
      width: this.image.width + 2,
      height: this.image.height + 2,
      class: "input-frame",
    });
    const holder = svgElement("foreignObject", { x, y, width: this.image.width, height: this.image.height });
    this.canvas.className = "input-image";
    holder.append(this.canvas);
    const layers = ["edges", "over", "neurons"].map(
      (name) => (this[`${name}Group`] = svgElement("g", { class: name })),
    );
    svg.append(frame, holder, ...layers);
    this.makeEdges();
    this.makeNeurons(isNarrow);
  }

  captions(top, isNarrow) {
    const { network } = this;
    const text = (x, words, anchor = "middle") =>
      this.svg.append(svgElement("text", { x, y: top - 16, class: "caption", "text-anchor": anchor }, words));
    text(1, `${this.columns} × ${this.rows} pixels`, "start");
    for (let layer = 1; layer <= network.layers; layer++) {
      const place = this.places[layer].values().next().value;
      const n = network.sizes[layer];
      const of = isNarrow ? "/" : " of ";
      const count = this.drawn[layer].length < n ? `${this.drawn[layer].length}${of}${n}` : String(n);
      text(place.x, layer === network.layers && !isNarrow ? `${count} outputs` : count);
    }
  }

  makeEdges() {
    this.edges = [];
    for (let layer = 1; layer <= this.network.layers; layer++) {
      const sources = layer === 1 ? Array.from({ length: PIXEL_EDGES }, () => null) : this.drawn[layer - 1];
      for (const j of this.drawn[layer]) {
        for (const [rank, k] of sources.entries()) {
          const line = svgElement("line", { class: "edge" });
          this.edgesGroup.append(line);
          this.edges.push({ line, address: { layer, j, k }, rank });
        }
      }
    }
  }

  makeNeurons(isNarrow) {
    this.neurons = [];
    for (let layer = 1; layer <= this.network.layers; layer++) {
      const isOutput = layer === this.network.layers;
      for (const [j, { x, y }] of this.places[layer]) {
        const r = isOutput ? this.radius + 2 : this.radius;
        const ring = svgElement("circle", {
          cx: x,
          cy: y,
          r: r + 3,
          class: "slope",
          pathLength: 1,
          transform: `rotate(-90 ${x} ${y})`,
        });
        const disc = svgElement("circle", { cx: x, cy: y, r, class: "neuron" });
        const light = svgElement("circle", { cx: x, cy: y, r: r - 0.75, class: "light" });
        const nudge = svgElement("path", { class: "nudge" });
        this.neuronsGroup.append(ring, disc, light, nudge);
        const neuron = { address: { layer, j, k: null }, x, y, r, ring, light, nudge };
        if (isOutput) {
          neuron.name = svgElement("text", { x: x + r + 17, y: y + 5, class: "output-name" }, String(j));
          neuron.value = svgElement("text", { x: x + r + 23 + 9 * String(j).length, y: y + 5, class: "output-value" });
          if (!isNarrow) neuron.bar = svgElement("rect", { x: x + r + 17, y: y + 9, height: 3, class: "output-bar" });
          this.neuronsGroup.append(...[neuron.name, neuron.value, neuron.bar].filter(Boolean));
        } else if (this.drawn[layer].length < this.network.sizes[layer] && !isNarrow) {
          this.neuronsGroup.append(
            svgElement("text", { x, y: y + 3.5, class: "neuron-name", "text-anchor": "middle" }, String(j)),
          );
        }
        this.neurons.push(neuron);
      }
    }
  }

  /* Where an edge begins: at a neuron, or at a pixel of the image. */
  source({ layer, k }) {
    if (layer > 1) return this.places[layer - 1].get(k);
    const { x, y, scale } = this.image;
    return { x: x + ((k % this.columns) + 0.5) * scale, y: y + (Math.floor(k / this.columns) + 0.5) * scale };
  }

  /* --- what is shown -------------------------------------------------------------------------- */

  drawInput() {
    drawGrey(this.canvas, this.view.grey, this.rows, this.columns);
  }

  has(part, layer) {
    return hasPart(this.view, part, layer);
  }

  /* What the edges into a layer show now: their weights, what they carry back on a path, or ∂C_0/∂w. */
  shown(layer) {
    const { stages, stage, known } = this.view;
    const { network } = this;
    const now = stage > 0 ? stages[stage - 1] : null;
    if (now && now.part === "a" && now.layer === layer - 1) {
      return (address) => network.parameter(address) * known[layer].dC_dz[address.j];
    }
    if (this.has("w", layer)) return (address) => network.factors(known, address).product;
    return (address) => network.parameter(address);
  }

  drawEdges() {
    const { network, view } = this;
    for (let layer = 1; layer <= network.layers; layer++) {
      const value = this.shown(layer);
      const edges = this.edges.filter(({ address }) => address.layer === layer);
      if (layer === 1)
        this.choosePixels(
          edges,
          this.has("w", 1) ? value : (address) => network.parameter(address) * view.trace.A[0][address.k],
        );
      for (const edge of edges) edge.value = edge.address.k === null ? 0 : value(edge.address);
      const most = Math.max(...edges.map((edge) => Math.abs(edge.value))) || 1;
      const isWaiting = view.stage > 0 && !this.has("w", layer) && !this.isNow(layer - 1, "a");
      for (const edge of edges) this.drawEdge(edge, Math.abs(edge.value) / most, isWaiting);
    }
  }

  isNow(layer, part) {
    const { stages, stage } = this.view;
    return stage > 0 && stages[stage - 1].layer === layer && stages[stage - 1].part === part;
  }

  /* The pixels whose edges into each neuron are strongest. */
  choosePixels(edges, value) {
    const { A } = this.view.trace;
    const lit = Array.from(A[0].keys()).filter((k) => A[0][k] > 0);
    for (let i = 0; i < edges.length; i += PIXEL_EDGES) {
      const { layer, j } = edges[i].address;
      const strengths = new Map(lit.map((k) => [k, Math.abs(value({ layer, j, k }))]));
      const strongest = [...lit].sort((one, other) => strengths.get(other) - strengths.get(one));
      for (let rank = 0; rank < PIXEL_EDGES; rank++) {
        edges[i + rank].address = { layer, j, k: rank < strongest.length ? strongest[rank] : null };
      }
    }
  }

  drawEdge(edge, share, isWaiting) {
    const { line, address, value } = edge;
    if (address.k === null) {
      line.setAttribute("visibility", "hidden");
      return;
    }
    const from = this.source(address);
    const to = this.places[address.layer].get(address.j);
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
    const { view, network } = this;
    for (const neuron of this.neurons) {
      const { layer, j } = neuron.address;
      const a = view.trace.A[layer];
      const isBounded = ["sigmoid", "tanh", "softmax"].includes(
        layer === network.layers ? network.outputActivation : network.activation,
      );
      const most = isBounded ? 1 : a.reduce((x, y) => Math.max(x, Math.abs(y)), 0) || 1;
      neuron.light.setAttribute("class", `light ${a[j] < 0 ? "minus" : "plus"}`);
      neuron.light.setAttribute("fill-opacity", Math.min(1, Math.abs(a[j]) / most).toFixed(3));
      this.drawSlope(neuron);
      this.drawNudge(neuron);
      if (neuron.value) {
        neuron.value.textContent = fixed(a[j], 3);
        neuron.name.setAttribute(
          "class",
          `output-name ${view.target === j ? "wanted" : ""} ${network.answer(view.trace) === j ? "answer" : ""}`,
        );
        if (neuron.bar) neuron.bar.setAttribute("width", Math.max(0, Math.min(1, a[j] / most) * 56).toFixed(1));
      }
    }
  }

  /* σ′ as a ring around the neuron, closed where σ is steepest. */
  drawSlope({ address: { layer, j }, ring }) {
    const { view, network } = this;
    const isKnown = this.has("slope", layer);
    ring.setAttribute("visibility", isKnown ? "visible" : "hidden");
    if (!isKnown) return;
    const σ = layer === network.layers ? network.outputActivation : network.activation;
    const share = view.known[layer].slope[j] / (σ === "sigmoid" ? 0.25 : 1);
    ring.setAttribute("stroke-dasharray", `${share.toFixed(4)} 1`);
  }

  /* The nudge that is wished of a neuron, −∂C_0/∂a (of a softmax −∂C_0/∂z), as a triangle that points up or down. */
  drawNudge({ address: { layer, j }, x, y, r, nudge }) {
    const { view } = this;
    const isKnown = this.has("a", layer) || this.has("z", layer);
    nudge.setAttribute("visibility", isKnown ? "visible" : "hidden");
    if (!isKnown) return;
    const wishes = view.known[layer].dC_da || view.known[layer].dC_dz;
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
    this.overGroup.replaceChildren();
    if (!chosen || !this.places[chosen.layer].has(chosen.j)) return;
    const to = this.places[chosen.layer].get(chosen.j);
    const next = this.places[chosen.layer + 1];
    if (next && this.view.stage > 0) {
      for (const end of next.values()) this.overGroup.append(this.straight(to, end, "path"));
    }
    const from = chosen.k === null ? null : this.source(chosen);
    if (from) this.overGroup.append(this.straight(from, to, "halo"), this.straight(from, to, "chosen"));
    if (from && chosen.layer === 1) {
      const { scale } = this.image;
      this.overGroup.append(
        svgElement("rect", {
          x: from.x - scale / 2,
          y: from.y - scale / 2,
          width: scale,
          height: scale,
          class: "chosen-pixel",
        }),
      );
    }
    this.overGroup.append(svgElement("circle", { cx: to.x, cy: to.y, r: this.radius + 6, class: "chosen-neuron" }));
  }

  straight(from, to, look) {
    return svgElement("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: look });
  }

  /* --- pointing and walking ------------------------------------------------------------------- */

  /* The address of the neuron or the edge that is nearest to the pointer, or null. */
  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const reach = REACH[event.type === "click" ? this.pointerType : event.pointerType] || REACH.mouse;
    for (const neuron of this.neurons) {
      if (Math.hypot(neuron.x - x, neuron.y - y) <= neuron.r + 4) return neuron.address;
    }
    let [best, least] = [null, reach];
    for (const { address, from, to, share } of this.edges) {
      if (address.k === null || !from) continue;
      const distance = toSegment(x, y, from, to) + (1 - share) * 3; // the faint ones stand back
      if (distance < least) [best, least] = [address, distance];
    }
    return best;
  }

  walk(event) {
    const go = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!go || hasModifier(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const { layers } = this.network;
    const here = this.view.looked || { layer: layers, j: this.drawn[layers][0], k: null };
    const to = !this.view.looked ? here : go[1] ? this.beside(here, go[1]) : this.along(here, go[0]);
    if (to) this.onChoose(to);
  }

  /* The next neuron of the layer, or the next edge into the same neuron. */
  beside({ layer, j, k }, by) {
    if (k === null) {
      const all = this.drawn[layer];
      return { layer, j: all[(all.indexOf(j) + by + all.length) % all.length], k };
    }
    const into = this.edges.filter(({ address }) => address.layer === layer && address.j === j && address.k !== null);
    const all = into.map(({ address }) => address.k).sort((one, other) => one - other);
    return { layer, j, k: all[(all.indexOf(k) + by + all.length) % all.length] };
  }

  /* From a neuron to its strongest edge on that side; from an edge to the neuron at that end. */
  along({ layer, j, k }, by) {
    if (k !== null) {
      if (by > 0) return { layer, j, k: null };
      return layer > 1 ? { layer: layer - 1, j: k, k: null } : null;
    }
    const edges = this.edges.filter(({ address }) =>
      by < 0
        ? address.layer === layer && address.j === j && address.k !== null
        : address.layer === layer + 1 && address.k === j,
    );
    if (!edges.length) return null;
    return edges.reduce((one, other) => (Math.abs(other.value) > Math.abs(one.value) ? other : one)).address;
  }
}

/* How far a point is from the straight line between two others. */
function toSegment(x, y, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const share = Math.max(0, Math.min(1, ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - from.x - share * dx, y - from.y - share * dy);
}
