"""What there is of every dataset, and where."""

from pathlib import Path
from typing import NamedTuple

from mnist_bp.data import manifest
from mnist_bp.data.datasets import synthetic_folder
from mnist_bp.data.names import FILE_NAMES, SYNTHETIC
from mnist_bp.data.published import PUBLISHED, PublishedDataset

__all__ = ["Entry", "catalogue"]


class Entry(NamedTuple):
    """One dataset: its state in a word, where it lies or would lie, and the bytes that it takes there."""

    dataset: str
    state: str
    bytes: int
    folder: Path
    makers: str


def catalogue(root: Path) -> list[Entry]:
    """Every dataset below ``root``."""
    folder = synthetic_folder(root)
    state = "intact" if all(manifest.find(folder, name) for name in FILE_NAMES) else "embedded"
    synthetic = Entry(SYNTHETIC, state, _size(folder), folder, "this program, at its first use")
    return [*(_entry(root / name, dataset) for name, dataset in PUBLISHED.items()), synthetic]


def _entry(folder: Path, dataset: PublishedDataset) -> Entry:
    states = {manifest.look(folder, file).state for file in dataset.files}
    worst = next(state for state in ("damaged", "absent", "unverified", "intact") if state in states)
    state = "incomplete" if worst == "absent" and len(states) > 1 else worst
    return Entry(dataset.name, state, _size(folder), folder, dataset.makers)


def _size(folder: Path) -> int:
    found = (manifest.find(folder, name) for name in FILE_NAMES)
    return sum(path.stat().st_size for path in found if path is not None)
