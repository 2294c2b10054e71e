"""Diagnosis of a failed gradient check: what kind of bug its numbers show.

First, each known bug is planted in the network, and its gradient is compared with the user's, entry by entry and up to
a factor that all entries have in common. If none fits, the entries of each array are compared with the right ones.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mnist_bp.core.objective import Objective
from mnist_bp.core.parameters import ParameterVector, lesson_name, side_by_side
from mnist_bp.gradcheck.factors import complexity, ratio_in_words
from mnist_bp.gradcheck.known_bugs import pairs_of_bugs, single_bugs
from mnist_bp.gradcheck.patterns import find_pattern
from mnist_bp.gradcheck.precision import DOUBLE, SINGLE, Precision, ratio, same
from mnist_bp.gradcheck.result import Check, Verdict
from mnist_bp.gradcheck.variants import CORRECT, Candidate, Evidence, Search
from mnist_bp.network import Network

__all__ = ["Entry", "diagnose", "worst_entries"]


INPUTS_ARE_WRONG = "∂C/∂a^(0), by the inputs, is wrong, and no ∂C/∂w or ∂C/∂b: check the last step back, to layer 0"
"""Diagnosis if only derivatives by inputs failed."""


class Entry(NamedTuple):
    """A derivative, with its name in the lesson's notation and both of its values."""

    name: str
    backprop: float
    numerical: float
    relative_error: float


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
    if check.outcome != "failed":
        return []
    if not check.has_failed_parameters:
        return [f"{INPUTS_ARE_WRONG} ({check.failed_inputs} of the sample)"]
    patterns = [find_pattern(check, network, objective, precision) for precision in (DOUBLE, SINGLE)]
    best = min(patterns, key=lambda pattern: (not pattern.is_one_factor, pattern.unexplained))
    if not best.sentences:
        return [f"the gradient agrees to {check.agreement:.1e} only: computed in float32?"]
    evidence = Evidence(network, objective.X, objective.Y, check.gradient, check.here)
    is_plain = not objective.l2 and not objective.masks  # known bugs are planted in the plain cost
    if is_plain and not best.is_one_factor and (sentence := _explanation(single_bugs, evidence)):
        return [sentence]
    if is_plain and best.unexplained and (sentence := _explanation(pairs_of_bugs, evidence)):
        return [sentence]
    return best.sentences


def _explanation(search: Search, evidence: Evidence) -> str | None:
    """Return the sentences of candidates that equal the user's gradient, in double or else in single precision."""
    return _fitting(search(evidence), evidence, DOUBLE) or _fitting(search(evidence), evidence, SINGLE)


def _fitting(candidates: Iterator[Candidate], evidence: Evidence, precision: Precision) -> str | None:
    """Return the sentences of candidates that equal the user's gradient up to a factor.

    A factor that has a known cause is better evidence than one that has none.
    """
    here, examples = evidence.here, len(evidence.X)
    with np.errstate(all="ignore"):  # a bug may overflow, or divide by 0
        right = CORRECT(evidence.network, evidence.X, evidence.Y)
        compared: set[bytes] = set()
        fits: list[tuple[float, str]] = []
        for sentence, gradient, network in candidates:
            numbers = gradient.vector.tobytes()
            if numbers in compared or _all_same(gradient, right, evidence, precision, right):
                continue  # another bug changes the same here, or this one changes nothing
            compared.add(numbers)
            factor = ratio(evidence.gradient.vector[here.vector], gradient.vector[here.vector])
            planted = right.like(factor * gradient.vector)
            if factor and _all_same(evidence.gradient, planted, evidence, precision, right.like(factor * right.vector)):
                words = ratio_in_words(factor, network, examples)
                besides = f"; besides, all derivatives are {words}" if words else ""
                fits.append((complexity(factor, network, examples), sentence + besides))
    explained = [fit for fit in fits if np.isfinite(fit[0])] or fits
    sentences = dict.fromkeys(sentence for _, sentence in sorted(explained, key=lambda fit: fit[0]))
    return "; or: ".join(sentences) or None


def _all_same(
    a: ParameterVector, b: ParameterVector, evidence: Evidence, precision: Precision, right: ParameterVector
) -> bool:
    """Return True if all entries on the mini-batch agree, up to rounding errors of the right derivatives."""
    return all(
        same(one[here], other[here], precision, float(np.abs(correct).max())).all()
        for _, one, other, correct, here in side_by_side(a, b, right, evidence.here)
    )
