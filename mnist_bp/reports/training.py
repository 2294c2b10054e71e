"""Report of ``train``.

A terminal shows a table that grows by one row in each epoch, other outputs get plain lines. JSON has one record for the
start, for each epoch and for the end.
"""

import math
import re
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.table import Table

from mnist_bp import __version__
from mnist_bp.reports.best_epoch import best_record, print_best
from mnist_bp.reports.console import Console, natural_width
from mnist_bp.reports.data import describe_data, named, warn_if_synthetic, warn_of_problems
from mnist_bp.reports.plots import plots_record
from mnist_bp.reports.tables import new_table
from mnist_bp.reports.terminal_images import sparkline
from mnist_bp.shell import program_command
from mnist_bp.training.metrics import METRICS, EpochResult, Metric, percent
from mnist_bp.training.notation import count, format_sizes

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from mnist_bp.training.diagnostics import Health
    from mnist_bp.training.run import TrainingRun

__all__ = ["ENDED", "UNFINISHED", "TrainingReport", "print_limit", "print_next"]

MOST_ROOMY = 5
"""Largest number of columns besides the first with extra space between them: the table fits 60 columns."""

BESIDE_THE_BAR = 34
"""Columns beside the progress bar, including some for the terminal's ^C, which must not start a new line."""

REFRESH_SECONDS = 0.1

CURVES = "cost     train {} test {} (log scale{})"
"""Line with the curves of the cost. Each has its own scale; the rows above show the values."""

LEAST_EPOCHS, LEAST_COLUMNS, MOST_COLUMNS = 3, 5, 30
"""Smallest number of epochs of a curve, and its smallest and largest width in columns."""

LEAST_COST = 1e-6
"""Smallest cost in a curve, because the scale is logarithmic."""

UNTRAINED = "stopped before the first epoch finished; only the untrained network was saved"

UNFINISHED = {"interrupted", "time"}
"""Reasons for the end of a training that can be resumed without another setting."""

ENDED = {"time": "stopped by --max-seconds"}
"""Reasons for the end in words, if they are not the reason itself."""

_FIGURES = re.compile(r"[\d.,% ]+|s\b|\(.*?\)")
"""Parts of a warning that may differ from epoch to epoch."""

OF_THE_DATA = (
    "the test cost is at chance (a constant output for every image costs no more): see the problems of the data"
)

SHOWN_DIGITS = 16
"""Number of printed digits of the fingerprint."""


def print_next(console: Console, *commands: tuple[object, ...]) -> None:
    """Print one or two commands that may follow, the most useful one first."""
    for command, lead in zip(commands, ("next:", "or:  "), strict=False):
        console.print(f"{lead} {program_command(*command)}", wrap=False)


def print_limit(console: Console, max_seconds: float | None) -> None:
    """Print the limit of the time, if there is one."""
    if max_seconds is not None:
        console.print(f"limit    {max_seconds:g} s of training, and the rest of the epoch in which they end")


