/* The board: what mouse, finger or pen draws on it, stroke by stroke.
 *
 * What is shown is sharp; what is prepared for the network is a square of BOARD × BOARD grey levels, light on dark:
 * two for each pixel of a digit. A test digit is shown on it until somebody begins to draw. */

import { drawGrey } from "./images.js";

export const BOARD = 56;
const SHOWN = 336; // pixels of the canvas that is shown
const PEN = 0.08; // width of a stroke, as a fraction of the board

export class Board {
  /* onChange is called after every change of the drawing. */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.isStale = false; // true until the canvases show the strokes
    this.strokes = []; // each a list of [x, y], from 0 to 1
    canvas.width = canvas.height = SHOWN;
    this.context = canvas.getContext("2d");
    const small = document.createElement("canvas");
    small.width = small.height = BOARD;
    this.small = small.getContext("2d", { willReadFrequently: true });
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.end(event));
    this.pointer = null;
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  begin(event) {
    if (event.button !== 0 || this.pointer !== null) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId); // a stroke may leave the board and come back
    this.box = this.canvas.getBoundingClientRect();
    this.strokes.push([this.place(event)]);
    this.changed();
  }

  go(event) {
    if (event.pointerId !== this.pointer) return;
    const between = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    const stroke = this.strokes[this.strokes.length - 1];
    for (const one of between.length ? between : [event]) stroke.push(this.place(one));
    this.changed();
  }

  /* Another finger, or the palm, may come and go meanwhile. */
  end(event) {
    if (event.pointerId === this.pointer) this.pointer = null;
  }

  place(event) {
    const { left, top, width, height } = this.box;
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  undo() {
    this.strokes.pop();
    this.changed();
  }

  clear() {
    this.strokes = [];
    this.changed();
  }

  changed() {
    this.isStale = true;
    this.onChange();
  }

  redraw() {
    this.isStale = false;
    for (const context of [this.context, this.small]) drawStrokes(context, this.strokes);
  }

  /* The drawing, a grey level for each point, row by row. */
  grey() {
    if (this.isStale) this.redraw();
    const { data } = this.small.getImageData(0, 0, BOARD, BOARD);
    const grey = new Uint8Array(BOARD * BOARD);
    for (let i = 0; i < grey.length; i++) grey[i] = data[4 * i];
    return grey;
  }

  /* Show an example, large, in place of a drawing. */
  show(grey, rows, columns) {
    this.strokes = [];
    this.isStale = false;
    const image = document.createElement("canvas");
    drawGrey(image, grey, rows, columns);
    const scale = SHOWN / Math.max(rows, columns);
    const [width, height] = [columns * scale, rows * scale];
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, SHOWN, SHOWN);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(image, (SHOWN - width) / 2, (SHOWN - height) / 2, width, height);
  }
}

/* White on black. */
function drawStrokes(context, strokes) {
  const side = context.canvas.width;
  context.fillStyle = "#000";
  context.fillRect(0, 0, side, side);
  context.strokeStyle = "#fff";
  context.lineWidth = PEN * side;
  context.lineCap = context.lineJoin = "round";
  const place = ([x, y]) => [x * side, y * side];
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(...place(stroke[0]));
    for (const point of stroke.length > 1 ? stroke.slice(1) : stroke) context.lineTo(...place(point)); // a tap is a dot
    context.stroke();
  }
}
