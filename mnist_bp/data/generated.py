"""Datasets that this program generates, and the folder that stores them."""

from collections.abc import Mapping
from pathlib import Path

from mnist_bp.data import idx
from mnist_bp.data.examples import Dataset, Examples
from mnist_bp.data.names import FILE_NAMES, Progress, SplitName
from mnist_bp.data.registry import GeneratedDataset
from mnist_bp.storage.atomic import atomic_write, new_folder, remove_parts

__all__ = ["draw", "folder_of", "store"]

LONG_DRAWING = 1_000
"""Number of examples, drawn in about 0.2 s, above which progress is reported."""


def folder_of(entry: GeneratedDataset, root: Path) -> Path:
    """Return the folder below ``root`` that stores the images of this version of a generator."""
    return root / f"{entry.name}-{entry.version}"


def draw(entry: GeneratedDataset, wanted: Mapping[SplitName, int], progress: Progress | None) -> Dataset:
    """Draw the first examples of each set, in the numbers given by ``wanted``."""
    train, total = wanted["train"], sum(wanted.values())

    def advance(drawn: int) -> None:
        if progress is not None and total > LONG_DRAWING:
            progress(entry.name, drawn, total)

    advance(0)
    return Dataset(
        entry.name,
        Examples(*entry.draw(train, "train", advance)),
        Examples(*entry.draw(wanted["test"], "test", lambda drawn: advance(train + drawn))),
    )


def store(dataset: Dataset, folder: Path) -> None:
    """Write the four files of a dataset into ``folder``, a cache. A folder that cannot be written is not an error."""
    arrays = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    try:
        with new_folder(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for name, array in zip(FILE_NAMES, arrays, strict=True):
                with atomic_write(folder / name) as file:
                    idx.write(file, array)
        remove_parts(folder)
    except OSError:
        return  # the next run draws the same images again, a few seconds slower
