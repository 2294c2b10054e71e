"""Comparison of two arrays up to the precision in which they were computed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array

__all__ = ["DOUBLE", "SINGLE", "Precision", "common_ratio", "ratio", "same"]


class Precision(NamedTuple):
    """Largest difference of two values that count as equal, relative to them and to the largest one of their array."""

    relative: float
    floor: float


DOUBLE, SINGLE = Precision(1e-6, 1e-13), Precision(1e-5, 3e-6)
"""Precision of gradients that were computed in float64 and in float32."""


def same(a: Array, b: Array, precision: Precision, scale: float = 0.0) -> NDArray[np.bool_]:
    """Return True for the entries that agree, up to rounding errors of the largest one, or of ``scale``."""
    largest = max(scale, float(np.abs(b).max(initial=0)))
    return np.abs(a - b) <= precision.relative * np.maximum(np.abs(a), np.abs(b)) + precision.floor * largest


def ratio(a: Array, b: Array) -> float:
    """Return the c for which c b is closest to a, and 0 if b is 0 or not finite."""
    largest = float(np.abs(b).max(initial=0))
    if not 0 < largest < np.inf:
        return 0.0
    unit = b.ravel() / largest
    return float(a.ravel() @ unit) / float(unit @ unit) / largest


def common_ratio(a: Array, b: Array, precision: Precision) -> float | None:
    """Return c if a = c b, else None."""
    c = ratio(a, b)
    return c if b.any() and same(a, c * b, precision).all() else None
