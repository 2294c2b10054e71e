"""Loading of a dataset by name: from the user's files, from the cache, by a download, or by drawing it."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import platformdirs

from mnist_bp.data import formats
from mnist_bp.data.assemble import assemble, require_own_test_set, transformed
from mnist_bp.data.choices import DATASETS, imported, published
from mnist_bp.data.class_names import read_class_names
from mnist_bp.data.download import cache
from mnist_bp.data.download.imports import imported_files, not_imported
from mnist_bp.data.examples import CLASSES, Dataset, Examples, stratified_split
from mnist_bp.data.formats import Finding
from mnist_bp.data.generated import draw, folder_of, store
from mnist_bp.data.identify import identify
from mnist_bp.data.locate import DATA_DIR, VARIABLE, Location, locate, require_data_folder
from mnist_bp.data.names import FILE_NAMES, OWN, DatasetName, Notice, Progress, PublishedName, SplitName
from mnist_bp.data.options import NO_OPTIONS, DataOptions
from mnist_bp.data.readers.idx_files import source_of
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
    """Return the folder with one folder for each dataset: ``data_dir``, else MNIST_BP_DATA, else the user's cache."""
    if data_dir is not None:
        return data_dir
    if named := os.environ.get(VARIABLE):
        try:
            return user_path(named)
        except InputError as error:
            raise InputError(f"{VARIABLE}: {error}") from error
    try:
        return platformdirs.user_cache_path("mnist-bp")
    except RuntimeError as error:  # no home folder
        raise DataUnavailable(f"no data folder ({error}): choose one with --data-dir") from error


def load(
    name: DatasetName | None,
    data_dir: Path | None = None,
    *,
    options: DataOptions = NO_OPTIONS,
    limit: int | None = None,
    test_limit: int | None = None,
    fetch: bool = True,
    progress: Progress | None = None,
    notice: Notice | None = None,
    named_in: str = DATA_DIR,
) -> Dataset:
    """Load a dataset from disk, or download it. Damaged files in the cache are downloaded again.

    Parameters
    ----------
    name
        Name of the dataset. None: the dataset in ``data_dir``, else MNIST. ``OWN``: the user's files in ``data_dir``.
    data_dir
        Folder with datasets, see ``formats``, or with the files of one. Default: see ``data_root``.
    options
        Facts that the user's files do not state, and changes of the images.
    limit, test_limit
        Numbers of training and test examples to keep, from the first. 0 for a set that is not needed. Synthetic digits
        beyond them are not drawn.
    fetch
        True to download files that are missing or damaged. False to write nothing at all.
    progress
        Callback for each piece of a download. While a large number of synthetic digits is drawn, it is called with
        ``SYNTHETIC``, the number of digits drawn and their total.
    notice
        Callback(message) for a damaged file that was replaced.
    named_in
        Origin of ``data_dir``, see ``require_data_folder``.

    Raises
    ------
    DataUnavailable
        If the dataset is not on disk and cannot be downloaded.
    InputError
        If the data folder, or a file of the user's, is not valid.
    """
    entry = None if name is None else DATASETS[name]
    names = () if options.class_names is None else read_class_names(options.class_names)
    if isinstance(entry, GeneratedDataset):
        if data_dir is not None:
            raise InputError(f"--dataset {name} reads no files: omit --data-dir, or choose another dataset")
        _require_no_facts(options, entry.name)
        dataset = _load_generated(entry, {"train": limit, "test": test_limit}, progress, keep=fetch)
    else:
        place = locate(name, data_root(data_dir), inspect_root(data_dir, named_in))
        if place.cache is None:
            dataset = _load_own(place, name, options, names)
        else:
            is_empty = data_dir is not None and place.found is None
            _require_no_facts(options, f"{data_dir} holds no dataset, and {place.name}" if is_empty else place.name)
            if place.name in imported():
                dataset = _load_imported(place)
            else:
                dataset = _load_published(place, data_dir, fetch=fetch, progress=progress, notice=notice)
    kept = replace(dataset, train=dataset.train.first(limit), test=dataset.test.first(test_limit))
    return transformed(kept, options, names)


def _require_no_facts(options: DataOptions, name: str) -> None:
    """Raise InputError if options contradict what is known of a named dataset."""
    entry = imported().get(name)
    classes = entry.classes if entry else CLASSES
    if options.classes not in {None, classes}:
        raise InputError(f"{name} has {classes} classes, not {options.classes}; a folder of your own may have others")
    require_own_test_set(name, options)


