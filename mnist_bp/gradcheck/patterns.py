"""Patterns in a wrong gradient: a factor that entries share, exchanged columns, an L2 term, a few wrong entries."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import lesson_name, side_by_side
from mnist_bp.gradcheck.factors import complexity, ratio_in_words
from mnist_bp.gradcheck.precision import Precision, common_ratio, same
from mnist_bp.gradcheck.result import Check, Verdict
from mnist_bp.network import Network

__all__ = ["Pattern", "find_pattern"]

FEW = 3
"""Largest number of wrong entries in an array for which each one is named."""

UNEXPLAINED = "by different ratios"
"""End of the sentence about an array without a pattern."""


class Pattern(NamedTuple):
    """Description of a wrong gradient.

    Attributes
    ----------
    sentences
        One for all arrays that show the same.
    unexplained
        Number of arrays in which the wrong entries are only counted.
    is_one_factor
        True if a factor that all derivatives share explains everything.
    """

    sentences: list[str]
    unexplained: int
    is_one_factor: bool


class _Array(NamedTuple):
    """One array of the check: the gradient g, the right one n, and the parameters w.

    ``failed`` are its entries that failed. ``here`` is True for entries whose values come from the mini-batch.
    """

    name: str
    g: Array
    n: Array
    w: Array
    failed: NDArray[np.bool_]
    here: NDArray[np.bool_]


def find_pattern(check: Check, network: Network, objective: Objective, precision: Precision) -> Pattern:
    """Describe how the checked gradient differs from the numerical one."""
    failed = check.verdict.like(check.verdict.vector == Verdict.FAILED)
    parts = (check.gradient, check.numerical, network.parameter_vector, failed, check.here)
    return _Reader(network, len(objective.X), objective.l2, precision).read(
        [_Array(*named) for named in side_by_side(*parts)]
    )


class _Reader:
    """Reads the pattern of a gradient of this network on a number of examples, with an L2 penalty of strength λ."""

    def __init__(self, network: Network, examples: int, λ: float, precision: Precision) -> None:
        self._network, self._examples, self._λ, self._precision = network, examples, λ, precision

    def read(self, arrays: list[_Array]) -> Pattern:
        """Describe all arrays, relative to the factor that most of them share."""
        factor = self._shared_factor(arrays)
        found: dict[str, list[str]] = {}
        for array in arrays:
            for sentence in self._describe(array, factor):
                found.setdefault(sentence, []).append(array.name)
        others = [
            sentence.replace("ALL", "all derivatives" if len(names) == len(arrays) else f"all of {_listed(names)}")
            for sentence, names in found.items()
        ]
        unexplained = sum(UNEXPLAINED in sentence for sentence in others)
        if factor == 1:
            return Pattern(others, unexplained, is_one_factor=False)
        shared = f"all derivatives are {self._in_words(factor)}"
        return Pattern([shared, *(f"besides, {other}" for other in others)], unexplained, is_one_factor=not others)

    def _in_words(self, ratio: float) -> str:
        return ratio_in_words(ratio, self._network, self._examples)

    def _shared_factor(self, arrays: list[_Array]) -> float:
        """Return the factor that at least half of the arrays share, the simplest of several, or 1 if there is none."""
        factors = [factor for array in arrays if (factor := self._main_factor(array)) is not None]

        def votes(factor: float) -> int:
            return int(np.count_nonzero(np.isclose(factors, factor, rtol=self._precision.relative, atol=0)))

        def rank(factor: float) -> tuple[int, float]:
            return votes(factor), -complexity(factor, self._network, self._examples)

        best = max(factors, key=rank, default=1.0)
        needed = len(arrays) if best == 0 else len(arrays) / 2
        return best if votes(best) >= needed and self._in_words(best) else 1.0

    def _main_factor(self, array: _Array) -> float | None:
        """Return the c for which g = c n in most entries, or g = c n + λ w in all of them."""
        nonzero = array.here & (array.n != 0)
        g, n, w = array.g[nonzero], array.n[nonzero], array.w[nonzero]
        if not len(g) or not np.isfinite(g).all():
            return None
        large = np.abs(n) >= np.median(np.abs(n))
        factor = float(np.median(g[large] / n[large]))
        if 2 * np.count_nonzero(same(g, factor * n, self._precision)) >= len(g):
            return factor
        (factor, strength), *_ = np.linalg.lstsq(np.column_stack([n, w]), g, rcond=None)
        return float(factor) if same(g, factor * n + strength * w, self._precision).all() else None

    def _describe(self, array: _Array, factor: float) -> Iterator[str]:
        """Yield what is wrong with one array besides the factor. ALL is a placeholder for the names of several arrays.

        Entries that are 0 here are not described if there is a factor: on the dense mini-batch, it may be another one.
        """
        array = array._replace(n=factor * array.n)
        name, here = array.name, array.here
        wrong = ~same(array.g, array.n, self._precision)
        g, n = array.g[here], array.n[here]
        if not (wrong & here).any():
            elsewhere = np.count_nonzero(wrong & array.failed) if factor == 1 else 0
            if elsewhere:
                yield f"{elsewhere:,} entries of {name}, 0 here, are wrong on a dense mini-batch"
        elif (ratio := common_ratio(g, n, self._precision)) is not None and (words := self._in_words(ratio)):
            yield f"ALL are {words}"
        elif np.count_nonzero(wrong & here) <= FEW:
            for index in zip(*np.nonzero(wrong & here), strict=True):
                yield f"{lesson_name(name, index)} is {self._entry_in_words(array.g[index], array.n[index])}"
        elif array.g.shape == array.n.T.shape and same(array.g, array.n.T, self._precision).all():
            yield f"{name} is transposed"
        elif (strength := common_ratio(g - n, array.w[here], self._precision)) is not None:
            yield self._penalty_in_words(strength, is_weights=array.g.ndim == 2)
        elif array.g.ndim == 2 and (columns := self._swapped_columns(array, wrong & here)):
            yield f"the columns of inputs {columns[0]} and {columns[1]} of {name} are swapped"
        else:
            yield f"{np.count_nonzero(wrong & here):,} of the {g.size:,} entries of {name} are wrong, {UNEXPLAINED}"

    def _entry_in_words(self, g: float, n: float) -> str:
        return f"{g + 0.0:.3g} instead of {n:.3g}" if g == 0 or n == 0 else self._in_words(g / n)

    def _penalty_in_words(self, strength: float, *, is_weights: bool) -> str:
        if self._λ and is_weights:
            return f"the L2 term of ALL is off by {strength:.3g} times the parameter; λ is {self._λ:.3g}"
        return f"ALL have an L2 term, {strength:.3g} times the parameter, that the cost does not have"

    def _swapped_columns(self, array: _Array, wrong: NDArray[np.bool_]) -> tuple[int, int] | None:
        columns = np.flatnonzero(wrong.any(axis=0)).tolist()
        if len(columns) == 2 and same(array.g[:, columns], array.n[:, columns[::-1]], self._precision).all():
            return columns[0], columns[1]
        return None


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
