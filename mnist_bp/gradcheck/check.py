"""Gradient check: compares backpropagation with numerical derivatives, parameter by parameter."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, Trace
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector, side_by_side
from mnist_bp.gradcheck.numerical_gradient import COMPLEX_STEP, EPSILON, Method
from mnist_bp.gradcheck.own_cost import nudge
from mnist_bp.network import Network

__all__ = [
    "TOLERANCE",
    "ArrayCheck",
    "Backpropagation",
    "Check",
    "Outcome",
    "UserGradient",
    "Verdict",
    "check",
    "direction_errors",
    "taylor_slopes",
]

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""Largest relative error that counts as agreement: far above the method's error, far below the effect of a bug."""

TAYLOR_STEP = 1e-2
"""Largest h of ``taylor_slopes``. It keeps both the third-order term and rounding errors small."""

DENSE_EXAMPLES = 8
"""Size of the dense mini-batch, noise in which no pixel is 0."""

DENSE_SPREAD = 0.3
"""Standard deviation of that noise, whose mean is 0. Its norm is about that of a digit, because larger inputs would
saturate sigmoids. It has both signs, so that hardly any relu is off for every example."""


Outcome = Literal["passed", "failed", "undecided"]


class Verdict(IntEnum):
    """Verdict on one derivative. Only VERIFIED counts as passed, and only FAILED makes the check fail."""

    SKIPPED = 0  # not nudged
    VERIFIED = 1  # backpropagation and nudge agree, relative to their size
    ZERO = 2  # both are exactly 0 without the penalty, which verifies nothing
    UNDECIDED = 3  # they differ by no more than rounding can explain
    KINK = 4  # they differ, and the nudge crossed a kink
    FAILED = 5


@dataclass(frozen=True)
class ArrayCheck:
    """Result of the check for one array, such as W1 or b1.

    Attributes
    ----------
    name, shape
        Name and shape of the array, as in a model file.
    counts
        Number of entries by verdict.
    nonzero
        Number of entries that are not 0 on the mini-batch, without the penalty. The others were checked on a dense one.
    max_relative_error, median_relative_error
        Relative errors of the entries that were verified or failed. None if there are none.
    worst, backprop, numerical
        Index and two values of the entry with the largest relative error among these.
    """

    name: str
    shape: tuple[int, ...]
    counts: dict[Verdict, int]
    nonzero: int
    max_relative_error: float | None = None
    median_relative_error: float | None = None
    worst: tuple[int, ...] | None = None
    backprop: float | None = None
    numerical: float | None = None

    @property
    def entries(self) -> int:
        """Number of entries of the array."""
        return sum(self.counts.values())

    @property
    def checked(self) -> int:
        """Number of entries that were nudged."""
        return self.entries - self.counts[Verdict.SKIPPED]


@dataclass(frozen=True)
class Check:
    """Comparison of a gradient with the numerical gradient, entry by entry.

    ``verdict`` and ``error`` hold the verdict and the relative error of each entry. ``nonzero`` is True for entries
    that are not 0 on the mini-batch, without the penalty. The values of the others come from a dense mini-batch.
    """

    method: Method
    tolerance: float
    gradient: ParameterVector
    numerical: ParameterVector
    verdict: ParameterVector
    error: ParameterVector
    nonzero: ParameterVector

    @property
    def outcome(self) -> Outcome:
        """Outcome: "failed" if any entry failed, else "passed" if any was verified, else "undecided"."""
        if (self.verdict.vector == Verdict.FAILED).any():
            return "failed"
        return "passed" if (self.verdict.vector == Verdict.VERIFIED).any() else "undecided"

    @property
    def passed(self) -> bool:
        """True if at least one entry was verified and none failed."""
        return self.outcome == "passed"

    @cached_property
    def arrays(self) -> list[ArrayCheck]:
        """Results for the arrays W1, b1, …, in this order."""
        parts = (self.gradient, self.numerical, self.verdict, self.error, self.nonzero)
        return [_summary(*named) for named in side_by_side(*parts)]


def _summary(name: str, gradient: Array, numerical: Array, verdict: Array, error: Array, nonzero: Array) -> ArrayCheck:
    counts = {kind: int(np.count_nonzero(verdict == kind)) for kind in Verdict}
    decided = (verdict == Verdict.VERIFIED) | (verdict == Verdict.FAILED)
    summary = ArrayCheck(name, gradient.shape, counts, int(np.count_nonzero(nonzero)))
    if not decided.any():
        return summary
    worst = np.unravel_index(np.where(decided, error, -1).argmax(), error.shape)
    return replace(
        summary,
        max_relative_error=float(error[worst]),
        median_relative_error=float(np.median(error[decided])),
        worst=tuple(map(int, worst)),
        backprop=float(gradient[worst]),
        numerical=float(numerical[worst]),
    )


