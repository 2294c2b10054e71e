"""Summary of a search, read from its study with Python's own SQLite: it can be listed and deleted without Optuna."""

import json
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_bp.errors import InputError
from mnist_bp.search.folder import ATTRIBUTE, GRACE, STUDY
from mnist_bp.training.run_files import CONFIG

__all__ = ["SearchSummary", "find_searches", "is_search", "summarize_search"]

MOST_STEPS = 1_000
"""Largest number of times that SQLite reports 10,000 instructions in a query. A file may claim tables without end."""

RECORD = "SELECT value_json FROM study_user_attributes WHERE key = ? LIMIT 1"
STATES = "SELECT state, count(*) FROM trials GROUP BY state"
BEST = "SELECT max(value) FROM trial_values JOIN trials USING (trial_id) WHERE state = 'COMPLETE'"
RUNNING = (
    "SELECT count(*) FROM trials JOIN trial_heartbeats USING (trial_id) WHERE state = 'RUNNING' "
    "AND abs(strftime('%s', 'now') - strftime('%s', heartbeat)) < ?"
)


@dataclass(frozen=True)
class SearchSummary:
    """Facts about a search.

    Attributes
    ----------
    folder
        Folder of the search.
    planned
        Number of trials to finish.
    complete, pruned, failed
        Numbers of trials in these states.
    running
        Number of trials with a sign of life in the last ``GRACE`` seconds.
    accuracy
        Highest validation accuracy of a complete trial; None if there is none.
    """

    folder: Path
    planned: int
    complete: int
    pruned: int
    failed: int
    running: int
    accuracy: float | None

    @property
    def state(self) -> str:
        """One of running, finished and unfinished."""
        if self.running:
            return "running"
        return "finished" if self.complete + self.pruned >= self.planned else "unfinished"


def is_search(folder: Path) -> bool:
    """Return True if the folder has the file of a study, and is no run."""
    return os.path.lexists(folder / STUDY) and not os.path.lexists(folder / CONFIG)


def find_searches(folder: Path) -> list[Path]:
    """Return the folder itself if it is a search, else the searches in it, in the order of their names."""
    if is_search(folder):
        return [folder]
    try:
        return [path for path in sorted(folder.iterdir()) if path.is_dir() and is_search(path)]
    except OSError:
        return []


def summarize_search(folder: Path) -> SearchSummary:
    """Return the summary of a search. Raise InputError if its study is damaged, or none of mnist-bp."""
    import sqlite3  # here, because a Python may lack it, and lists of runs do not need it

    study = folder / STUDY
    if study.is_symlink() or not study.is_file():
        raise InputError(f"{study} is not the study of a search")
    try:
        return _summary(folder, *_read(study))
    except (sqlite3.Error, ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"{study} is not the study of a search ({type(error).__name__}: {error})") from error


def _read(study: Path) -> tuple[Any, dict[str, int], Any, int]:
    """Return the record, the numbers of trials by state, the highest accuracy and the number of living trials."""
    import sqlite3

    steps = iter(range(MOST_STEPS))
    with closing(sqlite3.connect(f"{study.absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.execute("PRAGMA trusted_schema = OFF")
        database.set_progress_handler(lambda: next(steps, None) is None, 10_000)
        ((record,),) = database.execute(RECORD, [ATTRIBUTE]).fetchall()
        states = dict(database.execute(STATES).fetchmany(10))
        ((best,),) = database.execute(BEST).fetchall()
        ((running,),) = database.execute(RUNNING, [GRACE]).fetchall()
    return json.loads(record), states, best, running


def _summary(folder: Path, record: Any, states: dict[str, int], best: Any, running: int) -> SearchSummary:
    complete, pruned, failed = (states.get(state, 0) for state in ("COMPLETE", "PRUNED", "FAIL"))
    return SearchSummary(
        folder,
        int(record["trials"]),
        complete,
        pruned,
        failed,
        running,
        None if best is None else float(best),
    )
