"""The loader: shuffle, then cut into mini-batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array

__all__ = ["mini_batches", "shuffled"]


def shuffled(examples: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of the examples in one epoch: a permutation of 0 … examples − 1, drawn from seed and epoch number.

    Nothing about the order needs storing: the fifth epoch is the same whether or not the first four came before it.
    """
    return np.random.default_rng([seed, epoch]).permutation(examples)


def mini_batches(
    inputs: Array, labels: NDArray[np.uint8], batch_size: int, *, seed: int, epoch: int
) -> Iterator[tuple[Array, NDArray[np.uint8]]]:
    """Every example once, in mini-batches of ``batch_size`` drawn afresh for each epoch.

    Parameters
    ----------
    inputs, labels
        (examples, n_0) and (examples,).
    batch_size
        Examples in a mini-batch. The last one is short where they do not divide evenly; a batch size of all examples
        yields the arrays themselves (true gradient descent: no order to draw, nothing to copy).
    seed, epoch
        See ``shuffled``.

    Yields
    ------
    inputs, labels
        Of the same examples, (≤ batch_size, n_0) and (≤ batch_size,).
    """
    if batch_size >= len(inputs):
        yield inputs, labels
        return
    order = shuffled(len(inputs), seed=seed, epoch=epoch)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield inputs.take(rows, axis=0), labels.take(rows)
