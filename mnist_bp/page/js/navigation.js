/* Pointing at the diagram and walking in it with the arrow keys. Neurons and edges have addresses, {layer, j, k}; the
 * address of a neuron is that of its bias, with k null. */

const REACH = { mouse: 8, touch: 16, pen: 12 }; // how far from an edge a pointer may be, in pixels

export function sameAddress(one, other) {
  return one && other && one.layer === other.layer && one.j === other.j && one.k === other.k;
}

/* The address of the neuron or the edge that is nearest to a point, or null. */
export function nearest({ neurons, edges }, x, y, pointerType) {
  for (const neuron of neurons) {
    if (Math.hypot(neuron.x - x, neuron.y - y) <= neuron.r + 4) return neuron.address;
  }
  let [best, least] = [null, REACH[pointerType] || REACH.mouse];
  for (const { address, from, to, share } of edges.flat()) {
    if (address.k === null || !from) continue;
    const distance = toSegment(x, y, from, to) + (1 - share) * 3; // the faint ones stand back
    if (distance < least) [best, least] = [address, distance];
  }
  return best;
}

/* Distance of a point from the straight line between two others. */
function toSegment(x, y, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const share = Math.max(0, Math.min(1, ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - from.x - share * dx, y - from.y - share * dy);
}

/* The next neuron of the layer, or the next of these edges, those of the layer, into the same neuron. */
export function beside(drawn, edges, { layer, j, k }, by) {
  if (k === null) {
    const all = drawn[layer];
    return { layer, j: all[(all.indexOf(j) + by + all.length) % all.length], k };
  }
  const into = edges.filter(({ address }) => address.j === j && address.k !== null);
  const all = into.map(({ address }) => address.k).sort((one, other) => one - other);
  return { layer, j, k: all[(all.indexOf(k) + by + all.length) % all.length] };
}

/* From a neuron to its strongest edge on that side; from an edge to the neuron at that end. */
export function along(edges, { layer, j, k }, by) {
  if (k !== null) {
    if (by > 0) return { layer, j, k: null };
    return layer > 1 ? { layer: layer - 1, j: k, k: null } : null;
  }
  const touching = edges.filter(({ address }) =>
    by < 0
      ? address.layer === layer && address.j === j && address.k !== null
      : address.layer === layer + 1 && address.k === j,
  );
  if (!touching.length) return null;
  return touching.reduce((one, other) => (Math.abs(other.value) > Math.abs(one.value) ? other : one)).address;
}
