"""Diagnosis of a failed gradient check: the difference from the numerical gradient identifies the kind of bug."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import lesson_name, side_by_side
from mnist_bp.gradcheck.check import Backpropagation, Check, Verdict
from mnist_bp.gradcheck.known_bugs import WHOLE_GRADIENTS, last_example
from mnist_bp.network import Network

__all__ = ["Entry", "diagnose", "worst_entries"]

AGREE = 1e-6
"""Largest relative difference at which two values count as equal."""

FEW = 3
"""Largest number of wrong entries in an array for which each one is named."""


class Entry(NamedTuple):
    """A derivative, with its name in the lesson's notation and both of its values."""

    name: str
    backprop: float
    numerical: float
    relative_error: float


class _Found(NamedTuple):
    """One array of the check: the gradient g, the numerical gradient n, and the parameters w.

    ``here`` is True for entries whose values come from the mini-batch, and False for those from the dense one.
    """

    name: str
    g: Array
    n: Array
    w: Array
    failed: NDArray[np.bool_]
    here: NDArray[np.bool_]


def worst_entries(check: Check, count: int = 5) -> list[Entry]:
    """Return the failed entries with the largest relative errors."""
    entries = [
        Entry(lesson_name(name, index), float(g[index]), float(n[index]), float(error[index]))
        for name, g, n, verdict, error in side_by_side(check.gradient, check.numerical, check.verdict, check.error)
        for index in zip(*np.nonzero(verdict == Verdict.FAILED), strict=True)
    ]
    return sorted(entries, key=lambda entry: -entry.relative_error)[:count]


def diagnose(check: Check, network: Network, objective: Objective) -> list[str]:
    """Return sentences that describe the kind of bug behind a failed check."""
    for sentence, bug in WHOLE_GRADIENTS.items():
        if _is_gradient_of(bug, check, network, objective):
            return [sentence]
    return list(_array_sentences(check, network, objective))


def _is_gradient_of(bug: Backpropagation, check: Check, network: Network, objective: Objective) -> bool:
    """Return True if the checked gradient equals the one that this bug computes, wherever that is not 0."""
    on_batch = check.nonzero.vector
    of_bug = bug(network, objective.X, objective.Y).vector
    return bool(on_batch.any()) and _same(check.gradient.vector[on_batch], of_bug[on_batch])


def _array_sentences(check: Check, network: Network, objective: Objective) -> Iterator[str]:
    """Yield one sentence for all arrays that show the same bug."""
    last = last_example(network, objective.X, objective.Y).named_arrays()
    failed = check.verdict.like(check.verdict.vector == Verdict.FAILED)
    arrays: dict[str, list[str]] = {}
    for named in side_by_side(check.gradient, check.numerical, network.parameter_vector, failed, check.nonzero):
        found = _Found(*named)
        if found.failed.any():
            for sentence in _array_bugs(found, len(objective.X), network.sizes[-1], last[found.name], objective.l2):
                arrays.setdefault(sentence, []).append(found.name)
    for sentence, names in arrays.items():
        yield sentence.replace("ALL", "all derivatives" if len(names) == len(last) else f"all of {_listed(names)}")


def _array_bugs(found: _Found, examples: int, outputs: int, last: Array, λ: float) -> Iterator[str]:
    """Yield the bugs that one array shows. ALL is a placeholder for the names of the arrays that show the same bug."""
    here, failed = found.here, found.failed & found.here
    g, n = found.g[here], found.n[here]
    if not failed.any():
        yield f"{np.count_nonzero(found.failed):,} entries of {found.name}, 0 here, are wrong on a dense mini-batch"
    elif (ratio := _common_ratio(g, n)) is not None:
        yield f"ALL are {_ratio_in_words(ratio, examples, outputs)}"
    elif _same(g, last[here]):
        yield "ALL are those of the last example alone"
    elif np.count_nonzero(failed) <= FEW:
        for index in zip(*np.nonzero(failed), strict=True):
            words = _entry_in_words(found.g[index], found.n[index], examples, outputs)
            yield f"{lesson_name(found.name, index)} is {words}"
    elif found.g.shape == found.n.T.shape and _same(found.g, found.n.T):
        yield f"{found.name} is transposed"
    elif (strength := _common_ratio(g - n, found.w[here])) is not None:
        if λ and found.g.ndim == 2:
            yield f"the L2 term of ALL is off by {strength:.3g} times the parameter; λ is {λ:.3g}"
        else:
            yield f"ALL have an L2 term, {strength:.3g} times the parameter, that the cost does not have"
    elif found.g.ndim == 2 and (columns := _swapped_columns(found)):
        yield f"the columns of inputs {columns[0]} and {columns[1]} of {found.name} are swapped"
    else:
        yield f"{np.count_nonzero(failed):,} of the {g.size:,} entries of {found.name} are wrong, by different ratios"


def _common_ratio(a: Array, b: Array) -> float | None:
    """Return c if a = c b, else None."""
    if not np.any(b):
        return None
    c = float(a.ravel() @ b.ravel() / (b.ravel() @ b.ravel()))
    return c if _same(a, c * b) else None


def _same(a: Array, b: Array) -> bool:
    """Return True if two arrays agree up to the rounding errors of their largest entries."""
    slack = AGREE * np.maximum(np.abs(a), np.abs(b)) + 1e-13 * np.abs(b).max(initial=0)
    return bool((np.abs(a - b) <= slack).all())


def _swapped_columns(found: _Found) -> tuple[int, int] | None:
    columns = np.flatnonzero((found.failed & found.here).any(axis=0)).tolist()
    if len(columns) == 2 and _same(found.g[:, columns], found.n[:, columns[::-1]]):
        return columns[0], columns[1]
    return None


def _entry_in_words(g: float, n: float, examples: int, outputs: int) -> str:
    return f"0 instead of {n:.3g}" if g == 0 else _ratio_in_words(g / n, examples, outputs)


def _ratio_in_words(ratio: float, examples: int, outputs: int) -> str:
    """Return a description of the error if a derivative is ``ratio`` times the right value, with possible causes."""
    causes = (
        (1 / 2, "the factor 2 of the square dropped?"),
        (2, "a factor 2 counted twice?"),
        (1 / outputs, f"averaged over the {outputs} outputs?"),
        (outputs, f"not averaged over the {outputs} outputs?"),
        (1 / examples, f"divided by the {examples} examples twice?"),
        (examples, f"not divided by the {examples} examples?"),
    )
    why = " or ".join(cause for known, cause in causes if known != 1 and abs(ratio - known) <= AGREE * known)
    magnitude = abs(ratio)
    if magnitude == 0:
        return "0"
    words = ["of the wrong sign"] if ratio < 0 else []
    if abs(magnitude - 1) > AGREE:
        words.append(f"{magnitude:.5g} times too large" if magnitude > 1 else f"{1 / magnitude:.5g} times too small")
    return " and ".join(words) + (f": {why}" if why else "")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
