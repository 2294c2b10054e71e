/* The three fields that name a weight or a bias, with their ranges. */

import { network } from "./content.js";
import { byId, setText } from "./dom.js";
import { setChosen, state } from "./state.js";

const NAMES = ["layer", "j", "k"];
const field = (name) => byId(`address-${name}`);

export function connectAddress() {
  for (const name of NAMES) field(name).addEventListener("input", chooseByNumber);
}

/* The fields follow what is chosen, but not while somebody types in them. */
export function renderAddress() {
  const isTyping = NAMES.some((name) => field(name) === document.activeElement);
  const { chosen } = state;
  if (!isTyping) for (const name of NAMES) field(name).value = chosen?.[name] ?? "";
  showRanges();
}

/* The first and the last number that each field takes now; null where that depends on a field that is not filled. */
function ranges() {
  const { sizes, L } = network;
  const layer = wholeNumber(field("layer").value, [1, L]);
  return {
    layer: [1, L],
    j: layer === null ? null : [0, sizes[layer] - 1],
    k: layer === null ? null : [0, sizes[layer - 1] - 1],
  };
}

/* A whole number in this range, or null. */
function wholeNumber(text, range) {
  const isIn = range !== null && /^\d+$/.test(text) && Number(text) >= range[0] && Number(text) <= range[1];
  return isIn ? Number(text) : null;
}

/* Choose what the fields name, as soon as there is such a weight; without a k, a bias. */
function chooseByNumber() {
  const [layer, j, k] = showRanges();
  if (layer === null || j === null || (k === null && !isEmpty("k"))) return;
  setChosen({ layer, j, k });
}

function isEmpty(name) {
  return field(name).value === "" && !field(name).validity.badInput;
}

/* Show the ranges, and what is wrong; return the three numbers, null where there is none. */
function showRanges() {
  const all = ranges();
  const numbers = NAMES.map((name) => wholeNumber(field(name).value, all[name]));
  const wrong = NAMES.filter((name, i) => numbers[i] === null && !isEmpty(name));
  for (const name of NAMES) {
    const range = all[name];
    setText(byId(`range-${name}`), range ? `${range[0]} to ${range[1]}` : "");
    field(name).setAttribute("aria-invalid", wrong.includes(name));
    if (range) field(name).max = range[1];
  }
  setText(byId("address-error"), wrong.map((name) => errorWords(name, all[name])).join(" "));
  return numbers;
}

function errorWords(name, range) {
  const letter = name === "layer" ? "l" : name;
  if (!range) return `${letter}: choose a layer l first.`;
  const where = name === "layer" ? "" : ` in layer ${name === "k" ? field("layer").value - 1 : field("layer").value}`;
  return `${letter} is ${range[0]} to ${range[1]}${where}.`;
}
