"""Cost functions: C_0, the cost of one example, and ∂C_0/∂z^(L), where backpropagation starts.

Each cost has its output activation: squared error and binary cross-entropy use sigmoid outputs, cross-entropy softmax
outputs. The rest of the calculus is independent of this choice.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.javascript import CostJavaScript

__all__ = ["ENTRIES", "Cost"]


class Cost(NamedTuple):
    """A cost function. Z, A and Y are the weighted sums, the outputs and the targets, (examples, n_L) each.

    Attributes
    ----------
    output_activation
        Name of the output neurons' σ, which a network may override.
    per_output
        (Z, A, Y) ↦ contribution of each output to C_i, shape (examples, n_L). C_i is the sum of a row.
    dC_dZ
        (A, Y, σ′(z)) ↦ ∂C_i/∂z_j^(L) of each example, a new array of shape (examples, n_L). It is not averaged: only
        ``network.backward`` takes the mean over the mini-batch.
    dC_dA
        (A, Y) ↦ ∂C_i/∂a_j^(L), shape (examples, n_L), for every elementwise σ. If None, the cost supports only
        ``output_activation``, whose derivative ``dC_dZ`` contains.
    targets
        Targets for which the cost and its derivative are right: any "numbers"; "probabilities", from 0 to 1; or a
        "distribution", probabilities that sum to 1 in each row.
    of_average
        (A, Y, ln_P) ↦ contribution of each output to C_i for averaged outputs A of several networks with this cost, and
        one-hot Y. ln_P is ln (1/M Σ_m e^−c_m), c_m being ``per_output`` of network m: exact where A is rounded to 0 or
        1. If None, a committee has no cost.
    at_chance
        p ↦ mean cost of the best constant output, for classes with frequencies p > 0 that sum to 1. A network at chance
        costs as much. If None, a network is never reported as being at chance.
    javascript
        The cost for ``mnist-bp page``, which rejects a cost without it.
    """

    output_activation: str
    per_output: Callable[[Array, Array, Array], Array]
    dC_dZ: Callable[[Array, Array, Array], Array]
    dC_dA: Callable[[Array, Array], Array] | None = None
    targets: Literal["numbers", "probabilities", "distribution"] = "numbers"
    of_average: Callable[[Array, Array, Array], Array] | None = None
    at_chance: Callable[[Array], float] | None = None
    javascript: CostJavaScript | None = None

    def per_example(self, Z: Array, A: Array, Y: Array) -> Array:
        """Return C_i of each example, shape (examples,)."""
        return np.einsum("ij->i", self.per_output(Z, A, Y))


def squared_error(Z: Array, A: Array, Y: Array) -> Array:
    """Return (a_j − y_j)², without a factor ½."""
    D = A - Y
    D *= D
    return D


def squared_error_dC_dA(A: Array, Y: Array) -> Array:
    """Return ∂C_0/∂a_j = 2 (a_j − y_j)."""
    dC_dA = A - Y
    dC_dA += dC_dA  # the factor 2, without a conversion of the Python number
    return dC_dA


def squared_error_dC_dZ(A: Array, Y: Array, dA_dZ: Array) -> Array:
    """Return ∂C_0/∂z_j = σ′(z_j) ∂C_0/∂a_j."""
    dC_dZ = squared_error_dC_dA(A, Y)
    dC_dZ *= dA_dZ
    return dC_dZ


def squared_error_of_average(A: Array, Y: Array, ln_P: Array) -> Array:
    """Return (a_j − y_j)²."""
    return squared_error(A, A, Y)


def squared_error_at_chance(p: Array) -> float:
    """Return Σ_j p_j (1 − p_j) (Brier 1950)."""
    return float(p @ (1 - p))


def cross_entropy(Z: Array, A: Array, Y: Array) -> Array:
    """Return −y_j ln a_j, with ln a_j = d_j − ln Σ_i e^d_i, which is finite even if a_j is 0.

    d_j is z_j minus the row's largest z. Adding the largest z to the logarithm instead would round away the small cost
    of a confident output.
    """
    D = Z - Z.real.max(axis=1, keepdims=True)
    ln_sum = np.log(np.exp(D).sum(axis=1, keepdims=True))
    return Y * (ln_sum - D)


def cross_entropy_at_chance(p: Array) -> float:
    """Return −Σ_j p_j ln p_j, the entropy of p (Shannon 1948)."""
    return float(-p @ np.log(p))


def binary_cross_entropy(Z: Array, A: Array, Y: Array) -> Array:
    """Return −y_j ln a_j − (1 − y_j) ln (1 − a_j), which is finite even if a_j is 0 or 1.

    With a = sigmoid(z), it is max(z, 0) − y z + ln (1 + e^−|z|). The small last term is added last, because it is the
    whole cost of a confident output.
    """
    C = np.maximum(Z, 0)
    C -= Y * Z
    C += np.log1p(np.exp(np.minimum(Z, -Z)))  # −|z|; numpy orders complex numbers by their real part
    return C


def binary_cross_entropy_at_chance(p: Array) -> float:
    """Return −Σ_j (p_j ln p_j + (1 − p_j) ln (1 − p_j)), the sum of each output's entropy."""
    return cross_entropy_at_chance(p) + cross_entropy_at_chance((1 - p)[p < 1])


