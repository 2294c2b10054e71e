/* Connected components of ink, as in mnist_bp/data/components.py. A component is {pixels, top, bottom, left, right}: the
 * indices of its pixels, row by row, and its box: first row, end row, first column, end column. */

/* Components of a picture's ink that touch at edges or corners, the largest first. */
export function components(ink) {
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
