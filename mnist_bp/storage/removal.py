"""Removal of this program's own files from a folder. Other files and links stay, and so does their folder."""

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mnist_bp.storage.atomic import PART, sync_folder

__all__ = ["Removal", "plan_removal", "remove"]


class Removal(NamedTuple):
    """Files of a folder to remove, in this order, and their size in bytes."""

    folder: Path
    files: tuple[Path, ...]
    bytes: int


def plan_removal(folder: Path, is_own: Callable[[str], bool], last: str) -> Removal:
    """Return the regular files in a folder whose names ``is_own`` accepts, and temporary files of ``atomic_write``.

    The file that identifies the folder is the ``last``, so that a removal that is interrupted can be repeated.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    found = {path: path.lstat() for path in sorted(folder.iterdir()) if is_own(path.name) or PART.fullmatch(path.name)}
    files = {path: each.st_size for path, each in found.items() if stat.S_ISREG(each.st_mode)}
    return Removal(folder, tuple(sorted(files, key=lambda path: path.name == last)), sum(files.values()))


def remove(removals: Sequence[Removal]) -> list[str]:
    """Remove files, then each folder that is empty. Return the names of what is left in the last folder.

    Raises
    ------
    OSError
        If a file cannot be removed.
    """
    for removal in removals:
        for file in removal.files:
            file.unlink(missing_ok=True)
        with suppress(OSError):  # it is not empty
            removal.folder.rmdir()
        sync_folder(removal.folder.parent)
    folder = removals[-1].folder
    return sorted(os.listdir(folder)) if folder.is_dir() else []  # noqa: PTH208 - the names
