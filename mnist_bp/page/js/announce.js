/* What an action changed, in one sentence, for those who hear the page. */

import { aClass, className } from "./content.js";
import { byId } from "./dom.js";
import { number } from "./format.js";
import { effectWords, neuronName, sourceName } from "./inspector.js";
import { stageWords } from "./stage.js";
import { storySentence } from "./story.js";
import { statusWords } from "./train_panel.js";

const PAUSE = 500; // milliseconds without a change, so that a stroke is announced once

const TOPICS = [
  { of: ({ story }) => story, words: ({ story }) => (story ? storySentence() : "The story has ended.") },
  { of: ({ training }) => training?.isPlaying, words: ({ training }) => statusWords(training) },
  { of: ({ steps }) => steps.length, words: stepSentence },
  { of: ({ stage }) => stage, words: (view) => stageWords(view).words },
  { of: ({ sign }) => sign, words: ({ sign }) => `Shown: ${sign === "wish" ? "wishes, −∂C" : "derivatives, ∂C"}.` },
  { of: ({ chosen }) => JSON.stringify(chosen), words: chosenSentence },
  { of: ({ grey, target }) => [grey, target], words: answerSentence },
];

let said = null; // what was last announced, by topic
let timer = null;

export function renderAnnouncement(view) {
  clearTimeout(timer);
  timer = setTimeout(() => announce(view), PAUSE);
}

function announce(view) {
  const now = TOPICS.map(({ of }) => of(view));
  const topic = said && TOPICS.find((_, i) => String(said[i]) !== String(now[i]));
  said = now;
  if (topic) byId("announcement").textContent = topic.words(view);
}

function stepSentence({ steps }) {
  if (steps.length < 2) return "";
  return `Step ${steps.length - 1}: the cost is now ${number(steps[steps.length - 1].cost)}.`;
}

function chosenSentence(view) {
  const { chosen, derivatives } = view;
  if (!chosen) return "Nothing is chosen.";
  const { layer, j, k } = chosen;
  const name = neuronName(view, layer, j);
  const edge = k === null ? name : `From ${sourceName(view, chosen)} to ${name}`;
  return derivatives ? `${edge}. ${effectWords(view, chosen)}` : `${edge}.`;
}

function answerSentence({ isBlank, network, trace, target, y, derivatives }) {
  if (isBlank) return "The board is empty.";
  const says = `It says ${className(network.predict(trace))}`;
  return y && derivatives ? `${says}; it should have been ${aClass(target)}.` : `${says}.`;
}
