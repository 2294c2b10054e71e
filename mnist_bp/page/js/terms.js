/* The terms of the stage's formula: what each of them is in the diagram, and its number.
 *
 * A term is {key, text, part, of, index, layer}: part is a, b, w, y, z, slope or derivative, of is the variable of a
 * derivative, index is j, k or jk. The address of the formula, {layer, j, k}, names the edge that it is about. */

import { parameterAt } from "./chain_rule.js";
import { isWish, shownDerivative } from "./sign.js";
import { stageNow } from "./stages.js";

const INDEXED = "_(jk|j|k)\\^\\((\\d+)\\)";
const TERMS = [
  [`\\(?−?∂C_0/∂([abwz])${INDEXED}\\)?`, ([of, index, layer]) => ({ part: "derivative", of, index, layer })],
  ["∂a_(j)\\^\\((\\d+)\\)/∂z_j\\^\\(\\d+\\)", ([index, layer]) => ({ part: "slope", index, layer })],
  ["σ′\\(z_(j)\\^\\((\\d+)\\)\\)", ([index, layer]) => ({ part: "slope", index, layer })],
  ["σ\\(z_(j)\\^\\((\\d+)\\)\\)", ([index, layer]) => ({ part: "a", index, layer })],
  [`([abwz])${INDEXED}`, ([part, index, layer]) => ({ part, index, layer })],
  ["y_(j)", ([index]) => ({ part: "y", index, layer: null })],
].map(([pattern, build]) => [new RegExp(pattern, "y"), build]);

/* A formula as a list of texts and terms. */
export function termsOf(line) {
  const parts = [];
  let text = "";
  for (let at = 0; at < line.length;) {
    const term = termAt(line, at);
    if (term) {
      parts.push(...(text ? [text] : []), { ...term, key: `${parts.length}` });
      text = "";
      at += term.text.length;
    } else {
      text += line[at++];
    }
  }
  const all = text ? [...parts, text] : parts;
  const layer = edgeLayer(all);
  return all.map((part) => (part.part === "y" ? { ...part, layer } : part));
}

function termAt(line, at) {
  for (const [pattern, build] of TERMS) {
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (!found) continue;
    const term = build(found.slice(1));
    return { ...term, layer: term.layer === null ? null : Number(term.layer), text: found[0] };
  }
  return null;
}

/* The layer of the edges that a formula is about. */
export function edgeLayer(terms) {
  return Math.max(...terms.map(({ layer }) => layer ?? 0));
}

/* The address that a formula is about: what is pointed at, if it is part of it, and otherwise what is strongest. */
export function addressOf(view, layer, edges) {
  const pointed = pointedIn(view, layer);
  const strongest = strongestIn(view, layer, edges);
  if (pointed?.layer === layer) return pointed.k === null ? strongestInto(pointed, edges, strongest) : pointed;
  if (pointed) return strongestFrom(pointed, layer, edges, strongest);
  return strongest;
}

/* What is pointed at, in the diagram or in a table, if the formula is about it: an edge of the layer, one of its
 * neurons, or one of those before. */
export function pointedIn({ looked, spot }, layer) {
  const address = spot && !spot.key ? spot.address : looked;
  if (!address) return null;
  return address.layer === layer || (address.layer === layer - 1 && address.k === null) ? address : null;
}

function strongestIn({ derivatives, drawn, stages, stage }, layer, edges) {
  const now = stageNow({ stages, stage });
  if (!now || now.part === "w" || now.layer < layer) return best(edges)?.address ?? null;
  const errors = derivatives.dC_dA[layer] ?? derivatives.dC_dZ[layer];
  const j = drawn[layer].reduce((one, other) => (Math.abs(errors[other]) > Math.abs(errors[one]) ? other : one));
  return strongestInto({ layer, j }, edges, null);
}

function strongestInto({ layer, j }, edges, strongest) {
  const found = best(edges.filter(({ address }) => address.j === j));
  return { layer, j, k: found?.address.k ?? strongest?.k ?? 0 };
}

function strongestFrom({ j: k }, layer, edges, strongest) {
  const found = best(edges.filter(({ address }) => address.k === k));
  return { layer, j: found?.address.j ?? strongest?.j ?? 0, k };
}

function best(edges) {
  const real = edges.filter(({ address }) => address.k !== null);
  return real.reduce((one, other) => (one && Math.abs(one.value) >= Math.abs(other.value) ? one : other), null);
}

/* The number of a term at an address. */
export function termValue(view, { part, of, index, layer }, { layer: edge, j, k }) {
  const { network, trace, y } = view;
  const neuron = index === "k" ? k : j;
  if (part === "derivative") return derivativeValue(view, of, layer, { edge, j, k, neuron });
  if (part === "w") return parameterAt(network, { layer: edge, j, k });
  if (part === "b") return parameterAt(network, { layer, j, k: null });
  if (part === "slope") return trace.dA_dZ[layer][neuron];
  if (part === "y") return y[neuron];
  return (part === "z" ? trace.Z : trace.A)[layer][neuron];
}

function derivativeValue(view, of, layer, { j, k, neuron }) {
  const { trace, derivatives } = view;
  if (of === "w") return shownDerivative(view, trace.A[layer - 1][k] * derivatives.dC_dZ[layer][j]);
  return shownDerivative(view, (of === "a" ? derivatives.dC_dA : derivatives.dC_dZ)[layer][neuron]);
}

/* What a term is in the diagram: {kind, address}; kind is edge, neuron, ring or triangle. */
export function spotOf({ part, of, index, layer }, address) {
  if (index === "jk") return { kind: "edge", address };
  const neuron = { layer, j: index === "k" ? address.k : address.j, k: null };
  if (part === "derivative" && of !== "b") return { kind: "triangle", address: neuron };
  return { kind: part === "slope" ? "ring" : "neuron", address: neuron };
}

/* A term in words, for those who hear the page. */
export function termWords(view, { part, of, index, layer }) {
  const name = { a: "activation", b: "bias", w: "weight", z: "weighted sum", y: "target", slope: "slope of σ" };
  const what = part === "derivative" ? `${isWish(view) ? "wish for" : "derivative by"} the ${name[of]}` : name[part];
  return `${what}, index ${index}, layer ${layer}`;
}
