"""Result of a gradient check: the verdict on each derivative, on each array, and on the whole gradient."""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.parameters import ParameterVector, side_by_side
from mnist_bp.gradcheck.numerical_gradient import Method

__all__ = [
    "PASSING", "TOLERANCE", "ArrayCheck", "Check", "Outcome", "Verdict", "is_decided", "relative_errors", "summarize",
    "verdicts",
]  # fmt: skip

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""Largest relative error that counts as agreement: far above the method's error, far below the effect of a bug."""

EXACT = 1e-12
"""Relative error of an array's median entry up to which float64 is the precision of the array."""

SINGLE_ROUNDING = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps) / 16
"""Rounding errors of a gradient in float32, in units of the bound in float64, which is a generous one."""

SINGLE_SPREAD = 1e-6, 1e-4
"""Differences, relative to the largest derivative of the array, that always and never count as low precision. The first
covers difference quotients, and small constants such as 1e-8 in a softmax; the second excludes a bug of 0.05 %."""

Outcome = Literal["passed", "float32", "failed", "undecided"]

PASSING: frozenset[Outcome] = frozenset({"passed", "float32"})
"""Outcomes that count as a pass."""


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


@dataclass(frozen=True, kw_only=True)
class Check:
    """Comparison of a gradient with the numerical gradient, entry by entry.

    Attributes
    ----------
    method, tolerance
        Method of numerical differentiation, and the largest relative error that counts as agreement.
    gradient, numerical, rounding
        Both gradients, and the largest difference that rounding in float64 can explain.
    verdict, error
        Verdict and relative error of each entry.
    nonzero
        True for entries that are not 0 on the mini-batch, without the penalty.
    here
        True for entries whose values come from the mini-batch, False for those from the dense one.
    is_strict
        True if the user chose the tolerance. Low precision that exceeds it is then a failure.
    inputs
        Result for ∂C/∂x, the derivatives by the inputs, named a0. None if the gradient has none.
    """

    method: Method
    tolerance: float
    gradient: ParameterVector
    numerical: ParameterVector
    rounding: ParameterVector
    verdict: ParameterVector
    error: ParameterVector
    nonzero: ParameterVector
    here: ParameterVector
    is_strict: bool = False
    inputs: ArrayCheck | None = None

    @property
    def outcome(self) -> Outcome:
        """Outcome: "failed" or "float32" if any entry failed, else "passed" if any was verified, else "undecided".

        The inputs can only make a check fail.
        """
        if self.failed_inputs:
            return "failed"
        if self._has(Verdict.FAILED):
            return "float32" if self._has_low_precision else "failed"
        return "passed" if self._has(Verdict.VERIFIED) else "undecided"

    @property
    def failed_inputs(self) -> int:
        """Number of failed derivatives by inputs."""
        return 0 if self.inputs is None else self.inputs.counts[Verdict.FAILED]

    @property
    def has_failed_parameters(self) -> bool:
        """True if a derivative by a parameter failed."""
        return self._has(Verdict.FAILED)

    @property
    def passed(self) -> bool:
        """True if at least one entry was verified and none failed, or if all agree to the precision of float32."""
        return self.outcome in PASSING

    @cached_property
    def arrays(self) -> list[ArrayCheck]:
        """Results for the arrays W1, b1, …, in this order."""
        parts = (self.gradient, self.numerical, self.verdict, self.error, self.nonzero)
        return [summarize(*named) for named in side_by_side(*parts)]

    @cached_property
    def agreement(self) -> float:
        """Largest difference of a verified or failed entry, relative to the largest derivative of its array."""
        found = [0.0]
        for _, g, n, verdict in side_by_side(self.gradient, self.numerical, self.verdict):
            decided = is_decided(verdict)
            if n[decided].any():
                found.append(float(np.abs(g - n)[decided].max() / np.abs(n[decided]).max()))
        return max(found)

    def _has(self, verdict: Verdict) -> bool:
        return bool((self.verdict.vector == verdict).any())

    @property
    def _has_low_precision(self) -> bool:
        """True if low precision explains every failure: it is everywhere."""
        if self.is_strict and self.agreement > self.tolerance:
            return False
        arrays = side_by_side(self.gradient, self.numerical, self.rounding, self.error, self.verdict)
        return all(_has_low_precision(*parts) for _, *parts in arrays)


def _has_low_precision(g: Array, n: Array, rounding: Array, error: Array, verdict: Array) -> bool:
    """Return True if the differences in an array are small, and most of its entries have one.

    A bug makes large differences, or leaves entries exact.
    """
    failed, decided = verdict == Verdict.FAILED, is_decided(verdict)
    if not decided.any():
        return True
    allowed = np.clip(SINGLE_ROUNDING * rounding, *(limit * np.abs(n).max() for limit in SINGLE_SPREAD))
    is_small = bool((np.abs(g - n) <= allowed)[failed].all())
    return is_small and float(np.median(error[decided])) > EXACT


def is_decided(verdict: Array) -> NDArray[np.bool_]:
    """Return True for entries that were verified or failed."""
    return (verdict == Verdict.VERIFIED) | (verdict == Verdict.FAILED)


def relative_errors(g: Array, n: Array) -> Array:
    """Return |g − n| / max(|g|, |n|), 0 where both are 0. NaN never counts as agreement."""
    size = np.maximum(np.abs(g), np.abs(n))
    return np.divide(np.abs(g - n), size, out=np.zeros_like(size), where=size != 0)


def verdicts(
    g: Array, n: Array, *, noise: Array, kinks: Array, flat: Array, chosen: Array, tolerance: float
) -> NDArray[np.int64]:
    """Return the verdict on each of the ``chosen`` derivatives g, given numerical ones n: see ``NumericalGradient``.

    Only relative agreement verifies a derivative. A difference that rounding can explain does not fail it, but does
    not verify it either.
    """
    is_close = relative_errors(g, n) <= tolerance
    rules = {
        Verdict.SKIPPED: ~chosen,
        Verdict.ZERO: flat & is_close,
        Verdict.VERIFIED: is_close,
        Verdict.KINK: kinks,
        Verdict.UNDECIDED: np.abs(g - n) <= noise,
    }
    return np.select(list(rules.values()), list(map(int, rules)), int(Verdict.FAILED))


def summarize(name: str, gradient: Array, numerical: Array, verdict: Array, error: Array, nonzero: Array) -> ArrayCheck:
    """Return the result for one array."""
    counts = {kind: int(np.count_nonzero(verdict == kind)) for kind in Verdict}
    decided = is_decided(verdict)
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
