/* A mini-batch of eight digits of the page: what each of them wishes, and their mean. */

import { factors } from "./chain_rule.js";
import { exampleGrey, inputs, labels, network } from "./content.js";
import { meanGradient } from "./mini_batch.js";
import { backward, cost, forward } from "./network.js";

export const SIZE = 8;
const MOST_LAYERS = 3; // of which the table shows parameters

let first = null; // the mini-batch that is shown first, computed once

/* The members {example, grey, label}, among them the digit that is shown, with its target, in the place of one of
 * its class; example is null for a drawing. state.batch holds the numbers of the examples, or null: those
 * of different classes with the highest costs. */
export function membersOf({ batch, example, grey, target }) {
  const numbers = (batch ?? defaultBatch()).slice();
  const sameClass = numbers.findIndex((one) => labels[one] === target);
  if (!numbers.includes(example)) numbers[Math.max(0, sameClass)] = example;
  return numbers.map((one) =>
    one === example ? { example, grey, label: target } : { example: one, grey: exampleGrey(one), label: labels[one] },
  );
}

/* Of each class, the digit with the highest cost when the table is first shown: digits that want something. */
function defaultBatch() {
  if (first !== null) return first;
  const costs = labels.map((label, example) => {
    const trace = forward(network, inputs(exampleGrey(example)));
    return cost(network, trace, network.oneHot(label));
  });
  const order = Array.from(labels.keys()).sort((one, other) => costs[other] - costs[one]);
  const worst = order.filter((example, place) => order.findIndex((one) => labels[one] === labels[example]) === place);
  first = [...new Set([...worst, ...order])].slice(0, SIZE);
  return first;
}

/* Members as the mini-batch of other digits, too: their numbers, without a drawing. */
export function keptBatch(members) {
  const kept = members.map(({ example }) => example).filter((example) => example !== null);
  return [...new Set([...kept, ...defaultBatch()])].slice(0, SIZE);
}

/* Digits at random, in place of those that are not shown. */
export function otherDigits({ example }) {
  const rest = Array.from(labels.keys()).filter((one) => one !== example);
  for (let i = 0; i < SIZE && i < rest.length; i++) {
    const other = i + Math.floor(Math.random() * (rest.length - i));
    [rest[i], rest[other]] = [rest[other], rest[i]];
  }
  return example === null ? rest.slice(0, SIZE) : [example, ...rest.slice(0, SIZE - 1)];
}

/* Members as examples of a gradient: {x, y}. */
export function examplesOf(net, members) {
  return members.map(({ grey, label }) => ({ x: inputs(grey), y: net.oneHot(label) }));
}

/* The rows of the table: {address, values, mean}, values ∂C_i/∂w of each member. Of up to three layers, they are the
 * weight and the bias that matter most to the members; a chosen parameter comes first. */
export function batchRows(drawn, members, chosen) {
  const passes = examplesOf(network, members).map(({ x, y }) => {
    const trace = forward(network, x);
    return { trace, derivatives: backward(network, trace, y) };
  });
  const addresses = layersOf().flatMap((layer) => strongest(drawn, passes, layer));
  const isChosen = ({ layer, j, k }) => chosen?.layer === layer && chosen.j === j && chosen.k === k;
  const all = chosen ? [chosen, ...addresses.filter((one) => !isChosen(one))] : addresses;
  return all.map((address) => {
    const values = passes.map(({ trace, derivatives }) => factors(trace, derivatives, address).product);
    return { address, values, mean: values.reduce((total, value) => total + value, 0) / values.length };
  });
}

/* The last layers and the first. */
function layersOf() {
  const all = Array.from({ length: network.L }, (_, i) => network.L - i);
  return all.length > MOST_LAYERS ? [...all.slice(0, MOST_LAYERS - 1), 1] : all;
}

/* The weight with the largest Σ_i |∂C_i/∂w| of a layer, and the bias of another neuron with the largest Σ_i |∂C_i/∂b|. */
function strongest(drawn, passes, layer) {
  const sources = layer > 1 ? drawn[layer - 1] : Array.from({ length: network.sizes[0] }, (_, k) => k);
  const errors = drawn[layer].map((j) => passes.map(({ derivatives }) => Math.abs(derivatives.dC_dZ[layer][j])));
  const weight = { most: -1, layer };
  for (const [place, j] of drawn[layer].entries()) {
    for (const k of sources) {
      const most = sum(errors[place].map((error, i) => error * Math.abs(passes[i].trace.A[layer - 1][k])));
      if (most > weight.most) Object.assign(weight, { most, j, k });
    }
  }
  const others = [...drawn[layer].entries()].filter(([, j]) => j !== weight.j);
  const biases = others.map(([place, j]) => ({ most: sum(errors[place]), layer, j, k: null }));
  const bias = biases.reduce((one, other) => (other.most > one.most ? other : one), biases[0]);
  return [weight, bias].filter(Boolean).map(({ j, k }) => ({ layer, j, k }));
}

function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}

/* ∂C/∂w of a mini-batch, for all parameters. */
export function batchGradient(net, members) {
  return meanGradient(net, examplesOf(net, members)).gradient;
}
