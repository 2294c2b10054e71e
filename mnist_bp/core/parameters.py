"""Flat vector of all parameters of a network, with views of each layer's weights and biases.

The gradient is a vector with the same layout. An update, a gradient check, a checkpoint or an average over machines is
therefore one operation on one array.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from mnist_bp.core.activations import Array

__all__ = ["ParameterVector", "array_shapes", "lesson_name", "side_by_side", "vector_length"]


def vector_length(sizes: Sequence[int]) -> int:
    """Return the number of weights and biases of a network with these layers: 13,002 for 784-16-16-10."""
    return sum((sizes[l - 1] + 1) * sizes[l] for l in range(1, len(sizes)))


def array_shapes(sizes: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a network's arrays by their names in files and tables: W1, b1, …, WL, bL."""
    shapes: dict[str, tuple[int, ...]] = {}
    for l in range(1, len(sizes)):
        shapes |= {f"W{l}": (sizes[l], sizes[l - 1]), f"b{l}": (sizes[l],)}
    return shapes


def lesson_name(array: str, index: Sequence[int]) -> str:
    """Return the lesson's notation for an entry of an array: W1 at (3, 45) is w_{3,45}^(1)."""
    return f"{array[0].lower()}_{{{','.join(map(str, index))}}}^({array[1:]})"


class ParameterVector:
    """A flat vector and views of the weights and biases in it.

    Attributes
    ----------
    sizes
        Number of neurons of each layer, input first: (n_0, …, n_L).
    vector
        All weights and biases, shape (Σ (n_{l−1} + 1) n_l,).
    weights
        ``weights[i]`` is W of layer l = i + 1, shape (n_l, n_{l−1}); ``weights[i][j, k]`` is w_jk, *to* j *from* k.
    biases
        ``biases[i]`` is b of layer l = i + 1, shape (n_l,).
    W, b
        Weights and biases by the lesson's layer number: ``W[l]`` and ``b[l]`` for l from 1 to L.
    blocks
        Weights and biases of each layer as they are stored. ``blocks[i]`` has shape (n_{l−1} + 1, n_l): W transposed,
        so that ``A @ W.T`` reads memory in order, and b as its last row, the weights *from* a neuron that is always 1.
    """

    def __init__(self, sizes: Sequence[int], vector: Array) -> None:
        self.sizes = tuple(sizes)
        self.vector = vector
        self.blocks: list[Array] = []
        start = 0
        for l in range(1, len(self.sizes)):
            rows, columns = self.sizes[l - 1] + 1, self.sizes[l]
            stop = start + rows * columns
            self.blocks.append(vector[start:stop].reshape(rows, columns))
            start = stop
        self.weights = [block[:-1].T for block in self.blocks]
        self.biases = [block[-1] for block in self.blocks]
        self.W, self.b = dict(enumerate(self.weights, 1)), dict(enumerate(self.biases, 1))

    @classmethod
    def empty(cls, sizes: Sequence[int], dtype: DTypeLike) -> "ParameterVector":
        """Return an uninitialized vector for a network with these layers."""
        return cls(sizes, np.empty(vector_length(sizes), dtype))

    @classmethod
    def zeros(cls, sizes: Sequence[int], dtype: DTypeLike) -> "ParameterVector":
        """Return a vector of zeros (or False) for a network with these layers."""
        return cls(sizes, np.zeros(vector_length(sizes), dtype))

    def like(self, vector: Array) -> "ParameterVector":
        """Return another vector with the same layers."""
        return ParameterVector(self.sizes, vector)

    def named_arrays(self) -> dict[str, Array]:
        """Return views of the weights and biases by name, see ``array_shapes``."""
        return {f"{name}{l}": arrays[l] for l in self.W for name, arrays in (("W", self.W), ("b", self.b))}


def side_by_side(*vectors: ParameterVector) -> Iterator[tuple[Any, ...]]:
    """Yield (name, array of each vector) for every array of several vectors with the same layers."""
    arrays = [vector.named_arrays() for vector in vectors]
    for name in arrays[0]:
        yield name, *(named[name] for named in arrays)
