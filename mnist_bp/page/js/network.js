"use strict";

/* The network: forward, cost, and backpropagation, for one example at a time.
 *
 * It mirrors network.py, activations.py, costs.py and parameters.py of mnist_bp/core/ and mnist_bp/explain/chain_rule.py,
 * in names and in order, and like chain_rule.py it takes the lesson's own steps, one factor at a time:
 *
 *     z_j^(l) = Σ_k w_jk^(l) a_k^(l−1) + b_j^(l)        a_j^(l) = σ(z_j^(l))
 *
 *     ∂C_0/∂w_jk^(l) = a_k^(l−1) σ′(z_j^(l)) ∂C_0/∂a_j^(l)
 *     ∂C_0/∂b_j^(l)  =           σ′(z_j^(l)) ∂C_0/∂a_j^(l)
 *     ∂C_0/∂a_k^(l)  = Σ_j w_jk^(l+1) σ′(z_j^(l+1)) ∂C_0/∂a_j^(l+1)
 *
 * All numbers are doubles. An address {layer, j, k} names a parameter: w_jk^(layer), layers counted from 1, or, where
 * k is null, the bias b_j^(layer).
 */

const LEAKY_SLOPE = 0.01;

/* σ, of a whole layer's z, and its derivative, of one a = σ(z). At a kink it is the derivative from the left. */
const ACTIVATIONS = {
  sigmoid: { f: (z) => z.map((x) => 0.5 * Math.tanh(0.5 * x) + 0.5), derivative: (a) => a * (1 - a) },
  tanh: { f: (z) => z.map(Math.tanh), derivative: (a) => 1 - a * a },
  relu: { f: (z) => z.map((x) => Math.max(x, 0)), derivative: (a) => (a > 0 ? 1 : 0) },
  "leaky-relu": { f: (z) => z.map((x) => Math.max(x, LEAKY_SLOPE * x)), derivative: (a) => (a > 0 ? 1 : LEAKY_SLOPE) },
  softmax: { f: softmax, derivative: null }, // each output depends on every z; cross-entropy does not ask
};

function softmax(z) {
  const largest = z.reduce((x, y) => Math.max(x, y)); // taken off first, so that no e^z overflows
  const a = z.map((x) => Math.exp(x - largest));
  const sum = a.reduce((x, y) => x + y);
  return a.map((x) => x / sum);
}

/* What one example costs, from the output layer's z and a and the wanted outputs y. */
const COSTS = {
  "squared-error": (z, a, y) => a.reduce((sum, a_j, j) => sum + (a_j - y[j]) ** 2, 0),
  "cross-entropy": (z, a, y) => {
    const largest = z.reduce((x, y) => Math.max(x, y));
    const lnSum = largest + Math.log(z.reduce((sum, x) => sum + Math.exp(x - largest), 0));
    return z.reduce((sum, z_j, j) => sum + y[j] * (lnSum - z_j), 0);
  },
};

class Network {
  /* parameters: one flat vector; of each layer n_{l−1} rows of weights, W transposed, then a row of biases. */
  constructor({ sizes, activation, cost, output_activation, parameters }) {
    this.sizes = sizes;
    this.layers = sizes.length - 1;
    this.cost = cost;
    this.activation = activation;
    this.outputActivation = output_activation;
    this.isSoftmax = output_activation === "softmax";
    this.parameters = Float64Array.from(parameters);
    this.starts = [NaN]; // of each layer's part of the vector, layers counted from 1
    for (let layer = 1, start = 0; layer <= this.layers; layer++) {
      this.starts.push(start);
      start += (sizes[layer - 1] + 1) * sizes[layer];
    }
  }

  σ(layer) {
    return ACTIVATIONS[layer === this.layers ? this.outputActivation : this.activation];
  }

  /* Where a parameter stands in the vector. */
  index({ layer, j, k }) {
    return this.starts[layer] + (k === null ? this.sizes[layer - 1] : k) * this.sizes[layer] + j;
  }

  parameter(address) {
    return this.parameters[this.index(address)];
  }

  /* Run an input, a Float64Array of numbers from 0 to 1, forward: A[l] and Z[l] of every layer l; A[0] is the input. */
  propagate(x) {
    const A = [x];
    const Z = [null];
    for (let layer = 1; layer <= this.layers; layer++) {
      Z.push(this.weightedSums(layer, A[layer - 1]));
      A.push(this.σ(layer).f(Z[layer]));
    }
    return { A, Z };
  }

