/* The network: forward, cost and backpropagation, for one example. It mirrors mnist_bp/core/network.py, name for name.
 *
 * The notation is the lesson's: w_jk^(l) goes to neuron j of layer l from neuron k of layer l − 1.
 *
 *     (1)  z_j^(l) = Σ_k w_jk^(l) a_k^(l−1) + b_j^(l)
 *     (2)  a_j^(l) = σ(z_j^(l))
 *     (3)  C_0 = Σ_j (a_j^(L) − y_j)²                             or another cost
 *
 *     (4)  ∂C_0/∂w_jk^(l) = a_k^(l−1) σ′(z_j^(l)) ∂C_0/∂a_j^(l)
 *     (5)  ∂C_0/∂b_j^(l)  =           σ′(z_j^(l)) ∂C_0/∂a_j^(l)
 *     (6)  ∂C_0/∂a_k^(l)  = Σ_j w_jk^(l+1) σ′(z_j^(l+1)) ∂C_0/∂a_j^(l+1)       also for l = 0: the inputs
 *
 * All arrays are indexed by the lesson's layer number; layer 0 is the input. The page shows every step, so this file
 * keeps what Python may forget: Z, dC_dA and dC_dZ of every layer; the gradient follows from them. σ, σ′ and C_0 are those of the registries in Python. */

import { ParameterVector } from "./parameters.js";

/* Compute z, a and σ′(z) of every layer from the input x, a Float64Array of numbers from 0 to 1. */
export function forward(net, x) {
  return forwardFrom(net, { A: [x], dA_dZ: [], Z: [] }, 1);
}

/* The same from layer "start" on. What a trace has of the layers before it remains. */
export function forwardFrom(net, trace, start) {
  const [A, dA_dZ, Z] = [trace.A, trace.dA_dZ, trace.Z].map((layers) => layers.slice(0, start));
  for (let l = start; l <= net.L; l++) {
    Z[l] = weightedSums(net.W[l], net.b[l], A[l - 1]); // (1)
    A[l] = net.σ[l].f(Z[l]); // (2)
    dA_dZ[l] = net.isFused(l) ? null : net.σ[l].derivative(A[l]); // σ′(z), computed from a = σ(z)
  }
  return { A, dA_dZ, Z };
}

function weightedSums(W, b, a) {
  const z = b.slice();
  const { numbers, rows } = W;
  for (let k = 0; k < a.length; k++) {
    if (a[k] === 0) continue; // most pixels are dark
    for (let j = 0, i = k * rows; j < rows; j++) z[j] += numbers[i++] * a[k];
  }
  return z;
}

/* C_0 (3). y holds the desired outputs. */
export function cost(net, trace, y) {
  return costShares(net, trace, y).reduce((sum, share) => sum + share, 0);
}

/* What each output contributes to C_0. */
export function costShares(net, { A, Z }, y) {
  return net.cost.shares(Z[net.L], A[net.L], y);
}

/* Compute ∂C_0/∂a and ∂C_0/∂z of every layer, from the last to the first. gradient() continues from them. */
export function backward(net, { A, dA_dZ }, y) {
  const [dC_dA, dC_dZ] = [[], []];
  const start = net.cost.derivative(A[net.L], y);
  for (let l = net.L; l > 0; l--) {
    if (net.isFused(l)) {
      [dC_dA[l], dC_dZ[l]] = [null, start];
    } else {
      dC_dA[l] = l === net.L ? start : sensitivities(net, dC_dZ, l); // (6)
      dC_dZ[l] = dC_dA[l].map((d, j) => dA_dZ[l][j] * d);
    }
  }
  return { dC_dA, dC_dZ };
}

/* ∂C_0/∂a_k of a layer before the last (6): the sums over the paths through all neurons of the next layer. Of layer 0,
 * they are the sensitivities of the cost to each pixel. */
export function sensitivities(net, dC_dZ, layer) {
  const { numbers, rows, columns } = net.W[layer + 1];
  const after = dC_dZ[layer + 1];
  const dC_da = new Float64Array(columns);
  for (let k = 0, i = 0; k < columns; k++) {
    for (let j = 0; j < rows; j++) dC_da[k] += numbers[i++] * after[j];
  }
  return dC_da;
}

/* The gradient, a vector with the layout of the parameters. */
export function gradient(net, { A }, { dC_dZ }) {
  const result = new ParameterVector(net.sizes);
  for (let l = net.L; l > 0; l--) {
    result.W[l].fill((j, k) => A[l - 1][k] * dC_dZ[l][j]); // (4)
    result.b[l].set(dC_dZ[l]); // (5)
  }
  return result;
}

/* ‖∂C_0/∂W^(l)‖, the length of a layer's gradient. Of one example, it is ‖a^(l−1)‖ ‖∂C_0/∂z^(l)‖, by (4). */
export function gradientNorm({ A }, { dC_dZ }, l) {
  return Math.hypot(...A[l - 1]) * Math.hypot(...dC_dZ[l]);
}
