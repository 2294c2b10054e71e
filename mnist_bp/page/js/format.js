/* Numbers as text, in one format: significant digits, an exponent below 0.0001 and from a million on, and a minus sign
 * as long as the plus sign. */

/* A computed number: all its digits, trailing zeros included. */
export function number(x, digits = 4) {
  if (!Number.isFinite(x)) return "not finite";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size < 1e-4 || size >= 1e6) return withMinus(x.toExponential(digits - 1));
  return withMinus(size >= 10 ** digits ? x.toFixed(0) : x.toPrecision(digits));
}

export function signed(x, digits = 4) {
  return (x > 0 ? "+" : "") + number(x, digits);
}

/* A number that somebody chose, such as η or a tick: without trailing zeros. */
export function tidy(x, digits = 4) {
  const text = number(x, digits);
  return text.includes(".") ? text.replace(/\.?0+(?=e|$)/, "") : text;
}

function withMinus(text) {
  return text.replace(/-/g, "−");
}

export function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}
