/* Stochastic gradient descent from random weights, on the training images of the page. It runs in a worker, and needs
 * no document. */

import { meanGradient } from "./mini_batch.js";
import { Network } from "./model.js";
import { cost, forward } from "./network.js";
import { Random } from "./random.js";

export const SAMPLE = 200; // training examples whose cost is measured

export class Trainer {
  /* described: the network as in content.js, without parameters; data: {images, labels, validation, batch_size, layers}
   * as in training_set.py, the images decoded: grey levels, one image after the other. */
  constructor(described, data, seed) {
    this.random = new Random(seed);
    this.network = new Network({
      ...described,
      parameters: initialParameters(described.sizes, data.layers, this.random),
    });
    this.data = data;
    this.count = data.labels.length - data.validation; // of training examples
    this.stepsPerEpoch = Math.ceil(this.count / data.batch_size);
    this.taken = 0; // steps
    this.order = [];
  }

  example(i) {
    const n = this.network.sizes[0];
    const x = Float64Array.from(this.data.images.subarray(i * n, (i + 1) * n), (level) => level / 255);
    return { x, y: this.network.oneHot(this.data.labels[i]) };
  }

  /* The examples of the next mini-batch: each once in an epoch, in a new order in each. */
  nextBatch() {
    if (!this.order.length) this.order = this.random.permutation(this.count);
    return this.order.splice(0, this.data.batch_size);
  }

  /* Take one step, against the mean gradient of a mini-batch. Return its cost before the step. */
  step(rate) {
    const batch = this.nextBatch().map((i) => this.example(i));
    const { cost: before, gradient } = meanGradient(this.network, batch);
    this.network.step(gradient, rate);
    this.taken++;
    return before;
  }

  /* Mean cost and accuracy on a sample of the training set, or on the validation set. */
  measure(part) {
    const [start, n] = part === "validation" ? [this.count, this.data.validation] : [0, Math.min(SAMPLE, this.count)];
    let [total, correct] = [0, 0];
    for (let i = start; i < start + n; i++) {
      const { x, y } = this.example(i);
      const trace = forward(this.network, x);
      total += cost(this.network, trace, y);
      correct += this.network.predict(trace) === this.data.labels[i];
    }
    return { cost: total / n, accuracy: correct / n };
  }
}

/* Random weights and the biases that belong to them, as initialization.scaled in Python draws them. */
function initialParameters(sizes, layers, random) {
  const parameters = [];
  for (const [i, { deviation, z_mean, a_mean }] of layers.entries()) {
    const [columns, rows] = [sizes[i], sizes[i + 1]];
    const sums = new Float64Array(rows);
    for (let k = 0; k < columns; k++) {
      for (let j = 0; j < rows; j++) {
        const w = deviation * random.normal();
        sums[j] += w;
        parameters.push(w);
      }
    }
    for (const sum of sums) parameters.push(z_mean - a_mean * sum);
  }
  return parameters;
}
