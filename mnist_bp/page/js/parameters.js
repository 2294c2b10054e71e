/* Weights and biases of every layer: views of one flat vector. It mirrors mnist_bp/core/parameters.py. */

/* W of one layer; at(j, k) is w_jk. The numbers are those of W transposed, row by row. */
class Weights {
  constructor(numbers, rows, columns) {
    Object.assign(this, { numbers, rows, columns });
  }

  at(j, k) {
    return this.numbers[k * this.rows + j];
  }

  put(j, k, value) {
    this.numbers[k * this.rows + j] = value;
  }

  fill(value) {
    for (let k = 0, i = 0; k < this.columns; k++) {
      for (let j = 0; j < this.rows; j++) this.numbers[i++] = value(j, k);
    }
  }
}

export class ParameterVector {
  /* W[l] and b[l] are those of layer l, from 1 on. Of each layer, the vector has the weights, then the biases. */
  constructor(sizes, vector = new Float64Array(parameterCount(sizes))) {
    [this.vector, this.W, this.b] = [vector, [], []];
    for (let l = 1, start = 0; l < sizes.length; l++) {
      const [biases, end] = [start + sizes[l - 1] * sizes[l], start + (sizes[l - 1] + 1) * sizes[l]];
      this.W[l] = new Weights(vector.subarray(start, biases), sizes[l], sizes[l - 1]);
      this.b[l] = vector.subarray(biases, end);
      start = end;
    }
  }
}

function parameterCount(sizes) {
  return sizes.slice(1).reduce((count, n, l) => count + (sizes[l] + 1) * n, 0);
}
