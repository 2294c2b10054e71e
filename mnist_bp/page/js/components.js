/* Connected components of ink, to separate a digit from specks, frames and neighbours.
 *
 * It mirrors mnist_bp/data/components.py, in names and in order. A component is {pixels, top, bottom, left, right}:
 * indices row by row, and its box. */

/* Components of a picture's ink that touch at edges or corners, the largest first. */
function components(ink) {
  const { rows, columns, at } = ink;
  const isSeen = new Uint8Array(at.length);
  const parts = [];
  for (let start = 0; start < at.length; start++) {
    if (at[start] && !isSeen[start]) parts.push(componentFrom(start));
  }
  return parts.sort((one, other) => other.pixels.length - one.pixels.length);

  function componentFrom(start) {
    const part = { pixels: [start], top: rows, bottom: 0, left: columns, right: 0 };
    isSeen[start] = 1;
    for (let next = 0; next < part.pixels.length; next++) {
      const [row, column] = [Math.floor(part.pixels[next] / columns), part.pixels[next] % columns];
      [part.top, part.bottom] = [Math.min(part.top, row), Math.max(part.bottom, row + 1)];
      [part.left, part.right] = [Math.min(part.left, column), Math.max(part.right, column + 1)];
      for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, rows - 1); r++) {
        for (let c = Math.max(column - 1, 0); c <= Math.min(column + 1, columns - 1); c++) {
          const i = r * columns + c;
          if (!at[i] || isSeen[i]) continue;
          isSeen[i] = 1;
          part.pixels.push(i);
        }
      }
    }
    return part;
  }
}

function touchesEdge(part, { rows, columns }) {
  return part.top === 0 || part.left === 0 || part.bottom === rows || part.right === columns;
}

function surrounds(part, other) {
  const isInside =
    part.top <= other.top && other.bottom <= part.bottom && part.left <= other.left && other.right <= part.right;
  return other !== part && isInside;
}

/* True if almost all pixels lie along the edges of the component's box. */
function isFrame(part, columns, limits) {
  const [high, wide] = [part.bottom - part.top, part.right - part.left].map((size) =>
    Math.max(1, Math.floor(size * limits.frame_width)),
  );
  const middle = part.pixels.filter((i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const isRow = part.top + high <= row && row < part.bottom - high;
    return isRow && part.left + wide <= column && column < part.right - wide;
  });
  return middle.length <= (1 - limits.frame_pixels) * part.pixels.length;
}

/* The ink of the digit alone: without frames around another component, specks, and what lies at the picture's edge
 * (unless the largest component does, too). */
export function digitOnly(ink, limits) {
  const isLarge = (part, _, parts) => part.pixels.length >= limits.smallest * parts[0].pixels.length;
  const all = components(ink);
  const large = all.filter(isLarge);
  let parts = all.filter(
    (part) => !(isFrame(part, ink.columns, limits) && large.some((other) => surrounds(part, other))),
  );
  parts = parts.filter(isLarge);
  if (!touchesEdge(parts[0], ink)) parts = parts.filter((part) => !touchesEdge(part, ink));
  const at = new Float64Array(ink.at.length);
  for (const { pixels } of parts) for (const i of pixels) at[i] = ink.at[i];
  return { ...ink, at };
}
