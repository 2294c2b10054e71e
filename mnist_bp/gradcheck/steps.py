"""Backpropagation written out in steps that can be replaced one by one, to plant a bug in any of them."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import Layers, Trace, forward
from mnist_bp.core.parameters import ParameterVector

__all__ = ["At", "Slope", "Steps", "sum_over_examples", "σ_prime"]


class At(NamedTuple):
    """State of the backward pass at layer l.

    Attributes
    ----------
    network, trace, l
        Network, values of the forward pass, and the layer.
    dC_dA, dC_dZ
        ∂C/∂a and ∂C/∂z of the layer, (n, n_l). At softmax outputs, which have no ∂C/∂a, both are ∂C/∂z.
    gradient
        Gradient, complete from this layer on.
    """

    network: Layers
    trace: Trace
    l: int
    dC_dA: Array
    dC_dZ: Array
    gradient: ParameterVector


Slope = Callable[[Layers, Trace, int], Array]
"""Function (network, trace, l) ↦ the value used for σ′(z) of layer l, (n, n_l)."""


def σ_prime(network: Layers, trace: Trace, l: int) -> Array:
    """Return the correct σ′(z)."""
    return trace.dA_dZ[l]


def output_error(network: Layers, A: Array, Y: Array, slope: Array) -> Array:
    """Return the correct ∂C_i/∂z of the outputs, given their σ′(z)."""
    return COSTS[network.cost].dC_dZ(A, Y, slope)


def carry_back(at: At) -> Array:
    """Return the correct ∂C/∂a of layer l − 1."""
    return at.dC_dZ @ at.network.W[at.l]


def activations_before(trace: Trace, l: int) -> Array:
    """Return the activations that are multiplied by ∂C/∂z of layer l, those of layer l − 1."""
    return trace.A[l - 1]


def sum_over_examples(at: At) -> Array:
    """Return the correct ∂C/∂b of layer l."""
    return at.dC_dZ.sum(axis=0)


@dataclass(frozen=True)
class Steps:
    """Backpropagation of a mini-batch: an instance is called with (network, X, Y) and returns the gradient.

    Attributes
    ----------
    forward
        (network, X) ↦ the values of the forward pass.
    output_slope, hidden_slope
        σ′(z) of the outputs and of a hidden layer.
    output_error
        (network, A, Y, σ′(z)) ↦ ∂C_i/∂z of the outputs, not averaged.
    carry_back
        State at layer l ↦ ∂C/∂a of layer l − 1.
    inputs
        (trace, l) ↦ the activations that ∂C/∂z of layer l is multiplied by.
    biases
        State at layer l ↦ ∂C/∂b.
    """

    forward: Callable[[Layers, Array], Trace] = forward
    output_slope: Slope = σ_prime
    hidden_slope: Slope = σ_prime
    output_error: Callable[[Layers, Array, Array, Array], Array] = output_error
    carry_back: Callable[[At], Array] = carry_back
    inputs: Callable[[Trace, int], Array] = activations_before
    biases: Callable[[At], Array] = sum_over_examples

    @property
    def replaced(self) -> dict[str, object]:
        """Steps that differ from correct backpropagation, by name."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not each.default}

    def __or__(self, other: "Steps") -> "Steps":
        """Return backpropagation in which both sets of steps are replaced; on both sides, it is the other's."""
        return Steps(**{**self.replaced, **other.replaced})  # type: ignore[arg-type]

    def __call__(self, network: Layers, X: Array, Y: Array) -> ParameterVector:
        """Return the gradient of the mean cost."""
        trace, L = self.forward(network, X), network.L
        gradient = ParameterVector.empty(network.sizes, X.dtype)
        cost, A = COSTS[network.cost], trace.A[L]
        dC_dZ = self.output_error(network, A, Y, self.output_slope(network, trace, L)) / len(Y)
        dC_dA = dC_dZ if cost.dC_dA is None else cost.dC_dA(A, Y) / len(Y)
        for l in range(L, 0, -1):
            at = At(network, trace, l, dC_dA, dC_dZ, gradient)
            gradient.W[l][...] = dC_dZ.T @ self.inputs(trace, l)
            gradient.b[l][...] = self.biases(at)
            if l > 1:
                dC_dA = self.carry_back(at)
                dC_dZ = dC_dA * self.hidden_slope(network, trace, l - 1)
        return gradient
