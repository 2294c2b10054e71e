"""Which datasets there are, where they lie, and how to get one."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import platformdirs
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES, SYNTHETIC, DatasetName, Progress, PublishedName
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.files import atomic_write

__all__ = ["Dataset", "Examples", "data_root", "load", "synthetic_examples"]

CLASSES = 10
SYNTHETIC_SEED = 0
SYNTHETIC_EXAMPLES = {"train": 60_000, "test": 10_000}


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

    def inputs(self, dtype: DTypeLike) -> Array:
        """What the network sees: one row for each image, (n, rows × columns), grey levels from 0 to 1."""
        pixels = self.images.reshape(len(self), -1)
        scaled = np.empty(pixels.shape, dtype)
        return np.divide(pixels, 255, out=scaled, dtype=scaled.dtype)


@dataclass(frozen=True)
class Dataset:
    """A training set and a test set of the same kind of images."""

    name: str
    train: Examples
    test: Examples

    @property
    def is_synthetic(self) -> bool:
        """Whether nobody wrote these digits by hand; whoever shows a result must then say so."""
        return self.name == SYNTHETIC

    @property
    def pixels(self) -> int:
        """Of one image: the network's input neurons."""
        return self.train.pixels

    @property
    def classes(self) -> int:
        """The network's output neurons."""
        return CLASSES


def data_root(data_dir: Path | None) -> Path:
    """The folder that holds one folder for each dataset: given, or MNIST_BP_DATA, or the user's cache folder."""
    if data_dir is not None:
        return data_dir
    if named := os.environ.get("MNIST_BP_DATA"):
        return Path(named)
    try:
        return platformdirs.user_cache_path("mnist-bp")
    except RuntimeError as error:  # no home folder
        raise DataUnavailable(f"there is no folder for the data ({error}): name one with --data-dir") from error


def load(
    name: DatasetName | None,
    data_dir: Path | None = None,
    *,
    limit: int | None = None,
    fetch: bool = True,
    progress: Progress | None = None,
) -> Dataset:
    """Get a dataset: from disk, else downloaded.

    Parameters
    ----------
    name
        Which one. None: the files that lie in ``data_dir`` itself, called as that folder is, or else MNIST.
    data_dir
        A folder with one folder for each dataset, or with the four IDX files themselves. Default: see ``data_root``.
    limit
        Keep only the first so many training examples.
    fetch
        Whether to download what is not on disk.
    progress
        Told of every piece of a download.

    Raises
    ------
    DataUnavailable
        If it is neither on disk nor to be had from the network.
    InputError
        If a file on disk is not what it should be.
    """
    if name == "synthetic":
        dataset = _load_synthetic(data_dir, limit)
    else:
        dataset = _load_published(name, data_dir, fetch=fetch, progress=progress)
    return replace(dataset, train=dataset.train.first(limit))


def _load_published(
    name: PublishedName | None, data_dir: Path | None, *, fetch: bool, progress: Progress | None
) -> Dataset:
    """The dataset in ``root``/``name``, or else in ``root`` itself, or else downloaded to ``root``/``name``."""
    root, wanted = data_root(data_dir), name or "mnist"
    folder = root / wanted
    command = f"mnist-bp download {wanted}" + (f" --data-dir {data_dir}" if data_dir else "")
    if _missing(folder):
        if _is_dataset(root):
            return _load_folder(root, name or root.resolve().name)
        if not fetch:
            raise DataUnavailable(f"{wanted} is not in {root}; to fetch it: {command}")
        _download(wanted, folder, progress)
    try:
        return _load_folder(folder, wanted)
    except InputError as error:
        raise InputError(f"{error}; to fetch it anew: {command} --force") from error


def _download(name: PublishedName, folder: Path, progress: Progress | None) -> None:
    from mnist_bp.data.download import download
    from mnist_bp.data.published import PUBLISHED

    download(PUBLISHED[name], folder, progress=progress)


def _is_dataset(folder: Path) -> bool:
    """Whether all four files lie in ``folder``; InputError where only some do."""
    missing = _missing(folder)
    if 0 < len(missing) < len(FILE_NAMES):
        raise InputError(f"{folder}: no {' and no '.join(missing)}; a dataset is {', '.join(FILE_NAMES)}, plain or .gz")
    return not missing


def _load_folder(folder: Path, name: str) -> Dataset:
    """Read a dataset from its four files; InputError says which file is not what it should be."""
    train_images, train_labels, test_images, test_labels = (
        _find(folder, file_name) or folder / file_name for file_name in FILE_NAMES
    )
    train = _load_examples(train_images, train_labels)
    test = _load_examples(test_images, test_labels)
    if train.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"{test_images}: images of {_by(test.images)} pixels; those of {train_images.name} are {_by(train.images)}"
        )
    return Dataset(name, train, test)


def _load_synthetic(data_dir: Path | None, limit: int | None) -> Dataset:
    """The embedded synthetic digits: made once, then read from disk; where they cannot be kept, made each time.

    A ``limit`` of training examples that are not there yet makes only those, and keeps none.
    """
    try:
        folder = data_root(data_dir) / SYNTHETIC
    except DataUnavailable:
        return _make_synthetic(limit)
    if not _missing(folder):
        with suppress(InputError):  # damaged: made anew
            return _load_folder(folder, SYNTHETIC)
    dataset = _make_synthetic(limit)
    if limit is None or limit >= SYNTHETIC_EXAMPLES["train"]:
        _keep(dataset, folder)
    return dataset


def _make_synthetic(limit: int | None) -> Dataset:
    train_examples = min(limit or SYNTHETIC_EXAMPLES["train"], SYNTHETIC_EXAMPLES["train"])
    return Dataset(
        SYNTHETIC,
        synthetic_examples(train_examples, split="train"),
        synthetic_examples(SYNTHETIC_EXAMPLES["test"], split="test"),
    )


def synthetic_examples(examples: int, *, split: Literal["train", "test"]) -> Examples:
    """The first so many of the synthetic digits, drawn anew."""
    from mnist_bp.data.synthetic import digits

    return Examples(*digits(examples, seed=SYNTHETIC_SEED, split=split))


def _keep(dataset: Dataset, folder: Path) -> None:
    arrays = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in zip(FILE_NAMES, arrays, strict=True):
            with atomic_write(folder / name) as file:
                idx.write(file, array)
    except OSError:
        return  # a cache: without it the next run makes the same digits again, a few seconds slower


def _missing(folder: Path) -> Sequence[str]:
    return [name for name in FILE_NAMES if _find(folder, name) is None]


def _find(folder: Path, name: str) -> Path | None:
    """The file of that name in ``folder``, plain or else .gz."""
    for path in (folder / name, folder / f"{name}.gz"):
        if os.path.isfile(path):  # noqa: PTH113 - before Python 3.14, Path.is_file raises in an unreadable folder
            return path
    return None


def _load_examples(images_path: Path, labels_path: Path) -> Examples:
    images = idx.read_images(images_path)
    labels = idx.read_labels(labels_path, classes=CLASSES)
    if len(images) != len(labels):
        raise InputError(f"{labels_path}: {len(labels):,} labels for the {len(images):,} images of {images_path.name}")
    return Examples(images, labels)


def _by(images: NDArray[np.uint8]) -> str:
    return f"{images.shape[1]} × {images.shape[2]}"
