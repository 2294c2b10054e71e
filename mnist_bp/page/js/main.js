"use strict";

/* The page itself: what is shown now (state), and what each control does to it. Every change ends in render(). */

const content = JSON.parse(byId("content").textContent);
const shape = { rows: content.dataset.rows, columns: content.dataset.columns };
const pixels = shape.rows * shape.columns;
const labels = content.examples.labels;
const images = decoded(content.examples.images, Uint8Array);

const network = new Network({
  ...content.network,
  parameters: decoded(content.network.parameters, content.network.dtype === "float64" ? Float64Array : Float32Array),
});
const trained = network.parameters.slice();

const state = {
  grey: null, // what the network sees: a grey level for each pixel
  example: 0, // which test digit that is, or null for a drawing
  target: null, // what it should have been, or null
  stage: 0, // so many of the stages of the backward pass are done
  chosen: null, // the address that was chosen, and the one under the pointer
  hovered: null,
  rate: content.learning_rate,
  version: 0, // of the parameters, which steps change
  taken: 0, // steps downhill since the network was as it was trained
  steps: [], // what each step on this digit came to: {cost, judged}
  isTooLong: false, // whether the last one left the finite numbers
  judged: null, // what the network makes of the test digits
  judgedAtFirst: null,
};

/* Numbers from base64, little-endian, as all browsers' machines are. */
function decoded(text, Numbers) {
  return new Numbers(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);
}

function exampleGrey(example) {
  return images.subarray(example * pixels, (example + 1) * pixels);
}

/* What the network sees of grey levels. */
function inputs(grey) {
  const x = new Float64Array(grey); // of each number, not of the bytes
  for (let k = 0; k < x.length; k++) x[k] /= 255;
  return x;
}

/* What a class is called: a digit, or the name that the dataset gives it. */
function className(label) {
  return content.dataset.class_names[label] ?? String(label);
}

function aClass(label) {
  const article = /^8|^1[18]$/.test(label) ? "an" : "a"; // eight, eleven, eighteen
  return content.dataset.class_names.length ? className(label) : `${article} ${label}`;
}

/* Run all test digits through the network as it is now. */
function judge() {
  const answers = labels.map((_, example) => network.answer(network.propagate(inputs(exampleGrey(example)))));
  return { answers, right: answers.filter((answer, example) => answer === labels[example]).length };
}

const stages = backwardStages(network);

/* --- what there is to see --------------------------------------------------------------------- */

/* Everything that is computed of the state, once for each change. */
function computed() {
  const trace = network.propagate(inputs(state.grey));
  const y = state.target === null ? null : network.target(state.target);
  return { trace, y, known: y && network.chainRule(trace, y) };
}

let now = null;
let isWaiting = false;

/* Show the state, before the browser paints next. */
function render() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    renderAtOnce();
  });
}

function renderAtOnce() {
  now = computed();
  const looked = state.hovered || state.chosen;
  const view = {
    ...now,
    ...state,
    ...shape,
    network,
    stages,
    labels,
    className,
    aClass,
    looked,
    wanted: [state.chosen, state.hovered].filter(Boolean),
    isBlank: isBlank(),
  };
  diagram.draw(view);
  view.drawn = diagram.drawn;
  renderExample();
  renderAnswer();
  renderCost(view);
  renderStage(view);
  renderEdge(view, looked, looked && sameCommand(looked));
  renderSteps(view);
  renderWeights(view, Number(byId("neuron").value));
}

function renderExample() {
  const list = examplesInReach();
  const slider = byId("example");
  slider.max = Math.max(0, list.length - 1);
  slider.disabled = !list.length;
  if (state.example !== null) slider.value = Math.max(0, list.indexOf(state.example));
  const shown = list[slider.value];
  byId("example-name").textContent =
    shown === undefined ? "none: there is no mistake" : `test digit ${shown}, ${aClass(labels[shown])}`;
  slider.setAttribute("aria-valuetext", byId("example-name").textContent);
  for (const id of ["previous", "next", "random"]) byId(id).disabled = !list.length;
  byId("undo").disabled = byId("clear").disabled = board.isEmpty;
  byId("hint").textContent =
    state.example === null ? "Prepared as MNIST’s digits were." : "Draw here: large, in the middle.";
}

function renderAnswer() {
  const answer = network.answer(now.trace);
  const line = byId("answer");
  if (isBlank()) {
    line.replaceChildren("There is nothing on the board yet.");
    return;
  }
  const isRight = state.target === answer;
  const verdict = isRight ? ": right." : `: wrong, it should have been ${aClass(state.target)}.`;
  line.replaceChildren(
    "It says ",
    element("strong", { id: "prediction" }, className(answer)),
    ` (${fixed(now.trace.A[network.layers][answer], 4)})`,
    state.target === null ? "." : verdict,
  );
}

