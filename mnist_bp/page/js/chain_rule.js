/* The chain rule for one parameter, factor by factor. It mirrors mnist_bp/explain/chain_rule.py.
 *
 * An address {layer, j, k} names a parameter: w_jk^(layer), or, if k is null, the bias b_j^(layer). */

/* The value of a weight or a bias. */
export function parameterAt(network, { layer, j, k }) {
  return k === null ? network.b[layer][j] : network.W[layer].at(j, k);
}

/* ∂C_0/∂w_jk = a_k σ′(z_j) ∂C_0/∂a_j, factor by factor; a_k is 1 for a bias. */
export function factors(trace, { dC_da, dC_dz }, { layer, j, k }) {
  const slope = trace.slope[layer];
  const a_k = k === null ? 1 : trace.a[layer - 1][k];
  return {
    a_k,
    slope: slope && slope[j],
    dC_da: dC_da[layer] && dC_da[layer][j],
    dC_dz: dC_dz[layer][j],
    product: slope ? a_k * slope[j] * dC_da[layer][j] : a_k * dC_dz[layer][j],
  };
}

/* The paths on which a hidden neuron influences the cost, one through each neuron of the next layer. */
export function paths(network, trace, { dC_da, dC_dz }, layer, neuron) {
  const next = layer + 1;
  const slope = trace.slope[next];
  return Array.from(dC_dz[next], (d, to) => {
    const w = network.W[next].at(to, neuron);
    return {
      to,
      w,
      slope: slope && slope[to],
      dC_da: dC_da[next] && dC_da[next][to],
      dC_dz: d,
      contribution: w * d,
    };
  });
}

/* For each output, its share of the cost and the nudge that would lower the cost fastest. */
export function outputs(network, trace, { dC_da, dC_dz }, y) {
  const derivative = dC_da[network.L] || dC_dz[network.L];
  const shares = network.costShares(trace, y);
  return Array.from(trace.a[network.L], (a, j) => ({ a, y: y[j], cost: shares[j], nudge: -derivative[j] }));
}
