"""Connected components of the ink of a picture: pieces of ink whose pixels touch each other, also at corners."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array

__all__ = ["Components", "connected_components"]


class Components(NamedTuple):
    """Connected components, numbered from 0 in the order of their first pixels, row by row.

    Attributes
    ----------
    labels
        Number of the component of each pixel, (rows, columns); −1 for paper.
    sizes
        Number of pixels of each component.
    boxes
        First row, last row, first column and last column of each component, (components, 4).
    """

    labels: NDArray[np.intp]
    sizes: NDArray[np.intp]
    boxes: NDArray[np.intp]

    @property
    def touch_edge(self) -> NDArray[np.bool_]:
        """Flag of each component: True if it touches an edge of the picture."""
        rows, columns = self.labels.shape
        return np.any(self.boxes == (0, rows - 1, 0, columns - 1), axis=1)


def connected_components(ink: Array) -> Components:
    """Return the connected components of the pixels that are not 0.

    Runs of ink in a row are the nodes of a graph, and runs of neighbouring rows that touch are its edges. The smallest
    number of a node spreads along the edges, and through the numbers themselves, so few passes reach every node.
    """
    rows, columns = ink.shape
    step = np.diff((ink != 0).astype(np.int8), axis=1, prepend=0, append=0)
    (row, first), (_, end) = np.nonzero(step == 1), np.nonzero(step == -1)
    width = columns + 2  # a run in the last column does not touch the first run of the next row but one
    starts, ends = row * width + first, row * width + end
    low = np.searchsorted(ends, starts + width)
    neighbours = np.maximum(np.searchsorted(starts, ends + width, side="right") - low, 0)
    one = np.repeat(np.arange(len(row)), neighbours)
    other = np.arange(len(one)) + np.repeat(low - (np.cumsum(neighbours) - neighbours), neighbours)
    number = _smallest(np.arange(len(row)), one, other)
    _, number = np.unique(number, return_inverse=True)
    count = int(number.max(initial=-1)) + 1
    boxes = np.tile((rows, -1, columns, -1), (count, 1))
    for axis, (reduce, values) in enumerate(
        ((np.minimum, row), (np.maximum, row), (np.minimum, first), (np.maximum, end - 1))
    ):
        reduce.at(boxes[:, axis], number, values)
    labels = np.full(ink.shape, -1)
    labels[ink != 0] = np.repeat(number, end - first)
    return Components(labels, np.bincount(number, end - first, count).astype(np.intp), boxes)


def _smallest(number: NDArray[np.intp], one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each node the smallest number of a node that is connected with it."""
    while not np.array_equal(number[one], number[other]):
        least = np.minimum(number[one], number[other])
        for nodes in (number[one], number[other]):
            np.minimum.at(number, nodes, least)
        number = number[number]
    return number
