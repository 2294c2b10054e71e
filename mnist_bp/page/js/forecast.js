/* What a step would do: the network after steps that are not taken, on the page's digits. */

import { batchGradient, examplesOf } from "./batch.js";
import { content, exampleGrey, inputs, labels, network } from "./content.js";
import { inSlices } from "./jobs.js";
import { Network } from "./model.js";
import { cost, forward } from "./network.js";

/* The forecasts for members of a mini-batch: {now, one, all}, each {own, batch, rest, correct}: the cost of the digit
 * that is shown, the mean cost of the members and that of all test digits, and how many of these are right. one is
 * after steps for the digit that is shown, all after steps for the mini-batch. They are passed on as they are known, as
 * long as isWanted(). */
export async function forecast({ members, own, rate, count }, isWanted, onResult) {
  const paths = { now: [], one: Array(count).fill([own]), all: Array(count).fill(members) };
  const found = {};
  await inSlices(
    (function* () {
      for (const [name, batches] of Object.entries(paths)) {
        const copy = new Network({ ...content.network, parameters: network.parameters });
        for (const batch of batches) copy.step(batchGradient(copy, batch), rate);
        found[name] = yield* resultOf(copy, members, own, isWanted);
        if (!isWanted()) return;
        onResult({ ...found });
      }
    })(),
    () => {},
  );
}

function* resultOf(copy, members, own, isWanted) {
  const costs = (some) => examplesOf(copy, some).map(({ x, y }) => cost(copy, forward(copy, x), y));
  let [total, correct] = [0, 0];
  for (const [example, label] of labels.entries()) {
    const trace = forward(copy, inputs(exampleGrey(example)));
    total += cost(copy, trace, copy.oneHot(label));
    correct += copy.predict(trace) === label;
    yield;
    if (!isWanted()) return null;
  }
  const batch = costs(members);
  return {
    own: costs([own])[0],
    batch: batch.reduce((x, y) => x + y) / batch.length,
    rest: total / labels.length,
    correct,
  };
}
