"""Check of ∂C/∂x, the derivatives by the inputs, which is the last step of the backward pass.

The inputs of a mini-batch are nudged one at a time: x_k of example i moves C_i, and no other cost. An input that is 0
has a derivative like any other. An input that dropout masks has none: it is 0 on both sides, and verifies nothing.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.core.network import forward
from mnist_bp.core.objective import Objective
from mnist_bp.gradcheck.noise import noise_bounds
from mnist_bp.gradcheck.numerical_gradient import Method, Neuron, differentiation
from mnist_bp.gradcheck.result import ArrayCheck, Verdict, relative_errors, summarize, verdicts
from mnist_bp.network import Network

__all__ = ["INPUTS", "InputReference"]

INPUTS = "a0"
"""Name of the inputs in results, the activations of layer 0."""

SAMPLE = 500
"""Largest number of inputs to nudge, drawn from those of all examples."""

SAMPLE_WORK = 2_000_000_000
"""Multiplications to spend on the sample, with which wide networks get a smaller one."""


class InputReference:
    """Numerical derivatives of a network's cost by a sample of the inputs of a mini-batch.

    Parameters
    ----------
    network, objective
        Network in float64, and objective of a mini-batch.
    method, epsilon, tolerance
        Method of numerical differentiation, step of central differences, and largest relative error that agrees.
    rng
        Random generator for the sample.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        *,
        method: Method,
        epsilon: float,
        tolerance: float,
        rng: np.random.Generator,
    ) -> None:
        self._network, self._objective = network, objective
        self._differentiate, self._tolerance = differentiation(method, epsilon), tolerance
        size, most = objective.X.size, min(SAMPLE, max(10, SAMPLE_WORK // len(network.parameters)))
        self._examples, self._ks = np.unravel_index(rng.permutation(size)[:most], objective.X.shape)

    def check(self, dC_dX: Array) -> ArrayCheck:
        """Compare ∂C/∂x, (n, n_0), with the nudge of each input of the sample."""
        values, noise, kinks = self._numerical
        chosen = np.zeros(dC_dX.shape, np.bool_)
        chosen[self._examples, self._ks] = True
        verdict = verdicts(
            dC_dX, values, noise=noise, kinks=kinks, flat=values == 0, chosen=chosen, tolerance=self._tolerance
        )
        is_nonzero = chosen & (verdict != Verdict.ZERO)
        return summarize(INPUTS, dC_dX, values, verdict, relative_errors(dC_dX, values), is_nonzero)

    @cached_property
    def _numerical(self) -> tuple[Array, Array, Array]:
        """Derivatives of the mean cost, their noise and kinks, (n, n_0); 0 outside the sample."""
        network, examples = self._network, self._examples
        bounds = noise_bounds(network, self._objective)
        nudge = _InputNudge(network, self._objective, bounds.costs)
        found = self._differentiate(nudge, self._ks, examples, np.ones(len(examples)))
        values, noise, kinks = np.zeros((3, *nudge.Z.shape))
        for target, each in zip((values, noise, kinks), found, strict=True):
            target[examples, self._ks] = each
        n, has_kink = len(nudge.Z), ACTIVATIONS[network.activation].has_kink
        return values / n, noise / n + bounds.inputs, (kinks > 0) & has_kink


class _InputNudge:
    """Costs of the examples after a nudge of input k of each: see ``Nudge``. ``Z`` holds the inputs."""

    def __init__(self, network: Network, objective: Objective, cost_noise: Array) -> None:
        trace = objective.trace(network)
        self._network, self._objective = network, objective
        self.Z, self.cost_noise = objective.X, cost_noise
        self.C = COSTS[network.cost].per_example(trace.Z, trace.A[network.L], objective.Y)

    def costs(self, j: Neuron, examples: NDArray[np.intp], z_j: Array) -> tuple[Array, list[Array]]:
        """Return C_i, and the activations of the hidden layers, after dropout."""
        network, X = self._network, self.Z[examples].astype(z_j.dtype)
        X[np.arange(len(X)), j] = z_j
        masks = {l: mask[examples] for l, mask in (self._objective.masks or {}).items()}
        trace = forward(network, X, masks=masks)
        _, *hidden, outputs = trace.A.values()
        return COSTS[network.cost].per_example(trace.Z, outputs, self._objective.Y[examples]), hidden
