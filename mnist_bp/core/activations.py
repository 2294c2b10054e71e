"""Activation functions σ, applied to each neuron's weighted sum z, and their derivatives σ′.

Every σ works on float32, float64 and complex128. Complex numbers are for complex-step differentiation: σ is analytic
wherever it has a derivative, and the real part selects the branch. No z overflows or causes a warning.

σ′(z) is computed from a = σ(z), which the forward pass has already computed. The sigmoid's σ′ is a (1 − a); a relu's σ′
depends only on the sign of z, and a has the same sign. At a kink, z = 0, σ′ is the derivative from the left.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.constants import LEAKY_SLOPE
from mnist_bp.core.javascript import ActivationJavaScript, per_neuron

__all__ = ["ENTRIES", "OUTPUT_ENTRIES", "Activation", "Array"]

Array = NDArray[Any]
"""Array of float32, float64 or complex128."""


def _in_each_dtype(number: Callable[[type], float]) -> dict[np.dtype[Any], Array]:
    return {np.dtype(kind): np.asarray(number(kind), kind) for kind in (np.float32, np.float64, np.complex128)}


ONE = _in_each_dtype(lambda _: 1)
"""1 as an array. Converting a Python number at each use takes longer than the arithmetic of a small layer."""

LARGEST_EXPONENT = _in_each_dtype(lambda kind: np.floor(-np.log(np.finfo(kind).tiny)))
"""Largest x for which sigmoid computes e^x: 87 in float32, 708 in float64. e^x is finite, and e^−x is not subnormal,
which would make every product with it slow."""

NAN = np.asarray(np.nan)


class Activation(NamedTuple):
    """An activation function σ and the properties that training needs.

    Attributes
    ----------
    f
        z ↦ a = σ(z), elementwise (softmax: over each row), of the same shape and dtype.
    derivative
        a ↦ σ′(z), elementwise, as a new array of the same shape and dtype. Softmax has no elementwise derivative and
        returns NaN.
    is_elementwise
        True if a_j depends only on z_j.
    gain
        Factor of the initial weights between two hidden layers, which are drawn from N(0, 1) × gain / √fan-in. It
        compensates what σ does to differences between examples: 1 (LeCun et al. 1998, "Efficient BackProp"); √2 if
        half of the z are cut off (He et al. 2015); 4 for the sigmoid, whose slope at 0 is ¼.
    has_kink
        True if σ′ jumps at z = 0.
    can_saturate
        True if σ′ approaches 0 at both ends, so that neurons can get stuck there.
    can_die
        True if σ′ is 0 for all z < 0, so that a neuron that no example activates stops learning.
    inverse
        a ↦ z, which sets the initial biases of neurons that should start at a given activation. If None, their biases
        start at 0.
    javascript
        σ for ``mnist-bp page``, which rejects an activation without it.
    """

    f: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    gain: float = 1.0
    is_elementwise: bool = True
    has_kink: bool = False
    can_saturate: bool = False
    can_die: bool = False
    inverse: Callable[[float], float] | None = None
    javascript: ActivationJavaScript | None = None


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + e^−z), to a few rounding errors for every z ≥ −87 (float32) or −708 (float64).

    Below, it stays at its value there, 10^−38 or 10^−308. The faster ½ tanh ½z + ½ would be wrong by 44 % at z = −17 in
    float32, and 0 from −20 on.
    """
    one = ONE[z.dtype]
    a = np.negative(z)
    np.minimum(a, LARGEST_EXPONENT[z.dtype], out=a)
    np.exp(a, out=a)
    a += one
    return np.divide(one, a, out=a)


def logit(a: float) -> float:
    """Return the z for which sigmoid(z) = a."""
    return math.log(a / (1 - a))


def sigmoid_derivative(a: Array) -> Array:
    """Return σ′(z) = σ(z) (1 − σ(z))."""
    slope = ONE[a.dtype] - a
    slope *= a
    return slope


def tanh_derivative(a: Array) -> Array:
    """Return σ′(z) = 1 − tanh² z."""
    slope = a * a
    return np.subtract(ONE[a.dtype], slope, out=slope)


