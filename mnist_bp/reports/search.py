"""Report of ``search``: progress, each trial, and the best setting.

A terminal shows a table of running, last and best trials, other outputs get a plain line for each trial. JSON has one
record for each trial and one for the end.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.table import Table

from mnist_bp.reports.console import Console, natural_width
from mnist_bp.reports.data import named, warn_if_synthetic, warn_of_problems
from mnist_bp.reports.plots import plots_record, print_plots
from mnist_bp.reports.tables import live_table, new_table
from mnist_bp.reports.training import print_next
from mnist_bp.search.space import Space, Values
from mnist_bp.training.declaration import Setting
from mnist_bp.training.metrics import percent
from mnist_bp.training.notation import count
from mnist_bp.training.settings import SETTINGS

if TYPE_CHECKING:
    from rich.live import Live

    from mnist_bp.data.datasets import Dataset

__all__ = ["SearchReport"]

SHOWN = 10
"""Number of finished trials in the table: the last ones, and the best ones at the end."""

REFRESH_SECONDS = 1.0
"""Time between two updates of the table, each of which reads the storage."""

Record = Mapping[str, Any]


class SearchReport:
    """Report of a search while it runs. The table is updated inside the ``with`` block.

    Parameters
    ----------
    resume
        Words of the command that continues the search.
    """

    def __init__(self, console: Console, data: "Dataset", space: Space, resume: tuple[object, ...]) -> None:
        self._console, self._data, self._space, self._resume = console, data, space, resume
        self._keys = [SETTINGS[name].key for name in space.varied]
        self._is_table = console.is_live and natural_width(console.rich, self._table([])) <= console.rich.width
        self._live: Live | None = None
        self._refreshed, self._trials = 0.0, 0
        self._moving = ExitStack()

    def __enter__(self) -> Self:
        if self._is_table:
            self._live = self._moving.enter_context(live_table(self._console.rich))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live = None
        self._moving.close()

    def start(self, trials: int, jobs: int, timeout: float | None) -> None:
        """Print the data, the search space, the number of trials, and the limit of the time."""
        self._trials = trials
        settings, print_line = self._space.settings, self._console.print
        warn_if_synthetic(self._data, self._console)
        n_validation = settings.validation or 0
        print_line(
            f"data     {self._data.name}: {len(self._data.train) - n_validation:,} training, {n_validation:,} "
            "validation examples; the test set is not used"
        )
        warn_of_problems(self._data, self._console)
        varied = self._space.varied
        print_line(f"search   {'; '.join(_described(SETTINGS[name], each) for name, each in varied.items())}")
        if fixed := [name for name in self._space.values if name not in varied]:
            print_line(
                f"fixed    {', '.join(f'{SETTINGS[name].key} {self._space.values[name].text}' for name in fixed)}"
            )
        processes = f", in {jobs} processes" if jobs > 1 else ""
        print_line(f"trials   {trials}{processes}; median pruning, TPE sampler with seed {settings.seed}")
        if timeout is not None:
            print_line(f"limit    no new trial after {timeout:g} s")

    def trial(self, record: Record) -> None:
        """Print a trial that has ended."""
        self._console.emit_json({**record, **self._data.mark})
        if not self._is_table:
            self._console.print(_line(record))

    def refresh(self, records: Callable[[], list[dict[str, Any]]]) -> None:
        """Update the table with the records of all trials so far, at most once in ``REFRESH_SECONDS``."""
        if self._live is not None and (now := time.monotonic()) - self._refreshed > REFRESH_SECONDS:
            self._refreshed, started = now, records()
            running = [each for each in started if each["state"] == "running"]
            ended = [each for each in started if each["state"] in {"complete", "pruned"}]
            last = ended[-SHOWN:]
            best = [each for each in ended if each["is_best"] and each not in last]
            table = self._table([*best, *last, *running])
            table.caption, table.caption_justify = _progress(ended, self._trials), "left"
            self._live.update(table, refresh=True)

    def end(
        self,
        summary: Record,
        records: Sequence[Record],
        folder: Path,
        best: Path | None,
        plots: list[Path] | None,
        seconds: float,
    ) -> None:
        """Print the best trials, the importance of the settings, the result and the next commands."""
        if self._is_table:
            complete = [each for each in records if each["state"] == "complete"]
            complete.sort(key=lambda each: -each["validation_accuracy"])
            self._console.print_table(self._table(complete[:SHOWN]))
        if importances := summary["importances"]:
            shares = ", ".join(f"{key} {share:.0%}".replace("%", " %") for key, share in importances.items())
            self._console.print(f"matters  {shares} (importance, PED-ANOVA)")
        if plots:
            print_plots(plots, self._console)
        self._console.emit_json(
            {
                "event": "end",
                **summary,
                "seconds": seconds,
                "study": str(folder),
                "config": None if best is None else str(best),
                **plots_record(plots),
                **self._data.mark,
            }
        )
        result = f"{self._result(summary)} ({seconds:.1f} s)"
        self._console.print_result(result if best is None else f"{result}; best setting: {best}", style="bold")
        train = ("train", "--config", best)
        self._print_next(self._resume if summary["reason"] != "finished" else None, train if best else None)

    def _print_next(self, *commands: tuple[object, ...] | None) -> None:
        print_next(self._console, *(each for each in commands if each is not None))

    def _result(self, summary: Record) -> str:
        ended = [f"{summary[state]} {state}" for state in ("complete", "pruned", "failed", "running") if summary[state]]
        numbers = f"{count(summary['trials'], 'trial')}: {', '.join(ended) or 'none started'}"
        if summary["best_trial"] is None:
            return f"no trial is complete ({numbers})"
        return (
            f"validation accuracy {percent(summary['validation_accuracy'])} on {named(self._data)} in trial "
            f"{summary['best_trial']}: {_settings(summary['settings'])} ({numbers})"
        )

    def _table(self, records: Sequence[Record]) -> Table:
        """Return the table of some trials."""
        left = {"state", *self._keys}
        table = new_table("trial", "state", "epochs", "validation\naccuracy", *self._keys, left=left)
        for column, widest in zip(table.columns, ("trial", "complete", "epochs", "validation"), strict=False):
            column.min_width = len(widest)
        for column, name in zip(table.columns[4:], self._space.varied, strict=True):
            column.min_width = max(map(len, self._space.values[name].choices), default=8)
        for each in records:
            accuracy = each["validation_accuracy"]
            values = (_value(each["settings"][key]) if key in each["settings"] else "" for key in self._keys)
            cells = (
                str(each["trial"]),
                each["state"],
                str(each["epochs"]),
                "" if accuracy is None else percent(accuracy),
            )
            table.add_row(*cells, *values, style="bold" if each["is_best"] else "")
        return table


def _described(setting: Setting, values: Values) -> str:
    if values.choices:
        return f"{setting.key} {' | '.join(values.choices)}"
    return f"{setting.key} {values.low:g} to {values.high:g}{' (log scale)' if setting.is_log else ''}"


def _progress(ended: Sequence[Record], trials: int) -> str:
    """Return the number of finished trials and the best accuracy so far."""
    finished = f"{len(ended)} of {count(trials, 'trial')} finished"
    best = next((each for each in ended if each["is_best"]), None)
    if best is None:
        return finished
    return f"{finished}; best so far: {percent(best['validation_accuracy'])} in trial {best['trial']}"


def _line(record: Record) -> str:
    """Return the line of a trial that has ended."""
    accuracy = "" if record["validation_accuracy"] is None else percent(record["validation_accuracy"])
    if record["state"] == "complete":
        result = f"validation accuracy {accuracy}{', the best so far' if record['is_best'] else ''}"
    elif record["note"]:
        result = f"{record['state']}: {record['note']}"
    else:
        result = f"{record['state']} after {count(record['epochs'], 'epoch')}, validation accuracy {accuracy}"
    return f"trial {record['trial']}: {result}; {_settings(record['settings'])} ({record['seconds'] or 0:.1f} s)"


def _settings(settings: Record) -> str:
    return ", ".join(f"{key} {_value(value)}" for key, value in settings.items())


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
