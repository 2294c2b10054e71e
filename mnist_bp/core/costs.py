"""C_0, what one example costs, and ∂C_0/∂z^(L), where backpropagation starts.

A cost and its output neurons belong together: squared error looks at sigmoids, cross-entropy at a softmax. Exchanging
one pair for the other changes nothing else in the calculus.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.javascript import CostJavaScript

__all__ = ["ENTRIES", "Cost"]


class Cost(NamedTuple):
    """A cost. Z, A and Y are (examples, n_L): weighted sums, outputs, and wanted outputs.

    Attributes
    ----------
    output_activation
        Name of the σ of the output neurons, unless the network overrides it.
    per_example
        (Z, A, Y) ↦ C_i of each example, shape (examples,).
    dC_dZ
        (A, Y, σ′(z)) ↦ ∂C_i/∂z_j^(L) of each example, shape (examples, n_L), a new array. Not averaged: the mean over
        the mini-batch is taken in one place, ``network.backward``.
    dC_dA
        (A, Y) ↦ ∂C_i/∂a_j^(L), shape (examples, n_L), for every elementwise σ. None: ``output_activation`` is the only
        σ that goes with this cost, and ``dC_dZ`` contains its derivative.
    javascript
        The cost for ``mnist-bp page``, which refuses a cost without it.
    """

    output_activation: str
    per_example: Callable[[Array, Array, Array], Array]
    dC_dZ: Callable[[Array, Array, Array], Array]
    dC_dA: Callable[[Array, Array], Array] | None = None
    javascript: CostJavaScript | None = None


def squared_error(Z: Array, A: Array, Y: Array) -> Array:
    """C_0 = Σ_j (a_j − y_j)², without ½."""
    D = A - Y
    return np.einsum("ij,ij->i", D, D)


def squared_error_dC_dA(A: Array, Y: Array) -> Array:
    """∂C_0/∂a_j = 2 (a_j − y_j)."""
    dC_dA = A - Y
    dC_dA += dC_dA  # twice itself
    return dC_dA


def squared_error_dC_dZ(A: Array, Y: Array, dA_dZ: Array) -> Array:
    """∂C_0/∂z_j = σ′(z_j) ∂C_0/∂a_j."""
    dC_dZ = squared_error_dC_dA(A, Y)
    dC_dZ *= dA_dZ
    return dC_dZ


def cross_entropy(Z: Array, A: Array, Y: Array) -> Array:
    """C_0 = −Σ_j y_j ln a_j, from z: ln a_j = z_j − ln Σ_i e^z_i stays finite where a_j has become 0."""
    largest = Z.real.max(axis=1, keepdims=True)
    ln_sum = largest + np.log(np.exp(Z - largest).sum(axis=1, keepdims=True))
    return np.einsum("ij,ij->i", Y, ln_sum - Z)


def cross_entropy_dC_dZ(A: Array, Y: Array, dA_dZ: Array) -> Array:
    """∂C_0/∂z_j = a_j − y_j: with a = softmax(z) and Σ_j y_j = 1 the rest cancels."""
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
    derivative_note="How wrong each output is: proportional to the difference between what it is and what we want it "
    "to be.",
)
CROSS_ENTROPY_JAVASCRIPT = CostJavaScript(
    shares="""(z, a, y) => {
  const largest = z.reduce((x, y) => Math.max(x, y));
  const lnSum = largest + Math.log(z.reduce((sum, x) => sum + Math.exp(x - largest), 0));
  return z.map((z_j, j) => y[j] * (lnSum - z_j));
}""",
    derivative="(a, y) => a.map((a_j, j) => a_j - y[j])",
    derivative_by="z",
    is_square=False,
    formula="− ln a_t^(L)",
    share_formula="− ln a_j^(L)",
    derivative_formula="a_j^(L) − y_j",
    cost_note="A cross-entropy asks the wanted output only; but through the softmax all of them have a say. The "
    "nudges, $y_j − a_j^(L)$, are those of $z_j^(L)$.",
    derivative_note="How wrong each output is. A softmax has no σ′ of its own: with a cross-entropy, all that the "
    "chain rule multiplies comes to this difference.",
)

ENTRIES: dict[str, Cost] = {
    "squared-error": Cost("sigmoid", squared_error, squared_error_dC_dZ, squared_error_dC_dA, SQUARED_ERROR_JAVASCRIPT),
    "cross-entropy": Cost("softmax", cross_entropy, cross_entropy_dC_dZ, javascript=CROSS_ENTROPY_JAVASCRIPT),
}
"""The built-in entries of the registry in ``choices``."""
