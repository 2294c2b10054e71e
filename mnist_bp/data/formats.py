"""Recognition of datasets on disk, in common formats, layouts and file names. This module never writes.

Only ``recognize`` decides what a folder or file contains. It tries each reader of ``READERS`` in each place of
``_places``. A new format is an entry in ``layouts.FORMATS`` and a reader here.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from mnist_bp.data.choices import imported, is_generated, published
from mnist_bp.data.class_names import NAMES_FILE, read_class_names
from mnist_bp.data.names import FILE_NAMES, OWN, DatasetName
from mnist_bp.data.readers import array_files, csv_files, idx_files, pictures
from mnist_bp.data.readers.idx_files import find_file
from mnist_bp.data.readers.refused import refusal
from mnist_bp.data.readers.source import Find, Source
from mnist_bp.data.tree import Folder, archive_folder, is_hidden, single_file
from mnist_bp.data.zip_member import Stored
from mnist_bp.errors import InputError, listed

__all__ = ["READERS", "Finding", "Found", "candidates", "find_file", "is_file", "recognize"]

READERS: dict[str, Find] = {
    "idx": idx_files.find,
    "csv": csv_files.find,
    "npz": array_files.find,
    "pictures": pictures.find,
}
"""Readers of ``layouts.FORMATS``. In a folder, the first format with a complete dataset is used."""


@dataclass(frozen=True)
class Found:
    """A dataset on disk.

    Attributes
    ----------
    name
        Name of the dataset in this layout, or ``OWN`` if the layout has no name for it.
    folder
        Folder that contains the dataset, or the file that is the dataset.
    source
        Its files, and functions that read them.
    """

    name: DatasetName
    folder: Path
    source: Source

    @property
    def may_be_cached(self) -> bool:
        """True if these are files as this program downloads and imports them."""
        files = {file.name.removesuffix(".gz") if isinstance(file, Path) else "" for file in self.source.files}
        return not self.source.prefix and {*map(idx_files.standard_name, files)} == {*FILE_NAMES}


@dataclass(frozen=True)
class Finding:
    """Contents of a folder or file.

    Attributes
    ----------
    datasets
        Complete datasets, named ones first.
    is_empty
        True if the folder is missing or contains only hidden files.
    is_cache
        True if the folder is a cache of this program.
    holds
        Description of the contents for messages.
    problem
        Reason why a dataset in the folder is not complete, or "".
    """

    datasets: tuple[Found, ...] = ()
    is_empty: bool = True
    is_cache: bool = False
    holds: str = "nothing"
    problem: str = ""

    @property
    def is_recognised(self) -> bool:
        """True if the folder may be used as a data folder."""
        return self.is_empty or self.is_cache or bool(self.datasets)

    def named(self, name: DatasetName) -> Found | None:
        """Return the dataset with this name in its layout, or None.

        Raise InputError if the user's files, which have no name, are several datasets.
        """
        found = [each for each in self.datasets if each.name == name]
        prefixes = sorted({each.source.prefix for each in found if each.folder == found[0].folder})
        if len(prefixes) > 1:
            raise InputError(
                f"{found[0].folder} holds several datasets: {listed([*filter(None, prefixes)])}; move the one to use "
                "to a folder of its own"
            )
        return found[0] if found else None


def recognize(path: Path) -> Finding:
    """Return the contents of a folder or file. A path that does not exist is empty.

    Raises
    ------
    NotADirectoryError
        If it is a file that no reader knows.
    OSError
        If it cannot be read.
    InputError
        If it is an archive that cannot be read.
    """
    if not os.path.exists(path):  # noqa: PTH110 - before Python 3.12, Path.exists raises for a cycle of links
        return Finding()
    if is_file(path):
        found, problem = _search([(_opened(path), OWN)])
        if not found and not problem:
            raise NotADirectoryError(path)
        return Finding(found, is_empty=False, holds="a file", problem=problem)
    names = _visible(path)
    found, problem = _search(_places(Folder(path)))
    return Finding(found, not names, _is_cache(path, names), _description(path, names), problem)


def candidates(path: Path, dataset: DatasetName, name: str) -> Iterator[Stored]:
    """Yield the files at ``path``, a folder or a file, that may be the file ``name`` of a published dataset.

    Raises
    ------
    InputError
        If an archive cannot be read.
    """
    places = _places(Folder(path)) if path.is_dir() else [(_opened(path), OWN)]
    for place, called in places:
        if called in {dataset, OWN}:
            for folder in chain(_all(place), *map(_all, map(archive_folder, _archives(place)))):
                yield from idx_files.candidates(folder).get("", {}).get(name, [])


def is_file(path: Path) -> bool:
    """Return True if the file exists. In a folder that cannot be read, it does not."""
    return os.path.isfile(path)  # noqa: PTH113 - before Python 3.14, Path.is_file raises for an unreadable folder


def _search(places: Iterable[tuple[Folder, DatasetName]]) -> tuple[tuple[Found, ...], str]:
    """Return the datasets in these places, and the first problem or ""."""
    found: list[Found] = []
    problems: list[str] = []
    for place, called in places:
        sources = [*_sources(_all(place), problems)]
        for archive in () if sources else _archives(place):
            try:
                sources += _sources(_all(archive_folder(archive)), problems)
            except InputError as error:
                problems.append(str(error))
        if not sources:
            problems += filter(None, [refusal(place)])
        found += (Found(each.prefix if each.prefix in imported() else called, place.path, each) for each in sources)
    return tuple(found), next(iter(problems), "")


def _sources(folders: Iterable[Folder], problems: list[str]) -> Iterator[Source]:
    """Yield the datasets in these folders, of the first format that has one. What is incomplete is a problem."""
    taken: list[Path] = []
    for folder in folders:
        if any(path in folder.path.parents for path in taken):
            continue
        for find in READERS.values():
            results = [*find(folder)]
            problems += (str(each) for each in results if isinstance(each, InputError))
            if sources := [each for each in results if isinstance(each, Source)]:
                yield from (_with_class_names(each, folder) for each in sources)
                taken.append(folder.path)
                break


def _with_class_names(source: Source, folder: Folder) -> Source:
    """Return a dataset with the class names in a file beside it, if there is one."""
    names = (NAMES_FILE, f"{source.prefix}-mapping.txt")
    file = next((folder.files[name] for name in names if name in folder.files), None)
    return source if file is None else replace(source, class_names=lambda: read_class_names(file))


def _places(folder: Folder) -> Iterator[tuple[Folder, DatasetName]]:
    """Yield the folders below ``folder`` that may contain a dataset, and the dataset's name there."""
    for name, torchvision in _torchvision_names().items():
        yield from ((each, name) for each in (folder.below(name), folder.below(torchvision, "raw")) if each)
    for place in (folder.below("raw"), folder.below("gzip"), folder):
        if place is not None:
            yield place, _name_by_torchvision(place.path)


