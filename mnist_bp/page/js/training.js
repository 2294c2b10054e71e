/* The curves of the training, and the accuracy on the page's digits. */

import { drawChart } from "./charts.js";
import { content, labels } from "./content.js";
import { byId } from "./dom.js";
import { percent, tidy } from "./format.js";
import { asPercent } from "./steps.js";

/* history: lists of numbers by name, as content.py gives them; empty where there is none. */
export function drawCurves(history) {
  byId("curves").hidden = !history.epoch;
  if (!history.epoch) return;
  for (const [what, format] of [
    ["cost", (tick) => tidy(tick, 3)],
    ["accuracy", asPercent],
  ]) {
    const names = ["test", "validation", "train"].filter((name) => history[`${name}_${what}`]);
    const series = names.map((name) => ({ name, look: name, y: history[`${name}_${what}`] }));
    drawChart(byId(`${what}-epochs`), { x: history.epoch, xLabel: "epoch", format, series });
  }
}

/* How many of the page's digits the network classifies correctly, and why its test accuracy is another. */
export function accuracyWords({ correct }) {
  const here = `Right of the first ${labels.length} ${content.dataset.name} test images, which are on this page: ${percent(correct / labels.length)}.`;
  const [whole] = (content.history.test_accuracy ?? []).slice(-1);
  if (whole === undefined || whole === null) return here;
  return `${here} The last epoch’s accuracy, ${percent(whole)}, is that of all test images.`;
}
