/* The gradient of a mini-batch: the mean of the gradients of its examples. */

import { backward, cost, forward } from "./network.js";
import { ParameterVector } from "./parameters.js";

/* {cost, gradient} of examples, a list of {x, y}: means over them. */
export function meanGradient(network, examples) {
  const sum = new ParameterVector(network.sizes);
  let total = 0;
  for (const { x, y } of examples) {
    const trace = forward(network, x);
    total += cost(network, trace, y);
    addGradient(sum, trace, backward(network, trace, y));
  }
  const n = examples.length;
  for (let i = 0; i < sum.vector.length; i++) sum.vector[i] /= n;
  return { cost: total / n, gradient: sum };
}

/* Add (4) and (5) of one example, without the rows that a dark pixel or an inactive neuron makes 0. */
function addGradient(sum, { A }, { dC_dZ }) {
  for (let l = 1; l < A.length; l++) {
    const [a, d] = [A[l - 1], dC_dZ[l]];
    const { numbers, rows } = sum.W[l];
    for (let k = 0; k < a.length; k++) {
      if (a[k] === 0) continue;
      for (let j = 0, i = k * rows; j < rows; j++) numbers[i++] += a[k] * d[j];
    }
    for (let j = 0; j < d.length; j++) sum.b[l][j] += d[j];
  }
}