def _opened(path: Path) -> Folder:
    """Return a file as a folder: a zip archive, or a folder that contains only this file."""
    return archive_folder(path) if path.suffix == ".zip" else single_file(path)


def _archives(folder: Folder) -> Iterator[Path]:
    return (file for name, file in folder.files.items() if name.endswith(".zip") and isinstance(file, Path))


def _all(folder: Folder) -> Iterator[Folder]:
    """Yield a folder, and, if it is in an archive, all folders below it, the nearest first."""
    waiting = deque([folder])
    while waiting:
        yield (place := waiting.popleft())
        waiting.extend(place.folders.values() if place.is_in_archive else ())


def _torchvision_names() -> dict[DatasetName, str]:
    """Return the names of the datasets' folders in torchvision."""
    by_name = {name: each.torchvision for name, each in published().items()}
    return by_name | {name: each.torchvision for name, each in imported().items()}


def _name_by_torchvision(place: Path) -> DatasetName:
    parts = Path(os.path.realpath(place)).parts[-2:]
    names = (name for name, dataset in published().items() if parts == (dataset.torchvision, "raw"))
    return next(names, OWN)


def _visible(folder: Path) -> list[str]:
    """Return the names in a folder, without hidden files and files that operating systems add."""
    return sorted(entry.name for entry in os.scandir(folder) if not is_hidden(entry.name))


def _is_cache(folder: Path, names: list[str]) -> bool:
    """Return True if a published dataset's folder contains its files, or if there are only such folders."""
    held = {name: _visible(folder / name) for name in names if _is_dataset_name(name) and (folder / name).is_dir()}
    ours = {name for name, files in held.items() if all(map(_is_ours, files))}
    in_published = (file for name in (*published(), *imported()) for file in held.get(name, ()))
    return any(map(_is_ours, in_published)) or ours == {*names} != set()


def _is_dataset_name(name: str) -> bool:
    return name in published() or name in imported() or is_generated(name)


def _is_ours(name: str) -> bool:
    return name in {"manifest.json", NAMES_FILE} or name.removesuffix(".damaged").removesuffix(".gz") in FILE_NAMES


def _description(folder: Path, names: list[str]) -> str:
    """Return the number of files and folders, and the first names."""
    folders = sum((folder / name).is_dir() for name in names)
    counts = [_count(len(names) - folders, "file"), _count(folders, "folder")]
    return f"{' and '.join(filter(None, counts))}: {listed(names)}" if names else "nothing"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}" if number else ""
