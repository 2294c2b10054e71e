/* The network: forward, cost and backpropagation, for one example at a time. It mirrors mnist_bp/core/network.py.
 *
 * Notation of the lesson: w_jk^(l) goes to neuron j of layer l from neuron k of layer l − 1.
 *
 *     (1)  z_j^(l) = Σ_k w_jk^(l) a_k^(l−1) + b_j^(l)
 *     (2)  a_j^(l) = σ(z_j^(l))
 *     (3)  C_0 = Σ_j (a_j^(L) − y_j)²                             or another cost
 *     (4)  ∂C_0/∂w_jk^(l) = a_k^(l−1) σ′(z_j^(l)) ∂C_0/∂a_j^(l)
 *     (5)  ∂C_0/∂b_j^(l)  =           σ′(z_j^(l)) ∂C_0/∂a_j^(l)
 *     (6)  ∂C_0/∂a_k^(l)  = Σ_j w_jk^(l+1) σ′(z_j^(l+1)) ∂C_0/∂a_j^(l+1)
 *
 * All arrays are indexed by the lesson's layer number l; layer 0 is the input. Numbers are doubles. σ, σ′ and C_0 come
 * from the registries in Python. */

import { ACTIVATIONS, COSTS } from "./functions.js";

/* Weights of one layer, a view of the parameters; at(j, k) is w_jk. */
class Weights {
  constructor(numbers, n) {
    this.numbers = numbers;
    this.n = n;
  }

  at(j, k) {
    return this.numbers[k * this.n + j];
  }
}

export class Network {
  /* parameters: one flat vector; for each layer n_{l−1} rows of weights, W transposed, then a row of biases. */
  constructor({ sizes, activation, cost, output_activation, parameters }) {
    this.sizes = sizes;
    this.L = sizes.length - 1;
    this.cost = COSTS[cost];
    this.parameters = Float64Array.from(parameters);
    [this.σ, this.W, this.b] = [[null], [null], [null]];
    for (let l = 1, start = 0; l <= this.L; l++) {
      const [biases, end] = [start + sizes[l - 1] * sizes[l], start + (sizes[l - 1] + 1) * sizes[l]];
      this.σ.push(ACTIVATIONS[l === this.L ? output_activation : activation]);
      this.W.push(new Weights(this.parameters.subarray(start, biases), sizes[l]));
      this.b.push(this.parameters.subarray(biases, end));
      start = end;
    }
  }

  /* True for a layer whose ∂C_0/∂z comes from the cost directly, without σ′ and ∂C_0/∂a. */
  isFused(l) {
    return l === this.L && this.cost.derivative_by === "z";
  }

  /* Run an input, a Float64Array of numbers from 0 to 1, forward: z, a and σ′(z) of every layer. */
  forward(x) {
    const trace = { z: [null], a: [x], slope: [null] };
    for (let l = 1; l <= this.L; l++) {
      trace.z[l] = this.weightedSums(l, trace.a[l - 1]); // (1)
      trace.a[l] = this.σ[l].f(trace.z[l]); // (2)
      trace.slope[l] = this.isFused(l) ? null : this.σ[l].derivative(trace.a[l]);
    }
    return trace;
  }

  weightedSums(l, a) {
    const W = this.W[l];
    const z = this.b[l].slice();
    for (let k = 0; k < a.length; k++) {
      if (a[k] === 0) continue; // most pixels are dark
      for (let j = 0; j < z.length; j++) z[j] += W.at(j, k) * a[k];
    }
    return z;
  }

  /* C_0, and each output's share of it. */
  costOf(trace, y) {
    return this.costShares(trace, y).reduce((sum, share) => sum + share, 0); // (3)
  }

  costShares({ z, a }, y) {
    return this.cost.shares(z[this.L], a[this.L], y);
  }

  /* Run backward: ∂C_0/∂a and ∂C_0/∂z of every layer. dC_dz is also ∂C_0/∂b (5); times a_k, it is ∂C_0/∂w (4). */
  backward(trace, y) {
    const [dC_da, dC_dz] = [[], []];
    const start = this.cost.derivative(trace.a[this.L], y);
    for (let l = this.L; l >= 1; l--) {
      const isFused = this.isFused(l);
      dC_da[l] = isFused ? null : l === this.L ? start : this.sumOverPaths(l, dC_dz[l + 1]); // (6)
      dC_dz[l] = isFused ? start : dC_da[l].map((d, j) => trace.slope[l][j] * d);
    }
    return { dC_da, dC_dz };
  }

  /* ∂C_0/∂a_k of a hidden layer: each neuron influences the cost through all neurons of the next layer. */
  sumOverPaths(l, dC_dz) {
    const W = this.W[l + 1];
    const dC_da = new Float64Array(this.sizes[l]);
    for (let k = 0; k < dC_da.length; k++) {
      for (let j = 0; j < dC_dz.length; j++) dC_da[k] += W.at(j, k) * dC_dz[j];
    }
    return dC_da;
  }

  /* The whole gradient, in the order of the parameters. */
  gradient(trace, { dC_dz }) {
    const gradient = new Float64Array(this.parameters.length);
    let i = 0;
    for (let l = 1; l <= this.L; l++) {
      for (const a_k of trace.a[l - 1]) {
        for (const d of dC_dz[l]) gradient[i++] = a_k * d; // (4)
      }
      for (const d of dC_dz[l]) gradient[i++] = d; // (5)
    }
    return gradient;
  }

  /* One step of gradient descent on one example. */
  step(trace, derivatives, learningRate) {
    const gradient = this.gradient(trace, derivatives);
    for (let i = 0; i < gradient.length; i++) this.parameters[i] -= learningRate * gradient[i];
  }

  oneHot(label) {
    const y = new Float64Array(this.sizes[this.L]);
    y[label] = 1;
    return y;
  }

  /* The class with the largest output. */
  predict(trace) {
    const outputs = trace.a[this.L];
    return outputs.indexOf(outputs.reduce((x, y) => Math.max(x, y)));
  }
}