def entropy_dC_dZ(A: Array, Y: Array, dA_dZ: Array) -> Array:
    """Return ∂C_0/∂z_j = a_j − y_j, of cross-entropy and of binary cross-entropy. All other terms cancel.

    With a = softmax(z), they cancel if Σ_j y_j = 1. With a = sigmoid(z), ∂C_0/∂a_j = (a_j − y_j) / (a_j (1 − a_j)), and
    its denominator is σ′.
    """
    return A - Y


def entropy_of_average(A: Array, Y: Array, ln_P: Array) -> Array:
    """Return −ln P: e^−c is the probability a_j of the target (or 1 − a_j), and its mean that of averaged outputs."""
    return -ln_P


SQUARED_ERROR_JAVASCRIPT = CostJavaScript(
    shares="(z, a, y) => a.map((a_j, j) => (a_j - y[j]) ** 2)",
    derivative="(a, y) => a.map((a_j, j) => 2 * (a_j - y[j]))",
    derivative_by="a",
    formula="Σ_j (a_j^(L) − y_j)^2",
    derivative_formula="2 (a_j^(L) − y_j)",
    wish_formula="2 (y_j − a_j^(L))",
    cost_note="The {n} squares add up to the cost.",
    derivative_note="How wrong each output is: proportional to the difference between its value and its target.",
)
CROSS_ENTROPY_JAVASCRIPT = CostJavaScript(
    shares="""(z, a, y) => {
  const largest = z.reduce((x, y) => Math.max(x, y));
  const d = z.map((x) => x - largest);
  const lnSum = Math.log(d.reduce((sum, x) => sum + Math.exp(x), 0));
  return d.map((d_j, j) => y[j] * (lnSum - d_j));
}""",
    derivative="(a, y) => a.map((a_j, j) => a_j - y[j])",
    derivative_by="z",
    formula="− ln a_t^(L)",
    derivative_formula="a_j^(L) − y_j",
    wish_formula="y_j − a_j^(L)",
    cost_note="Cross-entropy depends only on the correct output, which depends on every $z_j^(L)$ through the softmax.",
    derivative_note="How wrong each output is. A softmax has no elementwise σ′; with cross-entropy, the product of the "
    "chain rule simplifies to this difference.",
)
BINARY_CROSS_ENTROPY_JAVASCRIPT = CostJavaScript(
    shares="""(z, a, y) =>
  z.map((z_j, j) => Math.max(z_j, 0) - y[j] * z_j + Math.log1p(Math.exp(-Math.abs(z_j))))""",
    derivative="(a, y) => a.map((a_j, j) => a_j - y[j])",
    derivative_by="z",
    formula="− Σ_j (y_j ln a_j^(L) + (1 − y_j) ln (1 − a_j^(L)))",
    derivative_formula="a_j^(L) − y_j",
    wish_formula="y_j − a_j^(L)",
    cost_note="The costs of the {n} outputs add up. Each output is a probability of its own: only the correct one "
    "should be 1.",
    derivative_note="How wrong each output is. σ′ = a (1 − a) is also the denominator of ∂C₀/∂a: the product of "
    "the chain rule simplifies to this difference.",
)

ENTRIES: dict[str, Cost] = {
    "squared-error": Cost(
        "sigmoid",
        squared_error,
        squared_error_dC_dZ,
        squared_error_dC_dA,
        of_average=squared_error_of_average,
        at_chance=squared_error_at_chance,
        javascript=SQUARED_ERROR_JAVASCRIPT,
    ),
    "cross-entropy": Cost(
        "softmax",
        cross_entropy,
        entropy_dC_dZ,
        targets="distribution",
        of_average=entropy_of_average,
        at_chance=cross_entropy_at_chance,
        javascript=CROSS_ENTROPY_JAVASCRIPT,
    ),
    "binary-cross-entropy": Cost(
        "sigmoid",
        binary_cross_entropy,
        entropy_dC_dZ,
        targets="probabilities",
        of_average=entropy_of_average,
        at_chance=binary_cross_entropy_at_chance,
        javascript=BINARY_CROSS_ENTROPY_JAVASCRIPT,
    ),
}
"""Built-in entries of the registry in ``choices``."""
