"""Names of runs, and search for runs in folders."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.training.run_files import CONFIG, LATEST, RUNS
from mnist_bp.training.run_record import read_record

__all__ = ["check_name", "find_named", "find_runs"]

DEPTH = 3
"""Levels of folders that are searched: a folder of groups, a group, the folder of ``train --seeds``."""

NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
"""Names that every system accepts as the end of a folder's name, and that no shell takes for an option."""

SHOWN = 3
"""Largest number of candidates in an error."""


def check_name(text: str) -> str:
    """Return the name for a run. Raise InputError if it is not valid."""
    if not NAME.fullmatch(text):
        raise InputError(
            f"{text[:80]!r} is not a name for a run: expected up to 64 letters (a-z, A-Z), digits, - _ and dots, "
            "with no - or dot first, and no dot last"
        )
    if text.lower() == LATEST.name:
        raise InputError(f"{text} is the name of the latest run: choose another name")
    return text


def find_runs(folder: Path) -> Iterator[Path]:
    """Yield the run folders below ``folder``, each once, in the order of their names.

    A folder with a config.toml is a run, and so is one that cannot be read. Folders in a run are not searched, so that
    the folder of several seeds is one run. Symbolic links are followed.

    Raises
    ------
    InputError
        If ``folder`` itself cannot be read.
    """
    try:
        entries = sorted(os.listdir(folder))  # noqa: PTH208 - the names
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}") from error
    yield from _search(folder, entries, DEPTH, set())


def _search(folder: Path, entries: list[str], depth: int, seen: set[tuple[int, int]]) -> Iterator[Path]:
    for path in (folder / name for name in entries if not name.startswith(".")):
        if not os.path.isdir(path):  # noqa: PTH112 - false also for a folder whose state cannot be read
            continue
        found = path.stat()
        if found.st_ino and (found.st_dev, found.st_ino) in seen:
            continue
        seen.add((found.st_dev, found.st_ino))
        try:
            inside = sorted(os.listdir(path))  # noqa: PTH208 - the names
        except OSError:
            inside = [CONFIG]
        if CONFIG in inside:
            yield path
        elif depth > 1:
            yield from _search(path, inside, depth - 1, seen)


def find_named(target: Path) -> Path | None:
    """Return the run below ``runs`` with this name, or the file or folder in ``runs``; None if there is none.

    Raises
    ------
    InputError
        If several runs have the name.
    """
    if len(target.parts) != 1 or target.is_absolute() or not RUNS.is_dir():
        return None
    with suppress(OSError, ValueError):  # a name that is too long for the system
        if (RUNS / target).exists():
            return RUNS / target
    found = [folder for folder in find_runs(RUNS) if _name_of(folder) == target.name]
    if len(found) > 1:
        newest = ", ".join(str(folder) for folder in found[: -SHOWN - 1 : -1])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise InputError(f"{target} is the name of {len(found)} runs: choose one of {newest}{more}")
    return found[0] if found else None


def _name_of(folder: Path) -> object:
    with suppress(InputError):  # damaged: it has no name
        return read_record(folder).get("name")
    return None