class TrainingReport:
    """Report of a training while it runs. The progress bar is shown inside the ``with`` block.

    On a terminal that is wide enough, each epoch adds a row to a table, above a progress bar. Printed rows remain,
    however the training ends.
    """

    def __init__(self, console: Console, session: "TrainingRun") -> None:
        self._console, self._session = console, session
        self._settings, self._data = session.settings, session.data
        self._has_head = False
        self._is_table = console.is_live and natural_width(console.rich, self._table()) <= console.rich.width
        self._progress, self._task = self._bar()
        self._steps = session.trainer.epoch * session.trainer.steps_per_epoch
        self._refreshed = 0.0
        self._training_seconds = 0.0
        self._costs: list[tuple[float, float]] = []  # train and test, of the epochs of this process

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _bar(self) -> "tuple[Progress, TaskID]":
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        progress = Progress(
            TextColumn("epoch {task.description}"),
            BarColumn(bar_width=max(4, min(40, self._console.rich.width - BESIDE_THE_BAR))),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self._console.rich,
            transient=True,
            redirect_stdout=False,  # otherwise the records on standard output would be printed as text
            redirect_stderr=False,
            disable=not self._console.is_live,
        )
        trainer, epochs = self._session.trainer, self._settings.epochs
        first = min(trainer.epoch + 1, epochs)
        steps = trainer.steps_per_epoch
        task = progress.add_task(f"{first}/{epochs}", total=epochs * steps, completed=trainer.epoch * steps)
        return progress, task

    def step(self) -> None:
        """Count a mini-batch, and update the bar at most once in ``REFRESH_SECONDS``."""
        self._steps += 1
        if (now := time.monotonic()) - self._refreshed > REFRESH_SECONDS:
            self._refreshed = now
            self._progress.update(self._task, completed=self._steps)

    def start(self, max_seconds: float | None = None) -> None:
        """Print the network, the data and the recipe. ``max_seconds`` is the limit of this training's time."""
        settings, data, trainer = self._settings, self._data, self._session.trainer
        network = trainer.network
        warn_if_synthetic(data, self._console)
        sizes, parameters = format_sizes(network.sizes), len(network.parameters)
        self._console.print(
            f"network  {sizes}, {parameters:,} parameters: {settings.activation}, {settings.cost}, {settings.dtype}"
        )
        self._console.print(f"data     {describe_data(data, len(data.train), settings.validation)}")
        self._console.print(f"recipe   {settings.describe()}")
        warn_of_problems(data, self._console)
        for warning in self._session.run.warnings:
            self._console.warn(warning)
        if trainer.epoch:
            self._console.print(
                f"resumed  {self._session.run.folder}, after {count(trainer.epoch, 'epoch')}{self._what_is_left()}"
            )
        print_limit(self._console, max_seconds)
        if trainer.ranks.size > 1:
            self._console.print(f"ranks    {trainer.ranks.size} processes, each with a part of every mini-batch")
        self._console.emit_json({
            "event": "start",
            "version": __version__,
            "name": self._session.run.name,
            "sizes": network.sizes,
            "parameters": parameters,
            "train_examples": len(data.train),
            "test_examples": len(data.test),
            **settings.record(),
            "dataset": data.name,
            "batch_size": settings.batch_size or len(data.train),
            "resumed_after": trainer.epoch,
            "max_seconds": max_seconds,
            "ranks": trainer.ranks.size,
            "problems": [problem.text for problem in data.problems],
            **self._data.mark,
        })  # fmt: skip

    def _what_is_left(self) -> str:
        """Return the reason why a resumed training is already over, and what continues it; "" if it is not over."""
        settings, trainer = self._settings, self._session.trainer
        if trainer.epoch >= settings.epochs:
            return "; nothing is left to train: give more with --epochs"
        if settings.early_stop is not None and trainer.is_finished:
            without = count(settings.early_stop, "epoch")
            return f"; stopped early, {without} without a better validation accuracy: raise --early-stop to continue"
        return ""

    def epoch(self, result: EpochResult) -> None:
        """Print the figures of an epoch."""
        self._training_seconds += result.seconds
        self._costs.append((result.train_cost, result.test_cost))
        self._console.emit_json({"event": "epoch", **result.record(), **self._data.mark})
        next_epoch = min(result.epoch + 1, self._settings.epochs)
        self._progress.update(self._task, description=f"{next_epoch}/{self._settings.epochs}")
        epoch = f"{result.epoch}/{self._settings.epochs}"
        shown = [(name, metric) for name, metric in self._shown() if name in result.figures]
        figures = {name: metric.format(result.figures[name]) for name, metric in shown}
        if self._is_table:
            table = self._table(with_head=not self._has_head)
            table.add_row(epoch, *(figures.get(name, "") for name, _ in self._shown()))
            self._console.print_table(table)
            self._has_head = True
        else:
            line = "".join(METRICS[name].line.format(text) for name, text in figures.items())
            self._console.print(f"epoch {epoch}: {line.lstrip(';, ')}")
        self._warn(self._warnings(result.health, finished=False))

    def end(self, reason: str, seconds: float, plots: list[Path] | None = None) -> None:
        """Print the result, the files and the next commands. ``plots`` are the files of the figures, if requested."""
        saved, run, epochs = self._session.saved, self._session.run, self._session.trainer.epoch
        fingerprint = self._session.fingerprint
        self._console.emit_json({
            "event": "end",
            "name": run.name,
            "reason": reason,
            "epochs": epochs,
            "test_cost": saved.test_cost if saved else None,
            "test_accuracy": saved.test_accuracy if saved else None,
            **best_record(self._session),
            "health": asdict(saved.health) if saved else None,
            "seconds": seconds,
            "run": str(run.folder),
            "model": str(run.model),
            "fingerprint": fingerprint,
            **plots_record(plots),
            **self._data.mark,
        })  # fmt: skip
        self._show_curves()
        if saved is not None:
            self._warn(self._warnings(saved.health, finished=True))
            print_best(self._session, self._console)
            self._console.print(f"weights  fingerprint {fingerprint[:SHOWN_DIGITS]}")
        data = named(self._data)
        result = f"test accuracy {percent(saved.test_accuracy)} on {data}" if saved else UNTRAINED
        times = f"{self._training_seconds:.1f} s of training, {seconds:.1f} s in total"
        best = f"best epoch {saved.epoch}; " if saved and self._settings.keep == "best" else ""
        ended = f"{best}{ENDED.get(reason, reason)} after {count(epochs, 'epoch')}, {times}"
        self._console.print_result(f"{result} ({ended}); model: {run.model}", style="bold")
        if reason in UNFINISHED:
            print_next(self._console, ("train", "--resume", run.folder))
        elif saved is not None:
            print_next(self._console, ("page", run.folder), ("evaluate", run.folder))

    def _show_curves(self) -> None:
        """Print the curves of the cost, on a logarithmic scale, which the first epochs do not dominate."""
        seen = len(self._costs)
        if seen < LEAST_EPOCHS:
            return
        first = self._session.trainer.epoch - seen + 1
        since = f", from epoch {first}" if first > 1 else ""
        room = (self._console.columns - len(CURVES.format("", "", since))) // 2
        width = max(LEAST_COLUMNS, min(MOST_COLUMNS, room))
        train, test = (
            sparkline([math.log(max(cost, LEAST_COST)) for cost in costs], width)
            for costs in zip(*self._costs, strict=True)
        )
        self._console.print(CURVES.format(train, test, since))

    def _warnings(self, health: "Health", *, finished: bool) -> list[str]:
        """Return the warnings about the network. If problems of the data are the cause, refer to them instead."""
        from mnist_bp.training.diagnostics import warnings

        if not any(problem.is_cause for problem in self._data.problems):
            return warnings(health, finished=finished)
        return [OF_THE_DATA] if finished and health.at_chance else []

    def _warn(self, warnings: list[str]) -> None:
        for warning in warnings:
            self._console.warn(warning, topic=_FIGURES.sub("", warning))

    def _shown(self) -> list[tuple[str, Metric]]:
        """Return the metrics of the table and the log."""
        has_validation = self._settings.validation is not None
        shown = [(name, metric) for name, metric in METRICS.items() if metric.in_table]
        return [each for each in shown if has_validation or not each[0].startswith("validation_")]

    def _table(self, *, with_head: bool = True) -> Table:
        metrics = [metric for _, metric in self._shown()]
        room = 0 if len(metrics) > MOST_ROOMY else 1
        headings = [metric.heading for metric in metrics]
        table = new_table("epoch", *headings, show_header=with_head, padding=(0, 0, 0, room))
        first, *others = table.columns
        first.min_width = max(len("epoch"), len(f"{self._settings.epochs}/{self._settings.epochs}"))
        for column, metric in zip(others, metrics, strict=True):
            column.min_width = metric.columns
        return table
