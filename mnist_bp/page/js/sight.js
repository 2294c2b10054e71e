/* On a narrow window, the open panel or the docked card covers the lower part: the network moves above it, and returns.
 * The guided story stands above the network, and needs the whole window. */

import { isWide } from "./drawer.js";
import { byId, rem } from "./dom.js";

let wasCovered = false;
let scrolledBefore = 0;

export function renderSight({ panel, story }) {
  const card = byId("card");
  const hasCard = !card.hidden && card.classList.contains("docked");
  document.body.classList.toggle("has-card", hasCard);
  const isCovered = hasCard || ((panel !== null || story > 0) && !isWide.matches);
  if (isCovered === wasCovered) return;
  wasCovered = isCovered;
  if (isCovered) {
    scrolledBefore = scrollY;
    scrollTo(0, scrollY + byId("network").getBoundingClientRect().top - 0.25 * rem());
  } else {
    scrollTo(0, scrolledBefore);
  }
}
