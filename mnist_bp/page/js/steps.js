/* Effects of gradient steps on one example, for it and for the other digits. */

import { drawChart } from "./charts.js";
import { byId, element, setAttributes, setProperty, setText } from "./dom.js";
import { number, percent, tidy } from "./format.js";

/* view.steps: {cost, evaluation} before the first step on this digit and after each; evaluation is that of state.js. */
export function renderSteps(view) {
  const { y: isReady, rate, taken, steps, busy, stage, stages } = view;
  byId("rate").value = Math.log10(rate);
  setText(byId("rate-name"), tidy(rate, 3));
  for (const id of ["take-step", "take-ten"]) {
    setAttributes(byId(id), { "aria-disabled": !isReady || busy !== null });
  }
  byId("take-step").classList.toggle("primary", stage === stages.length);
  setProperty(byId("reset"), "disabled", taken === 0);
  setText(byId("step-progress"), busy ?? "");
  byId("effects").replaceChildren(
    ...(isReady ? effectsOf(view) : []).flatMap(([what, id, [before, after]]) => [
      element("dt", {}, what),
      element("dd", { id }, steps.length > 1 ? `${before} → ${after}` : before),
    ]),
  );
  for (const figure of document.querySelectorAll("#panel-step figure")) figure.hidden = steps.length < 2;
  if (steps.length > 1) drawSteps(view);
  setText(byId("downhill-note"), downhillWords(view));
}

/* Names, ids, and what was before the first step on this digit and is now. */
function effectsOf({ target, labels, steps, aClass }) {
  const ends = [steps[0], steps[steps.length - 1]];
  const count = labels.filter((label) => label === target).length;
  const taken = ({ evaluation }) => evaluation.predictions.filter((label) => label === target).length;
  return [
    ["cost of this example", "cost-effect", ends.map(({ cost }) => number(cost))],
    [
      `right of ${labels.length} test images`,
      "accuracy-effect",
      ends.map(({ evaluation }) => percent(evaluation.correct / labels.length)),
    ],
    [`predicted as ${aClass(target)} (${count} are)`, "taken-effect", ends.map((end) => String(taken(end)))],
  ];
}

function drawSteps({ steps, labels }) {
  const draw = (id, format, y) => {
    const series = [{ name: "", look: "test", y: steps.map(y) }];
    drawChart(byId(id), { x: Array.from(steps.keys()), xLabel: "steps", format, series });
  };
  draw(
    "cost-steps",
    (tick) => tidy(tick, 3),
    ({ cost }) => cost,
  );
  draw("accuracy-steps", asPercent, ({ evaluation }) => evaluation.correct / labels.length);
}

export function asPercent(tick) {
  return `${tidy(100 * tick)} %`;
}

/* What is missing before there is a cost. */
export function missingWords(isBlank) {
  return isBlank ? "Draw something first." : "Say first what it should have been.";
}

function downhillWords({ y, isBlank, target, taken, steps, isTooLong, aClass }) {
  if (!y) return missingWords(isBlank);
  if (isTooLong) return "That step was too long: it left the finite numbers, and was taken back. Try a smaller η.";
  const [before, now] = steps.slice(-2).map(({ cost }) => cost);
  if (now > before) return "Overshoot: the step was so long that the cost rose. Try a smaller η.";
  if (steps.length > 1) {
    return (
      `If we only listen to what this one wants, the network is in the end led to call everything ${aClass(target)}. ` +
      "That is why training averages the wishes of many examples."
    );
  }
  if (taken) return "The network is no longer as it was trained: Reset takes your steps back.";
  return "Take some, and watch the triangles shrink, and what becomes of the other images.";
}