function isBlank() {
  return state.example === null && state.grey.every((level) => level === 0);
}

/* The command that says the same of an example, as long as network and target are what they were in the training. */
function sameCommand({ layer, j, k }) {
  if (state.example === null || state.taken || state.target !== labels[state.example]) return null;
  const parameter = k === null ? `--bias ${layer}:${j}` : `--weight ${layer}:${j},${k}`;
  return `${content.explain} --example ${state.example} ${parameter}`;
}

/* --- 4: downhill ------------------------------------------------------------------------------ */

/* Begin to count steps on what is shown now. */
function beginSteps() {
  now = computed();
  state.isTooLong = false;
  state.steps = now.y ? [{ cost: network.costOf(now.trace, now.y), judged: state.judged }] : [];
}

/* Take steps, unless one is so long that it leaves the finite numbers: that one is taken back. */
function takeSteps(count) {
  state.isTooLong = false;
  for (let i = 0; i < count; i++) {
    const before = network.parameters.slice();
    now = computed();
    network.step(now.known, state.rate);
    now = computed();
    const cost = network.costOf(now.trace, now.y);
    state.isTooLong = !Number.isFinite(cost);
    if (state.isTooLong) {
      network.parameters.set(before);
      break;
    }
    state.taken++;
    state.version++;
    state.judged = judge();
    state.steps.push({ cost, judged: state.judged });
  }
  render();
}

/* --- controls --------------------------------------------------------------------------------- */

function examplesInReach() {
  const all = labels.map((_, example) => example);
  if (!byId("only-mistakes").checked) return all;
  return all.filter((example) => state.judged.answers[example] !== labels[example]);
}

function showExample(example) {
  if (example === undefined) return;
  state.example = example;
  state.grey = exampleGrey(example);
  board.show(state.grey, shape.rows, shape.columns);
  setTarget(labels[example]);
}

/* An example so many places on, round and round. */
function moveExample(by) {
  const list = examplesInReach();
  const place = Math.max(0, list.indexOf(state.example ?? list[byId("example").value]));
  showExample(list[(place + by + list.length) % list.length]);
}

function showDrawing() {
  const isNew = state.example !== null;
  state.example = null;
  const ink = prepared({ rows: BOARD, columns: BOARD, at: board.grey() }, shape, content.preparation);
  state.grey = ink || new Uint8Array(pixels);
  if (isNew) setTarget(null);
  else {
    beginSteps();
    render();
  }
}

function setTarget(label) {
  state.target = label;
  if (label === null) state.stage = 0;
  beginSteps();
  render();
}

function choose(address) {
  const { layer, j, k } = address;
  byId("address-layer").value = layer;
  byId("address-j").value = j;
  byId("address-k").value = k ?? "";
  chooseByNumber();
}

/* Look at what the three fields name, as soon as there is such a weight; without a k, at a bias. */
function chooseByNumber() {
  const [layer, j, k] = ["layer", "j", "k"].map((name) => byId(`address-${name}`));
  const isThere = ({ value }, first, count) => /^\d+$/.test(value) && value >= first && value < first + count;
  const hasLayer = isThere(layer, 1, network.layers);
  const hasJ = hasLayer && isThere(j, 0, network.sizes[layer.value]);
  const hasK = hasLayer && (k.value === "" || isThere(k, 0, network.sizes[layer.value - 1]));
  layer.setAttribute("aria-invalid", !hasLayer);
  j.setAttribute("aria-invalid", !hasJ);
  k.setAttribute("aria-invalid", !hasK);
  if (!hasLayer || !hasJ || !hasK) return;
  state.chosen = { layer: Number(layer.value), j: Number(j.value), k: k.value === "" ? null : Number(k.value) };
  state.hovered = null;
  if (state.chosen.layer === 1) byId("neuron").value = j.value;
  render();
}

function setStage(stage) {
  if (state.target === null) return;
  state.stage = Math.max(0, Math.min(stages.length, stage));
  render();
}

function reset() {
  network.parameters.set(trained);
  state.version++;
  state.taken = 0;
  state.judged = state.judgedAtFirst;
  beginSteps();
  render();
}

/* Arrow keys show test digits wherever they mean nothing else. */
function onKey(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || hasModifier(event)) return;
  if (event.target !== document.body && event.target !== board.canvas) return;
  event.preventDefault();
  moveExample(by);
}

