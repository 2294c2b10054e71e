"""Factors by which a whole gradient can be wrong, alone or combined, and their words."""

from itertools import product
from math import inf, isfinite, prod
from typing import NamedTuple

import numpy as np

from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import Layers

__all__ = ["AGREE", "Factor", "combinations", "complexity", "known_factors", "ratio_in_words"]

AGREE = 1e-6
"""Largest relative difference at which two ratios count as equal."""


class Factor(NamedTuple):
    """A factor and its cause."""

    value: float
    cause: str


def known_factors(network: Layers, examples: int) -> list[list[Factor]]:
    """Return groups of factors. A combination has at most one factor of each group."""
    outputs = network.sizes[-1]
    squares = [
        Factor(1 / 2, "the factor 2 of the square dropped"),
        Factor(2, "a factor 2 counted twice"),
    ]
    means = [
        Factor(examples, f"not divided by the {examples} examples"),
        Factor(1 / examples, f"divided by the {examples} examples twice"),
    ]
    groups = (
        squares if _has_a_square(network) else [],
        means if examples > 1 else [],
        [Factor(1 / outputs, f"averaged over the {outputs} outputs")] if outputs > 1 else [],
    )
    return [group for group in groups if group]


def _has_a_square(network: Layers) -> bool:
    """Return True if ∂C_0/∂a is 2 (a − y)."""
    dC_dA = COSTS[network.cost].dC_dA
    return dC_dA is not None and bool(dC_dA(np.array([[0.75]]), np.array([[0.25]])) == 1)


def combinations(ratio: float, network: Layers, examples: int) -> list[list[Factor]]:
    """Return all combinations of known factors whose product is ±ratio, those with the fewest factors first."""
    groups = ([None, *group] for group in known_factors(network, examples))
    combined = ([factor for factor in chosen if factor is not None] for chosen in product(*groups))
    fitting = [
        factors for factors in combined if factors and _agree(abs(ratio), prod(factor.value for factor in factors))
    ]
    return sorted(fitting, key=len)


def complexity(ratio: float, network: Layers, examples: int) -> float:
    """Return the number of causes that explain a ratio, a wrong sign among them: 0 for 1, ∞ if nothing does."""
    sign = 1 if ratio < 0 else 0
    if _agree(abs(ratio), 1):
        return sign
    return sign + min((len(factors) for factors in combinations(ratio, network, examples)), default=inf)


def _agree(ratio: float, known: float) -> bool:
    return abs(ratio - known) <= AGREE * known


def ratio_in_words(ratio: float, network: Layers, examples: int) -> str:
    """Return a description of derivatives that are ``ratio`` times the right value, with possible causes.

    It is empty if the ratio is 1.
    """
    magnitude = abs(ratio)
    if magnitude == 0 or not isfinite(1 / magnitude):
        return "0"
    sign = "of the wrong sign" if ratio < 0 else ""
    if _agree(magnitude, 1):
        return sign
    times = max(magnitude, 1 / magnitude)
    number = f"{times:.5g}" if times >= 1.00005 else f"{times:.10g}"
    size = f"{number} times too {'large' if magnitude > 1 else 'small'}"
    found = combinations(ratio, network, examples)
    why = ", or ".join(" and ".join(factor.cause for factor in factors) for factors in found)
    return " and ".join(filter(None, (sign, size))) + (f": {why}?" if why else "")
