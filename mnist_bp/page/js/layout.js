/* Layout of the diagram: the places of image, neurons and edges, and their SVG elements. */

import { svgElement } from "./dom.js";

export const PIXEL_EDGES = 3; // into each neuron

/* Lay out these neurons of each layer in the SVG element, for this width in pixels. */
export function layOut(svg, network, drawn, shape, availableWidth) {
  const layout = measured(network, drawn, shape, availableWidth);
  svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
  svg.setAttribute("width", layout.width);
  svg.setAttribute("height", layout.height);
  svg.replaceChildren(...captions(network, drawn, shape, layout), ...imageElements(layout));
  for (const name of ["edges", "over", "neurons"]) {
    layout.groups[name] = svgElement("g", { class: name });
    svg.append(layout.groups[name]);
  }
  layout.edges = makeEdges(network, drawn, layout.groups.edges);
  layout.neurons = makeNeurons(network, drawn, layout);
  return layout;
}

/* Sizes and places: places[layer].get(j) is the centre of a neuron. */
function measured(network, drawn, { rows, columns }, availableWidth) {
  const isNarrow = availableWidth < 560;
  const labels = isNarrow ? 88 : 112;
  const side = isNarrow ? 84 : 196;
  const width = Math.max(availableWidth, side + network.L * (isNarrow ? 34 : 60) + labels);
  const most = Math.max(...drawn.map((neurons) => neurons.length));
  const spacing = isNarrow ? 25 : 30;
  const top = 30;
  const height = top + Math.max(most * spacing, side + 20) + 8;
  const bottom = height - 8;
  const middle = (top + bottom) / 2;
  const scale = side / Math.max(rows, columns);
  const image = { x: 1, y: middle - (rows * scale) / 2, scale, width: columns * scale, height: rows * scale };
  const places = drawn.map((neurons, layer) => {
    const x = side + ((width - labels - side) * layer) / network.L;
    const step = Math.min((bottom - top) / neurons.length, layer === network.L ? 48 : spacing);
    return new Map(neurons.map((j, i) => [j, { x, y: middle + (i - (neurons.length - 1) / 2) * step }]));
  });
  return { isNarrow, width, height, top, image, places, radius: isNarrow ? 8 : 10, groups: {} };
}

function captions(network, drawn, { rows, columns }, { top, isNarrow, places }) {
  const text = (x, words, anchor = "middle") =>
    svgElement("text", { x, y: top - 16, class: "caption", "text-anchor": anchor }, words);
  const texts = [text(1, `${columns} × ${rows} pixels`, "start")];
  for (let layer = 1; layer <= network.L; layer++) {
    const place = places[layer].values().next().value;
    const n = network.sizes[layer];
    const of = isNarrow ? "/" : " of ";
    const count = drawn[layer].length < n ? `${drawn[layer].length}${of}${n}` : String(n);
    texts.push(text(place.x, layer === network.L && !isNarrow ? `${count} outputs` : count));
  }
  return texts;
}

/* The frame and the canvas of the image; the canvas is also kept in the layout. */
function imageElements(layout) {
  const { x, y, width, height } = layout.image;
  layout.canvas = document.createElement("canvas");
  layout.canvas.className = "input-image";
  return [
    svgElement("rect", { x: x - 1, y: y - 1, width: width + 2, height: height + 2, class: "input-frame" }),
    svgElement("foreignObject", { x, y, width, height }, layout.canvas),
  ];
}

function makeEdges(network, drawn, group) {
  const edges = [];
  for (let layer = 1; layer <= network.L; layer++) {
    const sources = layer === 1 ? Array.from({ length: PIXEL_EDGES }, () => null) : drawn[layer - 1];
    for (const j of drawn[layer]) {
      for (const [rank, k] of sources.entries()) {
        edges.push({ line: svgElement("line", { class: "edge" }), address: { layer, j, k }, rank });
      }
    }
  }
  group.append(...edges.map(({ line }) => line));
  return edges;
}

function makeNeurons(network, drawn, layout) {
  const neurons = [];
  for (let layer = 1; layer <= network.L; layer++) {
    const isPart = drawn[layer].length < network.sizes[layer];
    for (const [j, place] of layout.places[layer]) {
      const neuron = makeNeuron({ layer, j, k: null }, place, layer === network.L, layout);
      if (layer === network.L) addLabel(neuron, layout);
      else if (isPart && !layout.isNarrow) addNumber(neuron, layout);
      neurons.push(neuron);
    }
  }
  return neurons;
}

function makeNeuron(address, { x, y }, isOutput, { radius, groups }) {
  const r = isOutput ? radius + 2 : radius;
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
  groups.neurons.append(ring, disc, light, nudge);
  return { address, x, y, r, ring, light, nudge };
}

/* Name, value and bar of an output. */
function addLabel(neuron, { isNarrow, groups }) {
  const { address, x, y, r } = neuron;
  const text = String(address.j);
  neuron.name = svgElement("text", { x: x + r + 17, y: y + 5, class: "output-name" }, text);
  neuron.value = svgElement("text", { x: x + r + 23 + 9 * text.length, y: y + 5, class: "output-value" });
  if (!isNarrow) neuron.bar = svgElement("rect", { x: x + r + 17, y: y + 9, height: 3, class: "output-bar" });
  groups.neurons.append(...[neuron.name, neuron.value, neuron.bar].filter(Boolean));
}

/* Number of a neuron in a layer of which only some are drawn. */
function addNumber({ address, x, y }, { groups }) {
  groups.neurons.append(
    svgElement("text", { x, y: y + 3.5, class: "neuron-name", "text-anchor": "middle" }, String(address.j)),
  );
}
