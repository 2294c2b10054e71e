"""Removal of runs: which files of a folder belong to a run, and which runs may be removed."""

import os
from contextlib import suppress
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import is_locked
from mnist_bp.storage.regular_file import read_whole
from mnist_bp.storage.removal import Removal, plan_removal
from mnist_bp.training.run_files import CHECKPOINT, CONFIG, HISTORY, LATEST, MODEL, RECORD
from mnist_bp.training.run_paths import DRAWN, LONGEST_PATH

__all__ = ["forget_latest", "plan_run_removal"]

DRAWINGS = {"page", "learning-curves", "gradient-norms", "confusion", "mistakes", "first-layer-weights"}
"""Names of the page and the plots, without suffixes."""


def plan_run_removal(folder: Path) -> list[Removal]:
    """Return what to remove for a run, or for the folder of ``train --seeds``, whose runs are first.

    Raises
    ------
    InputError
        If it is a link, is no run, or is running.
    OSError
        If it cannot be read.
    """
    if folder.is_symlink():
        raise InputError(f"{folder} is a link, and links are not followed: name the folder of the run itself")
    if not (folder / CONFIG).is_file() or (folder / CONFIG).is_symlink():
        raise InputError(f"{folder} is not a run folder: it has no {CONFIG}; nothing was deleted")
    seeds = [path for path in sorted(folder.glob("seed-*")) if (path / CONFIG).is_file() and not path.is_symlink()]
    for run in (*seeds, folder):
        if _is_running(run):
            raise InputError(f"{run} is running: stop its training first; nothing was deleted")
    return [plan_removal(run, _is_own, CONFIG) for run in (*seeds, folder)]


def forget_latest(folder: Path) -> None:
    """Remove the file ``latest`` if it names this run."""
    with suppress(OSError):
        named = LATEST.parent / os.fsdecode(read_whole(LATEST, LONGEST_PATH))
        if os.path.realpath(named) == os.path.realpath(folder):
            LATEST.unlink()


def _is_own(name: str) -> bool:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - of a name
    return name in {CONFIG, RECORD, HISTORY, CHECKPOINT, MODEL} or (stem in DRAWINGS and suffix in DRAWN)


def _is_running(run: Path) -> bool:
    with suppress(OSError):  # there is no history, or no lock on this file system
        return is_locked(run / HISTORY)
    return False
