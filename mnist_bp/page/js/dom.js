"use strict";

/* Elements, numbers and formulas: what the other files write with. Text always goes in as text, never as HTML. */

const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";

/* An element; a child is an element or text, an attribute that is null or false is left out. */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function svgElement(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat());
  return node;
}

function byId(id) {
  return document.getElementById(id);
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* So many significant digits, without zeros that say nothing, and with a minus as long as the plus. */
function number(x, digits = 6) {
  if (!Number.isFinite(x)) return "not finite";
  const text =
    x !== 0 && Math.abs(x) < 1e-4
      ? x.toExponential(digits - 1).replace(/\.?0+e/, "e")
      : String(Number(x.toPrecision(digits)));
  return text.replace(/-/g, "−");
}

function signed(x, digits = 6) {
  return (x > 0 ? "+" : "") + number(x, digits);
}

function fixed(x, decimals = 4) {
  if (!Number.isFinite(x)) return "not finite";
  const text = x.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/* A number for a narrow column: few significant digits, all of them shown. */
function short(x, digits = 3) {
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? "0" : "not finite";
  const text = Math.abs(x) < 0.001 || Math.abs(x) >= 1000 ? x.toExponential(digits - 1) : x.toPrecision(digits);
  return text.replace(/-/g, "−");
}

function signedShort(x, digits = 3) {
  return (x > 0 ? "+" : "") + short(x, digits);
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}

/* --- formulas, in MathML ---------------------------------------------------------------------- */

/* What a formula is made of, in the lesson's notation as plain text has it: ∂C_0/∂w_{4,7}^(3), Σ_j, ln, σ′, a_k^(2). */
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
function formula(text) {
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

function mathElement(name, ...children) {
  return filled(document.createElementNS(MATHML, name), {}, children);
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

/* Of an address, as a formula has it and as explain says it: w_{4,7}^(3), b_{4}^(3). */
function parameterName({ layer, j, k }) {
  return k === null ? `b_{${j}}^(${layer})` : `w_{${j},${k}}^(${layer})`;
}

/* Whether a key is the browser's rather than ours. */
function hasModifier(event) {
  return event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
}
