/* The worker that trains, so that the page listens and paints meanwhile. The messages are those of train_here.js. */

import { Trainer } from "./trainer.js";

const SLICE = 40; // milliseconds without listening, unless one step takes longer
const LEAST_PAUSE = 100; // milliseconds between reports
const FRACTION = 4; // measuring takes at most 1 / FRACTION of the time

let trainer = null;
let rate = 0;
let pause = null; // milliseconds between steps, or null while nothing is played
let isRunning = false;
let last = { at: 0, taken: 0, duration: 0 }; // the last report

const ACTIONS = {
  start: ({ described, data, seed }) => {
    trainer = new Trainer(described, data, seed);
    pause = null;
    report();
  },
  rate: (message) => (rate = message.rate),
  play: (message) => {
    pause = message.pause;
    last = { ...last, at: performance.now(), taken: trainer.taken };
    if (!isRunning) run();
  },
  pause: () => (pause = null),
  step: () => {
    pause = null;
    trainer.step(rate);
    report();
  },
};

addEventListener("message", ({ data: message }) => ACTIONS[message.action](message));

async function run() {
  isRunning = true;
  while (pause !== null) {
    const end = performance.now() + SLICE;
    do trainer.step(rate);
    while (pause === 0 && performance.now() < end);
    if (performance.now() - last.at >= Math.max(LEAST_PAUSE, FRACTION * last.duration)) report();
    await new Promise((resolve) => setTimeout(resolve, pause)); // messages come in
  }
  isRunning = false;
  report();
}

/* Tell the page how far the training is. */
function report() {
  const before = performance.now();
  const { taken, stepsPerEpoch } = trainer;
  const perSecond = pause === null || taken === last.taken ? null : (1000 * (taken - last.taken)) / (before - last.at);
  const parameters = trainer.network.parameters.slice();
  const measured = { training: trainer.measure("training"), validation: trainer.measure("validation") };
  postMessage({ taken, stepsPerEpoch, perSecond, isPlaying: pause !== null, parameters, ...measured }, [
    parameters.buffer,
  ]);
  const now = performance.now();
  last = { at: now, taken, duration: now - before };
}
