/* The sign in which the page shows derivatives: the wish, −∂C_0, as in the lesson, or the derivative, ∂C_0.
 *
 * view.sign is "wish" or "derivative". Every number, formula, colour and word about ∂C_0 goes through here. */

export function isWish({ sign }) {
  return sign === "wish";
}

/* A derivative of the cost as it is shown. */
export function shownDerivative(view, dC) {
  return isWish(view) && dC !== 0 ? -dC : dC;
}

/* The name of a derivative of the cost, such as "∂C_0/∂a_j", as it is shown. */
export function derivativeName(view, name) {
  return (isWish(view) ? "−" : "") + name;
}

/* The same as a factor. */
export function factorName(view, name) {
  return isWish(view) ? `(−${name})` : name;
}

/* What a shown derivative says about its variable: nouns for legends and captions. */
export function derivativeNoun(view) {
  return isWish(view) ? "wish" : "derivative";
}
