"""Summary of a run, read from the end of its files: quick, bounded, and without an error for a damaged run."""

import math
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnist_bp.errors import InputError
from mnist_bp.storage.atomic import is_locked
from mnist_bp.storage.regular_file import read_whole
from mnist_bp.training.config_file import LIMIT, changed_settings, is_complete, parse_config, recorded_settings
from mnist_bp.training.history_end import (
    MOST,
    Damaged,
    is_count,
    is_number,
    last_lines,
    parse_epoch,
    parse_line,
    valid_figures,
)
from mnist_bp.training.metrics import METRICS
from mnist_bp.training.model_sizes import read_sizes
from mnist_bp.training.notation import parse_hidden
from mnist_bp.training.run_files import CONFIG, HISTORY, MODEL
from mnist_bp.training.run_record import read_record

__all__ = ["DAMAGED", "ENDS", "INTERRUPTED", "RUNNING", "STATES", "RunSummary", "summarize_run"]

RUNNING, INTERRUPTED, DAMAGED, UNKNOWN = "running", "interrupted", "damaged", "unknown"
ENDS = ("finished", "early-stop", "time", INTERRUPTED, "diverged")
"""Reasons for the end of a training."""

STATES = (*ENDS, RUNNING, DAMAGED, UNKNOWN)

FINISHED = ("finished", "early-stop")

HISTORY_BYTES = 1 << 18
"""Number of bytes at the end of a history that are read, about 600 epochs."""

BEGINNING = re.compile(r"(\d{8}-\d{6})-(\d+(?:-\d+)+)")
"""Time and sizes in the name of a folder."""


@dataclass
class RunSummary:
    """Facts about a run. An unknown value is None.

    Attributes
    ----------
    folder
        Folder of the run.
    name
        Name that the user gave to it.
    started
        Start of the run, in seconds since 1970.
    dataset, sizes
        Name of its dataset, and its layer sizes.
    settings
        All settings by option name, as in the config.
    epochs, planned
        Numbers of finished epochs, and of those to train.
    figures
        Metrics of the saved model, or, until the training has ended, of the last finished epoch. For several seeds,
        means.
    seconds
        Duration of the training of all epochs. For several seeds, duration of the whole command.
    state
        ``running``, one of ``ENDS``, ``damaged``, or ``unknown`` if the file system has no locks.
    problem
        Reason why the run is damaged, or "".
    seeds
        Number of seeds, if this is the folder of ``train --seeds``.
    """

    folder: Path
    name: str | None = None
    started: float | None = None
    dataset: str | None = None
    sizes: tuple[int, ...] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    planned: int | None = None
    figures: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None
    state: str = DAMAGED
    problem: str = ""
    seeds: int | None = None

    @property
    def changed(self) -> dict[str, Any]:
        """Settings that differ from their defaults, see ``changed_settings``."""
        return changed_settings(self.settings)


def summarize_run(folder: Path) -> RunSummary:
    """Return the summary of a run. If a file of it is damaged or cannot be read, ``problem`` says so."""
    run = RunSummary(folder)
    try:
        _read(run)
    except Damaged as damage:
        run.state, run.problem = DAMAGED, str(damage)
    except InputError as error:
        run.state, run.problem = DAMAGED, str(error)
    except OSError as error:
        path = f"{Path(error.filename).name}: " if error.filename else ""
        run.state, run.problem = DAMAGED, f"{path}{error.strerror or error}"
    return run


def _read(run: RunSummary) -> None:
    """Fill a summary from the files of the run, in an order in which a damaged file hides as little as possible."""
    folder = run.folder
    if begin := BEGINNING.match(folder.name):
        with suppress(ValueError, OverflowError):
            run.started = time.mktime(time.strptime(begin[1], "%Y%m%d-%H%M%S"))
        run.sizes = tuple(map(int, begin[2].split("-")))
    _read_config(run)
    record = read_record(folder)
    _read_start(run, record)
    if run.seeds is not None:
        _read_series(run)
    else:
        _read_epochs(run, record.get("end"))


def _read_config(run: RunSummary) -> None:
    path = run.folder / CONFIG
    if run.started is None:
        run.started = path.stat().st_mtime
    config = parse_config(_content(path, LIMIT), Path(CONFIG))
    if bad := next((key for key, value in config.items() if not _is_plain(value)), None):
        raise Damaged(f"{CONFIG}: {bad} has no valid value")
    if not is_complete(config):
        raise Damaged(f"{CONFIG} is not the config of a run: settings are missing")
    if not is_count(config["epochs"]) or not isinstance(config["hidden"], str):
        raise Damaged(f"{CONFIG}: epochs or hidden has no valid value")
    parse_hidden(config["hidden"])
    run.settings, run.planned = recorded_settings(config), config["epochs"]
    run.seeds = config["seeds"] if is_count(config.get("seeds")) else None
    run.dataset = config.get("dataset") if isinstance(config.get("dataset"), str) else None


