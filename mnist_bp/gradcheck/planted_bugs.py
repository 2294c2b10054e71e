"""Bugs as replacements of one step of backpropagation, or as changes of the right gradient.

A bug that is impossible in a network, such as a transposed W where no W is square, leaves its gradient unchanged.
"""

from collections.abc import Callable
from math import isqrt

import numpy as np

from mnist_bp.core.activations import Activation, Array
from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import Layers, Trace, forward
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.steps import At, Slope, sum_over_examples

Change = Callable[[ParameterVector, Layers, int], None]
"""Function (gradient, network, examples) that changes the right gradient in place."""

# σ′


def no_slope(network: Layers, trace: Trace, l: int) -> Array:
    """Return 1, which leaves σ′ out."""
    return np.ones_like(trace.A[l])


def slope_of_a(network: Layers, trace: Trace, l: int) -> Array:
    """Return σ′(a) instead of σ′(z): the formula for z, applied to a."""
    σ = network.σ[l]
    return σ.derivative(σ.f(trace.A[l]))


def slope_formula_of_z(network: Layers, trace: Trace, l: int) -> Array:
    """Return the formula for a, applied to z: z (1 − z) for a sigmoid."""
    return network.σ[l].derivative(trace.A[l - 1] @ network.W[l].T + network.b[l])


def one_minus_a(network: Layers, trace: Trace, l: int) -> Array:
    """Return 1 − a, which lacks the a of the sigmoid's a (1 − a)."""
    return 1 - trace.A[l]


def slope_of_layer(offset: int) -> Slope:
    """Return a function that takes σ′ of layer l + ``offset``, where the layers have equally many neurons."""

    def slope(network: Layers, trace: Trace, l: int) -> Array:
        other = trace.dA_dZ.get(l + offset)
        return trace.dA_dZ[l] if other is None or other.shape != trace.A[l].shape else other

    return slope


def slope_of_activation(σ: Activation) -> Slope:
    """Return a function that takes σ′ of this activation, whatever the network's is."""

    def slope(network: Layers, trace: Trace, l: int) -> Array:
        return σ.derivative(trace.A[l])

    return slope


# the other steps


def error_of_cross_entropy(network: Layers, A: Array, Y: Array, slope: Array) -> Array:
    """Return a − y whatever the cost is."""
    return A - Y


def error_times_slope(network: Layers, A: Array, Y: Array, slope: Array) -> Array:
    """Return ∂C/∂z of the outputs, multiplied by a (1 − a) once more."""
    return COSTS[network.cost].dC_dZ(A, Y, slope) * A * (1 - A)


def carry_dC_dA(at: At) -> Array:
    """Carry ∂C/∂a of the layer back instead of ∂C/∂z = σ′(z) ∂C/∂a."""
    return at.dC_dA @ at.network.W[at.l]


def carry_by_transposed(at: At) -> Array:
    """Carry the error back through the transpose of a square W."""
    W = at.network.W[at.l]
    return at.dC_dZ @ (W.T if W.shape[0] == W.shape[1] else W)


def carry_by_updated(step: float) -> Callable[[At], Array]:
    """Return a function that carries the error back through W − ``step`` × ∂C/∂W."""
    return lambda at: at.dC_dZ @ (at.network.W[at.l] - step * at.gradient.W[at.l])


def own_activations(trace: Trace, l: int) -> Array:
    """Return the activations of layer l instead of those before it, where the layers have equally many neurons."""
    return trace.A[l] if trace.A[l].shape == trace.A[l - 1].shape else trace.A[l - 1]


def forward_without_biases(network: Layers, X: Array) -> Trace:
    """Return the forward pass of z = W a."""
    A, dA_dZ = {0: X}, {}
    for l in network.W:
        Z = A[l - 1] @ network.W[l].T
        A[l] = network.σ[l].f(Z)
        dA_dZ[l] = network.σ[l].derivative(A[l])
    return Trace(A, dA_dZ, Z)


def forward_of_transposed_images(network: Layers, X: Array) -> Trace:
    """Return the forward pass of images whose rows and columns are exchanged, if they are square."""
    side = isqrt(X.shape[1])
    is_square = side * side == X.shape[1]
    return forward(network, X.reshape(-1, side, side).swapaxes(1, 2).reshape(X.shape) if is_square else X)


def forward_of_reshaped_inputs(network: Layers, X: Array) -> Trace:
    """Return the forward pass of x.reshape(n_0, examples), which is no transpose."""
    return forward(network, X.reshape(X.shape[::-1]).T)


def row_sums(at: At) -> Array:
    """Return the row sums of ∂C/∂W for the biases."""
    return at.gradient.W[at.l].sum(axis=1)


def one_number(reduce: Callable[[Array], Array]) -> Callable[[At], Array]:
    """Return a function that sums ∂C/∂z over the examples and reduces it over the neurons to one number."""
    return lambda at: np.full(at.network.sizes[at.l], reduce(sum_over_examples(at)))


# changes of the right gradient


def changed(change: Change) -> Callable[[Layers, Array, Array], ParameterVector]:
    """Return backpropagation that changes the right gradient."""

    def gradient(network: Layers, X: Array, Y: Array) -> ParameterVector:
        result = Objective(X, Y).gradient(network)
        change(result, network, len(X))
        return result

    return gradient


def times(constant: float = 1, *, examples: int = 0, outputs: int = 0, part: str = "all") -> Change:
    """Return a change that multiplies all, the biases' or layer 1's derivatives by a factor.

    It is the constant × powers of the numbers of examples and outputs, given by their exponents.
    """

    def change(gradient: ParameterVector, network: Layers, n: int) -> None:
        factor = constant * float(n) ** examples * float(network.sizes[-1]) ** outputs
        arrays = {"all": [gradient.vector], "biases": gradient.biases, "layer 1": gradient.blocks[:1]}
        for array in arrays[part]:
            array *= factor

    return change


def last_example(network: Layers, X: Array, Y: Array) -> ParameterVector:
    """Return the gradient of the last example instead of the mean over all examples."""
    return Objective(X[-1:], Y[-1:]).gradient(network)


def biases_of_last_example(network: Layers, X: Array, Y: Array) -> ParameterVector:
    """Return the right gradient, but with the biases' derivatives of the last example only."""
    result = Objective(X, Y).gradient(network)
    for bias, last in zip(result.biases, last_example(network, X, Y).biases, strict=True):
        bias[...] = last
    return result


def decayed_biases(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Add an L2 term to the biases. It belongs to the weights only."""
    for l, b in network.b.items():
        gradient.b[l] += 1e-3 * b


def decayed_weights(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Add an L2 term to the weights, which the cost does not have."""
    for l, W in network.W.items():
        gradient.W[l] += 1e-3 * W


def zeroed(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Set the largest entry of the last layer's weights to 0."""
    W = gradient.weights[-1]
    W[np.unravel_index(np.abs(W).argmax(), W.shape)] = 0


def doubled(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Double the largest entry of the last layer's weights."""
    W = gradient.weights[-1]
    W[np.unravel_index(np.abs(W).argmax(), W.shape)] *= 2


def swapped(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Swap the columns of the two brightest pixels."""
    W = gradient.weights[0]
    if W.shape[1] == 1:
        return
    one, other = np.abs(W).sum(axis=0).argsort()[-2:]
    W[:, [one, other]] = W[:, [other, one]]


def flipped(gradient: ParameterVector, network: Layers, examples: int) -> None:
    """Flip the sign of the largest bias of the first layer."""
    b = gradient.biases[0]
    b[np.abs(b).argmax()] *= -1
