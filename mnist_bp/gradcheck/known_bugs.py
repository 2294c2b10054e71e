"""Known bugs in backpropagation, each as a function that computes the wrong gradient.

They have two uses: the self-test shows that the gradient check catches each of them, and the diagnosis names a bug if
the user's gradient equals its gradient entry by entry.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_bp.core.activations import Activation, Array
from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import Layers, forward
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.check import Backpropagation

__all__ = ["KNOWN_BUGS", "WHOLE_GRADIENTS", "Bug", "last_example"]


class Bug(NamedTuple):
    """A known bug.

    Attributes
    ----------
    name
        Short description of the bug.
    gradient
        Function that computes the gradient with this bug.
    sign
        Words of the diagnosis that identify the bug.
    """

    name: str
    gradient: Backpropagation
    sign: str


Slope = Callable[[Activation, Array], Array]
"""Function (σ, a) ↦ the value used for σ′(z)."""


def right_slope(σ: Activation, a: Array) -> Array:
    """Return the correct σ′(z)."""
    return σ.derivative(a)


def no_slope(σ: Activation, a: Array) -> Array:
    """Return 1, which leaves σ′ out."""
    return np.ones_like(a)


def slope_of_a(σ: Activation, a: Array) -> Array:
    """Return σ′(a) instead of σ′(z): the formula for z, applied to a."""
    return σ.derivative(σ.f(a))


def with_slopes(output: Slope, hidden: Slope, *, transposed: bool = False) -> Backpropagation:
    """Return backpropagation with these slopes. If ``transposed``, a square W is transposed in the backward pass."""

    def gradient(network: Layers, X: Array, Y: Array) -> ParameterVector:
        A, L = forward(network, X).A, network.L
        result = ParameterVector.empty(network.sizes, X.dtype)
        dC_dZ = COSTS[network.cost].dC_dZ(A[L], Y, output(network.σ[L], A[L])) / len(Y)
        for l in range(L, 0, -1):
            result.W[l][...] = dC_dZ.T @ A[l - 1]
            result.b[l][...] = dC_dZ.sum(axis=0)
            if l > 1:
                W = network.W[l]
                dC_dA = dC_dZ @ (W.T if transposed and W.shape[0] == W.shape[1] else W)
                dC_dZ = hidden(network.σ[l - 1], A[l - 1]) * dC_dA
        return result

    return gradient


def changed(change: Callable[[ParameterVector, Layers, int], None]) -> Backpropagation:
    """Return backpropagation that applies ``change(gradient, network, examples)`` to the right gradient, in place."""

    def gradient(network: Layers, X: Array, Y: Array) -> ParameterVector:
        result = Objective(X, Y).gradient(network)
        change(result, network, len(X))
        return result

    return gradient


def last_example(network: Layers, X: Array, Y: Array) -> ParameterVector:
    """Return the gradient of the last example instead of the mean over all examples."""
    return Objective(X[-1:], Y[-1:]).gradient(network)


def biases_of_last_example(network: Layers, X: Array, Y: Array) -> ParameterVector:
    """Return the right gradient, but with the biases' derivatives of the last example only."""
    result = Objective(X, Y).gradient(network)
    for bias, last in zip(result.biases, last_example(network, X, Y).biases, strict=True):
        bias[...] = last
    return result


def multiplied(factor: float | None, *, biases_only: bool = False, first_layer: bool = False) -> Backpropagation:
    """Return backpropagation with all, the biases' or the first layer's derivatives multiplied by ``factor``.

    ``factor=None`` stands for the number of examples.
    """

    def change(gradient: ParameterVector, network: Layers, examples: int) -> None:
        arrays = gradient.biases if biases_only else gradient.blocks[:1] if first_layer else [gradient.vector]
        for array in arrays:
            array *= examples if factor is None else factor

    return changed(change)


def mean_over_outputs(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Divide by the number of outputs, as if an example's cost were the mean of the squares and not their sum."""
    gradient.vector /= network.sizes[-1]


def decayed_biases(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Add an L2 term to the biases. It belongs to the weights only."""
    for l, b in network.b.items():
        gradient.b[l] += 1e-3 * b


def zeroed(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Set the largest entry of the second layer's weights to 0."""
    W = gradient.weights[1]
    W[np.unravel_index(np.abs(W).argmax(), W.shape)] = 0


def doubled(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Double the largest entry of the last layer's weights."""
    W = gradient.weights[-1]
    W[np.unravel_index(np.abs(W).argmax(), W.shape)] *= 2


def swapped(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Swap the columns of the two brightest pixels."""
    W = gradient.weights[0]
    one, other = np.abs(W).sum(axis=0).argsort()[-2:]
    W[:, [one, other]] = W[:, [other, one]]


def flipped(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Flip the sign of one bias."""
    gradient.biases[0][0] *= -1


WHOLE_GRADIENTS: dict[str, Backpropagation] = {
    "σ′ is left out at the outputs": with_slopes(no_slope, right_slope),
    "σ′ is left out in hidden layers": with_slopes(right_slope, no_slope),
    "σ′ is left out everywhere": with_slopes(no_slope, no_slope),
    "σ′(a) is used for σ′(z) everywhere": with_slopes(slope_of_a, slope_of_a),
    "σ′(a) is used for σ′(z) in hidden layers": with_slopes(right_slope, slope_of_a),
    "σ′(a) is used for σ′(z) at the outputs": with_slopes(slope_of_a, right_slope),
    "W is transposed where it carries the error back": with_slopes(right_slope, right_slope, transposed=True),
    "it is the gradient of the last example alone": last_example,
}
"""Bugs that are recognized by their whole gradient, by the sentence that describes them."""


def recognised(name: str, sentence: str) -> Bug:
    """Return the known bug that is recognized by this sentence."""
    return Bug(name, WHOLE_GRADIENTS[sentence], sentence)


KNOWN_BUGS = (
    Bug("the factor 2 of the square dropped", multiplied(1 / 2), "factor 2"),
    recognised("σ′ left out at the outputs", "σ′ is left out at the outputs"),
    recognised("σ′(a) for σ′(z) everywhere", "σ′(a) is used for σ′(z) everywhere"),
    recognised("σ′(a) for σ′(z) in hidden layers", "σ′(a) is used for σ′(z) in hidden layers"),
    Bug("mean over the outputs", changed(mean_over_outputs), "outputs"),
    Bug("no mean over the examples", multiplied(None), "not divided by the"),
    Bug("biases not averaged", multiplied(None, biases_only=True), "not divided by the"),
    Bug("biases of the last example only", biases_of_last_example, "the last example alone"),
    recognised("the last example only", "it is the gradient of the last example alone"),
    Bug("L2 on the biases", changed(decayed_biases), "L2"),
    recognised("W for Wᵀ", "W is transposed where it carries the error back"),
    recognised("σ′ left out in hidden layers", "σ′ is left out in hidden layers"),
    Bug("layer 1 too large by 3 %", multiplied(1.03, first_layer=True), "1.03 times too large"),
    Bug("layer 1 too large by 0.05 %", multiplied(1.0005, first_layer=True), "1.0005 times too large"),
    Bug("one weight's derivative lost", changed(zeroed), "0 instead of"),
    Bug("one weight's derivative doubled", changed(doubled), "2 times too large"),
    Bug("two pixels' columns swapped", changed(swapped), "swapped"),
    Bug("one bias's sign flipped", changed(flipped), "wrong sign"),
)
"""All known bugs, with large and small effects. The gradient check must catch each of them."""
