"""Which datasets there are, where they lie, and how to get one."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data import idx, manifest
from mnist_bp.data.batches import scaled
from mnist_bp.data.names import FILE_NAMES, SYNTHETIC, DatasetName, Notice, Progress, PublishedName, SplitName
from mnist_bp.data.published import PUBLISHED, class_names
from mnist_bp.environment import user_path
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.files import atomic_write, remove_parts

__all__ = ["Dataset", "Examples", "data_root", "hold_out", "load", "synthetic_examples", "synthetic_folder"]

CLASSES = 10
"""Of every dataset that has a name; a folder of one's own may have others."""

HELD_OUT = 1
"""The stream of random numbers that says which examples are held out."""

SYNTHETIC_VERSION = 1
"""Of the generator: to be raised whenever it draws other digits, so that those drawn before are not taken for them."""
SYNTHETIC_SEED = 0
SYNTHETIC_EXAMPLES: Mapping[SplitName, int] = {"train": 60_000, "test": 10_000}
LONG_DRAWING = 1_000
"""Number of synthetic digits, drawn in about 0.2 s, beyond which progress is reported."""


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
        return scaled(self.rows, dtype)


@dataclass(frozen=True)
class Dataset:
    """A training set and a test set of the same kind of images.

    ``classes`` are the network's output neurons: labels lie below that.
    """

    name: str
    train: Examples
    test: Examples
    classes: int = CLASSES

    def split(self, name: SplitName) -> Examples:
        """The test set or the training set."""
        return self.test if name == "test" else self.train

    @property
    def is_synthetic(self) -> bool:
        """Whether nobody wrote these digits by hand; whoever shows a result must then say so."""
        # Also their folder, pointed at directly, whatever its version; but no folder of somebody's synthetic-aperture.
        return re.fullmatch(rf"{SYNTHETIC}(-\d+)?", self.name) is not None

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


def hold_out(examples: Examples, count: int, *, seed: int) -> tuple[Examples, Examples]:
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


def data_root(data_dir: Path | None) -> Path:
    """The folder that holds one folder for each dataset: given, or MNIST_BP_DATA, or the user's cache folder."""
    if data_dir is not None:
        return data_dir
    if named := os.environ.get("MNIST_BP_DATA"):
        try:
            return user_path(named)
        except InputError as error:
            raise InputError(f"MNIST_BP_DATA: {error}") from error
    try:
        return platformdirs.user_cache_path("mnist-bp")
    except RuntimeError as error:  # no home folder
        raise DataUnavailable(f"there is no folder for the data ({error}): name one with --data-dir") from error


def load(
    name: DatasetName | None,
    data_dir: Path | None = None,
    *,
    classes: int | None = None,
    limit: int | None = None,
    test_limit: int | None = None,
    fetch: bool = True,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> Dataset:
    """Get a dataset: from disk, else downloaded; what is damaged in the cache is fetched anew.

    Parameters
    ----------
    name
        Which one. None: the files that lie in ``data_dir`` itself, called as that folder is, or else MNIST.
    data_dir
        A folder with one folder for each dataset, or with the four IDX files themselves. Default: see ``data_root``.
    classes
        Labels of one's own files lie below that, 1 to 256. Default: 10, as in every dataset that has a name.
    limit, test_limit
        Numbers of training and of test examples to keep, the first ones; 0 for a set that is not needed. Synthetic
        digits beyond them are not drawn.
    fetch
        Whether to download what is not on disk, or not intact there.
    progress
        Called for every piece of a download, and while synthetic digits are drawn: with ``SYNTHETIC``, the digits so
        far and the digits in all, unless they take no time that anybody would notice.
    notice
        Told of what was damaged.

    Raises
    ------
    DataUnavailable
        If it is neither on disk nor to be had from the network.
    InputError
        If a file of one's own is not what it should be.
    """
    own = None if name == SYNTHETIC else _own_folder(name, data_dir)
    if own is not None:
        dataset = _load_folder(own, name or own.resolve().name, classes or CLASSES)
    elif classes not in {None, CLASSES}:
        raise InputError(
            f"{name or 'mnist'} has {CLASSES} classes, not {classes}; a folder of your own may have others"
        )
    elif name == SYNTHETIC:
        dataset = _load_synthetic(data_dir, {"train": limit, "test": test_limit}, progress)
    else:
        dataset = _load_published(name or "mnist", data_dir, fetch=fetch, progress=progress, notice=notice)
    return replace(dataset, train=dataset.train.first(limit), test=dataset.test.first(test_limit))


def _own_folder(name: DatasetName | None, data_dir: Path | None) -> Path | None:
    """The root itself, where it is a folder of four files and holds no folder of a dataset of that name."""
    root = data_root(data_dir)
    return root if _missing(root / (name or "mnist")) and _is_dataset(root) else None


def _load_published(
    name: PublishedName,
    data_dir: Path | None,
    *,
    fetch: bool,
    progress: Progress | None,
    notice: Notice | None,
) -> Dataset:
    """The dataset in ``root``/``name``, fetched if it is not there or, as far as looking and reading tell, damaged."""
    root = data_root(data_dir)
    folder, files = root / name, PUBLISHED[name].files
    wrong = next((found.reason for file in files if (found := manifest.glance(folder, file))), None)
    if wrong is None:
        try:
            return _load_folder(folder, name, mapped=_is_verified(folder))
        except InputError as error:
            wrong = str(error)
    is_new = len(_missing(folder)) == len(files)
    if not fetch:
        command = f"mnist-bp download {name}" + (f" --data-dir {data_dir}" if data_dir else "")
        raise DataUnavailable(f"{f'{name} is not in {root}' if is_new else wrong}; to fetch it: {command}")
    try:
        _download(name, folder, progress, notice)
        return _load_folder(folder, name, mapped=_is_verified(folder))
    except (DataUnavailable, InputError) as error:
        raise DataUnavailable(str(error) if is_new else f"{wrong}; {error}") from error


def _is_verified(folder: Path) -> bool:
    """Return whether all four files are as this program has verified them."""
    found = [manifest.find(folder, name) for name in FILE_NAMES]
    return all(path is not None and manifest.is_verified(path) for path in found)


def _download(name: PublishedName, folder: Path, progress: Progress | None, notice: Notice | None) -> None:
    from mnist_bp.data.download import download

    download(PUBLISHED[name], folder, verify=True, progress=progress, notice=notice)


def _is_dataset(folder: Path) -> bool:
    """Whether all four files lie in ``folder``; InputError where only some do."""
    missing = _missing(folder)
    if 0 < len(missing) < len(FILE_NAMES):
        raise InputError(f"{folder}: no {' and no '.join(missing)}; a dataset is {', '.join(FILE_NAMES)}, plain or .gz")
    return not missing


def _load_folder(folder: Path, name: str, classes: int = CLASSES, *, mapped: bool = False) -> Dataset:
    """Read a dataset from its four files; InputError says which file is not what it should be.

    Images are ``mapped`` only from files of the cache, which this program replaces but never rewrites in place.
    """
    train_images, train_labels, test_images, test_labels = (
        manifest.find(folder, file_name) or folder / file_name for file_name in FILE_NAMES
    )
    train = _load_examples(train_images, train_labels, classes, mapped=mapped)
    test = _load_examples(test_images, test_labels, classes, mapped=mapped)
    if train.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"{test_images}: images of {_by(test.images)} pixels; those of {train_images.name} are {_by(train.images)}"
        )
    return Dataset(name, train, test, classes)


