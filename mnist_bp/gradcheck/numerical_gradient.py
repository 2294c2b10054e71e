"""Numerical gradient: each parameter is nudged separately, and the change of the cost is measured.

There are two methods. *Central* differences, (C(w + ε) − C(w − ε)) / 2ε, are the lesson's; rounding limits them to
about ten digits. The *complex* step, Im C(w + ih) / h with a tiny h (Squire and Trapp 1998), subtracts nothing and is
exact up to rounding.

Both use the network's forward pass and nothing of its backward pass. They are fast because nudging w_jk^(l) by ε moves
z_j^(l) by ε a_k^(l−1) and no other z of layer l. The forward pass then continues from this layer, for all examples and
all k at once. The L2 penalty of a weight is a separate term, which is nudged separately.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import Trace, forward
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.noise import ROUNDING, noise_bounds
from mnist_bp.network import Network

__all__ = ["COMPLEX_STEP", "EPSILON", "Method", "Nudge", "NumericalGradient", "differentiation", "numerical_gradient"]

Method = Literal["central", "complex"]

EPSILON = 1e-5
"""Step of central differences, which balances the rounding error, 1e-16 / ε, against the truncation error, ε²."""

COMPLEX_STEP = 1e-20
"""Step h of the complex step. Its square is below the last digit of any cost, so there is no truncation error."""

PARABOLA = 0.05
"""Largest deviation of a cost from a parabola over the step of a central difference, relative to its variation."""

Neuron = int | NDArray[np.intp]
"""Index of a neuron, or one for each example."""

PAIRS_AT_ONCE = 1 << 14
"""Number of nudged (example, k) pairs that pass through the network at a time, which bounds the memory."""


class NumericalGradient(NamedTuple):
    """Numerical gradient and its reliability, entry by entry.

    Attributes
    ----------
    values
        Numerical derivatives; 0 for parameters that were not nudged.
    rounding
        Largest difference that rounding in two right gradients can explain.
    noise
        Largest difference that can be explained, by rounding or by the step of central differences.
    kinks
        True where the nudge moved some z across a kink of σ, so that the derivative may not exist.
    flat
        True where the mean cost of the examples has derivative 0, so that the whole value comes from the penalty.
    """

    values: ParameterVector
    rounding: ParameterVector
    noise: ParameterVector
    kinks: ParameterVector
    flat: ParameterVector


def numerical_gradient(
    network: Network, objective: Objective, *, method: Method, epsilon: float, chosen: ParameterVector
) -> NumericalGradient:
    """Nudge each parameter of a float64 network for which ``chosen`` is True, one at a time.

    ``epsilon`` is the step of central differences.
    """
    trace, bounds = objective.trace(network), noise_bounds(network, objective)
    differentiate = differentiation(method, epsilon)
    values, noise = (ParameterVector.zeros(network.sizes, np.float64) for _ in range(2))
    kinks = ParameterVector.zeros(network.sizes, np.bool_)
    for l in range(1, network.L + 1):
        nudge = _NeuronNudge(network, l, trace, objective, bounds.costs)
        for j in np.flatnonzero(chosen.blocks[l - 1].any(axis=0)).tolist():
            ks = np.flatnonzero(chosen.blocks[l - 1][:, j])
            means = _mean_over_examples(nudge, ks, partial(differentiate, nudge, j))
            for target, found in zip((values, noise, kinks), means, strict=True):
                target.blocks[l - 1][ks, j] = found
    kinks.vector[...] &= ACTIVATIONS[network.activation].has_kink  # crossing z = 0 matters only if σ has a kink there
    noise.vector[...] += bounds.gradient.vector
    flat = kinks.like(values.vector == 0)
    if objective.l2:
        for l, W in network.W.items():
            slope, rounding = _penalty_slope(W, objective.l2, method, epsilon)
            values.W[l] += slope * chosen.W[l]
            noise.W[l] += rounding
    return NumericalGradient(values, bounds.gradient, noise, kinks, flat)


def _penalty_slope(W: Array, λ: float, method: Method, epsilon: float) -> tuple[Array, Array]:
    """Return the numerical derivative of the L2 penalty by each weight, and its largest rounding error, like W."""

    def penalty(w: Array) -> Array:
        return 0.5 * λ * w * w

    rounding = ROUNDING * λ * np.abs(W)
    if method == "complex":
        return penalty(W + 1j * COMPLEX_STEP).imag / COMPLEX_STEP, rounding
    slope = (penalty(W + epsilon) - penalty(W - epsilon)) / (2 * epsilon)
    return slope, rounding * (1 + np.abs(W) / epsilon)


class Nudge(Protocol):
    """Nudge of a neuron of one layer.

    Attributes
    ----------
    Z
        Values that are nudged, (n, n_l).
    C, cost_noise
        Cost of each example without a nudge, and a bound of its rounding error, (n,).
    """

    Z: Array
    C: Array
    cost_noise: Array

    def costs(self, j: Neuron, examples: NDArray[np.intp], z_j: Array) -> tuple[Array, list[Array]]:
        """Return C_i for values z_j of neuron j, and the hidden activations that it depends on, after dropout."""


class _NeuronNudge:
    """Costs of the examples after a nudge of z_j, with the rest of layer l unchanged."""

    def __init__(self, network: Network, l: int, trace: Trace, objective: Objective, cost_noise: Array) -> None:
        self.network, self.l, self.Y, self.A, self.cost_noise = network, l, objective.Y, trace.A[l], cost_noise
        ones = np.ones((len(self.Y), 1))  # what a bias is multiplied by
        self.C = COSTS[network.cost].per_example(trace.Z, trace.A[network.L], self.Y)
        self.inputs = np.hstack([trace.A[l - 1], ones])
        self.Z = self.inputs @ network.parameter_vector.blocks[l - 1]
        if l < network.L:
            self.masks = objective.masks or {}
            self.Z_above = self.A @ network.W[l + 1].T + network.b[l + 1]

    def costs(self, j: Neuron, examples: NDArray[np.intp], z_j: Array) -> tuple[Array, list[Array]]:
        """Return C_i, and the hidden activations that it depends on, after dropout.

        These are the activation of neuron j and those of all later hidden layers.
        """
        network, l, Y = self.network, self.l, self.Y[examples]
        per_example = COSTS[network.cost].per_example
        if l == network.L:
            Z = self.Z[examples].astype(z_j.dtype)
            Z[:, j] = z_j
            return per_example(Z, network.σ[l].f(Z), Y), []
        a_j = network.σ[l].f(z_j)
        if l in self.masks:
            a_j = a_j * self.masks[l][examples, j]
        moved = (a_j - self.A[examples, j])[:, None] * network.W[l + 1][:, j]
        Z = self.Z_above[examples] + moved
        A = network.σ[l + 1].f(Z)
        if l + 1 == network.L:
            return per_example(Z, A, Y), [a_j]
        masks = {above: mask[examples] for above, mask in self.masks.items() if above > l}
        trace = forward(network, A, start=l + 1, masks=masks)
        *hidden, outputs = trace.A.values()
        return per_example(trace.Z, outputs, Y), [a_j, *hidden]


_Found = tuple[Array, Array, NDArray[np.bool_]]
"""Values, noise and kinks of some derivatives."""


def differentiation(
    method: Method, epsilon: float
) -> Callable[[Nudge, Neuron, NDArray[np.intp], Array], tuple[Array, Array, Array]]:
    """Return the function (nudge, j, examples, a_k) ↦ values, noise and kinks of ∂C_i/∂w_jk, one for each example."""
    return _complex_step if method == "complex" else partial(_central_difference, epsilon=epsilon)


def _complex_step(nudge: Nudge, j: Neuron, examples: NDArray[np.intp], a_k: Array) -> tuple[Array, Array, Array]:
    """Return Im C(w + ih) / h."""
    costs, hidden = nudge.costs(j, examples, nudge.Z[examples, j] + (1j * COMPLEX_STEP) * a_k)
    at_kink = _any_neuron([(A.real == 0) & (A.imag != 0) for A in hidden], len(examples))
    return costs.imag / COMPLEX_STEP, np.zeros(len(examples)), at_kink


def _central_difference(
    nudge: Nudge, j: Neuron, examples: NDArray[np.intp], a_k: Array, *, epsilon: float
) -> tuple[Array, Array, Array]:
    """Return (C(w + ε) − C(w − ε)) / 2ε. Its difference from the step 2ε estimates the error.

    This holds while the cost is nearly a parabola over the step. Otherwise the step is too large, and says nothing.
    """
    steps = (epsilon, -epsilon, 2 * epsilon, -2 * epsilon)
    z_j, C = nudge.Z[examples, j], nudge.C[examples]
    costs, hidden = zip(*(nudge.costs(j, examples, z_j + step * a_k) for step in steps), strict=True)
    up, down, up_twice, down_twice = costs
    slope, longer = (up - down) / (2 * epsilon), (up_twice - down_twice) / (4 * epsilon)
    rounding = nudge.cost_noise[examples] / epsilon
    from_parabola = np.abs(up_twice + down_twice - 4 * (up + down) + 6 * C) / epsilon + np.abs(slope - longer)
    variation = np.max(np.abs([cost - C for cost in costs]), axis=0) / epsilon
    is_parabola = from_parabola <= PARABOLA * variation + rounding
    crossed = [(up > 0) != (down > 0) for up, down in zip(hidden[2], hidden[3], strict=True)]
    noise = np.where(is_parabola, from_parabola + rounding, np.inf)
    return slope, noise, _any_neuron(crossed, len(examples))


def _mean_over_examples(
    nudge: _NeuronNudge,
    ks: NDArray[np.intp],
    derivative: Callable[[NDArray[np.intp], Array], tuple[Array, Array, Array]],
) -> _Found:
    """Return the mean of ``derivative``, a function of the examples' indices and their a_k, over the examples.

    Pairs with a_k = 0 are skipped, because the nudge has no effect. Most pixels are 0.
    """
    values, noise, kinks = np.zeros((3, len(ks)))
    examples, columns = np.nonzero(nudge.inputs[:, ks])
    for start in range(0, len(examples), PAIRS_AT_ONCE):
        rows, column = examples[start : start + PAIRS_AT_ONCE], columns[start : start + PAIRS_AT_ONCE]
        for total, part in zip((values, noise, kinks), derivative(rows, nudge.inputs[rows, ks[column]]), strict=True):
            total += np.bincount(column, part, minlength=len(ks))
    return values / len(nudge.Y), noise / len(nudge.Y), kinks > 0


def _any_neuron(flags: list[NDArray[np.bool_]], pairs: int) -> NDArray[np.bool_]:
    """Return True for each pair for which any neuron of any layer is flagged."""
    flagged = np.zeros(pairs, np.bool_)
    for flag in flags:
        flagged |= flag.reshape(pairs, -1).any(axis=1)
    return flagged
