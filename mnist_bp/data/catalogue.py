"""State and location of every known dataset."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mnist_bp.data.choices import DATASETS
from mnist_bp.data.download import cache
from mnist_bp.data.download.cache import QUARANTINED
from mnist_bp.data.download.imports import imported_files
from mnist_bp.data.formats import Found, find_file, recognize
from mnist_bp.data.generated import folder_of
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.registry import DatasetEntry, GeneratedDataset, ImportedDataset, PublishedDataset
from mnist_bp.data.zip_member import Stored

__all__ = ["Entry", "catalogue", "quarantined"]


class Entry(NamedTuple):
    """State of one dataset: a word for the state, its folder (even if it is absent), and its size there in bytes."""

    dataset: str
    state: str
    bytes: int
    folder: Path
    makers: str


def catalogue(root: Path) -> list[Entry]:
    """List every dataset below ``root``: those that can be downloaded, the synthetic digits, and the user's files."""
    finding = recognize(root)
    entries = (_entry(root, finding.named(name), dataset) for name, dataset in DATASETS.items())
    return [entry for entry in entries if entry is not None]


def quarantined(root: Path) -> list[Path]:
    """Return the files below ``root`` that failed verification and were renamed."""
    return sorted(path for pattern in ("*", "*/*") for path in root.glob(f"{pattern}{QUARANTINED}"))


def _entry(root: Path, found: Found | None, dataset: DatasetEntry) -> Entry | None:
    if isinstance(dataset, PublishedDataset | ImportedDataset) and (found is None or found.may_be_cached):
        return _stored(root, found, dataset)
    if isinstance(dataset, GeneratedDataset):
        folder = folder_of(dataset, root)
        state = "intact" if all(find_file(folder, name) for name in FILE_NAMES) else "embedded"
        return Entry(dataset.name, state, _size(_files_in(folder)), folder, dataset.makers)
    if found is None:
        return None
    return Entry(dataset.name, "unverified", _size(found.source.files), found.folder, dataset.makers)


def _stored(root: Path, found: Found | None, dataset: PublishedDataset | ImportedDataset) -> Entry:
    folder = root / dataset.name if found is None else found.folder
    files = dataset.files if isinstance(dataset, PublishedDataset) else imported_files(folder)
    states = {cache.verify(folder, file, note=False).state for file in files}
    worst = next(state for state in ("damaged", "absent", "unverified", "intact") if state in states)
    state = "incomplete" if worst == "absent" and len(states) > 1 else worst
    return Entry(dataset.name, state, _size(_files_in(folder)), folder, dataset.makers)


def _files_in(folder: Path) -> list[Path]:
    return [path for name in FILE_NAMES if (path := find_file(folder, name))]


def _size(files: Iterable[Stored]) -> int:
    return sum(path.stat().st_size for path in {file if isinstance(file, Path) else file.archive for file in files})
