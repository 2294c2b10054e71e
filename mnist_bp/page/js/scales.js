/* What counts as large in the diagram: a triangle or an edge is drawn in proportion to its reference.
 *
 * The references of a digit are taken before the first step on it, so that triangles shrink as the wishes are granted.
 * Each layer has its own, or all have the largest, which shows how the gradient vanishes from layer to layer. */

/* {nudges, gradients}: for each layer the largest |∂C_0/∂a_j| (|∂C_0/∂z_j| where the cost gives that) and |∂C_0/∂w_jk|. */
export function referencesOf(network, { A }, { dC_dA, dC_dZ }) {
  const [nudges, gradients] = [[0], [0]];
  for (let layer = 1; layer <= network.L; layer++) {
    nudges[layer] = largestSize(dC_dA[layer] || dC_dZ[layer]);
    gradients[layer] = largestSize(A[layer - 1]) * largestSize(dC_dZ[layer]);
  }
  return { nudges, gradients };
}

/* The reference of a layer, on its own or on the common scale. */
export function reference(references, layer, isCommon) {
  return (isCommon ? largestSize(references) : references[layer]) || 1;
}

export function largestSize(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
