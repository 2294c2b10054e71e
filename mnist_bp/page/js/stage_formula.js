/* The formula of the stage, each term a button: pointed at, it becomes its number, and lights up in the diagram. */

import { element, isNew, setText } from "./dom.js";
import { number, signed } from "./format.js";
import { formula, spokenFormula } from "./formula.js";
import { stageWords } from "./stage.js";
import { set, state } from "./state.js";
import { addressOf, edgeLayer, pointedIn, spotOf, termsOf, termValue, termWords } from "./terms.js";

const DIGITS = 3;

let terms = []; // of the formula that is shown
let address = null; // that it is about

/* Numbers and lights follow mouse, finger and focus. */
export function connectFormula(node) {
  const point = ({ target }) => pointAt(target.closest(".term")?.dataset.key ?? null);
  node.addEventListener("pointerover", point);
  node.addEventListener("focusin", point);
  node.addEventListener("click", point); // not every browser gives a button the focus
  node.addEventListener("focusout", () => pointAt(null));
  node.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && pointAt(null));
}

function pointAt(key) {
  if ((state.spot?.key ?? null) === key) return;
  const term = terms.find((one) => one.key === key);
  set({ spot: term && address ? { key, ...spotOf(term, address) } : null });
}

export function renderFormula(node, view, diagram) {
  const { line } = stageWords(view);
  if (isNew(node, "formula", line)) {
    write(node, line);
    if (state.spot?.key) state.spot = null; // its term is gone
  }
  const layer = edgeLayer(terms);
  address = view.isBlank ? null : addressOf(view, layer, diagram.layout.edges[layer]); // nothing has no numbers
  const isPointed = address !== null && pointedIn(view, layer) !== null;
  node.classList.toggle("is-numbers", isPointed);
  for (const button of node.querySelectorAll(".term")) {
    const term = terms.find(({ key }) => key === button.dataset.key);
    const text = address ? termText(view, term) : "";
    const isNumber = text !== "" && (isPointed || state.spot?.key === term.key);
    button.classList.toggle("is-number", isNumber);
    setText(button.querySelector(".term-number"), text);
    setText(button.querySelector(".hidden"), `${termWords(view, term)}: ${text}`);
  }
}

function termText(view, term) {
  const { part, text } = term;
  const value = termValue(view, term, address);
  const shown = part === "derivative" ? signed(value, DIGITS) : number(value, DIGITS);
  return text.startsWith("(") || (value < 0 && part !== "derivative") ? `(${shown})` : shown;
}

/* The formula breaks at its = signs. Between two factors stands ×, where they are numbers. */
function write(node, line) {
  const parts = termsOf(line);
  terms = parts.filter((part) => typeof part !== "string");
  const pieces = [[]];
  for (const [i, part] of parts.entries()) {
    if (/^ [=,] /.test(part)) pieces.push([]);
    const isProduct = part === " " && i > 0;
    pieces[pieces.length - 1].push(isProduct ? times() : typeof part === "string" ? plain(part) : termButton(part));
  }
  const spans = pieces.map((piece) => element("span", { class: "piece" }, piece));
  node.replaceChildren(...spans.flatMap((span) => [span, " "]));
}

function plain(text) {
  return element("span", { class: "plain" }, formula(text));
}

function times() {
  return element("span", { class: "times" }, "×");
}

function termButton({ key, text }) {
  const shown = element("span", { class: "term-number", "aria-hidden": "true" });
  return element("button", { type: "button", class: "term", "data-key": key }, spokenFormula(text, ""), shown);
}
