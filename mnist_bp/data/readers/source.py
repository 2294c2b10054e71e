"""Datasets as readers find them: complete on disk, and not read yet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data.tree import Folder
from mnist_bp.data.zip_member import Stored
from mnist_bp.errors import InputError

__all__ = ["Arrays", "Find", "LabelledSet", "Source"]


class Arrays(NamedTuple):
    """Images, uint8 (n, rows, columns), and labels, any integer type (n,), of which no class has been checked."""

    images: NDArray[np.uint8]
    labels: NDArray[np.integer]


@dataclass(frozen=True)
class LabelledSet:
    """A training set or a test set on disk.

    Attributes
    ----------
    images_in, labels_in
        Names of the files for error messages.
    read
        Function that reads it. It raises InputError, which names the file, if that is not valid.
    """

    images_in: str
    labels_in: str
    read: Callable[[], Arrays]


@dataclass(frozen=True)
class Source:
    """A dataset on disk.

    Attributes
    ----------
    train, test
        Training set, and test set or None.
    files
        All files. Empty for pictures, which may be too many to list.
    prefix
        Words in the names of the files that are not the names of their parts: "emnist-letters".
    no_test
        Reason why there is no test set, for error messages.
    class_names
        Function that returns the names of the classes, or an empty tuple if the dataset does not name them.
    """

    train: LabelledSet
    test: LabelledSet | None
    files: Sequence[Stored]
    prefix: str = ""
    no_test: str = ""
    class_names: Callable[[], tuple[str, ...]] = tuple


Find = Callable[[Folder], Iterator[Source | InputError]]
"""Function that yields the datasets of its format in a folder, and an error for each that is incomplete."""
