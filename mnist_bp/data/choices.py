"""Registries of datasets and augmentations, which list their names before numpy is imported."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mnist_bp.core.choices import Registry
from mnist_bp.data.names import DEFAULT
from mnist_bp.data.registry import ENTRIES, DatasetEntry, GeneratedDataset, ImportedDataset, PublishedDataset

if TYPE_CHECKING:
    from mnist_bp.data.augment import AugmentationEntry

__all__ = [
    "AUGMENTATIONS",
    "DATASETS",
    "class_names",
    "downloadable",
    "generated",
    "imported",
    "is_generated",
    "is_like_mnist",
    "published",
]

DATASETS: Registry[DatasetEntry] = Registry("dataset", tuple(ENTRIES), lambda: ENTRIES)
"""Datasets that ``--dataset`` accepts."""


def published() -> dict[str, PublishedDataset]:
    """Return the datasets that can be downloaded, by name."""
    return {name: entry for name, entry in DATASETS.items() if isinstance(entry, PublishedDataset)}


def generated() -> dict[str, GeneratedDataset]:
    """Return the datasets that this program generates, by name."""
    return {name: entry for name, entry in DATASETS.items() if isinstance(entry, GeneratedDataset)}


def imported() -> dict[str, ImportedDataset]:
    """Return the datasets that the user imports, by name."""
    return {name: entry for name, entry in DATASETS.items() if isinstance(entry, ImportedDataset)}


def downloadable() -> list[str]:
    """Return the names of the datasets that ``mnist-bp download`` stores."""
    return [*published(), *imported()]


def is_generated(name: str) -> bool:
    """Return True for the name of a generated dataset, with or without a version: ``synthetic-1``."""
    return any(re.fullmatch(rf"{re.escape(each)}(-\d+)?", name) for each in generated())


def is_like_mnist(name: str | None) -> bool:
    """Return True for digits that were preprocessed as those of MNIST, and for a dataset that is not known."""
    return name in {None, DEFAULT} or is_generated(str(name))


def class_names(dataset: object, classes: int) -> tuple[str, ...]:
    """Return the names of a dataset's classes, or an empty tuple if they are digits or unknown."""
    names = DATASETS[dataset].class_names if isinstance(dataset, str) and dataset in DATASETS else ()
    return names if len(names) == classes else ()


def _augmentations() -> "Mapping[str, AugmentationEntry | None]":
    from mnist_bp.data.augment import ENTRIES

    return ENTRIES


AUGMENTATIONS: "Registry[AugmentationEntry | None]" = Registry(
    "augmentation", ("none", "shift", "affine", "elastic"), _augmentations
)
"""Augmentations of the training images. The entry None leaves the images unchanged."""
