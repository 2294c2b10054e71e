"""Inputs of one epoch: its mini-batches, optionally augmented, and the masks of dropout.

Both depend only on the seed and the epoch, so that a resumed training continues bit for bit.
"""

from collections.abc import Callable, Generator
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Masks
from mnist_bp.core.regularization import draw_masks
from mnist_bp.data.augment import augmented
from mnist_bp.data.batches import mini_batches
from mnist_bp.data.choices import AUGMENTATIONS
from mnist_bp.data.prefetch import prefetch
from mnist_bp.network import Network
from mnist_bp.training.settings import Settings

__all__ = ["LabelledImages", "batches_of_epoch", "mask_source"]

DROPOUT, AUGMENTATION = 1, 2
"""Numbers of an epoch's random streams, in addition to that of its order: see ``batches.shuffled``."""


class LabelledImages(NamedTuple):
    """Images (n, n_0), as grey levels or as network inputs (see ``normalize``), and their labels (n,)."""

    images: Array
    labels: NDArray[np.uint8]


def batches_of_epoch(
    training: LabelledImages,
    batch_size: int,
    settings: Settings,
    epoch: int,
    *,
    dtype: DTypeLike,
    image_shape: tuple[int, int] | None,
) -> Generator[tuple[Array, NDArray[np.uint8]]]:
    """Yield the mini-batches of an epoch, counted from 1: images (n, n_0) and labels (n,).

    ``image_shape`` is (rows, columns), which augmentation requires.
    """
    batches = mini_batches(*training, batch_size, seed=settings.seed, epoch=epoch)
    augmentation = AUGMENTATIONS[settings.augment]
    if augmentation is None:
        yield from batches
        return
    assert image_shape is not None
    yield from prefetch(
        augmented(
            batches,
            augmentation,
            image_shape,
            rng=_rng(settings.seed, epoch, AUGMENTATION),
            strength=settings.augment_strength,
            dtype=dtype,
        )
    )


def mask_source(network: Network, settings: Settings, epoch: int) -> Callable[[int], Masks] | None:
    """Return a function that draws the dropout masks of n examples, or None without dropout."""
    rate, input_rate = settings.dropout, settings.input_dropout
    if not (rate or input_rate):
        return None
    rng = _rng(settings.seed, epoch, DROPOUT)
    return lambda n: draw_masks(network.sizes, n, rate=rate, input_rate=input_rate, rng=rng, dtype=network.dtype)


def _rng(seed: int, epoch: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch, stream])
