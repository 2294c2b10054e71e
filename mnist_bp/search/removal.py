"""Removal of searches: which of the files in a folder belong to a search, and which searches may be removed."""

import os
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.search.folder import BEST, GRACE, STUDY
from mnist_bp.search.summary import summarize_search
from mnist_bp.storage.removal import Removal, plan_removal
from mnist_bp.training.run_paths import DRAWN

__all__ = ["plan_search_removal"]

DRAWINGS = {"best-so-far", "settings", "importances"}
"""Names of the plots, without suffixes."""


def plan_search_removal(folder: Path) -> list[Removal]:
    """Return what to remove for a search.

    Raises
    ------
    InputError
        If the folder is a link, if its study is none of mnist-bp, or if the search runs.
    OSError
        If the folder cannot be read.
    """
    if folder.is_symlink():
        raise InputError(f"{folder} is a link, and links are not followed: name the folder of the search itself")
    try:
        search = summarize_search(folder)
    except InputError as error:
        raise InputError(f"{error}; nothing was deleted") from error
    if search.running:
        raise InputError(
            f"{folder} is running, or was killed in the last {GRACE} seconds: stop it first; nothing was deleted"
        )
    return [plan_removal(folder, _is_own, STUDY)]


def _is_own(name: str) -> bool:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - of a name
    return name in {STUDY, f"{STUDY}-journal", BEST} or (stem in DRAWINGS and suffix in DRAWN)
