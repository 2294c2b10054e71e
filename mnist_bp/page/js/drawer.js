/* The drawer: panels, of which at most one is open. Beside the network on a wide window, a sheet at the bottom of a
 * narrow one.
 *
 * A panel is a <section class="panel" id="panel-NAME" data-tab="Word on its tab"> in page.html, and an entry of PANELS
 * in main.js that renders it while it is open. */

import { byId, element, setAttributes, setProperty } from "./dom.js";
import { set, state } from "./state.js";

/* Matches while there is room for the drawer beside the network. */
export const isWide = matchMedia("(min-width: 68rem)");

/* Names of the panels, in the order of their tabs. */
export function panelNames() {
  return [...document.querySelectorAll(".panel")].map(({ id }) => id.replace("panel-", ""));
}

/* Add a tab for each panel, and open the first where there is room for it. */
export function connectDrawer() {
  const panels = [...document.querySelectorAll(".panel")];
  for (const panel of panels) {
    const name = panel.id.replace("panel-", "");
    const tab = element("button", { type: "button", "aria-controls": panel.id, "data-panel": name }, panel.dataset.tab);
    tab.addEventListener("click", () => openPanel(state.panel === name ? null : name));
    byId("tabs").append(tab);
  }
  if (isWide.matches) state.panel = "numbers";
}

/* Open a panel by name, or close the drawer: null. */
export function openPanel(name) {
  set({ panel: name });
  byId("panels").scrollTop = 0;
}

export function renderDrawer({ panel }) {
  setProperty(byId("panels"), "hidden", panel === null);
  document.body.classList.toggle("has-panel", panel !== null);
  for (const section of document.querySelectorAll(".panel")) {
    setProperty(section, "hidden", section.id !== `panel-${panel}`);
  }
  for (const tab of byId("tabs").children) setAttributes(tab, { "aria-expanded": tab.dataset.panel === panel });
}
