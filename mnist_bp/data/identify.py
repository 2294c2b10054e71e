"""Identification of published datasets by their content, independent of the folder's name."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data import idx
from mnist_bp.data.choices import published
from mnist_bp.data.examples import Dataset
from mnist_bp.data.names import PublishedName
from mnist_bp.data.registry import PublishedFile

__all__ = ["identify"]


def identify(dataset: Dataset, called: Collection[str]) -> PublishedName | None:
    """Return the name of the published dataset with this content, or None.

    If the checksums of the content are unknown, the sizes decide, and the names that its folder and files have.
    """
    arrays = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    for name, entry in published().items():
        small_first = sorted(zip(entry.files, arrays, strict=True), key=lambda pair: pair[0].size)
        is_known = all(file.sha256 for file in entry.files)
        if (is_known or name in called) and all(_is_file(*pair) for pair in small_first):
            return name
    return None


def _is_file(file: PublishedFile, array: NDArray[np.uint8]) -> bool:
    return len(idx.header_of(array)) + array.nbytes == file.size and file.sha256 in {None, idx.digest(array)}
