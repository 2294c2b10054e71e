/* Layout of the diagram: the places of image, neurons and edges, and their SVG elements.
 *
 * The neurons of a layer share the height that there is. Lengths are in pixels, and grow with the reader's font. */

import { rem, svgElement, textWidth } from "./dom.js";

export const PIXEL_EDGES = 3; // into each neuron

const NARROW = 30; // rem
const MOST_LETTERS = { narrow: 8, wide: 11 }; // of a name beside an output
const LABEL = { size: 0.8, space: 2.3, gap: 0.55 }; // rem, from the neuron's centre; the gap is a multiple of its size
const WIDEST_VALUES = { narrow: ["0.00088", "8.8e−88"], wide: ["0.000888", "8.88e−88"] }; // as format.js writes them
const TIGHT = 3.6; // rem between layers, where numbers below them would touch
const LEAST_SPACING = { hidden: 0.3, output: 0.62 }; // rem; an output has a name
const MOST_SPACING = { hidden: 3, output: 4 };

/* Lay out these neurons of each layer in the SVG element, in the space that is available: {width, height}. names are
 * those of the outputs. */
export function layOut(svg, network, drawn, { shape, names }, available) {
  const layout = measured(network, drawn, shape, names, available);
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
  layout.norms = makeNorms(network, layout);
  svg.append(...layout.norms);
  return layout;
}

/* Sizes and places: places[layer].get(j) is the centre of a neuron, rest[layer] that of all neurons that are not drawn,
 * or null. */
function measured(network, drawn, { rows, columns }, names, available) {
  const unit = rem();
  const isNarrow = available.width < NARROW * unit;
  const { L } = network;
  const rowsOf = (layer) => drawn[layer].length + (drawn[layer].length < network.sizes[layer] ? 1 : 0);
  const kind = (layer) => (layer === L ? "output" : "hidden");
  const layers = Array.from({ length: L }, (_, i) => i + 1);
  const [top, foot] = [1.3 * unit, 2 * unit];
  const least = Math.max(...layers.map((layer) => rowsOf(layer) * LEAST_SPACING[kind(layer)] * unit));
  const height = Math.floor(Math.max(available.height, least + top + foot));
  const inner = height - top - foot;
  const shortNames = names.map((name) => shortened(name, isNarrow ? MOST_LETTERS.narrow : MOST_LETTERS.wide));
  const nameWidth = Math.max(...shortNames.map((name) => textWidth(name, 600)));
  const valueWidth = Math.max(...WIDEST_VALUES[isNarrow ? "narrow" : "wide"].map((text) => textWidth(text)));
  const labels = LABEL.space * unit + (nameWidth + LABEL.gap + valueWidth) * LABEL.size * unit;
  const side = Math.min(isNarrow ? 4.6 * unit : 13 * unit, inner * 0.9, available.width * 0.3);
  const width = Math.max(available.width, side + L * 2.1 * unit + labels);
  const middle = top + inner / 2;
  const scale = side / Math.max(rows, columns);
  const image = { x: 1, y: middle - (rows * scale) / 2, scale, width: columns * scale, height: rows * scale };
  const spacing = [0];
  const [places, rest] = [[new Map()], [null]];
  for (const layer of layers) {
    const x = side + ((width - labels - side) * layer) / L;
    const count = rowsOf(layer);
    spacing[layer] = Math.min(inner / count, MOST_SPACING[kind(layer)] * unit);
    const place = (i) => ({ x, y: middle + (i - (count - 1) / 2) * spacing[layer] });
    places[layer] = new Map(drawn[layer].map((j, i) => [j, place(i)]));
    rest[layer] = count > drawn[layer].length ? place(count - 1) : null;
  }
  const isTight = (width - labels - side) / L < TIGHT * unit;
  return { unit, isNarrow, isTight, shortNames, nameWidth, width, height, image, places, rest, spacing, groups: {} };
}

