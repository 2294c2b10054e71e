"""Examples (images with labels) and datasets."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.batches import normalize
from mnist_bp.data.choices import DATASETS, class_names, is_generated, is_like_mnist
from mnist_bp.data.names import CLASSES, OWN, DatasetName, SplitName
from mnist_bp.data.preprocess import Look
from mnist_bp.errors import InputError

__all__ = ["CLASSES", "Dataset", "Examples", "Problem", "stratified_split"]

SAMPLE = 1_000
"""Number of images whose borders show the polarity of the dataset."""

STREAMS = {"validation set": 1, "test set": 2}
"""Numbers of the random streams that select the examples of a set."""


@dataclass(frozen=True)
class Examples:
    """Images as they are stored, uint8 (n, rows, columns), and their labels, uint8 (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pixels(self) -> int:
        """Number of pixels of an image."""
        return int(np.prod(self.images.shape[1:]))

    def first(self, examples: int | None) -> "Examples":
        """Return the first examples, at most this number; None for all."""
        return Examples(self.images[:examples], self.labels[:examples])

    def take(self, chosen: NDArray[np.intp]) -> "Examples":
        """Return copies of the examples with these indices."""
        return Examples(self.images[chosen], self.labels[chosen])

    @property
    def rows(self) -> NDArray[np.uint8]:
        """Images as rows, (n, rows × columns), grey levels from 0 to 255."""
        return self.images.reshape(len(self), -1)

    def inputs(self, dtype: DTypeLike) -> Array:
        """Return network inputs: ``rows``, scaled to 0 … 1."""
        return normalize(self.rows, dtype)


class Problem(NamedTuple):
    """A problem of a dataset.

    Attributes
    ----------
    text
        One line that says what is wrong and what to do.
    is_cause
        True if a network that learns nothing does so because of it.
    """

    text: str
    is_cause: bool = True


@dataclass(frozen=True)
class Dataset:
    """A training set and a test set with images of the same shape.

    ``classes`` is the number of classes; labels are from 0 to classes − 1. ``is_fallback`` is True for synthetic digits
    that replace data that is not available. ``names`` are the names of the classes, if the registry does not have them.
    ``problems`` are those that ``quality.find_problems`` found in the user's data.
    """

    name: str
    train: Examples
    test: Examples
    classes: int = CLASSES
    is_fallback: bool = False
    names: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def split(self, name: SplitName) -> Examples:
        """Return the test set or the training set."""
        return self.test if name == "test" else self.train

    @property
    def option(self) -> DatasetName:
        """Value of ``--dataset`` that, together with the data folder, loads this dataset again."""
        return self.name if self.name in DATASETS else OWN

    @property
    def is_synthetic(self) -> bool:
        """True for generated images, even if they were read from their folder, ``synthetic-1``."""
        return is_generated(self.name)

    @property
    def mark(self) -> dict[str, bool]:
        """Additional keys for JSON records about this dataset."""
        return {"synthetic": True} if self.is_synthetic else {}

    @property
    def pixels(self) -> int:
        """Number of pixels of an image, which is the number of the network's inputs."""
        return self.train.pixels

    @property
    def look(self) -> Look:
        """Appearance of the images. Their paper is what most of their border pixels show."""
        images = (self.train if len(self.train) else self.test).first(SAMPLE).images
        border = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
        is_dark_on_light = bool(border.size) and float(np.median(border)) > 127
        return Look(is_like_mnist(self.name), is_dark_on_light)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, or an empty tuple if they are digits or unknown."""
        return self.names or class_names(self.name, self.classes)


def stratified_split(
    examples: Examples, count: int, *, seed: int, what: str = "validation set"
) -> tuple[Examples, Examples]:
    """Split examples into a training set and a set of ``count`` examples, stratified by class and drawn at random.

    ``what`` is a key of ``STREAMS``. Raise InputError if no example is left to train on.
    """
    if count >= len(examples):
        raise InputError(
            f"cannot hold out {count:,} of {len(examples):,} training examples as a {what}: none would be left"
        )
    shuffled = np.random.default_rng([seed, 0, STREAMS[what]]).permutation(len(examples))
    by_class = shuffled[examples.labels[shuffled].argsort(kind="stable")]
    places = np.arange(count) * len(examples) // count  # evenly along the classes
    is_held_out = np.zeros(len(examples), np.bool_)
    is_held_out[by_class[places]] = True
    return examples.take(np.flatnonzero(~is_held_out)), examples.take(np.flatnonzero(is_held_out))
