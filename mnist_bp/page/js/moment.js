/* The moment that is shown, in the page's own address: #example=18&target=3&stage=2&edge=3:8,10&eta=0.1.
 *
 * A teacher links to a moment. It is read when the page opens and when the address changes, and written while somebody
 * uses the page. A drawing has no address. */

import { CAPTIONS } from "./captions.js";
import { START, chainOf, chainText } from "./chain.js";
import { content, labels, network } from "./content.js";
import { byId } from "./dom.js";
import { panelNames } from "./drawer.js";
import { showExample } from "./examples.js";
import { tell } from "./story.js";
import { isMisclassified, set, setTarget, stages, state } from "./state.js";

const PAUSE = 300; // milliseconds without a change: browsers limit how often an address is written
const MOST_QUOTED = 30; // letters of what is not understood
const RATES = [0.001, 10]; // those of the slider

/* What an address may say, in the order in which it is written. read gives the value of a text, or undefined if it is
 * not one; write gives the text, or null if it need not be said. */
const KEYS = {
  example: wholeNumber(labels.length - 1, "example"),
  target: wholeNumber(network.sizes[network.L] - 1, "target"),
  stage: wholeNumber(stages.length, "stage"),
  edge: { read: addressOf, write: ({ chosen }) => chosen && edgeText(chosen), expected: "layer:j,k or layer:j" },
  eta: { read: rateOf, write: rateText, expected: `${RATES[0]} to ${RATES[1]}` },
  sign: word(["wish", "derivative"], ({ sign }) => (sign === "wish" ? null : sign)),
  chain: { read: chainOf, write: chainWritten, expected: "w3:0.5:1, of a weight or bias, its nudge, and y" },
  panel: word(panelNames(), ({ panel }) => panel),
  story: { ...wholeNumber(CAPTIONS.length, "story"), write: ({ story }) => (story ? String(story) : null) },
};

let written = null; // what the address says
let timer = null;

export function connectMoment() {
  show();
  addEventListener("hashchange", show);
}

/* Write the moment into the address, once nothing has changed for a while. */
export function renderMoment() {
  const now = textOf(state);
  clearTimeout(timer);
  if (now === written) return;
  timer = setTimeout(() => {
    written = now;
    byId("moment-note").hidden = true;
    history.replaceState(null, "", `#${now}`);
  }, PAUSE);
}

/* Show what the address says; what it does not say is as it is when the page opens. */
function show() {
  const { values, wrong } = parsed(location.hash.slice(1));
  const { example = firstMistake(), target = labels[example], stage = 0, edge = null } = values;
  const { eta = content.step_rate, sign = "wish", chain = START, panel = state.panel, story = 0 } = values;
  showExample(example);
  if (target !== state.target) setTarget(target);
  set({ stage, chosen: edge, hovered: null, pointed: null, rate: eta, sign, chain, panel, story: 0 });
  if (story) tell(story);
  const note = byId("moment-note");
  note.textContent = `Ignored in the address of this page: ${wrong.join("; ")}.`;
  note.hidden = !wrong.length;
  written = textOf(state);
}

/* The first digit that the network gets wrong shows more than one that it gets right. */
function firstMistake() {
  return Math.max(
    0,
    labels.findIndex((_, example) => isMisclassified(example)),
  );
}

/* {values, wrong}: the values by name, and in words what is not one. */
function parsed(text) {
  const [values, wrong] = [{}, []];
  for (const [name, value] of new URLSearchParams(text)) {
    const key = Object.hasOwn(KEYS, name) ? KEYS[name] : null;
    const read = key?.read(value);
    if (read !== undefined) values[name] = read;
    else {
      wrong.push(
        key
          ? `${clipped(`${name}=${value}`)} (${key.expected})`
          : `${clipped(name || "=")} (${Object.keys(KEYS).join(", ")})`,
      );
    }
  }
  return { values, wrong };
}

/* What somebody wrote into the address, short. */
function clipped(text) {
  return text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text;
}

function textOf(choices) {
  const texts = Object.entries(KEYS).map(([name, { write }]) => [name, write(choices)]);
  return texts.flatMap(([name, text]) => (text === null ? [] : [`${name}=${text}`])).join("&");
}

/* A number of a choice, from 0 on, of a test digit. */
function wholeNumber(most, name) {
  return {
    read: (text) => (/^\d{1,9}$/.test(text) && Number(text) <= most ? Number(text) : undefined),
    write: (choices) => (choices.example === null || choices[name] === null ? null : String(choices[name])),
    expected: `0 to ${most}`,
  };
}

function word(words, write) {
  return { read: (text) => (words.includes(text) ? text : undefined), write, expected: words.join(", ") };
}

function addressOf(text) {
  const [, layer, j, k = null] = (/^(\d{1,9}):(\d{1,9})(?:,(\d{1,9}))?$/.exec(text) ?? []).map(
    (one) => one && Number(one),
  );
  const { sizes } = network;
  const isIn = layer >= 1 && layer < sizes.length && j < sizes[layer] && (k === null || k < sizes[layer - 1]);
  return isIn ? { layer, j, k } : undefined;
}

function edgeText({ layer, j, k }) {
  return k === null ? `${layer}:${j}` : `${layer}:${j},${k}`;
}

function rateOf(text) {
  const rate = text.trim() === "" ? NaN : Number(text);
  return rate >= RATES[0] && rate <= RATES[1] ? rate : undefined;
}

function chainWritten({ chain }) {
  const text = chainText(chain);
  return text === chainText(START) ? null : text;
}

function rateText({ rate }) {
  return rate === content.step_rate ? null : String(Number(rate.toPrecision(3)));
}
