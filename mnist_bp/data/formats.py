"""Recognition of datasets on disk, in common layouts and file names. This module never writes.

Only ``recognize`` decides what a folder contains. It tries each format of ``FORMATS`` in each place of ``_places``. A
new format is a function and a line in ``FORMATS``.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mnist_bp.data.choices import is_generated, published
from mnist_bp.data.names import FILE_NAMES, OWN, DatasetName
from mnist_bp.data.zip_member import Stored, ZipMember, zip_members
from mnist_bp.errors import InputError

__all__ = ["EXPECTED", "Finding", "Found", "candidates", "find_file", "is_file", "recognize"]

EXPECTED = f"four IDX files ({', '.join(FILE_NAMES)}; plain or .gz), or the folder that torchvision or Kaggle creates"
"""Description of the supported layouts, for error messages."""

ARCHIVE = "archive.zip"
"""Name of the archive that Kaggle provides."""

SHOWN = 3
"""Largest number of file names in the description of a folder."""

Candidates = Mapping[str, list[Stored]]
"""Possible files for each of ``FILE_NAMES``, the preferred one first."""


@dataclass(frozen=True)
class Found:
    """A dataset on disk.

    Attributes
    ----------
    name
        Name of the dataset in this layout, or ``OWN`` if the layout has no name for it.
    folder
        Folder that contains the dataset.
    files
        Its four files, by their names in ``FILE_NAMES``.
    """

    name: DatasetName
    folder: Path
    files: Mapping[str, Stored]


@dataclass(frozen=True)
class Finding:
    """Contents of a folder.

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
        """Return the dataset with this name in its layout, or None."""
        return next((found for found in self.datasets if found.name == name), None)


def recognize(folder: Path) -> Finding:
    """Return the contents of a folder. A folder that does not exist is empty.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    if not os.path.exists(folder):  # noqa: PTH110 - before Python 3.12, Path.exists raises for a cycle of links
        return Finding()
    names = _visible(folder)
    found, problems = [], []
    for place, name in _places(folder):
        for files_of in FORMATS:
            try:
                files = files_of(place)
            except InputError as error:
                problems.append(str(error))
                continue
            missing = [file for file, stored in files.items() if not stored]
            if not missing:
                found.append(Found(name, place, {file: stored[0] for file, stored in files.items()}))
            elif len(missing) < len(files):
                problems.append(f"{place}: no {' and no '.join(missing)}; expected {', '.join(FILE_NAMES)}")
    problem = next(iter(problems), "")
    return Finding(tuple(found), not names, _is_cache(folder, names), _description(folder, names), problem)


def candidates(place: Path, dataset: DatasetName, name: str) -> Iterator[Stored]:
    """Yield the files at ``place``, a folder or a file, that may be the file ``name`` of a dataset.

    Raises
    ------
    InputError
        If an archive cannot be read.
    """
    if not place.is_dir():
        if place.suffix == ".zip":
            yield from _archive(place)[name]
        elif place.name in _spellings(name):
            yield place
        return
    for folder, called in _places(place):
        if called in {dataset, OWN}:
            for files_of in FORMATS:
                yield from files_of(folder)[name]


def find_file(folder: Path, name: str) -> Path | None:
    """Return the file with this name in ``folder``, in any spelling. A plain file is preferred to a .gz file."""
    return next((path for path in (folder / each for each in _RELATIVE[name]) if is_file(path)), None)


def is_file(path: Path) -> bool:
    """Return True if the file exists. In a folder that cannot be read, it does not."""
    return os.path.isfile(path)  # noqa: PTH113 - before Python 3.14, Path.is_file raises for an unreadable folder


def _places(folder: Path) -> Iterator[tuple[Path, DatasetName]]:
    """Yield the folders below ``folder`` that may contain a dataset, and the dataset's name there."""
    for name, dataset in published().items():
        yield folder / name, name
        yield folder / dataset.torchvision / "raw", name
    for place in (folder / "raw", folder):
        yield place, _name_by_torchvision(place)


def _name_by_torchvision(place: Path) -> DatasetName:
    parts = Path(os.path.realpath(place)).parts[-2:]
    names = (name for name, dataset in published().items() if parts == (dataset.torchvision, "raw"))
    return next(names, OWN)


def _idx_files(folder: Path) -> Candidates:
    """Find IDX files, plain or .gz. Kaggle unzips each of them into a folder with the name of the file."""
    if not folder.is_dir():
        return {name: [] for name in FILE_NAMES}
    return {name: [folder / each for each in paths if is_file(folder / each)] for name, paths in _RELATIVE.items()}


def _archive_in(folder: Path) -> Candidates:
    """Find IDX files in Kaggle's archive."""
    return _archive(folder / ARCHIVE) if is_file(folder / ARCHIVE) else {name: [] for name in FILE_NAMES}


def _archive(path: Path) -> Candidates:
    members = zip_members(path)
    return {name: [ZipMember(path, each) for each in paths if each in members] for name, paths in _RELATIVE.items()}


FORMATS: tuple[Callable[[Path], Candidates], ...] = (_idx_files, _archive_in)
"""Functions that find the files in a folder, the preferred format first."""


def _spellings(name: str) -> list[str]:
    """Return the common names of one of the four files, plain ones first."""
    stems = [name, name.replace("t10k-", "test-")]
    stems += [stem.replace("-idx", ".idx") for stem in stems]  # the name that gunzip -N restores
    return [f"{stem}{end}" for end in ("", ".gz") for stem in dict.fromkeys(stems)]


def _relative_paths(name: str) -> list[str]:
    spellings = _spellings(name)
    return [*spellings, *(f"{folder}/{file}" for folder in spellings for file in spellings)]


_RELATIVE = {name: _relative_paths(name) for name in FILE_NAMES}


def _visible(folder: Path) -> list[str]:
    """Return the names in a folder, without hidden files and files that operating systems add."""
    names = (entry.name for entry in os.scandir(folder))
    return sorted(name for name in names if not name.startswith(".") and name not in {"Thumbs.db", "desktop.ini"})


def _is_cache(folder: Path, names: list[str]) -> bool:
    """Return True if a published dataset's folder contains its files, or if there are only such folders."""
    held = {name: _visible(folder / name) for name in names if _is_dataset_name(name) and (folder / name).is_dir()}
    ours = {name for name, files in held.items() if all(map(_is_ours, files))}
    in_published = (file for name in published() for file in held.get(name, ()))
    return any(map(_is_ours, in_published)) or ours == {*names} != set()


def _is_dataset_name(name: str) -> bool:
    return name in published() or is_generated(name)


def _is_ours(name: str) -> bool:
    return name == "manifest.json" or name.removesuffix(".damaged").removesuffix(".gz") in FILE_NAMES


def _description(folder: Path, names: list[str]) -> str:
    """Return the number of files and folders, and the first names."""
    folders = sum((folder / name).is_dir() for name in names)
    counts = [_count(len(names) - folders, "file"), _count(folders, "folder")]
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return f"{' and '.join(filter(None, counts))}: {shown}" if names else "nothing"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}" if number else ""
