"""Inputs of one epoch: its mini-batches, optionally augmented, and the masks of dropout.

The order of the examples depends only on the seed and the epoch; dropout and augmentation depend only on the seed, the
epoch and the mini-batch. A resumed training therefore continues bit for bit, and any mini-batch, or any examples of a
mini-batch, can be made without the others.
"""

from collections.abc import Callable, Generator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Masks
from mnist_bp.core.regularization import draw_masks
from mnist_bp.data.augment import Augmentation
from mnist_bp.data.batches import batch_rows, gather
from mnist_bp.data.choices import AUGMENTATIONS
from mnist_bp.data.prefetch import prefetch
from mnist_bp.training.settings import Settings
from mnist_bp.training.streams import AUGMENTATION, DROPOUT, EpochStream

__all__ = ["ALL", "EpochInputs", "LabelledImages", "MiniBatch"]

ALL = slice(None)
"""All examples of a mini-batch."""


class LabelledImages(NamedTuple):
    """Images (n, n_0), as grey levels or as network inputs (see ``normalize``), and their labels (n,)."""

    images: Array
    labels: NDArray[np.uint8]


class MiniBatch(NamedTuple):
    """Examples of a mini-batch: images (n, n_0), as grey levels or as network inputs, labels (n,), and dropout.

    ``draw_masks(rows, out)`` draws the masks of some of these examples, consecutive ones, so that a large mini-batch
    does not need them all at once; ``out`` is as in ``regularization.draw_masks``. It is None without dropout. ``size``
    is the number of examples of the whole mini-batch, of which these may be a part.
    """

    images: Array
    labels: NDArray[np.uint8]
    draw_masks: Callable[[slice, Masks | None], Masks] | None
    size: int


class EpochInputs:
    """Mini-batches of one epoch, in order (``for``) or one by one (``mini_batch``).

    Parameters
    ----------
    training, batch_size
        Training set, and number of examples in a mini-batch: see ``mini_batches``.
    settings, epoch
        Settings of the training, and number of the epoch, from 1.
    sizes, dtype
        Number of neurons of each layer of the network, input first, and its type.
    image_shape
        (rows, columns) of an image, which augmentation requires.
    share
        Function (size of a mini-batch) ↦ examples of it to yield, consecutive ones.
    """

    def __init__(
        self,
        training: LabelledImages,
        batch_size: int,
        settings: Settings,
        epoch: int,
        *,
        sizes: Sequence[int],
        dtype: DTypeLike,
        image_shape: tuple[int, int] | None = None,
        share: Callable[[int], slice] = lambda _: ALL,
    ) -> None:
        self._training, self._settings, self._epoch = training, settings, epoch
        self._sizes, self._dtype, self._share = sizes, dtype, share
        self._rows = batch_rows(len(training.labels), batch_size, seed=settings.seed, epoch=epoch)
        self._augment: Augmentation | None = None
        if (entry := AUGMENTATIONS[settings.augment]) is not None:
            assert image_shape is not None
            self._augment = entry(image_shape, settings.augment_strength, dtype)

    def __len__(self) -> int:
        """Return the number of mini-batches."""
        return len(self._rows)

    def __iter__(self) -> Generator[MiniBatch]:
        """Yield the part of each mini-batch in order. A thread prefetches them if they are augmented."""
        batches = (self.mini_batch(index, self._share(len(rows))) for index, rows in enumerate(self._rows))
        yield from batches if self._augment is None else prefetch(batches)

    def mini_batch(self, index: int, part: slice = ALL) -> MiniBatch:
        """Return the mini-batch with this index, from 0, or some of its examples, consecutive ones.

        A part has the examples, augmentation and masks that it has in the whole mini-batch. They are equal to the bit,
        except for the matrix product of elastic augmentation: see ``augment``.
        """
        rows = self._rows[index]
        chosen = rows[part]
        images, labels = gather(self._training.images, chosen), gather(self._training.labels, chosen)
        if self._augment is not None:
            drawn = self._augment.draw(len(rows), self._augmentation.generator(index))
            images = self._augment.apply(images, drawn[part])
        draws_masks = self._settings.dropout or self._settings.input_dropout
        masks = self._mask_source(index, range(len(rows))[part]) if draws_masks else None
        return MiniBatch(images, labels, masks, len(rows))

    def _mask_source(self, index: int, examples: range) -> Callable[[slice, Masks | None], Masks]:
        """Return ``MiniBatch.draw_masks`` for these examples of a mini-batch, counted from 0."""

        def draw(rows: slice, out: Masks | None) -> Masks:
            drawn = examples[rows]
            return draw_masks(
                self._sizes,
                len(drawn),
                rate=self._settings.dropout,
                input_rate=self._settings.input_dropout,
                rng=self._dropout.generator(index),
                dtype=self._dtype,
                skip=drawn.start,
                out=out,
            )

        return draw

    @cached_property
    def _dropout(self) -> EpochStream:
        return EpochStream(self._settings.seed, self._epoch, DROPOUT, batches=len(self))

    @cached_property
    def _augmentation(self) -> EpochStream:
        return EpochStream(self._settings.seed, self._epoch, AUGMENTATION, batches=len(self))
