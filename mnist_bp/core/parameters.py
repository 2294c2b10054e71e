"""All numbers of a network in one flat vector, seen layer by layer.

The parameters are such a vector, and so is the gradient, in the same order: an update, a check, a checkpoint or an
average over machines is then one operation on one array.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from mnist_bp.core.activations import Array

__all__ = ["ParameterVector", "array_shapes", "lesson_name", "side_by_side", "vector_length"]


def vector_length(sizes: Sequence[int]) -> int:
    """How many weights and biases a network of these layers has: 13,002 for 784-16-16-10."""
    return sum((sizes[l - 1] + 1) * sizes[l] for l in range(1, len(sizes)))


def array_shapes(sizes: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The arrays of a network of these layers by the names that files and tables give them, W1, b1, …, WL, bL."""
    shapes: dict[str, tuple[int, ...]] = {}
    for l in range(1, len(sizes)):
        shapes |= {f"W{l}": (sizes[l], sizes[l - 1]), f"b{l}": (sizes[l],)}
    return shapes


def lesson_name(array: str, index: Sequence[int]) -> str:
    """An entry of an array in the lesson's notation: W1 at (3, 45) is w_{3,45}^(1)."""
    return f"{array[0].lower()}_{{{','.join(map(str, index))}}}^({array[1:]})"


class ParameterVector:
    """A flat vector and the weights and biases that lie in it, as views.

    Attributes
    ----------
    sizes
        Neurons of each layer, the input first: (n_0, …, n_L).
    vector
        All numbers, shape (Σ (n_{l−1} + 1) n_l,).
    weights
        ``weights[i]`` is W of layer l = i + 1, shape (n_l, n_{l−1}); ``weights[i][j, k]`` is w_jk: *to* j *from* k.
    biases
        ``biases[i]`` is b of layer l = i + 1, shape (n_l,).
    W, b
        The same arrays by the lesson's layer number: ``W[l]`` and ``b[l]`` for l from 1 to L.
    blocks
        ``blocks[i]`` is both, as they lie in memory: shape (n_{l−1} + 1, n_l), W transposed (which makes ``A @ W.T``
        read memory in order), and b as its last row: the weights *from* a neuron that is always 1.
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
        """Room for a network's numbers, not yet set."""
        return cls(sizes, np.empty(vector_length(sizes), dtype))

    @classmethod
    def zeros(cls, sizes: Sequence[int], dtype: DTypeLike) -> "ParameterVector":
        """A network's numbers, all of them 0 (or False)."""
        return cls(sizes, np.zeros(vector_length(sizes), dtype))

    def like(self, vector: Array) -> "ParameterVector":
        """Another vector of the same layers."""
        return ParameterVector(self.sizes, vector)

    def named_arrays(self) -> dict[str, Array]:
        """The weights and biases by name, see ``array_shapes``: views."""
        return {f"{name}{l}": arrays[l] for l in self.W for name, arrays in (("W", self.W), ("b", self.b))}


def side_by_side(*vectors: ParameterVector) -> Iterator[tuple[Any, ...]]:
    """The arrays of several vectors of the same layers: of each its name, then what each vector has there."""
    arrays = [vector.named_arrays() for vector in vectors]
    for name in arrays[0]:
        yield name, *(named[name] for named in arrays)