  weightedSums(layer, a) {
    const n = this.sizes[layer];
    const biases = this.index({ layer, j: 0, k: null });
    const z = this.parameters.slice(biases, biases + n);
    for (let k = 0, start = this.starts[layer]; k < a.length; k++, start += n) {
      if (a[k] === 0) continue; // most pixels are dark
      for (let j = 0; j < n; j++) z[j] += this.parameters[start + j] * a[k];
    }
    return z;
  }

  target(label) {
    const y = new Float64Array(this.sizes[this.layers]);
    y[label] = 1;
    return y;
  }

  costOf({ A, Z }, y) {
    return COSTS[this.cost](Z[this.layers], A[this.layers], y);
  }

  /* What the chain rule knows of each layer, layers counted from 1: its inputs a_k, σ′(z_j), ∂C_0/∂a_j and ∂C_0/∂z_j.
   * A softmax has no σ′ of its own: with cross-entropy, ∂C_0/∂z_j is a_j − y_j. */
  chainRule({ A }, y) {
    const known = [null];
    for (let layer = this.layers; layer >= 1; layer--) {
      const a = A[layer];
      let slope = null;
      let dC_da = null;
      let dC_dz;
      if (layer === this.layers && this.isSoftmax) {
        dC_dz = a.map((a_j, j) => a_j - y[j]);
      } else {
        slope = a.map(this.σ(layer).derivative);
        dC_da =
          layer === this.layers ? a.map((a_j, j) => 2 * (a_j - y[j])) : this.overPaths(layer, known[layer + 1].dC_dz);
        dC_dz = slope.map((s, j) => s * dC_da[j]);
      }
      known[layer] = { inputs: A[layer - 1], slope, dC_da, dC_dz };
    }
    return known;
  }

  /* ∂C_0/∂a_k of every neuron k of a hidden layer: the sum over its paths through the next one. */
  overPaths(layer, dC_dz) {
    const dC_da = new Float64Array(this.sizes[layer]);
    const n = dC_dz.length;
    for (let k = 0, start = this.starts[layer + 1]; k < dC_da.length; k++, start += n) {
      for (let j = 0; j < n; j++) dC_da[k] += this.parameters[start + j] * dC_dz[j];
    }
    return dC_da;
  }

  /* The whole gradient, in the order of the parameters. */
  gradient(known) {
    const gradient = new Float64Array(this.parameters.length);
    let place = 0;
    for (let layer = 1; layer <= this.layers; layer++) {
      const { inputs, dC_dz } = known[layer];
      for (const a_k of [...inputs, 1]) {
        // a bias is a weight from a neuron that is always 1
        for (const d of dC_dz) gradient[place++] = a_k * d;
      }
    }
    return gradient;
  }

  /* ∂C_0/∂w_jk = a_k σ′(z_j) ∂C_0/∂a_j, factor by factor; a_k is 1 for a bias. */
  factors(known, { layer, j, k }) {
    const { inputs, slope, dC_da, dC_dz } = known[layer];
    const a_k = k === null ? 1 : inputs[k];
    return {
      a_k,
      slope: slope && slope[j],
      dC_da: dC_da && dC_da[j],
      dC_dz: dC_dz[j],
      product: slope ? a_k * slope[j] * dC_da[j] : a_k * dC_dz[j],
    };
  }

  /* The paths on which a hidden neuron influences the cost, one through each neuron of the next layer. */
  paths(known, layer, neuron) {
    const { slope, dC_da, dC_dz } = known[layer + 1];
    return Array.from(dC_dz, (d, to) => {
      const w = this.parameter({ layer: layer + 1, j: to, k: neuron });
      return { to, w, slope: slope && slope[to], dC_da: dC_da && dC_da[to], dC_dz: d, contribution: w * d };
    });
  }

  /* What each output costs (of a cross-entropy, only the wanted one has a cost) and which nudge it wants. */
  outputs(trace, y) {
    const cost = this.costOf(trace, y);
    return Array.from(trace.A[this.layers], (a, j) => ({
      a,
      y: y[j],
      cost: this.isSoftmax ? y[j] * cost : (a - y[j]) ** 2,
      nudge: this.isSoftmax ? y[j] - a : 2 * (y[j] - a),
    }));
  }

  /* One step downhill for one example: η times the gradient is taken off the parameters. */
  step(known, learningRate) {
    const gradient = this.gradient(known);
    for (let i = 0; i < gradient.length; i++) this.parameters[i] -= learningRate * gradient[i];
  }

  answer({ A }) {
    const outputs = A[this.layers];
    return outputs.indexOf(outputs.reduce((x, y) => Math.max(x, y)));
  }
}
