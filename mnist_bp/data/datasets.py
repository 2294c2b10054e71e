"""Which datasets there are, where they lie, and how to get one."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import platformdirs
from numpy.typing import NDArray

from mnist_bp.data import formats, idx
from mnist_bp.data.choices import DATASETS, published
from mnist_bp.data.download import cache
from mnist_bp.data.examples import CLASSES, Dataset, Examples, stratified_split
from mnist_bp.data.formats import Finding
from mnist_bp.data.generated import draw, folder_of, store
from mnist_bp.data.identify import identify
from mnist_bp.data.locate import DATA_DIR, VARIABLE, Location, locate, require_data_folder
from mnist_bp.data.names import FILE_NAMES, OWN, DatasetName, Notice, Progress, PublishedName, SplitName
from mnist_bp.data.registry import GeneratedDataset
from mnist_bp.data.zip_member import Stored
from mnist_bp.environment import user_path
from mnist_bp.errors import DataUnavailable, InputError
from mnist_bp.shell import program_command

__all__ = [
    "Dataset",
    "Examples",
    "data_root",
    "inspect_root",
    "load",
    "stratified_split",
]


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
    named_in: str = DATA_DIR,
) -> Dataset:
    """Get a dataset: from disk, else downloaded; what is damaged in the cache is fetched anew.

    Parameters
    ----------
    name
        Which one. None: what ``data_dir`` holds, or else MNIST. ``OWN``: the user's files there.
    data_dir
        A folder that holds datasets, see ``formats``, or the files of one. Default: see ``data_root``.
    classes
        Labels of one's own files lie below that, 1 to 256. Default: 10, as in every dataset that has a name.
    limit, test_limit
        Numbers of training and of test examples to keep, the first ones; 0 for a set that is not needed. Synthetic
        digits beyond them are not drawn.
    fetch
        Whether to download what is not on disk, or not intact there. False: nothing is written at all.
    progress
        Called for every piece of a download, and while synthetic digits are drawn: with ``SYNTHETIC``, the digits so
        far and the digits in all, unless they take no time that anybody would notice.
    notice
        Told of what was damaged.
    named_in
        Origin of ``data_dir``, see ``require_data_folder``.

    Raises
    ------
    DataUnavailable
        If it is neither on disk nor to be had from the network.
    InputError
        If the data folder or a file of the user's is not what it should be.
    """
    entry = None if name is None else DATASETS[name]
    if isinstance(entry, GeneratedDataset):
        if data_dir is not None:
            raise InputError(f"--dataset {name} reads no files: leave out --data-dir, or name another dataset")
        _require_ten(classes, entry.name)
        dataset = _load_generated(entry, {"train": limit, "test": test_limit}, progress, keep=fetch)
    else:
        place = locate(name, data_root(data_dir), inspect_root(data_dir, named_in))
        if place.cache is None:
            dataset = _load_own(place, name, classes)
        else:
            _require_ten(classes, place.name)
            dataset = _load_published(place, data_dir, fetch=fetch, progress=progress, notice=notice)
    return replace(dataset, train=dataset.train.first(limit), test=dataset.test.first(test_limit))


def _require_ten(classes: int | None, name: str) -> None:
    if classes not in {None, CLASSES}:
        raise InputError(f"{name} has {CLASSES} classes, not {classes}; a folder of your own may have others")


def inspect_root(data_dir: Path | None, named_in: str = DATA_DIR, *, may_create: bool = False) -> Finding:
    """Recognise what ``data_root`` holds, see ``require_data_folder``; only a folder that was given must exist."""
    if data_dir is None:
        named_in = VARIABLE if os.environ.get(VARIABLE) else ""
    return require_data_folder(data_root(data_dir), named_in, may_create=may_create or data_dir is None)


def _load_published(
    place: Location,
    data_dir: Path | None,
    *,
    fetch: bool,
    progress: Progress | None,
    notice: Notice | None,
) -> Dataset:
    """Read the dataset from the cache; fetch it if it is not there or, as far as looking and reading tell, damaged."""
    name, folder = place.name, cast("Path", place.cache)
    files = published()[name].files
    wrong = next((found.reason for file in files if (found := cache.quick_check(folder, file, note=fetch))), None)
    if wrong is None:
        try:
            return _read(_files_in(folder), name, mapped=_is_verified(folder))
        except InputError as error:
            wrong = str(error)
    is_new = not any(formats.find_file(folder, file.name) for file in files)
    if not fetch:
        command = program_command("download", name, *(["--data-dir", data_dir] if data_dir else []))
        raise DataUnavailable(f"{f'{name} is not in {folder.parent}' if is_new else wrong}; to fetch it: {command}")
    try:
        _download(name, folder, progress, notice)
        return _read(_files_in(folder), name, mapped=_is_verified(folder))
    except (DataUnavailable, InputError) as error:
        raise DataUnavailable(str(error) if is_new else f"{wrong}; {error}") from error


def _files_in(folder: Path) -> dict[str, Path]:
    return {name: formats.find_file(folder, name) or folder / name for name in FILE_NAMES}


def _is_verified(folder: Path) -> bool:
    """Return whether all four files are as this program has verified them."""
    return all(cache.is_verified(path) for path in _files_in(folder).values())


def _download(name: PublishedName, folder: Path, progress: Progress | None, notice: Notice | None) -> None:
    from mnist_bp.data.download.fetch import download

    download(published()[name], folder, verify=True, progress=progress, notice=notice)


def _load_own(place: Location, name: DatasetName | None, classes: int | None) -> Dataset:
    """Read a dataset that lies in the user's own layout: called as it was asked for, else as it is."""
    assert place.found is not None
    folder = place.found.folder
    dataset = _read(place.found.files, place.name, classes or CLASSES)
    known = identify(dataset, folder)
    if known is not None and name in {*published()} - {known}:
        raise InputError(f"{folder} holds {known}, not {name}; leave out --dataset, or name another --data-dir")
    if place.name != OWN:
        return dataset
    called = Path(os.path.realpath(folder)).name
    return replace(dataset, name=known or (f"{OWN}-{called}" if called in DATASETS else called))


