"""Writing of a dataset into the cache: four IDX files, and the names of its classes."""

from pathlib import Path

from mnist_bp.data import idx
from mnist_bp.data.class_names import NAMES_FILE
from mnist_bp.data.examples import Dataset
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.storage.atomic import atomic_write, new_folder, remove_parts, write_text

__all__ = ["write_dataset"]


def write_dataset(dataset: Dataset, folder: Path) -> None:
    """Write a dataset into a folder, each file atomically. Raise OSError if the folder cannot be written."""
    arrays = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    with new_folder(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in zip(FILE_NAMES, arrays, strict=True):
            with atomic_write(folder / name) as file:
                idx.write(file, array)
        if dataset.names:
            write_text(folder / NAMES_FILE, "".join(f"{name}\n" for name in dataset.names))
    remove_parts(folder)
