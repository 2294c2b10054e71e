/* Formulas in MathML, written in the lesson's notation as plain text: ∂C_0/∂w_{4,7}^(3), Σ_j, ln, σ′, a_k^(2). */

import { element, isNew, mathElement } from "./dom.js";

const LETTER = /([A-Za-zση]′?)(?:_(\{[^}]*\}|\w+))?(?:\^(\([^)]*\)))?/;
const PARTS = [
  [
    new RegExp(`∂${LETTER.source}/∂${LETTER.source}`, "y"),
    (parts) => fraction(letter(...parts), letter(...parts.slice(3))),
  ],
  [/Σ_(\w)/y, ([index]) => mathElement("munder", mathElement("mo", "∑"), mathElement("mi", index))],
  [/ln/y, () => mathElement("mi", "ln\u2009")],
  [new RegExp(LETTER.source, "y"), (parts) => letter(...parts)],
  [/\)\^(\d)/y, ([power]) => mathElement("msup", mathElement("mo", ")"), mathElement("mn", power))],
  [/[+−]?\d[\d.]*(?:e[+−]?\d+)?/y, (_, number) => mathElement("mn", number)],
  [/\S/y, (_, sign) => mathElement("mo", sign)],
];

/* "C_0 = Σ_j (a_j^(3) − y_j)^2" as an element. */
export function formula(text) {
  const row = mathElement("mrow");
  for (let at = 0; at < text.length;) {
    if (text[at] === " ") {
      at++;
      continue;
    }
    for (const [pattern, build] of PARTS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (!found) continue;
      row.append(build(found.slice(1), found[0]));
      at += found[0].length;
      break;
    }
  }
  const math = mathElement("math", row);
  math.setAttribute("displaystyle", "true"); // as large as a formula that has a line to itself
  return math;
}

/* A formula, and words that stand for it where it is read aloud. */
export function spokenFormula(text, words) {
  const math = formula(text);
  math.setAttribute("aria-hidden", "true");
  return [math, element("span", { class: "hidden" }, words)];
}

/* A formula that has a line to itself, and more lines where it is too long for one: it breaks at its = signs. */
export function showFormula(node, text) {
  if (!isNew(node, "formula", text)) return;
  const pieces = text.split(/ (?=[=,] )/).map((piece) => element("span", { class: "piece" }, formula(piece)));
  node.replaceChildren(...pieces.flatMap((piece) => [piece, " "]));
}

function fraction(above, below) {
  const change = (of) => mathElement("mrow", mathElement("mo", "∂"), of);
  return mathElement("mfrac", change(above), change(below));
}

function letter(name, below, above) {
  const base = name.endsWith("′")
    ? mathElement("msup", mathElement("mi", name[0]), mathElement("mo", "′"))
    : mathElement("mi", name);
  const [sub, sup] = [below, above].map((text) => text && small(text.replace(/[{}]/g, "")));
  if (sub && sup) return mathElement("msubsup", base, sub, sup);
  if (sub) return mathElement("msub", base, sub);
  return sup ? mathElement("msup", base, sup) : base;
}

function small(text) {
  if (!/^[a-zA-Z]+$/.test(text)) return mathElement("mn", text);
  return mathElement("mrow", ...Array.from(text, (index) => mathElement("mi", index))); // jk is two indices
}

/* The parameter at an address, in a formula's notation: w_{4,7}^(3), b_{4}^(3). */
export function parameterName({ layer, j, k }) {
  return k === null ? `b_{${j}}^(${layer})` : `w_{${j},${k}}^(${layer})`;
}

/* The same as an element, and in words. */
export function spokenParameter(address) {
  const { layer, j, k } = address;
  const words = k === null ? `bias ${j} of layer ${layer}` : `weight ${j}, ${k} of layer ${layer}`;
  return spokenFormula(parameterName(address), words);
}

/* Text with formulas between $ signs, as a list of text and elements. */
export function withFormulas(text) {
  return text.split("$").map((part, i) => (i % 2 ? formula(part) : part));
}

/* A formula of the last layer, with its number in place of (L). */
export function atLayer(text, layer) {
  return text.replaceAll("(L)", `(${layer})`);
}
