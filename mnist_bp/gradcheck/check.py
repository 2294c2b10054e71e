"""Is the gradient right? What backpropagation says is compared with what nudging finds, parameter by parameter."""

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
from mnist_bp.gradcheck.numerical_gradient import COMPLEX_STEP, EPSILON, Method, numerical_gradient
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
"""Largest relative error that is an agreement: far above what the method loses, far below what a mistake makes."""

TAYLOR_STEP = 1e-2
"""The largest h of ``taylor_slopes``: small enough for the third order, large enough for rounding."""

DENSE_EXAMPLES = 8
"""Size of the mini-batch of noise in which no pixel is dark."""

DENSE_SPREAD = 0.3
"""Standard deviation of that noise, whose mean is 0: about as much of it as there is of a digit (more would saturate
sigmoids), and of either sign, so that hardly a relu is off for every example."""


Outcome = Literal["passed", "failed", "undecided"]


class Verdict(IntEnum):
    """On one derivative. Only VERIFIED is a pass; only FAILED fails the check."""

    SKIPPED = 0  # not nudged
    VERIFIED = 1  # backpropagation and nudge agree, relative to their size
    ZERO = 2  # both are exactly 0, or the penalty's and nothing else, which verifies nothing
    UNDECIDED = 3  # they differ by no more than rounding can explain
    KINK = 4  # they differ, and the nudge crossed a kink
    FAILED = 5


@dataclass(frozen=True)
class ArrayCheck:
    """What the check of one array, W1 or b1, say, came to.

    Attributes
    ----------
    name, shape
        Of the array, as a model file has it.
    counts
        How many of its entries got each verdict.
    nonzero
        How many were not zero on the mini-batch itself, the penalty left out; the others were tried on a dense one.
    max_relative_error, median_relative_error
        Over the entries that were verified or failed; None where there are none.
    worst, backprop, numerical
        The index of the entry with the largest relative error among these, and its two values.
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
        """How many it has."""
        return sum(self.counts.values())

    @property
    def checked(self) -> int:
        """How many of them were nudged."""
        return self.entries - self.counts[Verdict.SKIPPED]


@dataclass(frozen=True)
class Check:
    """A gradient beside its numerical twin, entry by entry.

    ``gradient`` and ``numerical`` are the two, ``verdict`` and ``error`` (relative) what was found of each entry;
    ``nonzero`` says which were not zero on the mini-batch itself, the penalty left out: the values of the others come
    from a dense one.
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
        """A gradient fails by one entry, and passes by one that was verified; where nothing decides, neither."""
        if (self.verdict.vector == Verdict.FAILED).any():
            return "failed"
        return "passed" if (self.verdict.vector == Verdict.VERIFIED).any() else "undecided"

    @property
    def passed(self) -> bool:
        """Whether something was verified and nothing failed."""
        return self.outcome == "passed"

    @cached_property
    def arrays(self) -> list[ArrayCheck]:
        """The findings for each array, W1, b1, …, in order."""
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
"""(network, X, Y) ↦ ∇C of a mini-batch, Y one-hot, as somebody computes it."""