function onStepKey(event) {
  const by = { ArrowLeft: 1, ArrowRight: -1 }[event.key]; // to the left is back towards the pixels
  if (!by || hasModifier(event)) return;
  event.preventDefault();
  setStage(state.stage + by);
}

/* --- to begin with ---------------------------------------------------------------------------- */

function describe() {
  const { dataset, network: of, trained_on, name } = content;
  const parameters = `${network.parameters.length.toLocaleString("en")} weights and biases`;
  const right = percent(state.judged.right / labels.length);
  byId("about").textContent =
    `${name}: ${of.sizes.join("-")}, ${parameters}, ${of.activation}, ${of.cost}. ` +
    `Right of the first ${labels.length} ${dataset.name} test images: ${right}.`;
  const notes = [];
  if (dataset.is_synthetic) {
    notes.push("The test digits are SYNTHETIC, drawn by a program: what they come to says nothing about MNIST.");
  }
  if (trained_on !== null && trained_on !== dataset.name) {
    notes.push(`The network was trained on ${trained_on}; the test digits are of ${dataset.name}.`);
  }
  byId("notes").textContent = notes.join(" ");
  byId("notes").hidden = !notes.length;
}

function makeTargets() {
  const place = byId("targets");
  const n = network.sizes[network.layers];
  if (n > MOST_NEURONS) {
    const options = Array.from({ length: n }, (_, label) => element("option", { value: label }, className(label)));
    const select = element(
      "select",
      { "aria-label": "what it should have been" },
      element("option", { value: "" }, "choose"),
      options,
    );
    select.addEventListener("change", () => setTarget(select.value === "" ? null : Number(select.value)));
    place.append(select);
    return;
  }
  place.classList.toggle("named", content.dataset.class_names.length > 0);
  for (let label = 0; label < n; label++) {
    const input = element("input", { type: "radio", name: "target", value: label });
    input.addEventListener("change", () => setTarget(label));
    place.append(element("label", {}, input, element("span", {}, className(label))));
  }
}

function writeFormulas() {
  byId("step-formula").append(formula("− η ∂C_0/∂w_jk"));
  byId("kind-weights").append(formula("w_jk^(1)"));
  byId("kind-contributions").append(formula("w_jk^(1) a_k^(0)"));
  byId("kind-derivatives").append(formula("∂C_0/∂w_jk^(1)"));
}

function connect() {
  const on = (id, event, action) => byId(id).addEventListener(event, action);
  on("undo", "click", () => board.undo());
  on("clear", "click", () => board.clear());
  on("example", "input", () => showExample(examplesInReach()[byId("example").value]));
  on("previous", "click", () => moveExample(-1));
  on("next", "click", () => moveExample(1));
  on("random", "click", () => {
    const list = examplesInReach();
    showExample(list[Math.floor(Math.random() * list.length)]);
  });
  on("only-mistakes", "change", () => {
    const list = examplesInReach();
    if (list.includes(state.example) || !list.length) render();
    else showExample(list.find((example) => example > state.example) ?? list[0]);
  });
  on("step-back", "click", () => setStage(state.stage + 1));
  on("step-forth", "click", () => setStage(state.stage - 1));
  on("steps", "keydown", onStepKey);
  for (const name of ["layer", "j", "k"]) on(`address-${name}`, "input", chooseByNumber);
  on("rate", "input", () => {
    state.rate = 10 ** Number(byId("rate").value);
    render();
  });
  on("take-step", "click", () => takeSteps(1));
  on("take-ten", "click", () => takeSteps(10));
  on("reset", "click", reset);
  on("neuron", "input", render);
  on("thumbnails", "click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    byId("neuron").value = button.value;
    render();
  });
  on("weights-kind", "change", render);
  document.addEventListener("keydown", onKey);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}

const board = new Board(byId("board"), showDrawing);
const diagram = new Diagram(byId("diagram"), network, {
  ...shape,
  onHover: (address) => {
    if (sameAddress(address, state.hovered) || address === state.hovered) return;
    state.hovered = address;
    render();
  },
  onChoose: choose,
});

state.judged = state.judgedAtFirst = judge();
byId("rate").value = Math.log10(state.rate);
byId("neuron").max = network.sizes[1] - 1;
byId("address-layer").max = network.layers;
describe();
makeTargets();
writeFormulas();
connect();
drawCurves(content.history);
showExample(
  Math.max(
    0,
    labels.findIndex((label, example) => state.judged.answers[example] !== label),
  ),
); // a mistake has more to tell
renderAtOnce();
