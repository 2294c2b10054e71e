"""Noise of a gradient: the largest difference that rounding and underflow can cause between two right gradients.

Two right programs round differently: they add in another order, or compute a sigmoid as 1 / (1 + e^−z) or as
½ tanh ½z + ½. The bounds follow these errors through the network by the rules of a running error analysis (Higham 2002,
"Accuracy and Stability of Numerical Algorithms", section 3.3): a sum loses some units in the last place of the sum of
its absolute terms, and passes on the errors of its terms.
"""

from typing import NamedTuple

import numpy as np

from mnist_bp.core.activations import Activation, Array
from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import Trace
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.network import Network

__all__ = ["ROUNDING", "UNDERFLOW", "Noise", "noise_bounds"]

ROUNDING = 16 * np.finfo(np.float64).eps
"""Largest rounding error of a sum, relative to the sum of its absolute terms, and of σ and σ′, relative to 1."""

UNDERFLOW = 1e-280
"""Size below which a derivative is lost. The complex step multiplies it by 1e-20, and numbers below 2e-308 have few
digits or none. The other eight digits are a margin for factors that a product would have met after its underflow."""


class Noise(NamedTuple):
    """Bounds of errors: ``gradient`` of ∇C, ``inputs`` of ∂C/∂x, (n, n_0), ``costs`` of each example's cost, (n,)."""

    gradient: ParameterVector
    inputs: Array
    costs: Array


class _Errors(NamedTuple):
    """Bounds of the errors of z, a and σ′(z) of one layer, (n, n_l) each."""

    Z: Array
    A: Array
    dA_dZ: Array


def noise_bounds(network: Network, objective: Objective) -> Noise:
    """Return bounds of the rounding errors of a float64 network's gradient and costs, without the L2 penalty."""
    trace = objective.trace(network)
    errors = _forward_errors(network, trace, objective)
    dC_dZ, δ = _output_error(network, trace, objective.Y, errors[network.L])
    costs = COSTS[network.cost].per_example(trace.Z, trace.A[network.L], objective.Y)
    cost_noise = ROUNDING * (1 + np.abs(costs)) + np.einsum("ij,ij->i", np.abs(dC_dZ), errors[network.L].Z)
    return Noise(*_backward_errors(network, trace, errors, dC_dZ / len(costs), δ / len(costs)), cost_noise)


def _forward_errors(network: Network, trace: Trace, objective: Objective) -> dict[int, _Errors]:
    """Return bounds of the errors of every layer, by its number. The inputs have none."""
    A, masks = trace.A, objective.masks or {}
    errors = {0: _Errors(*[np.zeros_like(A[0])] * 3)}
    for l, W in network.W.items():
        magnitude = np.abs(A[l - 1]) @ np.abs(W.T) + np.abs(network.b[l])
        δZ = ROUNDING * magnitude + errors[l - 1].A @ np.abs(W.T)
        σ_errors = _elementwise_errors if network.σ[l].is_elementwise else _row_errors
        δA, δ_slope = σ_errors(network.σ[l], A[l - 1] @ W.T + network.b[l], δZ)
        mask = masks.get(l, 1.0)
        errors[l] = _Errors(δZ, δA * mask, δ_slope * mask)
    return errors


def _elementwise_errors(σ: Activation, Z: Array, δZ: Array) -> tuple[Array, Array]:
    """Return bounds of the errors of a = σ(z) and σ′(z), given those of z.

    σ and σ′ are monotonic over so short an interval, z ± δz, and its ends bound them. If it contains the kink of a
    relu, rounding decides on which side z is, and the error of σ′ is its jump.
    """
    A = σ.f(Z)
    slope = σ.derivative(A)
    ends = [σ.f(Z - δZ), σ.f(Z + δZ)]
    δA = np.max([np.abs(end - A) for end in ends], axis=0)
    δ_slope = np.max([np.abs(σ.derivative(end) - slope) for end in ends], axis=0)
    return δA + ROUNDING * np.maximum(1, np.abs(A)), δ_slope + ROUNDING


def _row_errors(σ: Activation, Z: Array, δZ: Array) -> tuple[Array, Array]:
    """Return bounds of the errors of softmax outputs, each of which depends on every z of its row. It has no σ′."""
    A = σ.f(Z)
    columns = np.eye(Z.shape[1])
    δA = np.sum([np.abs(σ.f(Z + δZ * column) - A) for column in columns], axis=0)
    return δA + ROUNDING * A, np.zeros_like(Z)


def _output_error(network: Network, trace: Trace, Y: Array, errors: _Errors) -> tuple[Array, Array]:
    """Return ∂C_i/∂z of the outputs, not averaged, and a bound of its error."""
    A, slope, dC_dZ = trace.A[network.L], trace.dA_dZ[network.L], COSTS[network.cost].dC_dZ
    value = dC_dZ(A, Y, slope)
    corners = [dC_dZ(A + s * errors.A, Y, slope + t * errors.dA_dZ) for s in (-1, 1) for t in (-1, 1)]
    spread = np.max([np.abs(corner - value) for corner in corners], axis=0)
    terms = np.abs(dC_dZ(np.abs(A), -Y, slope))  # a + y in place of a − y
    return value, spread + ROUNDING * terms


def _backward_errors(
    network: Network, trace: Trace, errors: dict[int, _Errors], dC_dZ: Array, δ: Array
) -> tuple[ParameterVector, Array]:
    """Return bounds of the errors of ∇C and of ∂C/∂x, given ∂C/∂z of the outputs and a bound δ of its error."""
    bounds = ParameterVector.empty(network.sizes, np.float64)
    ones, zeros = np.ones((len(δ), 1)), np.zeros((len(δ), 1))
    for l in range(network.L, 0, -1):
        size = np.abs(dC_dZ)
        δ = δ + ROUNDING * size
        inputs, δ_inputs = np.hstack([np.abs(trace.A[l - 1]), ones]), np.hstack([errors[l - 1].A, zeros])
        bounds.blocks[l - 1][...] = inputs.T @ δ + δ_inputs.T @ size + UNDERFLOW
        dC_dA, δ_dA = dC_dZ @ network.W[l], δ @ np.abs(network.W[l])
        if l > 1:
            slope, δ_slope = trace.dA_dZ[l - 1], errors[l - 1].dA_dZ
            dC_dZ, δ = dC_dA * slope, δ_dA * (np.abs(slope) + δ_slope) + np.abs(dC_dA) * δ_slope
    return bounds, δ_dA * trace.dA_dZ.get(0, 1.0) + UNDERFLOW
