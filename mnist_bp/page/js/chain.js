/* The lesson's simplest network, 1-1-1-1: three weights, three biases, one neuron a layer. One of the six is nudged, and
 * the nudge passes from number to number, w → z → a → … → C_0. Each ratio of two neighbours is a factor of ∂C_0/∂w.
 *
 * What is chosen is {layer, k, by, y}: the parameter, as in an address (k is 0 for the weight, null for the bias), what
 * is added to it, and the desired output. */

import { parameterAt } from "./chain_rule.js";
import { Network } from "./model.js";
import { cost, forward } from "./network.js";
import { withNudge } from "./what_if.js";

export const chain = new Network({
  sizes: [1, 1, 1, 1],
  activation: "sigmoid",
  output_activation: "sigmoid",
  cost: "squared-error",
  parameters: [1.5, -0.2, 1.2, -0.9, 1.8, -0.2], // w and b of layers 1 to 3
});

export const INPUT = 0.7; // a of layer 0
export const REACH = 4; // a nudged parameter stays between −REACH and REACH, so that each |z| is less than 6
export const START = { layer: chain.L, k: 0, by: 1, y: 1 };

/* The numbers from the parameter to the cost, {letter, layer, before, after}, and a link from each to the next,
 * {factor, derivative, measured}: the name and the value of its derivative, and the ratio of the two changes. */
export function follow({ layer, k, by, y }) {
  const address = { layer, j: 0, k };
  const w = parameterAt(chain, address);
  const before = forward(chain, Float64Array.of(INPUT));
  const after = withNudge(chain, address, by, () => forward(chain, before.A[0]));
  const numbers = [{ letter: letterOf(k), layer, before: w, after: w + by }];
  for (let l = layer; l <= chain.L; l++) {
    numbers.push({ letter: "z", layer: l, before: before.Z[l][0], after: after.Z[l][0] });
    numbers.push({ letter: "a", layer: l, before: before.A[l][0], after: after.A[l][0] });
  }
  const [C, C_after] = [before, after].map((trace) => cost(chain, trace, Float64Array.of(y)));
  numbers.push({ letter: "C", layer: null, before: C, after: C_after });
  const links = derivatives(before, address, y).map((one, i) => ({
    ...one,
    measured: change(numbers[i + 1]) / change(numbers[i]),
  }));
  return { numbers, links, product: links.reduce((product, { derivative }) => product * derivative, 1) };
}

export function change({ before, after }) {
  return after - before;
}

/* The derivatives of the links: of the first, z by the parameter; then, of each layer, a by z, and the next z by a. */
function derivatives({ A, dA_dZ }, { layer, k }, y) {
  const links = [k === null ? link("1", 1) : link(`a^${layerName(layer - 1)}`, A[layer - 1][0])];
  for (let l = layer; l <= chain.L; l++) {
    if (l > layer) links.push(link(`w^${layerName(l)}`, chain.W[l].at(0, 0)));
    links.push(link(`σ′(z^${layerName(l)})`, dA_dZ[l][0]));
  }
  return [...links, link("2 (a^(L) − y)", chain.cost.derivative(A[chain.L], Float64Array.of(y))[0])];
}

function link(factor, derivative) {
  return { factor, derivative };
}

export function letterOf(k) {
  return k === null ? "b" : "w";
}

/* The layer as the lesson counts it, back from the last: (L), (L−1), … */
export function layerName(layer) {
  return layer === chain.L ? "(L)" : `(L−${chain.L - layer})`;
}

/* Return the nudge nearest to this one, a multiple of 0.01, that keeps the parameter within REACH. */
export function inReach({ layer, k }, by) {
  const w = parameterAt(chain, { layer, j: 0, k });
  return rounded(Math.max(-REACH - w, Math.min(REACH - w, by)));
}

/* A choice as text, w3:0.5:1 for a nudge of w^(3) by 0.5 with y = 1, and back; undefined if the text is not one. */
export function chainText({ layer, k, by, y }) {
  return `${letterOf(k)}${layer}:${by}:${y}`;
}

export function chainOf(text) {
  const found = /^([wb])([1-3]):(-?\d(?:\.\d{1,2})?):([01]|0\.\d{1,2})$/.exec(text);
  if (!found) return undefined;
  const [layer, by, y] = found.slice(2).map(Number);
  const choice = { layer, k: found[1] === "w" ? 0 : null, by, y };
  return inReach(choice, by) === by ? choice : undefined;
}

export function rounded(x) {
  return Math.round(x * 100) / 100;
}
