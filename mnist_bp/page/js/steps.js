/* Effects of gradient steps on one example, for it and for the other digits; and the curves of the training. */

import { drawChart } from "./charts.js";
import { byId, element } from "./dom.js";
import { number, percent } from "./format.js";

/* view.steps: {cost, evaluation} before the first step and after each; evaluation is that of evaluate() in state.js. */
export function renderSteps(view) {
  const { y, rate, taken, steps, isBlank } = view;
  byId("rate-name").textContent = number(rate, 3);
  byId("take-step").disabled = byId("take-ten").disabled = !y || isBlank;
  byId("reset").disabled = taken === 0;
  byId("effects").replaceChildren(
    ...(y ? effectsOf(view) : []).flatMap(([what, id, [before, after]]) => [
      element("dt", {}, what),
      element("dd", { id }, taken ? `${before} → ${after}` : before),
    ]),
  );
  for (const figure of document.querySelectorAll(".downhill figure")) figure.hidden = steps.length < 2;
  if (steps.length > 1) drawSteps(view);
  byId("downhill-note").textContent = downhillWords(view);
}

/* Names, ids, and what was before and is now. */
function effectsOf({ target, labels, steps, firstEvaluation, aClass }) {
  const last = steps[steps.length - 1];
  const evaluations = [firstEvaluation, last.evaluation];
  const counts = evaluations.map(({ predictions }) => predictions.filter((label) => label === target).length);
  const are = labels.filter((label) => label === target).length;
  const right = evaluations.map(({ correct }) => percent(correct / labels.length));
  return [
    ["cost of this example", "cost-effect", [steps[0].cost, last.cost].map((cost) => number(cost, 5))],
    [`right of ${labels.length} test digits`, "accuracy-effect", right],
    [`of them taken for ${aClass(target)} (${are} are)`, "taken-effect", counts.map(String)],
  ];
}

function drawSteps({ steps, labels }) {
  const draw = (id, format, y) => {
    const series = [{ name: "", look: "test", y: steps.map(y) }];
    drawChart(byId(id), { x: Array.from(steps.keys()), xLabel: "steps", format, series });
  };
  draw(
    "cost-steps",
    (tick) => number(tick, 3),
    ({ cost }) => cost,
  );
  draw("accuracy-steps", asPercent, ({ evaluation }) => evaluation.correct / labels.length);
}

function asPercent(tick) {
  return `${number(100 * tick, 4)} %`;
}

function downhillWords({ y, target, taken, steps, isTooLong, aClass }) {
  if (!y) return "Say first what it should have been.";
  if (isTooLong) return "That step was too long: it left the finite numbers, and was taken back. Try a smaller η.";
  if (steps.length > 1) {
    return (
      `If we only listen to what this one wants, the network is in the end led to call everything ${aClass(target)}. ` +
      "That is why training averages the wishes of many examples."
    );
  }
  if (taken) return "The network is no longer as it was trained: Reset takes your steps back.";
  return "Take some, and watch what becomes of the other digits.";
}

/* history: lists of numbers by name, as content.py gives them; empty where there is none. */
export function drawCurves(history) {
  byId("curves").hidden = !history.epoch;
  if (!history.epoch) return;
  for (const [what, format] of [
    ["cost", (tick) => number(tick, 3)],
    ["accuracy", asPercent],
  ]) {
    const names = ["test", "validation", "train"].filter((name) => history[`${name}_${what}`]);
    const series = names.map((name) => ({ name, look: name, y: history[`${name}_${what}`] }));
    drawChart(byId(`${what}-epochs`), { x: history.epoch, xLabel: "epoch", format, series });
  }
}
