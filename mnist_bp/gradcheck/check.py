"""Gradient check: compares backpropagation with numerical derivatives, parameter by parameter."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, Trace
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector
from mnist_bp.gradcheck.input_gradient import InputReference
from mnist_bp.gradcheck.numerical_gradient import EPSILON, Method, NumericalGradient
from mnist_bp.gradcheck.own_cost import nudge
from mnist_bp.gradcheck.result import TOLERANCE, Check, Verdict, is_decided, relative_errors, verdicts
from mnist_bp.network import Network

__all__ = ["Backpropagation", "Reference", "UserGradient", "check"]

DENSE_EXAMPLES = 16
"""Size of the dense mini-batch, noise in which no pixel is 0. With fewer, more derivatives of a saturated network would
be lost to rounding in every example."""

DENSE_SPREAD = 0.3
"""Standard deviation of that noise, whose mean is 0. Its norm is about that of a digit, because larger inputs would
saturate sigmoids. It has both signs, so that hardly any relu is off for every example."""


Backpropagation = Callable[[Layers, Array, Array], ParameterVector]
"""Function (network, X, Y) ↦ ∇C of a mini-batch with one-hot targets Y."""


@dataclass(kw_only=True)
class UserGradient(Objective):
    """Objective of a mini-batch whose gradient comes from a user's function of X and Y."""

    backpropagate: Backpropagation

    def gradient(
        self,
        network: Layers,
        trace: Trace | None = None,
        *,
        out: ParameterVector | None = None,
        dC_dX: Array | None = None,
    ) -> ParameterVector:
        """Return the gradient that the user's function computes, with its own forward pass."""
        del trace, out, dC_dX
        return self.backpropagate(network, self.X, self.Y)

    def input_gradient(self, network: Layers) -> None:
        """Return None: the user's function returns no ∂C/∂x."""


def check(
    network: Network,
    objective: Objective,
    *,
    method: Method,
    rng: np.random.Generator,
    epsilon: float = EPSILON,
    tolerance: float | None = None,
    sample: int | None = None,
) -> Check:
    """Compare the gradient of an objective with the nudge of every parameter: see ``Reference``."""
    reference = Reference(
        network, objective, method=method, rng=rng, epsilon=epsilon, tolerance=tolerance, sample=sample
    )
    return reference.check(objective)


class Reference:
    """Numerical derivatives of a network's cost on a mini-batch, with which any number of gradients can be compared.

    Parameters
    ----------
    network
        Network in float64. In float32, rounding would hide errors of 0.1 %.
    objective
        Objective of a mini-batch in float64.
    method, epsilon
        Method of numerical differentiation, and the step of central differences.
    rng
        Random generator for the sample and the dense mini-batch, on which entries that this one leaves open are
        checked: those that are 0, and those that rounding hides.
    tolerance
        Largest relative error that counts as agreement. Default: 1e-10 (complex), 1e-6 (central).
    sample
        Number of entries of each array to nudge, drawn at random. Default: all.

    Raises
    ------
    InputError
        If the cost is not finite.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        *,
        method: Method,
        rng: np.random.Generator,
        epsilon: float = EPSILON,
        tolerance: float | None = None,
        sample: int | None = None,
    ) -> None:
        objective.refuse_overflow(network)
        self.network, self.method, self.is_strict = network, method, tolerance is not None
        self.sample = sample
        self.tolerance = TOLERANCE[method] if tolerance is None else tolerance
        self._chosen = _choose(network.sizes, sample, rng)
        self._noise = DENSE_SPREAD * rng.standard_normal((DENSE_EXAMPLES, network.sizes[0]))
        derivatives = partial(nudge, network, method=method, epsilon=epsilon)
        self._on_batch = derivatives(objective, chosen=self._chosen)
        self._on_inputs = InputReference(
            network, objective, method=method, epsilon=epsilon, tolerance=self.tolerance, rng=rng.spawn(1)[0]
        )
        self._on_dense = _OnDemand(partial(derivatives, objective.with_inputs(self._noise)), network.sizes)

    def check(self, objective: Objective) -> Check:
        """Compare the gradient of an objective, such as a ``UserGradient`` of the same mini-batch."""
        chosen = self._chosen.vector
        first = self._compare(objective.gradient(self.network), self._on_batch, chosen)
        is_zero = first.verdict == Verdict.ZERO
        again = is_zero | (first.verdict == Verdict.UNDECIDED)
        on_dense = objective.with_inputs(self._noise).gradient(self.network)
        second = self._compare(on_dense, self._on_dense(again), again)
        is_replaced = is_zero | (again & is_decided(second.verdict))
        gradient, numerical, rounding, verdict, error = (
            self._chosen.like(np.where(is_replaced, *pair)) for pair in zip(second, first, strict=True)
        )
        dC_dX = objective.input_gradient(self.network)
        return Check(
            method=self.method,
            tolerance=self.tolerance,
            gradient=gradient,
            numerical=numerical,
            rounding=rounding,
            verdict=verdict,
            error=error,
            nonzero=self._chosen.like(chosen & ~is_zero),
            here=self._chosen.like(chosen & ~is_replaced),
            is_strict=self.is_strict,
            inputs=None if dC_dX is None else self._on_inputs.check(dC_dX),
        )

    def _compare(self, gradient: ParameterVector, numerical: NumericalGradient, chosen: Array) -> "_Comparison":
        """Compare each of the ``chosen`` derivatives on one mini-batch."""
        values, rounding, noise, kinks, flat = (each.vector for each in numerical)
        g = gradient.vector
        verdict = verdicts(g, values, noise=noise, kinks=kinks, flat=flat, chosen=chosen, tolerance=self.tolerance)
        return _Comparison(g, values, rounding, verdict, relative_errors(g, values))


class _Comparison(NamedTuple):
    """Flat vectors, one entry for each parameter."""

    gradient: Array
    numerical: Array
    rounding: Array
    verdict: Array
    error: Array


class _OnDemand:
    """Numerical gradient of which each entry is computed when it is first needed."""

    def __init__(self, derivatives: Callable[..., NumericalGradient], sizes: tuple[int, ...]) -> None:
        self._derivatives = derivatives
        self._known = ParameterVector.zeros(sizes, np.bool_)
        self._found: NumericalGradient | None = None

    def __call__(self, chosen: Array) -> NumericalGradient:
        """Return the numerical gradient, computed at least where ``chosen`` is True."""
        missing = chosen & ~self._known.vector
        if self._found is None or missing.any():
            more = self._derivatives(chosen=self._known.like(missing))
            if self._found is not None:
                for old, new in zip(self._found, more, strict=True):
                    np.copyto(new.vector, old.vector, where=self._known.vector)
            self._found = more
            self._known.vector[...] |= missing
        return self._found


def _choose(sizes: tuple[int, ...], sample: int | None, rng: np.random.Generator) -> ParameterVector:
    """Return True for the entries to nudge: all, or at most ``sample`` of each array."""
    chosen = ParameterVector.zeros(sizes, np.bool_)
    for array in chosen.named_arrays().values():
        picked = rng.permutation(array.size)[:sample] if sample is not None else slice(None)
        array[np.unravel_index(np.arange(array.size)[picked], array.shape)] = True
    return chosen
