/* The board: what mouse, finger or pen draws on it, stroke by stroke.
 *
 * It is a square of BOARD × BOARD grey levels, light on dark, however large it is shown. A test digit is shown on it
 * until somebody begins to draw. */

import { drawGrey } from "./images.js";

export const BOARD = 280;
const PEN = 22;

export class Board {
  /* onChange is called after every change of the drawing. */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.isStale = false; // true until the canvas shows the strokes
    this.strokes = []; // each a list of [x, y] in the board's own units
    canvas.width = canvas.height = BOARD;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
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
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * BOARD, ((event.clientY - box.top) / box.height) * BOARD];
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
    const { context } = this;
    this.isStale = false;
    context.fillStyle = "#000";
    context.fillRect(0, 0, BOARD, BOARD);
    context.strokeStyle = "#fff";
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke.length > 1 ? stroke.slice(1) : stroke) context.lineTo(...point); // a tap is a dot
      context.stroke();
    }
  }

  /* The drawing, a grey level for each point, row by row. */
  grey() {
    if (this.isStale) this.redraw();
    const { data } = this.context.getImageData(0, 0, BOARD, BOARD);
    const grey = new Uint8Array(BOARD * BOARD);
    for (let i = 0; i < grey.length; i++) grey[i] = data[4 * i];
    return grey;
  }

  /* Show an example, large, in place of a drawing. */
  show(grey, rows, columns) {
    this.strokes = [];
    this.isStale = false;
    const small = document.createElement("canvas");
    drawGrey(small, grey, rows, columns);
    const scale = BOARD / Math.max(rows, columns);
    const [width, height] = [columns * scale, rows * scale];
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, BOARD, BOARD);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(small, (BOARD - width) / 2, (BOARD - height) / 2, width, height);
  }
}
