"""Examples, and datasets of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.batches import normalize
from mnist_bp.data.choices import DATASETS, class_names, is_generated
from mnist_bp.data.names import OWN, DatasetName, SplitName
from mnist_bp.errors import InputError

__all__ = ["CLASSES", "Dataset", "Examples", "stratified_split"]

CLASSES = 10
"""Of every dataset that has a name; a folder of one's own may have others."""

HELD_OUT = 1
"""The stream of random numbers that says which examples are held out."""


@dataclass(frozen=True)
class Examples:
    """Images as they are stored, uint8 (n, rows, columns), and their labels, uint8 (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pixels(self) -> int:
        """Of one image."""
        return int(np.prod(self.images.shape[1:]))

    def first(self, examples: int | None) -> "Examples":
        """The first so many examples, or all."""
        return Examples(self.images[:examples], self.labels[:examples])

    def take(self, chosen: NDArray[np.intp]) -> "Examples":
        """The examples of these numbers, copied."""
        return Examples(self.images[chosen], self.labels[chosen])

    @property
    def rows(self) -> NDArray[np.uint8]:
        """One row for each image, (n, rows × columns), grey levels from 0 to 255."""
        return self.images.reshape(len(self), -1)

    def inputs(self, dtype: DTypeLike) -> Array:
        """What the network sees: ``rows``, from 0 to 1."""
        return normalize(self.rows, dtype)


@dataclass(frozen=True)
class Dataset:
    """A training set and a test set of the same kind of images.

    ``classes`` are the network's output neurons: labels lie below that. ``is_fallback`` is true of synthetic digits
    that take the place of data that are not available.
    """

    name: str
    train: Examples
    test: Examples
    classes: int = CLASSES
    is_fallback: bool = False

    def split(self, name: SplitName) -> Examples:
        """The test set or the training set."""
        return self.test if name == "test" else self.train

    @property
    def option(self) -> DatasetName:
        """Value of ``--dataset`` that names it: with the folder of the data, the dataset can be loaded again."""
        return self.name if self.name in DATASETS else OWN

    @property
    def is_synthetic(self) -> bool:
        """Whether a program drew these images; also if they are read from its folder, ``synthetic-1``."""
        return is_generated(self.name)

    @property
    def mark(self) -> dict[str, bool]:
        """What a JSON record of figures from these digits has besides."""
        return {"synthetic": True} if self.is_synthetic else {}

    @property
    def pixels(self) -> int:
        """Of one image: the network's input neurons."""
        return self.train.pixels

    @property
    def class_names(self) -> tuple[str, ...]:
        """What each class is, where it is not just a digit; else nothing."""
        return class_names(self.name, self.classes)


def stratified_split(examples: Examples, count: int, *, seed: int) -> tuple[Examples, Examples]:
    """Split into what is left and ``count`` examples that are held out.

    They are drawn at random, as many of each class as its share. InputError if that leaves nothing to train on.
    """
    if count >= len(examples):
        raise InputError(f"cannot hold {count:,} examples out of {len(examples):,}: nothing would be left to train on")
    in_any_order = np.random.default_rng([seed, 0, HELD_OUT]).permutation(len(examples))
    by_class = in_any_order[examples.labels[in_any_order].argsort(kind="stable")]
    places = np.arange(count) * len(examples) // count  # evenly along the classes
    is_held = np.zeros(len(examples), np.bool_)
    is_held[by_class[places]] = True
    return examples.take(np.flatnonzero(~is_held)), examples.take(np.flatnonzero(is_held))
