"""Trainings with several seeds: the run of each seed, its command, and their summary."""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from mnist_bp.errors import InputError
from mnist_bp.shell import option_words
from mnist_bp.training import checkpoint
from mnist_bp.training.calculation import refuse_other_calculation
from mnist_bp.training.run_files import CHECKPOINT
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.settings import Settings
from mnist_bp.training.stopping import is_finished, refuse_less_patience
from mnist_bp.training.worker_pool import own_command

__all__ = ["SeedRun", "TimeLimit", "name_seeds", "reopen_series", "seed_command", "summarize"]

LEAST_SECONDS = 1e-3
"""Time limit of a training that starts after the end of the time of all: one epoch."""


@dataclass
class SeedRun:
    """State of the training with one seed, according to its records so far.

    Attributes
    ----------
    started
        Time of its first record by ``time.perf_counter``, or None.
    epochs
        Number of finished epochs, including those before it was resumed.
    last, end
        Records of its last epoch so far, and of its end.
    code
        Exit code, or None while it has not ended.
    error
        Error message, or "".
    """

    seed: int
    folder: Path
    started: float | None = None
    epochs: int = 0
    last: dict[str, Any] | None = None
    end: dict[str, Any] | None = None
    code: int | None = None
    error: str = ""

    @property
    def is_finished(self) -> bool:
        """True if the training finished successfully, so that the summary includes it."""
        return self.code == 0 and self.end is not None

    @property
    def seconds(self) -> float | None:
        """Duration of the training so far in seconds."""
        if self.end is not None:
            return float(self.end["seconds"])
        return None if self.started is None else time.perf_counter() - self.started

    @property
    def state(self) -> str:
        """State of the training in one word."""
        if self.code is None:
            return "waiting" if self.started is None else "training"
        return str(self.end["reason"]) if self.end else "failed"

    def take(self, record: dict[str, Any]) -> None:
        """Update the state by a record."""
        match record["event"]:
            case "start":
                self.started, self.epochs = time.perf_counter(), record["resumed_after"]
            case "epoch":
                self.last, self.epochs = record, record["epoch"]
            case "end":
                self.end, self.epochs = record, record["epochs"]


class TimeLimit:
    """Wall time of trainings that run ``n_parallel`` at a time, from now on, in seconds.

    The trainings start in rounds. Each gets an equal part of the time that is left: this round's part.
    """

    def __init__(self, seconds: float, trainings: int, n_parallel: int) -> None:
        self._end = time.monotonic() + seconds
        self._trainings, self._n_parallel = trainings, n_parallel

    def part(self, n_waiting: int) -> float:
        """Return the seconds of a training that starts now, before ``n_waiting`` others.

        It is always positive, so that the training has one epoch at least.
        """
        started = self._trainings - n_waiting - 1
        rounds = math.ceil(self._trainings / self._n_parallel) - started // self._n_parallel
        return max(LEAST_SECONDS, (self._end - time.monotonic()) / rounds)


def summarize(runs: Sequence[SeedRun]) -> dict[str, Any]:
    """Return the summary record of the finished trainings.

    All lists are in the order of the seeds. ``std`` is the sample standard deviation, √(Σ (x − mean)² / (n − 1)). The
    mean of no value is None, and so is the standard deviation of fewer than two values.
    """
    ends = {run.seed: run.end for run in runs if run.is_finished and run.end is not None}
    best = [end["best_epoch"] for end in ends.values() if "best_epoch" in end]
    return {
        "event": "summary",
        "seeds": [*ends],
        "unfinished": [run.seed for run in runs if run.seed not in ends],
        "test_accuracy": _spread([end["test_accuracy"] for end in ends.values()]),
        "test_cost": _spread([end["test_cost"] for end in ends.values()]),
        **({"best_epochs": best} if best else {}),
        "runs": [end["run"] for end in ends.values()],
        "fingerprints": [end["fingerprint"] for end in ends.values()],
    }


def _spread(values: list[float]) -> dict[str, Any]:
    return {
        "each": values,
        "mean": mean(values) if values else None,
        "std": stdev(values) if len(values) > 1 else None,
    }


def name_seeds(seeds: Sequence[int]) -> str:
    """Return seeds in short form: seed 3; seeds 0-4; or seeds 0, 2, 3 if they are not consecutive."""
    first, last = seeds[0], seeds[-1]
    if len(seeds) > 2 and last - first == len(seeds) - 1:
        return f"seeds {first}-{last}"
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def reopen_series(folder: Path, settings: Settings, options: dict[str, Any]) -> RunFolder:
    """Return the folder of several runs to resume them. Its history is cleared, and finished runs report again.

    Nothing is changed if the runs cannot resume.

    Raises
    ------
    InputError
        If one of the runs could not resume with this number of epochs, or began in a version that computed other
        numbers, or if this is the folder of a single run.
    """
    run = RunFolder.reopen(folder)
    if run.checkpoint.exists():
        raise InputError(f"{folder} is the folder of a single run, but its config has several seeds")
    config = run.read_config()
    refuse_less_patience(folder, config, settings)
    if settings.epochs != config.get("epochs", settings.epochs) and "epochs" not in settings.resumable:
        raise InputError(f"cannot change --epochs of {folder}: that requires --schedule constant from the start")
    for one in map(RunFolder, sorted(folder.glob("seed-*"))):
        if one.folder.is_symlink():
            raise InputError(f"{one.folder} is a link to another folder: replace it by a copy to resume {folder}")
        if (had := len(one.read_history())) > settings.epochs:
            raise InputError(f"{one.folder} has already had {had} epochs, more than --epochs {settings.epochs}")
    _refuse_a_mixture(folder, settings, options["seeds"])
    run.resume(0, options)
    return run


def _refuse_a_mixture(folder: Path, settings: Settings, seeds: int) -> None:
    """Raise InputError if older runs of a series are done, and those that are left would have other numbers."""
    held = []
    for path in sorted(folder.glob(f"seed-*/{CHECKPOINT}")):
        with suppress(InputError):  # damaged: its own training reports it
            held.append(checkpoint.read_progress(path))
    begins = len(held) < seeds
    if begins or not all(is_finished(settings, each.arrays) for each in held):
        for each in held:
            refuse_other_calculation(folder, each.meta, settings, from_start=begins)


def seed_command(settings: Settings, run: SeedRun) -> list[str]:
    """Return the command that trains this seed, or resumes its training."""
    values = settings.options()
    if RunFolder(run.folder).config.is_file():
        values = {key: value for key, value in values.items() if key in settings.resumable} | {"resume": run.folder}
    else:
        values |= {"seed": run.seed, "output": run.folder}
    return own_command("train", "--json", "--quiet", *option_words(values))