Backpropagation = Callable[[Layers, Array, Array], ParameterVector]
"""Function (network, X, Y) ↦ ∇C of a mini-batch with one-hot targets Y."""


@dataclass(kw_only=True)
class UserGradient(Objective):
    """Objective of a mini-batch whose gradient comes from a user's function of X and Y."""

    backpropagate: Backpropagation

    def gradient(
        self, network: Layers, trace: Trace | None = None, *, out: ParameterVector | None = None
    ) -> ParameterVector:
        """Return the gradient that the user's function computes, with its own forward pass."""
        del trace, out
        return self.backpropagate(network, self.X, self.Y)


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
    """Compare the gradient of an objective with the nudge of every parameter.

    Parameters
    ----------
    network
        Network in float64. In float32, rounding would hide errors of 0.1 %.
    objective
        Objective of a mini-batch in float64. A ``UserGradient`` checks a user's gradient.
    method, epsilon
        Method of numerical differentiation, and the step of central differences.
    rng
        Random generator for the sample and the dense mini-batch, on which entries that are 0 on this one are checked.
    tolerance
        Largest relative error that counts as agreement. Default: 1e-10 (complex), 1e-6 (central).
    sample
        Number of entries of each array to nudge, drawn at random. Default: all.
    """
    objective.refuse_overflow(network)
    tolerance = TOLERANCE[method] if tolerance is None else tolerance
    chosen = _choose(network.sizes, sample, rng)

    def compare(objective: Objective, chosen: ParameterVector) -> _Comparison:
        return _compare(network, objective, chosen=chosen, method=method, epsilon=epsilon, tolerance=tolerance)

    first = compare(objective, chosen)
    is_zero = first.verdict.vector == Verdict.ZERO
    noise = DENSE_SPREAD * rng.standard_normal((min(len(objective.X), DENSE_EXAMPLES), network.sizes[0]))
    second = compare(objective.with_inputs(noise), chosen.like(is_zero))
    gradient, numerical, verdict, error = (
        chosen.like(np.where(is_zero, on_dense.vector, on_batch.vector))
        for on_batch, on_dense in zip(first, second, strict=True)
    )
    nonzero = chosen.like(chosen.vector & ~is_zero)
    return Check(method, tolerance, gradient, numerical, verdict, error, nonzero)


class _Comparison(NamedTuple):
    gradient: ParameterVector
    numerical: ParameterVector
    verdict: ParameterVector
    error: ParameterVector


def _choose(sizes: tuple[int, ...], sample: int | None, rng: np.random.Generator) -> ParameterVector:
    """Return True for the entries to nudge: all, or at most ``sample`` of each array."""
    chosen = ParameterVector.zeros(sizes, np.bool_)
    for array in chosen.named_arrays().values():
        picked = rng.permutation(array.size)[:sample] if sample is not None else slice(None)
        array[np.unravel_index(np.arange(array.size)[picked], array.shape)] = True
    return chosen


def _compare(
    network: Network, objective: Objective, *, chosen: ParameterVector, method: Method, epsilon: float, tolerance: float
) -> _Comparison:
    """Compare each of the ``chosen`` derivatives on one mini-batch.

    Only relative agreement verifies a derivative. A difference that rounding can explain does not fail it, but does not
    verify it either.
    """
    gradient = objective.gradient(network)
    numerical = nudge(network, objective, method=method, epsilon=epsilon, chosen=chosen)
    g, n = gradient.vector, numerical.values.vector
    difference, size = np.abs(g - n), np.maximum(np.abs(g), np.abs(n))
    error = np.divide(difference, size, out=np.zeros_like(size), where=size != 0)  # NaN never counts as agreement
    rules = {
        Verdict.SKIPPED: ~chosen.vector,
        Verdict.ZERO: numerical.flat.vector & (error <= tolerance),
        Verdict.VERIFIED: error <= tolerance,
        Verdict.KINK: numerical.kinks.vector,
        Verdict.UNDECIDED: difference <= numerical.noise.vector,
    }
    verdict = np.select(list(rules.values()), list(map(int, rules)), int(Verdict.FAILED))
    return _Comparison(gradient, numerical.values, *map(chosen.like, (verdict, error)))


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
