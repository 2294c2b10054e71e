"""One recipe with several seeds: the run of each seed, its command, and their summary."""

import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import mnist_bp
from mnist_bp.errors import InputError
from mnist_bp.shell import word
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.settings import Settings

__all__ = ["SeedRun", "name_seeds", "reopen_series", "seed_command", "summarize"]


@dataclass
class SeedRun:
    """One of the trainings, as far as its records have come.

    Attributes
    ----------
    started
        By ``time.perf_counter``, once its first record is there.
    epochs
        How many have ended, also before it went on.
    last, end
        The record of its last epoch so far, and that of its end.
    code
        Its exit code, once it has ended.
    error
        What it said went wrong, if something did.
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
        """Whether it came to its end, so that it counts."""
        return self.code == 0 and self.end is not None

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken until now."""
        if self.end is not None:
            return float(self.end["seconds"])
        return None if self.started is None else time.perf_counter() - self.started

    @property
    def state(self) -> str:
        """In a word."""
        if self.code is None:
            return "waiting" if self.started is None else "training"
        return str(self.end["reason"]) if self.end else "failed"

    def take(self, record: dict[str, Any]) -> None:
        """Remember what a record tells."""
        match record["event"]:
            case "start":
                self.started, self.epochs = time.perf_counter(), record["resumed_after"]
            case "epoch":
                self.last, self.epochs = record, record["epoch"]
            case "end":
                self.end, self.epochs = record, record["epochs"]


def summarize(runs: Sequence[SeedRun]) -> dict[str, Any]:
    """What those that are finished came to together, as a record.

    All its lists are in the order of the seeds. A standard deviation is that of a sample, √ of Σ (x − mean)² / (n − 1).
    The mean of no value is None, and so is the deviation of fewer than two.
    """
    ends = {run.seed: run.end for run in runs if run.is_finished and run.end is not None}
    return {
        "event": "summary",
        "seeds": [*ends],
        "unfinished": [run.seed for run in runs if run.seed not in ends],
        "test_accuracy": _spread([end["test_accuracy"] for end in ends.values()]),
        "test_cost": _spread([end["test_cost"] for end in ends.values()]),
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
    """Seeds as people write them: seed 3; seeds 0-4; seeds 0, 2, 3, where one is missing."""
    first, last = seeds[0], seeds[-1]
    if len(seeds) > 2 and last - first == len(seeds) - 1:
        return f"seeds {first}-{last}"
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def reopen_series(folder: Path, settings: Settings, options: dict[str, Any]) -> RunFolder:
    """The folder of several runs, to go on with them; its history begins anew: what is finished says so again.

    InputError for epochs with which one of its runs could not go on: once its config had them, there would be no way
    back; and for the folder of a single run, whose history that would be.
    """
    run = RunFolder.reopen(folder)
    if run.checkpoint.exists():
        raise InputError(f"{folder} holds a single run: the seeds in its config are not its own")
    planned = tomllib.loads(run.config.read_text(encoding="utf-8-sig")).get("epochs", settings.epochs)
    if settings.epochs != planned and "epochs" not in settings.resumable:
        raise InputError(f"{folder} cannot have other epochs: a --schedule but constant runs over all from the start")
    for one in map(RunFolder, sorted(folder.glob("seed-*"))):
        if (had := len(one.read_history())) > settings.epochs:
            raise InputError(f"{one.folder} has had {had} epochs already; --epochs says {settings.epochs}")
    run.resume(0, options)
    return run


def seed_command(settings: Settings, run: SeedRun) -> list[str]:
    """What trains this seed alone, or goes on with it."""
    # Without -P, Python looks for this package in the working folder first: right only if it is there.
    safe = [] if Path(mnist_bp.__file__).parents[1] == Path.cwd() else ["-P"]
    values = settings.options()
    if RunFolder(run.folder).config.is_file():
        values = {key: value for key, value in values.items() if key in settings.resumable} | {"resume": run.folder}
    else:
        values |= {"seed": run.seed, "output": run.folder}
    options = [f"--{key}={word(value)}" for key, value in values.items()]
    return [sys.executable, *safe, "-m", "mnist_bp", "train", "--json", "--quiet", *options]