def _read_start(run: RunSummary, record: Mapping[str, Any]) -> None:
    """Add what the record of the run says about its start; values of a wrong type are ignored."""
    for key in ("name", "dataset"):
        if isinstance(record.get(key), str):
            setattr(run, key, record[key])
    started = record.get("started")
    if is_number(started) and abs(started) < MOST:
        run.started = float(started)
    sizes = record.get("sizes")
    if isinstance(sizes, list) and sizes and all(map(is_count, sizes)):
        run.sizes = tuple(sizes)
    if run.sizes is None:
        layers = len(parse_hidden(run.settings["hidden"])) + 1
        models = [run.folder / MODEL] if run.seeds is None else run.folder.glob(f"seed-*/{MODEL}")
        run.sizes = next((sizes for model in models if (sizes := read_sizes(model, layers))), None)


def _read_epochs(run: RunSummary, end: Mapping[str, Any] | None) -> None:
    """Add epochs, figures, duration and state of a single run."""
    lines, is_whole = last_lines(run.folder / HISTORY, HISTORY_BYTES)
    last = parse_epoch(lines[-1]) if lines else None
    run.epochs = last["epoch"] if last else 0
    run.figures = valid_figures(last)
    if end is None:
        epochs = [*map(parse_epoch, lines)] if is_whole else []
        run.seconds = _total([epoch.get("seconds") for epoch in epochs]) if is_whole else None
        run.state = _state_without_end(run, epochs)
    else:
        if end.get("reason") not in ENDS or not is_count(end.get("epochs"), least=0):
            raise Damaged("run.json is not a valid record of a run")
        run.state, run.seconds = end["reason"], end["seconds"] if is_number(end.get("seconds")) else None
        if end["epochs"] != run.epochs:
            raise Damaged(f"{HISTORY} ends with epoch {run.epochs}; {end['epochs']} were trained")
        run.figures = valid_figures(end.get("figures"))
    if run.state in FINISHED and not (run.folder / MODEL).is_file():
        raise Damaged(f"{MODEL} is missing")


def _state_without_end(run: RunSummary, epochs: Sequence[Mapping[str, Any]]) -> str:
    """Return the state of a run whose end is not recorded: it is running, was killed, or is of an older version."""
    if (locked := _is_running(run.folder)) is not False:
        return RUNNING if locked else UNKNOWN
    if (run.epochs or 0) >= (run.planned or 0) and (run.folder / MODEL).is_file():
        return "finished"
    patience: Any = run.settings.get("early-stop")
    accuracies: list[Any] = [each.get("validation_accuracy") for each in epochs]
    if is_count(patience) and accuracies and all(map(is_number, accuracies)):
        best = accuracies.index(max(accuracies))
        if len(accuracies) - 1 - best >= patience:
            return "early-stop"
    return INTERRUPTED


def _read_series(run: RunSummary) -> None:
    """Add the state of ``train --seeds``, and the means of its networks."""
    lines, _ = last_lines(run.folder / HISTORY, HISTORY_BYTES)
    records = [parse_line(line) for line in lines]
    ends = [each for each in records if each.get("event") == "end" and is_count(each.get("epochs"), least=0)]
    summary = records[-1] if records and records[-1].get("event") == "summary" else {}
    run.epochs = max((end["epochs"] for end in ends), default=0)
    means = {name: summary[name].get("mean") for name in METRICS if isinstance(summary.get(name), dict)}
    run.figures = valid_figures(means)
    run.seconds = summary["seconds"] if is_number(summary.get("seconds")) else None
    locked = _is_running(run.folder)
    if summary and not summary.get("unfinished"):
        run.state = "time" if any(end.get("reason") == "time" for end in ends) else "finished"
    elif locked is not False:
        run.state = RUNNING if locked else UNKNOWN
    else:
        run.state = "diverged" if any(end.get("reason") == "diverged" for end in ends) else INTERRUPTED


def _is_running(folder: Path) -> bool | None:
    """Return True if a training has locked the folder, or None if the file system has no locks."""
    try:
        return is_locked(folder / HISTORY)
    except OSError:
        return None


def _content(path: Path, limit: int) -> bytes:
    try:
        return read_whole(path, limit)
    except OSError as error:
        raise Damaged(f"{path.name}: {error.strerror or error}") from error


def _total(values: Sequence[Any]) -> float | None:
    return float(sum(values)) if all(map(is_number, values)) else None


def _is_plain(value: Any) -> bool:
    """Return True for a value that a config of a run may have, and that JSON can represent."""
    if isinstance(value, list):
        return all(type(part) is int and abs(part) <= MOST for part in value)
    return isinstance(value, str | bool) or (
        is_number(value) and abs(value) <= (MOST if type(value) is int else math.inf)
    )
