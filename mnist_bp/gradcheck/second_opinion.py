"""Tests of a whole gradient in random directions, independent of the check of each derivative."""

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.numerical_gradient import COMPLEX_STEP
from mnist_bp.network import Network

__all__ = ["direction_errors", "taylor_slopes"]

TAYLOR_STEP = 1e-2
"""Largest h of ``taylor_slopes``. It keeps both the third-order term and rounding errors small."""


def taylor_slopes(
    network: Network, objective: Objective, gradient: ParameterVector, *, rng: np.random.Generator
) -> tuple[float, ...]:
    """Return the observed orders of the Taylor remainder C(p + hd) − C(p) − h ∇C·d in h, for a random direction d.

    The order is 2 if ∇C is the gradient, and 1 if it is not. This test needs no choice of step or tolerance. The kinks
    of a relu network may disturb it. An order is NaN if the remainder is 0.
    """

    def cost(parameters: Array) -> float:
        moved = network.astype(np.float64)
        moved.parameters = parameters
        return objective.cost(moved).real

    d = rng.standard_normal(len(network.parameters))
    d /= np.linalg.norm(d)
    start, slope = cost(network.parameters), gradient.vector @ d
    steps = [TAYLOR_STEP / 2**halvings for halvings in range(4)]
    remainder = np.array([abs(cost(network.parameters + h * d) - start - h * slope) for h in steps])
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple(map(float, np.log2(remainder[:-1] / remainder[1:])))


def direction_errors(
    network: Network, objective: Objective, gradient: ParameterVector, *, rng: np.random.Generator, directions: int = 10
) -> list[float]:
    """Return the relative errors of ∇C·d against Im C(p + ihd) / h for random directions d over all parameters."""
    nudged = network.astype(np.complex128)
    errors = []
    for _ in range(directions):
        d = rng.standard_normal(len(network.parameters))
        nudged.parameters = network.parameters + (1j * COMPLEX_STEP) * d
        numerical = objective.cost(nudged).imag / COMPLEX_STEP
        backprop = float(gradient.vector @ d)
        size = max(abs(backprop), abs(numerical))
        errors.append(abs(backprop - numerical) / size if size else 0.0)
    return errors
