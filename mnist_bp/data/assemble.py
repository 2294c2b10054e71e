"""Datasets from what a reader found: the sets are read, and checked against each other and the options.

All formats pass through ``assemble``, so that each is checked as strictly as IDX files.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data.choices import imported
from mnist_bp.data.class_names import MOST_CLASSES, unless_digits
from mnist_bp.data.examples import Dataset, Examples, stratified_split
from mnist_bp.data.options import DataOptions
from mnist_bp.data.readers.source import Arrays, LabelledSet, Source
from mnist_bp.errors import InputError

__all__ = ["assemble", "require_own_test_set", "transformed"]

FIRST_SEED = 0
"""Seed that selects a test set from a training set: it is the same for all seeds of trainings."""


PIECE = 1 << 8
"""Number of images to transpose at a time."""


def assemble(source: Source, name: str, options: DataOptions, names: Sequence[str] = ()) -> Dataset:
    """Read a dataset. ``names`` are the names of its classes if the user gives them.

    Raises
    ------
    InputError
        If a file is not valid, if the files do not fit each other or the options, or if there is no test set.
    """
    if source.test is not None:
        require_own_test_set(name, options)
    elif options.test_split is None:
        raise InputError(
            f"{source.train.images_in}: no test set ({source.no_test}); --test-split 0.2 takes 20 % of the "
            "training set, stratified by class"
        )
    entry = imported().get(source.prefix)
    if entry is not None and entry.is_transposed and options.transpose:
        raise InputError(f"images of {source.prefix} are turned upright when they are read: omit --transpose")
    first = entry.first_label if entry else 0
    halves = [half for half in (source.train, source.test) if half is not None]
    arrays = [_read(half, transpose=entry is not None and entry.is_transposed) for half in halves]
    names = tuple(names) or source.class_names() or (entry.class_names if entry else ())
    largest = max(int(labels.max()) for _, labels in arrays) - first + 1
    classes = options.classes or (entry.classes if entry else 0) or max(len(names), min(largest, MOST_CLASSES))
    _require_names(names, classes, name)
    if entry is not None and classes != entry.classes:
        raise InputError(f"{source.prefix} has {entry.classes} classes, not {classes}: omit --classes")
    train, *rest = (
        Examples(images, _from_0(labels, first, classes, half))
        for (images, labels), half in zip(arrays, halves, strict=True)
    )
    if rest:
        (test,) = rest
        _require_equal_shapes(train, test, source)
    else:
        count = max(1, round(len(train) * (options.test_split or 0)))
        train, test = stratified_split(train, count, seed=FIRST_SEED, what="test set")
    return Dataset(name, train, test, classes, names=unless_digits(names))


def require_own_test_set(name: str, options: DataOptions) -> None:
    """Raise InputError if a fraction is to become the test set of a dataset that has one."""
    if options.test_split is not None:
        raise InputError(f"{name} has a test set: omit --test-split")


def transformed(dataset: Dataset, options: DataOptions, names: Sequence[str] = ()) -> Dataset:
    """Return a dataset with the names that the user gives its classes, and with images transposed and inverted."""
    if names:
        _require_names(names, dataset.classes, dataset.name)
        dataset = replace(dataset, names=unless_digits(names))
    if not (options.transpose or options.invert):
        return dataset
    return replace(
        dataset,
        train=_transformed(dataset.train, options),
        test=_transformed(dataset.test, options),
    )


def _transformed(examples: Examples, options: DataOptions) -> Examples:
    images = _transposed(examples.images) if options.transpose else examples.images
    if options.invert:
        images = np.invert(images, out=images if images.flags.writeable else None)
    return Examples(images, examples.labels)


def _transposed(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images with rows and columns exchanged, in the same memory if it may be written."""
    examples, rows, columns = images.shape
    result = (images if images.flags.writeable else np.empty_like(images)).reshape(examples, columns, rows)
    for start in range(0, examples, PIECE):
        piece = slice(start, start + PIECE)
        result[piece] = images[piece].transpose(0, 2, 1).copy()
    return result


def _read(half: LabelledSet, *, transpose: bool) -> Arrays:
    images, labels = half.read()
    if len(images) != len(labels):
        raise InputError(
            f"{half.labels_in}: {len(labels):,} labels for the {len(images):,} images of {_name(half.images_in)}"
        )
    return Arrays(_transposed(images) if transpose else images, labels)


def _from_0(labels: NDArray[np.integer], first: int, classes: int, half: LabelledSet) -> NDArray[np.uint8]:
    """Return labels from 0 on. Raise InputError if one is not from ``first`` to ``first`` + ``classes`` − 1."""
    last = first + classes - 1
    if labels.min() < first or labels.max() > last:
        where = int(np.argmax((labels < first) | (labels > last)))
        expected = f"expected labels from {first} to {last} (--classes)"
        raise InputError(f"{half.labels_in}: label {labels[where]} of example {where}; {expected}")
    return (labels - first if first else labels).astype(np.uint8, copy=False)


def _require_names(names: Sequence[str], classes: int, dataset: str) -> None:
    if names and len(names) != classes:
        raise InputError(
            f"{len(names)} names of classes for the {classes} classes of {dataset}; expected a name for each"
        )


def _require_equal_shapes(train: Examples, test: Examples, source: Source) -> None:
    if train.images.shape[1:] != test.images.shape[1:] and source.test is not None:
        raise InputError(
            f"{source.test.images_in}: images of {_by(test.images)} pixels; those of "
            f"{_name(source.train.images_in)} are {_by(train.images)}"
        )


def _name(path: str) -> str:
    return PurePath(path).name


def _by(images: NDArray[np.uint8]) -> str:
    return f"{images.shape[1]} × {images.shape[2]}"
