/* Numbers as text, with a minus sign as long as the plus sign. */

/* Significant digits, without trailing zeros. */
export function number(x, digits = 6) {
  if (!Number.isFinite(x)) return "not finite";
  const text =
    x !== 0 && Math.abs(x) < 1e-4
      ? x.toExponential(digits - 1).replace(/\.?0+e/, "e")
      : String(Number(x.toPrecision(digits)));
  return text.replace(/-/g, "−");
}

export function signed(x, digits = 6) {
  return (x > 0 ? "+" : "") + number(x, digits);
}

export function fixed(x, decimals = 4) {
  if (!Number.isFinite(x)) return "not finite";
  const text = x.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/* A number for a narrow column: few significant digits, trailing zeros included. */
export function short(x, digits = 3) {
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? "0" : "not finite";
  const text = Math.abs(x) < 0.001 || Math.abs(x) >= 1000 ? x.toExponential(digits - 1) : x.toPrecision(digits);
  return text.replace(/-/g, "−");
}

export function signedShort(x, digits = 3) {
  return (x > 0 ? "+" : "") + short(x, digits);
}

export function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}
