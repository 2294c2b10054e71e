/* The stages of the backward pass, from the last layer to the first.
 *
 * Of each layer: what is wished of its neurons (a; z if the cost gives ∂C_0/∂z directly), how responsive they are
 * (slope), and what follows for the weights into them (w). Last comes what is wished of the pixels: a of layer 0. */

export function backwardStages(network) {
  const stages = [];
  for (let layer = network.L; layer >= 1; layer--) {
    const parts = network.isFused(layer) ? ["z", "w"] : ["a", "slope", "w"];
    stages.push(...parts.map((part) => ({ layer, part })));
  }
  return [...stages, { layer: 0, part: "a" }];
}

/* The stage that the backward pass has reached, or null. */
export function stageNow({ stages, stage }) {
  return stage > 0 ? stages[stage - 1] : null;
}

/* True if the backward pass has computed this part of a layer. */
export function hasPart({ stages, stage }, part, layer) {
  const place = stages.findIndex((one) => one.layer === layer && one.part === part);
  return place >= 0 && place < stage;
}