def _load_synthetic(
    data_dir: Path | None, limits: Mapping[SplitName, int | None], progress: Progress | None
) -> Dataset:
    """The embedded synthetic digits: made once, then read from disk; where they cannot be kept, made each time.

    If they are not there yet, ``limits`` make only the first ones of each set, and keep none.
    """
    wanted = {
        split: total if (limit := limits[split]) is None else min(limit, total)
        for split, total in SYNTHETIC_EXAMPLES.items()
    }
    try:
        folder = synthetic_folder(data_root(data_dir))
    except DataUnavailable:
        return _make_synthetic(wanted, progress)
    if not _missing(folder):
        with suppress(InputError):  # damaged: made anew
            return _load_folder(folder, SYNTHETIC, mapped=True)
    dataset = _make_synthetic(wanted, progress)
    if wanted == SYNTHETIC_EXAMPLES:
        _keep(dataset, folder)
    return dataset


def synthetic_folder(root: Path) -> Path:
    """Where the synthetic digits of this version are kept."""
    return root / f"{SYNTHETIC}-{SYNTHETIC_VERSION}"


def _make_synthetic(wanted: Mapping[SplitName, int], progress: Progress | None) -> Dataset:
    """Draw so many digits of each set."""
    train, test, total = wanted["train"], wanted["test"], sum(wanted.values())

    def advance(drawn: int) -> None:
        if progress is not None and total > LONG_DRAWING:
            progress(SYNTHETIC, drawn, total)

    advance(0)
    return Dataset(
        SYNTHETIC,
        synthetic_examples(train, split="train", progress=advance),
        synthetic_examples(test, split="test", progress=lambda drawn: advance(train + drawn)),
    )


def synthetic_examples(examples: int, *, split: SplitName, progress: Callable[[int], object] | None = None) -> Examples:
    """The first so many of the synthetic digits, drawn anew."""
    from mnist_bp.data.synthetic import digits

    return Examples(*digits(examples, seed=SYNTHETIC_SEED, split=split, progress=progress))


def _keep(dataset: Dataset, folder: Path) -> None:
    arrays = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in zip(FILE_NAMES, arrays, strict=True):
            with atomic_write(folder / name) as file:
                idx.write(file, array)
        remove_parts(folder)
    except OSError:
        return  # a cache: without it the next run makes the same digits again, a few seconds slower


def _missing(folder: Path) -> Sequence[str]:
    return [name for name in FILE_NAMES if manifest.find(folder, name) is None]


def _load_examples(images_path: Path, labels_path: Path, classes: int, *, mapped: bool) -> Examples:
    images = idx.read_images(images_path, mapped=mapped)
    labels = idx.read_labels(labels_path, classes=classes)
    if len(images) != len(labels):
        raise InputError(f"{labels_path}: {len(labels):,} labels for the {len(images):,} images of {images_path.name}")
    return Examples(images, labels)


def _by(images: NDArray[np.uint8]) -> str:
    return f"{images.shape[1]} × {images.shape[2]}"