def inspect_root(data_dir: Path | None, named_in: str = DATA_DIR, *, may_create: bool = False) -> Finding:
    """Return the contents of ``data_root``, see ``require_data_folder``. Only a folder given by the user must exist."""
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
    """Read the dataset from the cache. Download it first if it is missing or damaged."""
    name, folder = place.name, cast("Path", place.cache)
    files = published()[name].files
    # A folder that the user names gets no manifest from commands that only read it; ``download`` writes one.
    is_noted = fetch and (data_dir is None or (folder / cache.MANIFEST).is_file())
    wrong = next((found.reason for file in files if (found := cache.quick_check(folder, file, note=is_noted))), None)
    if wrong is None:
        try:
            return _read(_files_in(folder), name, mapped=_is_verified(folder))
        except InputError as error:
            wrong = str(error)
    is_new = not any(formats.find_file(folder, file.name) for file in files)
    if not fetch:
        command = program_command("download", name, *(["--data-dir", data_dir] if data_dir else []))
        raise DataUnavailable(f"{f'{name} is not in {folder.parent}' if is_new else wrong}; to download it: {command}")
    try:
        _download(name, folder, progress, notice)
        return _read(_files_in(folder), name, mapped=_is_verified(folder))
    except (DataUnavailable, InputError) as error:
        if is_new and data_dir is not None:
            raise DataUnavailable(f"{data_dir} does not hold {name}; {error}") from error
        if is_new and isinstance(error, DataUnavailable):
            raise
        raise DataUnavailable(str(error) if is_new else f"{wrong}; {error}") from error


def _files_in(folder: Path) -> dict[str, Path]:
    return {name: formats.find_file(folder, name) or folder / name for name in FILE_NAMES}


def _is_verified(folder: Path) -> bool:
    """Return True if this program has verified all four files, and they are unchanged."""
    return all(cache.is_verified(path) for path in _files_in(folder).values())


def _download(name: PublishedName, folder: Path, progress: Progress | None, notice: Notice | None) -> None:
    from mnist_bp.data.download.fetch import download

    download(published()[name], folder, verify=True, progress=progress, notice=notice)


def _load_own(place: Location, name: DatasetName | None, options: DataOptions, names: Sequence[str]) -> Dataset:
    """Read the user's files. The result is named by its layout, its content or its folder."""
    assert place.found is not None
    folder, source = place.found.folder, place.found.source
    called = Path(os.path.realpath(folder))
    stem = called.name.split(".")[0] if called.is_file() else called.name
    dataset = assemble(source, stem if place.name == OWN else place.name, options, names)
    known = identify(dataset, {folder.name, source.prefix})
    if known is not None and name in {*published()} - {known}:
        raise InputError(f"{folder} holds {known}, not {name}; omit --dataset, or choose another --data-dir")
    if place.name != OWN:
        return dataset
    return replace(dataset, name=known or (f"{OWN}-{stem}" if stem in DATASETS else stem))


def _load_imported(place: Location) -> Dataset:
    """Read a dataset that ``download --from`` has stored in the cache."""
    entry, folder = imported()[place.name], cast("Path", place.cache)
    if place.found is None:
        raise not_imported(entry, folder)
    files = imported_files(folder)
    if damaged := next(filter(None, (cache.quick_check(folder, file) for file in files)), None):
        raise not_imported(entry, folder, damaged.reason)
    dataset = _read(_files_in(folder), entry.name, entry.classes, mapped=_is_verified(folder))
    return replace(dataset, names=place.found.source.class_names())


def _read(files: Mapping[str, Stored], name: str, classes: int = CLASSES, *, mapped: bool = False) -> Dataset:
    """Read a dataset from its four files. Raise an InputError that names the file if one is invalid.

    Images may be ``mapped`` only from files in the cache, which this program replaces but never rewrites in place.
    """
    return assemble(source_of(files, mapped=mapped), name, DataOptions(classes=classes))


def _load_generated(
    entry: GeneratedDataset, limits: Mapping[SplitName, int | None], progress: Progress | None, *, keep: bool
) -> Dataset:
    """Load a generated dataset. It is drawn once and then read from disk, or drawn each time if it cannot be stored.

    If it is not stored yet and ``limits`` are given, only the first examples are drawn, and nothing is stored.
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
        with suppress(InputError):  # damaged: draw it again
            return _read(_files_in(folder), entry.name, mapped=True)
    dataset = draw(entry, wanted, progress)
    is_users = bool(finding.datasets) and not finding.is_cache
    if keep and not is_users and wanted == entry.examples:
        store(dataset, folder)
    return dataset