function shortened(name, most) {
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

function captions(network, drawn, { rows, columns }, { unit, isNarrow, isTight, places, rest }) {
  const text = (x, words, anchor = "middle") =>
    svgElement("text", { x, y: 0.75 * unit, class: "caption", "text-anchor": anchor }, words);
  const texts = [text(1, isNarrow ? `${columns} × ${rows}` : `${columns} × ${rows} pixels`, "start")];
  for (let layer = 1; layer <= network.L; layer++) {
    const { x } = places[layer].values().next().value;
    const n = network.sizes[layer];
    const of = isNarrow ? "/" : " of ";
    const isPart = drawn[layer].length < n && !(isNarrow && isTight); // the dots below say it, too
    const count = isPart ? `${drawn[layer].length}${of}${n}` : String(n);
    texts.push(text(x, layer === network.L && !isNarrow && !isTight ? `${count} outputs` : count));
    if (rest[layer]) {
      texts.push(svgElement("text", { x, y: rest[layer].y + 4, class: "rest", "text-anchor": "middle" }, "⋮"));
    }
  }
  return texts;
}

/* ‖∂C_0/∂W‖ under each layer, and what it is under the image. */
function makeNorms(network, { unit, height, isTight, places }) {
  const text = (x, anchor, row) =>
    svgElement("text", { x, y: height - (0.3 + 0.85 * row) * unit, class: "norm", "text-anchor": anchor });
  const of = (layer) => text(places[layer].values().next().value.x, "middle", isTight ? layer % 2 : 0);
  return [text(1, "start", 0), ...Array.from({ length: network.L }, (_, i) => of(i + 1))];
}

/* The frame and the canvas of the image, and the contour of its ink; both are also kept in the layout. */
function imageElements(layout) {
  const { x, y, width, height } = layout.image;
  layout.canvas = document.createElement("canvas");
  layout.canvas.setAttribute("class", "input-image");
  layout.contour = svgElement("path", { class: "contour" });
  return [
    svgElement("rect", { x: x - 1, y: y - 1, width: width + 2, height: height + 2, class: "input-frame" }),
    svgElement("foreignObject", { x, y, width, height }, layout.canvas),
    layout.contour,
  ];
}

function makeEdges(network, drawn, group) {
  const edges = [[]]; // by layer
  for (let layer = 1; layer <= network.L; layer++) {
    edges[layer] = [];
    const sources = layer === 1 ? Array.from({ length: PIXEL_EDGES }, () => null) : drawn[layer - 1];
    for (const j of drawn[layer]) {
      for (const [rank, k] of sources.entries()) {
        edges[layer].push({ line: svgElement("line", { class: "edge" }), address: { layer, j, k }, rank });
      }
    }
  }
  group.append(...edges.flat().map(({ line }) => line));
  return edges;
}

function makeNeurons(network, drawn, layout) {
  const neurons = [];
  for (let layer = 1; layer <= network.L; layer++) {
    const isPart = drawn[layer].length < network.sizes[layer];
    for (const [j, place] of layout.places[layer]) {
      const neuron = makeNeuron({ layer, j, k: null }, place, layout);
      if (layer === network.L) addLabel(neuron, layout, layout.shortNames[j]);
      else if (isPart && neuron.r > 0.5 * layout.unit) addNumber(neuron, layout);
      neurons.push(neuron);
    }
  }
  return neurons;
}

function makeNeuron(address, { x, y }, { unit, spacing, groups }) {
  const room = spacing[address.layer];
  const r = Math.min(0.32 * room, 0.68 * unit);
  const ring = svgElement("circle", {
    cx: x,
    cy: y,
    r: r + Math.min(3, 0.12 * room),
    class: "slope",
    pathLength: 1,
    "stroke-width": Math.min(2, 0.1 * room),
    transform: `rotate(-90 ${x} ${y})`,
  });
  const disc = svgElement("circle", { cx: x, cy: y, r, class: "neuron" });
  const light = svgElement("circle", { cx: x, cy: y, r: Math.max(r - 0.75, 1), class: "light" });
  const nudge = svgElement("path", { class: "nudge" });
  groups.neurons.append(ring, disc, light, nudge);
  return { address, x, y, r, nudgeSize: Math.min(0.36 * room, 0.5 * unit), ring, light, nudge };
}

/* Name, value and bar of an output. */
function addLabel(neuron, { unit, spacing, isNarrow, nameWidth, groups }, name) {
  const { address, x, y, r, nudgeSize } = neuron;
  const room = spacing[address.layer];
  const size = Math.min(LABEL.size * unit, 0.85 * room);
  const start = x + r + 2 * nudgeSize + 0.55 * unit;
  const at = { y: y + 0.36 * size, "font-size": size };
  neuron.name = svgElement("text", { ...at, x: start, class: "output-name" }, name);
  neuron.value = svgElement("text", { ...at, x: start + (nameWidth + LABEL.gap) * size, class: "output-value" });
  if (!isNarrow && room > 1.5 * unit) {
    neuron.bar = svgElement("rect", { x: start, y: y + 0.56 * unit, height: 3, class: "output-bar" });
    neuron.barLength = 3.6 * unit;
  }
  groups.neurons.append(...[neuron.name, neuron.value, neuron.bar].filter(Boolean));
}

/* Number of a neuron in a layer of which only some are drawn. */
function addNumber({ address, x, y, r }, { groups }) {
  const text = { x, y: y + 0.33 * r, class: "neuron-name", "text-anchor": "middle", "font-size": 0.95 * r };
  groups.neurons.append(svgElement("text", text, String(address.j)));
}