def _read(files: Mapping[str, Stored], name: str, classes: int = CLASSES, *, mapped: bool = False) -> Dataset:
    """Read a dataset from its four files; InputError says which file is not what it should be.

    Images are ``mapped`` only from files of the cache, which this program replaces but never rewrites in place.
    """
    train_images, train_labels, test_images, test_labels = (files[file_name] for file_name in FILE_NAMES)
    train = _load_examples(train_images, train_labels, classes, mapped=mapped)
    test = _load_examples(test_images, test_labels, classes, mapped=mapped)
    if train.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"{test_images}: images of {_by(test.images)} pixels; those of {train_images.name} are {_by(train.images)}"
        )
    return Dataset(name, train, test, classes)


def _load_generated(
    entry: GeneratedDataset, limits: Mapping[SplitName, int | None], progress: Progress | None, *, keep: bool
) -> Dataset:
    """Load images that a program draws: drawn once, then read from disk; where they cannot be kept, drawn each time.

    If they are not there yet, ``limits`` draw only the first ones of each set, and keep none.
    """
    wanted = {
        split: total if (limit := limits[split]) is None else min(limit, total)
        for split, total in entry.examples.items()
    }
    try:
        root = data_root(None)
    except DataUnavailable:
        return draw(entry, wanted, progress)
    finding = inspect_root(None)
    folder = folder_of(entry, root)
    if all(formats.is_file(folder / name) for name in FILE_NAMES):
        with suppress(InputError):  # damaged: drawn anew
            return _read(_files_in(folder), entry.name, mapped=True)
    dataset = draw(entry, wanted, progress)
    is_users = bool(finding.datasets) and not finding.is_cache
    if keep and not is_users and wanted == entry.examples:
        store(dataset, folder)
    return dataset


def _load_examples(images_path: Stored, labels_path: Stored, classes: int, *, mapped: bool) -> Examples:
    images = idx.read_images(images_path, mapped=mapped)
    labels = idx.read_labels(labels_path, classes=classes)
    if len(images) != len(labels):
        raise InputError(f"{labels_path}: {len(labels):,} labels for the {len(images):,} images of {images_path.name}")
    return Examples(images, labels)


def _by(images: NDArray[np.uint8]) -> str:
    return f"{images.shape[1]} × {images.shape[2]}"
