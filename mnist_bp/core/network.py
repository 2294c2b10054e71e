"""The network: forward, cost, and backpropagation. Every operation of a gradient is on this page.

The notation is the lesson's (3Blue1Brown, "Backpropagation calculus"). Layer 0 is the input, layer L the output, and
layer l has n_l neurons. The weight w_jk^(l) goes *to* neuron j of layer l *from* neuron k of layer l − 1::

    (1)  z_j^(l) = Σ_k w_jk^(l) a_k^(l−1) + b_j^(l)
    (2)  a_j^(l) = σ(z_j^(l))
    (3)  C = 1/n Σ_i C_i                               C_0 = Σ_j (a_j^(L) − y_j)²,  ∂C_0/∂a_j^(L) = 2 (a_j^(L) − y_j)

    (4)  ∂C_0/∂w_jk^(l) = a_k^(l−1) σ′(z_j^(l)) ∂C_0/∂a_j^(l)
    (5)  ∂C_0/∂b_j^(l)  =           σ′(z_j^(l)) ∂C_0/∂a_j^(l)
    (6)  ∂C_0/∂a_k^(l)  = Σ_j w_jk^(l+1) σ′(z_j^(l+1)) ∂C_0/∂a_j^(l+1)       also for l = 0: the inputs

The code computes n examples at once. A row is an example: A[l] is (n, n_l), W[l] is (n_l, n_{l−1}), b[l] is (n_l,).
``dC_dZ`` is ∂C/∂z = σ′(z) ∂C/∂a, the factor that (4), (5) and (6) share; other books call it δ.

σ and σ′ are in ``activations.py`` (sigmoid: σ′ = a (1 − a)), C_0 and its derivative for each cost in ``costs.py``.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from mnist_bp.core.activations import Activation, Array
from mnist_bp.core.choices import COSTS
from mnist_bp.core.parameters import ParameterVector

__all__ = ["Layers", "Masks", "Trace", "backward", "forward", "mean_cost"]


Masks = Mapping[int, Array]
"""Dropout: the activations of layer l < L are multiplied by ``masks[l]``, (n, n_l). Other layers keep theirs."""


class Layers(Protocol):
    """The part of a network that the equations use. Dictionaries are indexed by the lesson's layer number, 1 to L."""

    L: int
    sizes: tuple[int, ...]  # n_0, …, n_L
    W: dict[int, Array]  # W[l][j, k] is w_jk^(l)
    b: dict[int, Array]
    σ: dict[int, Activation]
    cost: str


class Trace(NamedTuple):
    """Values of a forward pass that the backward pass needs, indexed by the layer number."""

    A: dict[int, Array]  # A[0] holds the inputs
    dA_dZ: dict[int, Array]  # σ′(z) of the layers from 1 on; of layer 0 its mask, if it has one
    Z: Array  # of the output layer: cross-entropy is computed from it


def forward(net: Layers, X: Array, *, masks: Masks | None = None, start: int = 0) -> Trace:
    """Compute the activations of every layer from the inputs X, (n, n_0).

    With ``start``, X holds the activations of that layer, and only the layers after it are computed.
    """
    masks = masks or {}
    A = {start: X * masks[start] if start in masks else X}
    dA_dZ = {start: masks[start]} if start in masks else {}
    for l in range(start + 1, net.L + 1):
        Z = A[l - 1] @ net.W[l].T
        Z += net.b[l]  # (1)
        A[l] = net.σ[l].f(Z)  # (2)
        dA_dZ[l] = net.σ[l].derivative(A[l])  # σ′(z), computed from a = σ(z)
        if l in masks:  # a dropped neuron has no activation, and no path leads back through it
            A[l] *= masks[l]
            dA_dZ[l] *= masks[l]
    return Trace(A, dA_dZ, Z)


def mean_cost(net: Layers, trace: Trace, Y: Array) -> Any:
    """Return C, the mean cost of the examples, by (3). Y holds the targets, (n, n_L)."""
    return COSTS[net.cost].per_example(trace.Z, trace.A[net.L], Y).mean()


@lru_cache(maxsize=4)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    """Return n ones. Keeping them from step to step saves 1 % of a small network's step."""
    ones = np.ones(n, dtype)
    ones.setflags(write=False)
    return ones


def backward(
    net: Layers, trace: Trace, Y: Array, *, out: ParameterVector | None = None, dC_dX: Array | None = None
) -> ParameterVector:
    """Return ∇C, computed by (4), (5) and (6) for all examples at once, from the last layer to the first.

    Sums over the examples, and over j in (6), are matrix products. ``out``, if given, receives the result. ``dC_dX``,
    (n, n_0), if given, receives ∂C/∂x, the sensitivity to the inputs; nothing is computed for it otherwise.
    """
    gradient = out or ParameterVector.empty(net.sizes, trace.Z.dtype)
    A, dA_dZ, dC_dW, dC_db = trace.A, trace.dA_dZ, gradient.W, gradient.b
    dC_dZ = COSTS[net.cost].dC_dZ(A[net.L], Y, dA_dZ[net.L])
    dC_dZ /= len(Y)  # the mean over the examples (3) is taken here and nowhere else
    ones = _ones(len(Y), dC_dZ.dtype)
    for l in range(net.L, 0, -1):
        np.matmul(dC_dZ.T, A[l - 1], out=dC_dW[l])  # (4): dC_dZ.T @ A[l − 1]
        np.dot(ones, dC_dZ, out=dC_db[l])  # (5): the same with 1 in place of a_k
        if l > 1:
            dC_dZ = dC_dZ @ net.W[l]  # (6): ∂C/∂a of layer l − 1
            dC_dZ *= dA_dZ[l - 1]
        elif dC_dX is not None:
            np.matmul(dC_dZ, net.W[1], out=dC_dX)  # (6) once more: ∂C/∂a of layer 0
            if 0 in dA_dZ:
                dC_dX *= dA_dZ[0]
    return gradient
