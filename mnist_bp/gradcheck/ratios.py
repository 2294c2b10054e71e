"""Diagnosis of a failed check against the user's cost: nothing is known about the network but the two gradients."""

import numpy as np

from mnist_bp.core.activations import Array
from mnist_bp.core.parameters import side_by_side
from mnist_bp.gradcheck.result import Check, Verdict, is_decided

__all__ = ["common_ratios"]

AGREE = 1e-6
"""Largest relative difference of ratios that count as equal."""


def common_ratios(check: Check) -> list[str]:
    """Return a sentence for each array with wrong entries: their ratio to the derivatives, or their number.

    A ratio that all arrays have in common is one sentence.
    """
    arrays = {
        name: (_ratio(g, n, verdict), int(np.count_nonzero(verdict == Verdict.FAILED)), g.size)
        for name, g, n, verdict in side_by_side(check.gradient, check.numerical, check.verdict)
    }
    ratios = [ratio for ratio, _, _ in arrays.values()]
    if ratios[0] is not None and all(ratio is not None and _same(ratio, ratios[0]) for ratio in ratios):
        return [f"all derivatives are {ratios[0]:.6g} times those of the cost"]
    return [
        f"all of {name} are {ratio:.6g} times the derivatives of the cost"
        if ratio is not None
        else f"{failed:,} of the {size:,} entries of {name} are wrong, by different ratios"
        for name, (ratio, failed, size) in arrays.items()
        if failed
    ]


def _ratio(g: Array, n: Array, verdict: Array) -> float | None:
    """Return the ratio g / n that all entries that count have in common, or None."""
    counts = is_decided(verdict)
    if not counts.any() or not n[counts].all():
        return None
    ratios = g[counts] / n[counts]
    middle = float(np.median(ratios))
    return middle if all(_same(float(ratio), middle) for ratio in (ratios.min(), ratios.max())) else None


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= AGREE * max(abs(a), abs(b))
