"""Cost functions: C_0, the cost of one example, and ∂C_0/∂z^(L), where backpropagation starts.

Each cost has its output activation: squared error uses sigmoid outputs, cross-entropy softmax outputs. The rest of the
calculus is independent of this choice.
"""

from collections.abc import Callable
from typing import NamedTuple

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
    per_example
        (Z, A, Y) ↦ C_i of each example, shape (examples,).
    dC_dZ
        (A, Y, σ′(z)) ↦ ∂C_i/∂z_j^(L) of each example, a new array of shape (examples, n_L). It is not averaged: only
        ``network.backward`` takes the mean over the mini-batch.
    dC_dA
        (A, Y) ↦ ∂C_i/∂a_j^(L), shape (examples, n_L), for every elementwise σ. If None, the cost supports only
        ``output_activation``, whose derivative ``dC_dZ`` contains.
    javascript
        The cost for ``mnist-bp page``, which rejects a cost without it.
    """

    output_activation: str
    per_example: Callable[[Array, Array, Array], Array]
    dC_dZ: Callable[[Array, Array, Array], Array]
    dC_dA: Callable[[Array, Array], Array] | None = None
    javascript: CostJavaScript | None = None


def squared_error(Z: Array, A: Array, Y: Array) -> Array:
    """Return C_0 = Σ_j (a_j − y_j)², without a factor ½."""
    D = A - Y
    return np.einsum("ij,ij->i", D, D)


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


def cross_entropy(Z: Array, A: Array, Y: Array) -> Array:
    """Return C_0 = −Σ_j y_j ln a_j, with ln a_j = d_j − ln Σ_i e^d_i, which is finite even if a_j is 0.

    d_j is z_j minus the row's largest z. Adding the largest z to the logarithm instead would round away the small cost
    of a confident output.
    """
    D = Z - Z.real.max(axis=1, keepdims=True)
    ln_sum = np.log(np.exp(D).sum(axis=1, keepdims=True))
    return np.einsum("ij,ij->i", Y, ln_sum - D)


def cross_entropy_dC_dZ(A: Array, Y: Array, dA_dZ: Array) -> Array:
    """Return ∂C_0/∂z_j = a_j − y_j. With a = softmax(z) and Σ_j y_j = 1, all other terms cancel."""
    return A - Y


SQUARED_ERROR_JAVASCRIPT = CostJavaScript(
    shares="(z, a, y) => a.map((a_j, j) => (a_j - y[j]) ** 2)",
    derivative="(a, y) => a.map((a_j, j) => 2 * (a_j - y[j]))",
    derivative_by="a",
    is_square=True,
    formula="Σ_j (a_j^(L) − y_j)^2",
    share_formula="(a_j^(L) − y_j)^2",
    derivative_formula="2 (a_j^(L) − y_j)",
    cost_note="The {n} squares add up to the cost. Each nudge, $2 (y_j − a_j^(L))$, is proportional to how far the "
    "output is from its target.",
    derivative_note="The error of each output, proportional to the difference between its value and its target.",
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
    is_square=False,
    formula="− ln a_t^(L)",
    share_formula="− ln a_j^(L)",
    derivative_formula="a_j^(L) − y_j",
    cost_note="Cross-entropy depends only on the correct output, which depends on every $z_j^(L)$ through the softmax. "
    "The nudges, $y_j − a_j^(L)$, are those of $z_j^(L)$.",
    derivative_note="The error of each output. A softmax has no elementwise σ′; with cross-entropy, the product of the "
    "chain rule simplifies to this difference.",
)

ENTRIES: dict[str, Cost] = {
    "squared-error": Cost("sigmoid", squared_error, squared_error_dC_dZ, squared_error_dC_dA, SQUARED_ERROR_JAVASCRIPT),
    "cross-entropy": Cost("softmax", cross_entropy, cross_entropy_dC_dZ, javascript=CROSS_ENTROPY_JAVASCRIPT),
}
"""Built-in entries of the registry in ``choices``."""
