/* A trained network: its parameters and functions. It mirrors mnist_bp/network.py. */

import { ACTIVATIONS, COSTS } from "./functions.js";
import { ParameterVector } from "./parameters.js";

export class Network {
  constructor({ sizes, activation, cost, output_activation, parameters }) {
    this.sizes = sizes;
    this.L = sizes.length - 1;
    this.parameters = Float64Array.from(parameters);
    const { W, b } = new ParameterVector(sizes, this.parameters);
    Object.assign(this, { W, b });
    this.σ = sizes.map((_, l) => (l === 0 ? null : ACTIVATIONS[l === this.L ? output_activation : activation]));
    this.cost = COSTS[cost];
  }

  /* True for a layer whose ∂C_0/∂z comes from the cost directly, without σ′ and ∂C_0/∂a. */
  isFused(l) {
    return l === this.L && this.cost.derivative_by === "z";
  }

  /* Take one step of gradient descent. */
  step({ vector }, learningRate) {
    for (let i = 0; i < this.parameters.length; i++) this.parameters[i] -= learningRate * vector[i];
  }

  oneHot(label) {
    const y = new Float64Array(this.sizes[this.L]);
    y[label] = 1;
    return y;
  }

  /* The class with the largest output. */
  predict({ A }) {
    const outputs = A[this.L];
    return outputs.indexOf(outputs.reduce((x, y) => Math.max(x, y)));
  }
}
