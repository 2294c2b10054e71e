/* The card of an edge or a neuron: its value and its chain rule in one line. It opens at the pointer, or at what was
 * chosen with the keys; on touch, at the bottom of the window. The tables behind it are in the drawer. */

import { parameterAt } from "./chain_rule.js";
import { byId, element, setProperty, rem } from "./dom.js";
import { isWide, openPanel } from "./drawer.js";
import { number, signed } from "./format.js";
import { formula, parameterName } from "./formula.js";
import { effectWords, factorList, neuronName, sourceName } from "./inspector.js";
import { setChosen } from "./state.js";

const isTouch = matchMedia("(pointer: coarse)");
const isSmall = matchMedia("(max-width: 37.5rem)");

/* True if the card is at the bottom of the window. An open panel takes its place there. */
export function isDocked() {
  return isSmall.matches || isTouch.matches;
}

export function renderCard(view, diagram) {
  const card = byId("card");
  const isOpen = view.looked !== null && !isInDrawer(view);
  setProperty(card, "hidden", !isOpen);
  if (!isOpen) return;
  card.replaceChildren(...contents(view, view.looked));
  card.classList.toggle("hovered", view.looked === view.hovered);
  place(card, diagram, view);
}

/* True if the drawer says the same beside the network, or is open where the card would be. */
function isInDrawer({ panel, looked, chosen }) {
  return isWide.matches ? panel === "edge" && looked === chosen : panel !== null && isDocked();
}

function contents(view, address) {
  const { network, derivatives, trace, isBlank } = view;
  const { layer, j, k } = address;
  const name = neuronName(view, layer, j);
  const title = k === null ? name : `${sourceName(view, address)} → ${name}`;
  const value = formula(`${parameterName(address)} = ${number(parameterAt(network, address))}`);
  const sums =
    k === null && !isBlank
      ? formula(
          `z_{${j}}^(${layer}) = ${number(trace.Z[layer][j])} , a_{${j}}^(${layer}) = ${number(trace.A[layer][j])}`,
        )
      : "";
  return [
    element("p", { class: "card-title" }, title),
    element("p", { class: "card-line" }, value, " ", sums),
    ...(derivatives ? derivation(view, address) : []),
    ...(address === view.hovered ? [] : cardButtons(derivatives && layer < network.L)),
  ];
}

/* ∂C_0/∂w as a product, with its numbers. */
function derivation(view, address) {
  const { list, product } = factorList(view, address);
  const join = (texts) => texts.flatMap((one, i) => (i ? [element("span", { class: "times" }, "×"), one] : [one]));
  const names = join(list.map(({ name }) => formula(name)));
  const numbers = join(
    list.map(({ value, what }) =>
      element("span", { class: "term" }, what === "dC_da" || what === "dC_dz" ? signed(value) : number(value)),
    ),
  );
  const { value } = product;
  const look = value > 0 ? "up" : value < 0 ? "down" : "";
  return [
    element("p", { class: "card-line" }, formula(product.name), " = ", ...names),
    element(
      "p",
      { class: "card-line" },
      "= ",
      ...numbers,
      " = ",
      element("strong", { class: look, "data-what": "card-product" }, signed(value)),
    ),
    element("p", { class: "note" }, effectWords(view, address)),
  ];
}

function cardButtons(hasPaths) {
  const details = element("button", { type: "button" }, hasPaths ? "Its paths" : "Details");
  details.addEventListener("click", () => openPanel("edge"));
  const close = element("button", { type: "button", class: "close", "aria-label": "close" }, "✕");
  close.addEventListener("click", () => setChosen(null));
  return [details, close];
}

/* Beside the point of the diagram, where it covers least of what was chosen and of what is beside the network; docked at the bottom on a small or a touch
 * screen. */
function place(card, diagram, { looked, pointed }) {
  card.classList.toggle("docked", isDocked());
  if (isDocked()) {
    card.style.left = card.style.top = "";
    return;
  }
  const frame = diagram.svg.getBoundingClientRect();
  const { left, top, right } = frame;
  const inWindow = ({ x, y }) => ({ x: left + x, y: top + y });
  const anchor = inWindow(pointed ?? diagram.placeOf(looked));
  const points = diagram.pointsOf(looked).map(inWindow);
  const size = card.getBoundingClientRect();
  const places = [...placesAround(anchor, size), ...cornersOf(frame, size)];
  const isCovered = (at) => points.filter(({ x, y }) => isWithin(at, x, y)).length / points.length;
  const outside = (at) => (Math.max(0, left - at.left) + Math.max(0, at.left + at.width - right)) / at.width;
  const costs = places.map((at) => 2 * isCovered(at) + outside(at)); // the drawer should stay in sight, too
  const best = places[costs.indexOf(Math.min(...costs))];
  card.style.left = `${best.left}px`;
  card.style.top = `${best.top}px`;
}

/* The four places in the corners of the diagram, for where those at the point would cover controls. */
function cornersOf({ left, top, right, bottom }, { width, height }) {
  return [top, bottom - height].flatMap((y) =>
    [left, right - width].map((x) => ({ left: x, top: Math.max(rem() / 2, y), width, height })),
  );
}

/* The four places at the corners of a point, moved into the window where they leave it. */
function placesAround({ x, y }, { width, height }) {
  const { clientWidth, clientHeight } = document.documentElement;
  const gap = rem();
  const within = (start, length, end) => Math.max(gap / 2, Math.min(start, end - length - gap / 2));
  return [y + gap, y - gap - height].flatMap((top) =>
    [x + gap, x - gap - width].map((left) => ({
      left: within(left, width, clientWidth),
      top: within(top, height, clientHeight),
      width,
      height,
    })),
  );
}

function isWithin({ left, top, width, height }, x, y) {
  return x >= left && x <= left + width && y >= top && y <= top + height;
}
