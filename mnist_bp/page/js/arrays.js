/* Array functions that numpy has and JavaScript lacks. A picture is {rows, columns, at}: numbers row by row. */

export function picture(rows, columns, value) {
  const at = new Float64Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) at[i] = value(row, column);
  }
  return { rows, columns, at };
}

export function mapped({ rows, columns, at }, value) {
  let i = 0;
  return picture(rows, columns, (row, column) => value(at[i++], row, column));
}

export function transposed({ rows, columns, at }) {
  return picture(columns, rows, (row, column) => at[column * columns + row]);
}

export function product(one, other) {
  return picture(one.rows, other.columns, (row, column) => {
    let sum = 0;
    for (let k = 0; k < one.columns; k++) sum += one.at[row * one.columns + k] * other.at[k * other.columns + column];
    return sum;
  });
}

export function rowSums({ rows, columns, at }) {
  return Array.from({ length: rows }, (_, row) =>
    at.slice(row * columns, (row + 1) * columns).reduce((sum, x) => sum + x, 0),
  );
}

export function largest(numbers) {
  return numbers.reduce((x, y) => Math.max(x, y), -Infinity);
}

export function median(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
