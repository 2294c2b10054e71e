"""Separation of strokes from what is fainter: ruled lines, shadows and the texture of paper.

The scans that MNIST was made from were bilevel: each pixel was ink or paper. The grey levels of MNIST come from scaling
alone, so they lie within half a pixel of the box of 20 × 20 from the edge of a stroke. Fainter pixels farther away
belong to something else.
"""

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array

__all__ = ["BINS", "EDGE", "near_strokes"]

BINS = 64
"""Number of levels of ink between which a threshold may lie."""

EDGE = 1 / 40
"""Width of a stroke's grey edge, as a fraction of the longer side of the strokes: half of 1/20. At least a pixel."""


def near_strokes(ink: Array) -> NDArray[np.bool_]:
    """Return which pixels are strokes or within their grey edges, for an amount of ink up to 1, (rows, columns)."""
    is_stroke = ink > _otsu_threshold(ink)
    rows, columns = (np.flatnonzero(is_stroke.any(axis=axis)) for axis in (1, 0))
    longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    distance = max(1, int(longer * EDGE + 0.5))
    return _near_in_columns(_near_in_columns(is_stroke, distance).T, distance).T


def _otsu_threshold(ink: Array) -> float:
    """Return the threshold with the largest variance between the means below and above it. Below 0 counts as 0.

    N. Otsu, "A threshold selection method from gray-level histograms", 1979.
    """
    level = np.clip(np.floor(ink * BINS), 0, BINS - 1).astype(np.intp)
    count = np.bincount(level.ravel(), minlength=BINS).astype(np.float64)
    below, mass = np.cumsum(count), np.cumsum(count * np.arange(BINS))
    above = below[-1] - below
    between = (mass[-1] * below / below[-1] - mass) ** 2 / np.maximum(below * above, 1)
    return float((np.argmax(between) + 1) / BINS)


def _near_in_columns(is_stroke: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Return which pixels have a stroke at most ``distance`` pixels above or below them."""
    total = np.cumsum(np.pad(is_stroke.astype(np.intp), ((distance + 1, distance), (0, 0))), axis=0)
    near: NDArray[np.bool_] = total[2 * distance + 1 :] > total[: -2 * distance - 1]
    return near
