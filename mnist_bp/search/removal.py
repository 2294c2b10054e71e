"""Removal of searches: which folders are searches, which of their files may be removed, and which searches run.

The study is read with Python's own SQLite, because a search can be deleted where Optuna is not installed.
"""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from mnist_bp.errors import InputError
from mnist_bp.search.folder import ATTRIBUTE, BEST, GRACE, STUDY
from mnist_bp.storage.removal import Removal, plan_removal
from mnist_bp.training.run_files import CONFIG
from mnist_bp.training.run_paths import DRAWN

__all__ = ["is_search", "plan_search_removal"]

DRAWINGS = {"best-so-far", "settings", "importances"}
"""Names of the plots, without suffixes."""

MOST_STEPS = 1_000
"""Largest number of times that SQLite reports 10,000 instructions in a query. A file may claim tables without end."""


def is_search(folder: Path) -> bool:
    """Return True if the folder has the file of a study, and is no run."""
    return os.path.lexists(folder / STUDY) and not os.path.lexists(folder / CONFIG)


def plan_search_removal(folder: Path) -> list[Removal]:
    """Return what to remove for a search.

    Raises
    ------
    InputError
        If the folder is a link, if its study is none of mnist-bp, or if the search runs.
    OSError
        If the folder cannot be read.
    """
    study = folder / STUDY
    if folder.is_symlink():
        raise InputError(f"{folder} is a link, and links are not followed: name the folder of the search itself")
    try:
        record, running = _read(study) if study.is_file() and not study.is_symlink() else (None, 0)
    except (sqlite3.Error, ValueError) as error:
        raise InputError(f"{study} is not the study of a search ({error}); nothing was deleted") from error
    if not isinstance(record, dict) or "space" not in record:
        raise InputError(f"{study} is not the study of a search; nothing was deleted")
    if running:
        raise InputError(
            f"{folder} is running, or was killed in the last {GRACE} seconds: stop it first; nothing was deleted"
        )
    return [plan_removal(folder, _is_own, STUDY)]


def _read(study: Path) -> tuple[object, int]:
    """Return the record of a search, None if there is none, and the number of trials that run."""
    steps = iter(range(MOST_STEPS))
    with closing(sqlite3.connect(f"{study.absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.execute("PRAGMA trusted_schema = OFF")
        database.set_progress_handler(lambda: next(steps, None) is None, 10_000)
        record = database.execute(
            "SELECT value_json FROM study_user_attributes WHERE key = ? LIMIT 1", [ATTRIBUTE]
        ).fetchone()
        (running,) = database.execute(
            "SELECT count(*) FROM trials JOIN trial_heartbeats USING (trial_id) WHERE state = 'RUNNING' "
            "AND abs(strftime('%s', 'now') - strftime('%s', heartbeat)) < ?",
            [GRACE],
        ).fetchone()
    return json.loads(record[0]) if record else None, running


def _is_own(name: str) -> bool:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - of a name
    return name in {STUDY, f"{STUDY}-journal", BEST} or (stem in DRAWINGS and suffix in DRAWN)