@dataclass(kw_only=True)
class UserGradient(Objective):
    """The cost of a mini-batch, and what somebody else says its gradient is, from X and Y alone."""

    backpropagate: Backpropagation

    def gradient(
        self, network: Layers, trace: Trace | None = None, *, out: ParameterVector | None = None
    ) -> ParameterVector:
        """What is claimed, in place of what trains, and from its own forward pass."""
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
        In float64: in float32, rounding hides mistakes of a tenth of a percent.
    objective
        Of a mini-batch in float64. A ``UserGradient``, to check somebody else's gradient.
    method, epsilon
        How to nudge; ``epsilon`` is the step of central differences.
    rng
        Draws the dense mini-batch, on which the entries are tried that are zero on this one, and the sample.
    tolerance
        Largest relative error that is an agreement. Default: 1e-10 (complex), 1e-6 (central).
    sample
        Nudge only so many entries of each array, drawn at random.
    """
    objective.refuse_overflow(network)
    tolerance = TOLERANCE[method] if tolerance is None else tolerance
    chosen = _choose(network.sizes, sample, rng)

    def judge(objective: Objective, chosen: ParameterVector) -> _Judged:
        return _judge(network, objective, chosen=chosen, method=method, epsilon=epsilon, tolerance=tolerance)

    first = judge(objective, chosen)
    is_zero = first.verdict.vector == Verdict.ZERO
    noise = DENSE_SPREAD * rng.standard_normal((min(len(objective.X), DENSE_EXAMPLES), network.sizes[0]))
    second = judge(objective.with_inputs(noise), chosen.like(is_zero))
    gradient, numerical, verdict, error = (
        chosen.like(np.where(is_zero, on_dense.vector, on_batch.vector))
        for on_batch, on_dense in zip(first, second, strict=True)
    )
    nonzero = chosen.like(chosen.vector & ~is_zero)
    return Check(method, tolerance, gradient, numerical, verdict, error, nonzero)


class _Judged(NamedTuple):
    gradient: ParameterVector
    numerical: ParameterVector
    verdict: ParameterVector
    error: ParameterVector


def _choose(sizes: tuple[int, ...], sample: int | None, rng: np.random.Generator) -> ParameterVector:
    """Every entry, or at most ``sample`` of each array."""
    chosen = ParameterVector.zeros(sizes, np.bool_)
    for array in chosen.named_arrays().values():
        picked = rng.permutation(array.size)[:sample] if sample is not None else slice(None)
        array[np.unravel_index(np.arange(array.size)[picked], array.shape)] = True
    return chosen


def _judge(
    network: Network, objective: Objective, *, chosen: ParameterVector, method: Method, epsilon: float, tolerance: float
) -> _Judged:
    """Judge each of the ``chosen`` derivatives on one mini-batch.

    Agreement is relative, and nothing else is a pass: what rounding can explain excuses a difference, it does not make
    an agreement of it.
    """
    gradient = objective.gradient(network)
    numerical = numerical_gradient(network, objective, method=method, epsilon=epsilon, chosen=chosen)
    g, n = gradient.vector, numerical.values.vector
    difference, size = np.abs(g - n), np.maximum(np.abs(g), np.abs(n))
    error = np.divide(difference, size, out=np.zeros_like(size), where=size != 0)  # not a number: never an agreement
    rules = {
        Verdict.SKIPPED: ~chosen.vector,
        Verdict.ZERO: numerical.flat.vector & (error <= tolerance),
        Verdict.VERIFIED: error <= tolerance,
        Verdict.KINK: numerical.kinks.vector,
        Verdict.UNDECIDED: difference <= numerical.noise.vector,
    }
    verdict = np.select(list(rules.values()), list(map(int, rules)), int(Verdict.FAILED))
    return _Judged(gradient, numerical.values, *map(chosen.like, (verdict, error)))


def taylor_slopes(
    network: Network, objective: Objective, gradient: ParameterVector, *, rng: np.random.Generator
) -> tuple[float, ...]:
    """How C(p + hd) − C(p) − h ∇C·d falls as h is halved, in powers of h, for a random direction d.

    2 says that ∇C is the gradient, 1 that it is not. No step and no tolerance have to be chosen for that. (Kinks may
    disturb it: a relu network is not smooth.) NaN where nothing at all is left.
    """

    def cost(parameters: Array) -> float:
        moved = network.astype(np.float64)
        moved.parameters = parameters
        return objective.cost(moved).real

    d = rng.standard_normal(len(network.parameters))
    d /= np.linalg.norm(d)
    start, promised = cost(network.parameters), gradient.vector @ d
    steps = [TAYLOR_STEP / 2**halvings for halvings in range(4)]
    left = np.array([abs(cost(network.parameters + h * d) - start - h * promised) for h in steps])
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple(map(float, np.log2(left[:-1] / left[1:])))


def direction_errors(
    network: Network, objective: Objective, gradient: ParameterVector, *, rng: np.random.Generator, directions: int = 10
) -> list[float]:
    """Relative errors of ∇C·d, each beside Im C(p + ihd) / h, for random directions d: all parameters at once."""
    nudged = network.astype(np.complex128)
    errors = []
    for _ in range(directions):
        d = rng.standard_normal(len(network.parameters))
        nudged.parameters = network.parameters + (1j * COMPLEX_STEP) * d
        numerical = objective.cost(nudged).imag / COMPLEX_STEP
        promised = float(gradient.vector @ d)
        size = max(abs(promised), abs(numerical))
        errors.append(abs(promised - numerical) / size if size else 0.0)
    return errors
