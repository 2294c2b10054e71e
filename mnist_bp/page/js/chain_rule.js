/* The chain rule for one parameter, factor by factor. It mirrors mnist_bp/explain/chain_rule.py.
 *
 * An address {layer, j, k} names a parameter: w_jk^(layer), or, if k is null, the bias b_j^(layer). */

import { costShares } from "./network.js";

/* The value of a weight or a bias. */
export function parameterAt(network, { layer, j, k }) {
  return k === null ? network.b[layer][j] : network.W[layer].at(j, k);
}

export function setParameter(network, { layer, j, k }, value) {
  if (k === null) network.b[layer][j] = value;
  else network.W[layer].put(j, k, value);
}

/* ∂C_0/∂w_jk = a_k σ′(z_j) ∂C_0/∂a_j, factor by factor; a_k is 1 for a bias. */
export function factors({ A, dA_dZ }, { dC_dA, dC_dZ }, { layer, j, k }) {
  const slopes = dA_dZ[layer];
  const a_k = k === null ? 1 : A[layer - 1][k];
  return {
    a_k,
    slope: slopes && slopes[j],
    dC_da: dC_dA[layer] && dC_dA[layer][j],
    dC_dz: dC_dZ[layer][j],
    product: slopes ? a_k * slopes[j] * dC_dA[layer][j] : a_k * dC_dZ[layer][j],
  };
}

/* The paths on which a hidden neuron influences the cost, one through each neuron of the next layer. */
export function paths(network, { dA_dZ }, { dC_dA, dC_dZ }, layer, neuron) {
  const next = layer + 1;
  return Array.from(dC_dZ[next], (dC_dz, to) => {
    const w = network.W[next].at(to, neuron);
    return {
      to,
      w,
      slope: dA_dZ[next] && dA_dZ[next][to],
      dC_da: dC_dA[next] && dC_dA[next][to],
      dC_dz,
      contribution: w * dC_dz,
    };
  });
}

/* For each output, its share of the cost, and ∂C_0/∂a (∂C_0/∂z where the cost gives that). */
export function outputs(network, trace, { dC_dA, dC_dZ }, y) {
  const { L } = network;
  const derivative = dC_dA[L] || dC_dZ[L];
  const shares = costShares(network, trace, y);
  return Array.from(trace.A[L], (a, j) => ({ a, y: y[j], cost: shares[j], derivative: derivative[j] }));
}
