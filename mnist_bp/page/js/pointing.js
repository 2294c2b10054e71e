/* Pointing at the diagram: hover, click, tap, and the arrow keys that walk along the edges. */

import { isDocked } from "./card.js";
import { hasModifier } from "./dom.js";
import { isWide, openPanel } from "./drawer.js";
import { along, beside, sameAddress } from "./navigation.js";
import { changed, setChosen, setHovered, state } from "./state.js";

export function connectDiagram(diagram) {
  const { svg } = diagram;
  let pointerType = "mouse"; // not every click tells

  svg.addEventListener("pointerdown", (event) => (pointerType = event.pointerType));
  svg.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || state.chosen) return; // what is chosen stays in sight
    const { address, pointed } = diagram.at(event, "mouse");
    if (address === state.hovered || sameAddress(address, state.hovered)) return;
    setHovered(address, pointed);
  });
  svg.addEventListener("pointerleave", () => state.hovered && setHovered(null));
  svg.addEventListener("click", (event) => {
    const { address, pointed } = diagram.at(event, pointerType);
    setChosen(address, pointerType === "mouse" ? pointed : null);
    if (address && isDocked() && state.panel !== null && !isWide.matches) openPanel("edge");
  });
  svg.addEventListener("keydown", (event) => walk(diagram, event));
  for (const event of ["scroll", "resize"]) addEventListener(event, () => state.chosen && changed()); // its card moves along
}

/* Arrow keys walk from what is chosen. While nothing is, up and down begin, and left and right keep their meaning. */
function walk(diagram, event) {
  const go = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  if (!go || hasModifier(event)) return;
  const [sideways, down] = go;
  if (!state.chosen && !down) return;
  event.preventDefault();
  event.stopPropagation();
  const to = neighbour(diagram, sideways, down);
  if (to) setChosen(to);
}

/* The address that an arrow key leads to, or null. */
function neighbour({ network, drawn, layout }, sideways, down) {
  const here = state.chosen;
  if (!here) return { layer: network.L, j: drawn[network.L][0], k: null };
  return down ? beside(drawn, layout.edges[here.layer], here, down) : along(layout.edges.flat(), here, sideways);
}
