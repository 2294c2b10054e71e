"""Report of ``train --seeds``: progress and result of each network, and the mean of all.

A terminal shows a table with a row for each seed, other outputs get a plain line for each. JSON has the records of each
training with its seed, and one summary record.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import mean, stdev
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.table import Table

from mnist_bp.reports.console import Console, natural_width
from mnist_bp.reports.data import describe_data, named, warn_if_synthetic, warn_of_problems
from mnist_bp.reports.tables import live_table, new_table
from mnist_bp.reports.training import ENDED, UNFINISHED, print_limit, print_next
from mnist_bp.training.metrics import format_cost, percent
from mnist_bp.training.notation import count, format_sizes
from mnist_bp.training.run_folder import RunFolder
from mnist_bp.training.seeds import SeedRun, name_seeds
from mnist_bp.training.settings import Settings

if TYPE_CHECKING:
    from rich.live import Live

    from mnist_bp.data.datasets import Dataset

__all__ = ["SeedsReport"]

COLUMNS = {
    "seed": "± std", "epoch": "", "best": "", "test\ncost": "1.00e+00", "test\naccuracy": "interrupted",
    "test\nerror": "100.00 %", "seconds": "seconds",
}  # fmt: skip
"""Widest text of each column by its heading, so that columns keep their widths during the training."""

BEST = [*COLUMNS].index("best")
"""Place of the column that only ``--keep best`` has."""

REFRESH_SECONDS = 0.2


class SeedsReport:
    """Report of trainings while they run. The table is updated inside the ``with`` block.

    Parameters
    ----------
    runs
        Runs of all seeds, updated by the caller.
    series
        Folder with their folders. Its history holds the end record of each run and the summary.
    """

    def __init__(
        self, console: Console, settings: Settings, data: "Dataset", runs: Sequence[SeedRun], series: RunFolder
    ) -> None:
        self._console, self._settings, self._data = console, settings, data
        self._runs, self._series = runs, series
        self._is_table = console.is_live and natural_width(console.rich, self._table()) <= console.rich.width
        self._live: Live | None = None
        self._refreshed = 0.0
        self._moving = ExitStack()

    def __enter__(self) -> Self:
        if self._is_table:
            self._live = self._moving.enter_context(live_table(self._console.rich, self._table()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live = None
        self._moving.close()

    def start(self, n_parallel: int, max_seconds: float | None = None) -> None:
        """Print the data, the recipe and the number of networks, of which ``n_parallel`` train at the same time.

        ``max_seconds`` is the limit of the time of all networks.
        """
        sizes = format_sizes((self._data.pixels, *self._settings.hidden, self._data.classes))
        data = self._data
        warn_if_synthetic(data, self._console)
        validation = self._settings.validation
        self._console.print(f"data     {describe_data(data, len(data.train) - (validation or 0), validation)}")
        seeds = name_seeds([run.seed for run in self._runs])
        self._console.print(f"recipe   {self._settings.describe(seed=seeds)}")
        warn_of_problems(data, self._console)
        for warning in self._series.warnings:
            self._console.warn(warning)
        self._console.print(f"networks {sizes}, {len(self._runs)} of them, {n_parallel} at a time")
        print_limit(self._console, max_seconds)

    def record(self, run: SeedRun, record: dict[str, Any]) -> None:
        """Print a record of a training, and add an end record to the history."""
        record = {**record, "seed": run.seed}
        self._console.emit_json(record)
        if record["event"] == "end":
            self._series.record(record)

    def refresh(self) -> None:
        """Update the table, at most once in ``REFRESH_SECONDS``."""
        if self._live is not None and (now := time.monotonic()) - self._refreshed > REFRESH_SECONDS:
            self._refreshed = now
            self._live.update(self._table(), refresh=True)

    def ended(self, run: SeedRun) -> None:
        """Print the result of one training, if there is no table."""
        if self._is_table:
            return
        if run.is_finished and run.end is not None:
            accuracy = run.end["test_accuracy"]
            result = f"test accuracy {percent(accuracy)}, error {percent(1 - accuracy)}"
            best = f"best epoch {run.end['best_epoch']}; " if self._keeps_best else ""
            ended = f"{best}{ENDED.get(run.state, run.state)} after {count(run.epochs, 'epoch')}"
            self._console.print(f"seed {run.seed}: {result} ({ended}, {run.seconds:.1f} s)")
        else:
            why = f"interrupted after {count(run.epochs, 'epoch')}" if run.state == "interrupted" else run.error
            self._console.print(f"seed {run.seed}: {why}", style="yellow")

    def end(self, record: dict[str, Any], seconds: float) -> None:
        """Print the summary (``record`` is from ``summarize``), the warnings and the next commands."""
        if self._is_table:
            self._console.print_table(self._table(with_spread=True))
        self._warn()
        if record["unfinished"]:
            self._console.warn(f"{name_seeds(record['unfinished'])}: not finished, and not counted")
        if stopped := [run for run in self._runs if run.state == "time"]:
            epochs = [run.epochs for run in stopped]
            span = " to ".join(map(str, dict.fromkeys((min(epochs), max(epochs)))))
            self._console.warn(
                f"{name_seeds([run.seed for run in stopped])}: {ENDED['time']} after {span} of "
                f"{count(self._settings.epochs, 'epoch')}"
            )
        record = {
            **record,
            "seconds": seconds,
            "run": str(self._series.folder),
            "name": self._series.name,
            **self._data.mark,
        }
        self._console.emit_json(record)
        self._series.record(record)
        result = f"{self._result(record)} ({seconds:.1f} s)"
        self._console.print_result(f"{result}; runs: {self._series.folder}", style="bold")
        self._print_next()

    def _result(self, record: dict[str, Any]) -> str:
        """Return mean ± standard deviation of the accuracy and the error."""
        data = named(self._data)
        figures = record["test_accuracy"]
        each, accuracy, deviation = figures["each"], figures["mean"], figures["std"]
        if accuracy is None:
            return "no training has finished"
        if deviation is None:
            return f"test accuracy {percent(accuracy)} on {data} ({name_seeds(record['seeds'])} only)"
        return (
            f"test accuracy {_plus_minus(accuracy, deviation)} ({percent(min(each))} to {percent(max(each))}), "
            f"error {_plus_minus(1 - accuracy, deviation)} on {data}: mean ± standard deviation of "
            f"{name_seeds(record['seeds'])}"
        )

    def _warn(self) -> None:
        """Print the warnings about finished networks, each once with the seeds that it is about."""
        from mnist_bp.training.diagnostics import Health, warnings

        seeds = defaultdict[str, list[int]](list)
        for run in self._runs:
            if run.is_finished and run.end is not None:
                for warning in warnings(Health.from_record(run.end["health"])):
                    seeds[warning].append(run.seed)
        for warning, same in seeds.items():
            self._console.warn(f"{name_seeds(same)}: {warning}")

    def _print_next(self) -> None:
        """Print the next command: resume all that were interrupted, or inspect the first network or the committee."""
        if any(run.state in {"waiting", *UNFINISHED} for run in self._runs):
            print_next(self._console, ("train", "--resume", self._series.folder))
        elif finished := [run.folder for run in self._runs if run.is_finished]:
            is_committee = len(finished) == len(self._runs)
            evaluated = self._series.folder if is_committee else finished[0]
            print_next(self._console, ("page", finished[0]), ("evaluate", evaluated))

    def _table(self, *, with_spread: bool = False) -> Table:
        """Return the table with a row for each seed; with the spread, also mean, deviation and range."""
        table = new_table(*self._shown([*COLUMNS]), padding=(0, 0, 0, 1))
        for column, widest in zip(table.columns, self._shown([*COLUMNS.values()]), strict=True):
            column.min_width = len(widest)
        for run in self._runs:
            table.add_row(*self._shown(self._row(run)))
        ends = [run.end for run in self._runs if run.is_finished and run.end is not None]
        if with_spread and len(ends) > 1:
            table.add_section()
            costs, accuracies = [end["test_cost"] for end in ends], [end["test_accuracy"] for end in ends]
            errors, seconds = [1 - accuracy for accuracy in accuracies], [end["seconds"] for end in ends]
            for name, of in SPREAD:
                figures = format_cost(of(costs)), percent(of(accuracies)), percent(of(errors)), f"{of(seconds):.1f}"
                table.add_row(*self._shown([name, "", "", *figures]))
        return table

    @property
    def _keeps_best(self) -> bool:
        return self._settings.keep == "best"

    def _shown(self, row: list[str]) -> list[str]:
        """Return the texts of the columns that the table has."""
        return row if self._keeps_best else row[:BEST] + row[BEST + 1 :]

    def _row(self, run: SeedRun) -> list[str]:
        seed, epoch = str(run.seed), f"{run.epochs}/{self._settings.epochs}"
        seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
        figures = run.end or run.last
        if figures is None or (run.code is not None and not run.is_finished):
            return [seed, epoch, "", "", run.state, "", seconds]
        accuracy, best = figures["test_accuracy"], str(figures.get("best_epoch", ""))
        return [seed, epoch, best, format_cost(figures["test_cost"]), percent(accuracy), percent(1 - accuracy), seconds]


SPREAD: tuple[tuple[str, Callable[[list[float]], float]], ...] = (
    ("mean", mean), ("± std", stdev), ("min", min), ("max", max),
)  # fmt: skip
"""Rows below the seeds."""


def _plus_minus(fraction: float, deviation: float) -> str:
    return f"{100 * fraction:.2f} ± {percent(deviation)}"
