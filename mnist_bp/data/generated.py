"""Datasets that this program generates, and the folder that stores them."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mnist_bp.data.examples import Dataset, Examples
from mnist_bp.data.names import Progress, SplitName
from mnist_bp.data.registry import GeneratedDataset
from mnist_bp.data.store import write_dataset

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
    with suppress(OSError):  # the next run draws the same images again, a few seconds slower
        write_dataset(dataset, folder)
