/* Selection of what the diagram draws: of a wide layer, the neurons that add most to the next one; of the edges from the
 * pixels, the strongest into each neuron. */

export const MOST_NEURONS = 20; // of a layer that is drawn whole
const SOME_NEURONS = 16; // of one that is not

/* The neurons of each layer that are drawn, in order. */
export function drawnNeurons(network, { trace, wanted: addresses, target }) {
  return network.sizes.map((n, layer) => {
    if (layer === 0) return [];
    const all = Array.from({ length: n }, (_, j) => j);
    if (n <= MOST_NEURONS) return all;
    const strengths = all.map((j) => Math.abs(trace.A[layer][j]) * reach(network, layer, j));
    const some = [...all].sort((one, other) => strengths[other] - strengths[one]).slice(0, SOME_NEURONS);
    const wanted = wantedNeurons(addresses, layer);
    if (layer === network.L && target !== null) wanted.push(target);
    return [...new Set([...wanted, ...some])].slice(0, SOME_NEURONS).sort((one, other) => one - other);
  });
}

/* Neurons of a layer at the ends of these edges. */
function wantedNeurons(addresses, layer) {
  return addresses.flatMap((address) => {
    if (address.layer === layer) return [address.j];
    return address.layer === layer + 1 && address.k !== null ? [address.k] : [];
  });
}

/* Length of a neuron's outgoing weights. */
function reach(network, layer, k) {
  if (layer === network.L) return 1;
  let sum = 0;
  for (let j = 0; j < network.sizes[layer + 1]; j++) sum += network.W[layer + 1].at(j, k) ** 2;
  return Math.sqrt(sum);
}

/* The pixels with the largest |value| on their edge to a neuron, strongest first; null where there is none. */
export function strongestPixels(lit, value, count) {
  const strengths = new Map(lit.map((k) => [k, Math.abs(value(k))]));
  const strongest = [...lit].sort((one, other) => strengths.get(other) - strengths.get(one));
  return Array.from({ length: count }, (_, rank) => strongest[rank] ?? null);
}
