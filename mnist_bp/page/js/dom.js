/* Elements of the document. Text is always inserted as text, never as HTML. */

const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";

/* An element; a child is an element or text, an attribute that is null or false is left out. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svgElement(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat());
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

export function mathElement(name, ...children) {
  return filled(document.createElementNS(MATHML, name), {}, children);
}

const written = new WeakMap(); // what was last written to a node, by name

/* True if this differs from what was last written under this name. */
export function isNew(node, name, value) {
  if (!written.has(node)) written.set(node, {});
  const values = written.get(node);
  if (values[name] === value) return false;
  values[name] = value;
  return true;
}

/* Set those attributes that changed: what stays equal costs nothing. */
export function setAttributes(node, attributes) {
  if (!written.has(node)) written.set(node, {});
  const values = written.get(node);
  for (const name in attributes) {
    if (values[name] === attributes[name]) continue;
    values[name] = attributes[name];
    node.setAttribute(name, attributes[name]);
  }
}

/* Set a property such as hidden, disabled or className, if it changed: setting it writes an attribute. */
export function setProperty(node, name, value) {
  if (node[name] !== value) node[name] = value;
}

/* Set the text, if it changed. */
export function setText(node, text) {
  if (isNew(node, "text", text)) node.textContent = text;
}

/* True if a key belongs to the browser rather than to the page. */
export function hasModifier(event) {
  return event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
}

let pen = null; // of the canvas that measures text

/* Width of a text in the font of the page, as a multiple of its size. */
export function textWidth(text, weight = 400) {
  pen ??= document.createElement("canvas").getContext("2d");
  pen.font = `${weight} 100px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width / 100;
}

/* One rem in pixels. */
export function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}
