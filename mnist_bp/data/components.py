"""Connected components of ink, to separate a digit from specks, frames and neighbours."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array

__all__ = ["Component", "components", "digit_components", "only"]

SMALLEST = 0.08
"""Area of the smallest component that belongs to a digit, as a fraction of the largest one's."""

FRAME_WIDTH = 1 / 12
"""Largest distance of a frame's pixels from the edge of its box, as a fraction of the box's side."""

FRAME_PIXELS = 0.9
"""Smallest fraction of a frame's pixels that lie that close to the edge."""


class Component(NamedTuple):
    """Pixels that touch each other, also at corners: runs along rows, (n, 3) each row, first column, end column."""

    runs: NDArray[np.int64]

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int((self.runs[:, 2] - self.runs[:, 1]).sum())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """First row, end row, first column, end column."""
        rows, starts, ends = self.runs.T
        return int(rows.min()), int(rows.max()) + 1, int(starts.min()), int(ends.max())

    def touches_edge(self, shape: tuple[int, ...]) -> bool:
        """Return True if a pixel lies on the border of a picture of this shape."""
        top, bottom, left, right = self.box
        return top == 0 or left == 0 or bottom == shape[0] or right == shape[1]

    def surrounds(self, other: "Component") -> bool:
        """Return True if the other component's box lies within this one's."""
        (top, bottom, left, right), (low, high, start, end) = self.box, other.box
        return other is not self and top <= low and high <= bottom and left <= start and end <= right

    @property
    def is_frame(self) -> bool:
        """True if almost all pixels lie along the edges of the box."""
        top, bottom, left, right = self.box
        margin = [max(1, int(size * FRAME_WIDTH)) for size in (bottom - top, right - left)]
        rows, starts, ends = self.runs.T
        inside = np.minimum(ends, right - margin[1]) - np.maximum(starts, left + margin[1])
        is_middle = (rows >= top + margin[0]) & (rows < bottom - margin[0])
        return inside[is_middle & (inside > 0)].sum() <= (1 - FRAME_PIXELS) * self.area


def components(mask: NDArray[np.bool_]) -> list[Component]:
    """Return the connected components of a mask, (rows, columns), the largest first."""
    runs = _runs(mask)
    parents = list(range(len(runs)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    rows, starts, ends = runs.T
    first_of_row = np.searchsorted(rows, np.arange(len(mask) + 1))
    for row in range(1, len(mask)):
        above, above_end, end = first_of_row[row - 1], first_of_row[row], first_of_row[row + 1]
        for i in range(above_end, end):
            while above < above_end and ends[above] < starts[i]:
                above += 1
            j = above
            while j < above_end and starts[j] <= ends[i]:
                parents[root(i)] = root(j)
                j += 1
    roots = np.array([root(i) for i in range(len(runs))], int)
    parts = [Component(runs[roots == each]) for each in np.unique(roots)]
    return sorted(parts, key=lambda part: -part.area)


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the runs of True along rows, (n, 3): row, first column, end column."""
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    return np.stack([rows, starts, np.nonzero(steps == -1)[1]], axis=1)


def digit_components(mask: NDArray[np.bool_]) -> list[Component]:
    """Return the components of a picture's digit, the largest first.

    Frames around another component are left out, then specks, then components at the edge of the picture, unless the
    largest one touches it, too.
    """
    parts = components(mask)
    large = [part for part in parts if part.area >= SMALLEST * parts[0].area]
    parts = [part for part in parts if not (part.is_frame and any(map(part.surrounds, large)))]
    parts = [part for part in parts if part.area >= SMALLEST * parts[0].area]
    if parts[0].touches_edge(mask.shape):
        return parts
    return [part for part in parts if not part.touches_edge(mask.shape)]


def only(ink: Array, parts: list[Component]) -> Array:
    """Return the ink of these components alone."""
    kept = np.zeros_like(ink)
    for part in parts:
        for row, start, end in part.runs:
            kept[row, start:end] = ink[row, start:end]
    return kept
