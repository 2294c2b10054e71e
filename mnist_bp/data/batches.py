"""The loader: shuffle, then cut into mini-batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array

__all__ = ["mini_batches", "normalize", "shuffled"]

WHITE = 255
"""The brightest grey level of an image."""


def normalize(images: Array, dtype: DTypeLike, *, out: Array | None = None) -> Array:
    """What the network sees of images, (n, pixels): grey levels, uint8, from 0 to 1; other numbers as they are.

    Images stay as they are stored until the moment they are looked at: a quarter of the memory has then to be read to
    gather a mini-batch from all over the training set, which saves more time than this multiplication takes. ``out``,
    with room for n rows or more, takes the result.
    """
    if images.dtype != np.uint8:
        return images.astype(dtype, copy=False)
    inputs = np.empty(images.shape, dtype) if out is None else out[: len(images)]
    np.copyto(inputs, images)
    inputs *= 1 / WHITE  # twice as fast as dividing, and white is 1 exactly
    return inputs


def shuffled(examples: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of the examples in one epoch: a permutation of 0 … examples − 1, drawn from seed and epoch number.

    Nothing about the order needs storing: the fifth epoch is the same whether or not the first four came before it.
    """
    return np.random.default_rng([seed, epoch]).permutation(examples)


def mini_batches(
    images: Array, labels: NDArray[np.uint8], batch_size: int, *, seed: int, epoch: int
) -> Iterator[tuple[Array, NDArray[np.uint8]]]:
    """Every example once, in mini-batches of ``batch_size`` drawn afresh for each epoch.

    Parameters
    ----------
    images, labels
        (examples, pixels) and (examples,).
    batch_size
        Examples in a mini-batch. The last one is short where they do not divide evenly; a batch size of all examples
        yields the arrays themselves (true gradient descent: no order to draw, nothing to copy).
    seed, epoch
        See ``shuffled``.

    Yields
    ------
    images, labels
        Of the same examples, (≤ batch_size, pixels) and (≤ batch_size,).
    """
    if batch_size >= len(images):
        yield images, labels
        return
    order = shuffled(len(images), seed=seed, epoch=epoch)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield images.take(rows, axis=0), labels.take(rows)
