/* The content of the page, which Python wrote into it as JSON (content.py): the network, test digits, curves. */

import { byId } from "./dom.js";
import { Network } from "./model.js";

export const content = JSON.parse(byId("content").textContent);
export const shape = { rows: content.dataset.rows, columns: content.dataset.columns };
export const pixels = shape.rows * shape.columns;
export const labels = content.examples.labels;
export const drawn = content.network.drawn; // the neurons of each layer that the diagram draws
export const images = withZeros(decoded(content.examples.images, Uint8Array), labels.length * pixels);
export const network = new Network({
  ...content.network,
  parameters: decoded(content.network.parameters, content.network.dtype === "float64" ? Float64Array : Float32Array),
});

/* Numbers from base64, little-endian, as all browsers' machines are. */
export function decoded(text, Numbers) {
  const bytes = atob(text);
  const numbers = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) numbers[i] = bytes.charCodeAt(i);
  return new Numbers(numbers.buffer);
}

/* Undo zero_runs of content.py: a zero stands before the length of a run of zeros. */
function withZeros(packed, length) {
  const numbers = new Uint8Array(length);
  for (let i = 0, to = 0; i < packed.length; i++) {
    if (packed[i] === 0) to += packed[++i];
    else numbers[to++] = packed[i];
  }
  return numbers;
}

export function exampleGrey(example) {
  return images.subarray(example * pixels, (example + 1) * pixels);
}

/* Grey levels as inputs of the network, 0 to 1. */
export function inputs(grey) {
  const x = new Float64Array(grey); // copies the numbers, not the bytes
  for (let k = 0; k < x.length; k++) x[k] /= 255;
  return x;
}

/* Name of a class: a digit, or the name that the dataset gives it. */
export function className(label) {
  return content.dataset.class_names[label] ?? String(label);
}

/* A test image in words, by its number and its class. */
export function exampleWords(example) {
  return `test image ${example}: ${aClass(labels[example])}`;
}

export function aClass(label) {
  const article = /^8|^1[18]$/.test(label) ? "an" : "a"; // eight, eleven, eighteen
  return content.dataset.class_names.length ? className(label) : `${article} ${label}`;
}