def relu(z: Array) -> Array:
    """Return max(z, 0). numpy orders complex numbers by their real part."""
    return np.maximum(z, 0)


def relu_derivative(a: Array) -> Array:
    """Return 1 where z (and therefore a) is positive, else 0."""
    return (a.real > 0).astype(a.dtype)


def leaky_relu(z: Array) -> Array:
    """Return z where it is positive, else 0.01 z."""
    return np.maximum(z, LEAKY_SLOPE * z)


def leaky_relu_derivative(a: Array) -> Array:
    """Return 1 where z (and therefore a) is positive, else 0.01."""
    return np.where(a.real > 0, a.dtype.type(1), a.dtype.type(LEAKY_SLOPE))


def identity_derivative(a: Array) -> Array:
    """Return σ′(z) = 1."""
    return np.ones_like(a)


def softmax(z: Array) -> Array:
    """Return e^z_j / Σ_i e^z_i for each row. The row's largest z is subtracted first, so that no e^z overflows."""
    a = np.exp(z - z.real.max(axis=1, keepdims=True))
    a /= a.sum(axis=1, keepdims=True)
    return a


def no_derivative(a: Array) -> Array:
    """Return NaN: each output of softmax depends on every z. Cross-entropy, its only cost, does not use σ′."""
    return NAN


SIGMOID_JAVASCRIPT = per_neuron(
    "1 / (1 + Math.exp(-z))",
    "a * (1 - a)",
    "closed where the sigmoid is steepest (¼, at a = ½), nearly gone where it is flat. A neuron near 0 or 1 hardly "
    "changes, even if it is wrong.",
)
TANH_JAVASCRIPT = per_neuron(
    "Math.tanh(z)", "1 - a * a", "closed where tanh is steepest (1, at a = 0), nearly gone where it is flat."
)
RELU_JAVASCRIPT = per_neuron(
    "Math.max(z, 0)",
    "a > 0 ? 1 : 0",
    "closed (1) where a relu is on, gone (0) where it is off: no gradient passes back through a neuron that is off.",
)
LEAKY_RELU_JAVASCRIPT = per_neuron(
    f"Math.max(z, {LEAKY_SLOPE} * z)",
    f"a > 0 ? 1 : {LEAKY_SLOPE}",
    f"closed (1) where a leaky relu is on, nearly gone ({LEAKY_SLOPE}) where it is off.",
)
IDENTITY_JAVASCRIPT = per_neuron("z", "1", "closed (1) everywhere: a linear neuron responds to every z alike.")
SOFTMAX_JAVASCRIPT = ActivationJavaScript(
    """(z) => {
  const largest = z.reduce((x, y) => Math.max(x, y));
  const a = z.map((x) => Math.exp(x - largest));
  const sum = a.reduce((x, y) => x + y);
  return a.map((x) => x / sum);
}""",
    None,
    "",
)

ENTRIES: dict[str, Activation] = {
    "sigmoid": Activation(
        sigmoid, sigmoid_derivative, gain=4, can_saturate=True, inverse=logit, javascript=SIGMOID_JAVASCRIPT
    ),
    "tanh": Activation(np.tanh, tanh_derivative, can_saturate=True, javascript=TANH_JAVASCRIPT),
    "relu": Activation(relu, relu_derivative, gain=2**0.5, has_kink=True, can_die=True, javascript=RELU_JAVASCRIPT),
    "leaky-relu": Activation(
        leaky_relu, leaky_relu_derivative, gain=2**0.5, has_kink=True, javascript=LEAKY_RELU_JAVASCRIPT
    ),
}
OUTPUT_ENTRIES: dict[str, Activation] = {
    "softmax": Activation(softmax, no_derivative, is_elementwise=False, javascript=SOFTMAX_JAVASCRIPT),
    "identity": Activation(np.positive, identity_derivative, javascript=IDENTITY_JAVASCRIPT),
}
"""Built-in entries of the registries in ``choices``."""
