"""What ``train`` says.

To people: a table that grows by a row each epoch, or plain lines where nobody watches. To programs: one record for the
start, for each epoch and for the end.
"""

import shlex
import time
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.table import Table

from mnist_bp.cli.data import say_if_synthetic, synthetic_mark
from mnist_bp.cli.output import Output, natural_width, percent
from mnist_bp.cli.tables import new_table
from mnist_bp.training.recipe import Recipe, format_sizes

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from mnist_bp.core.network import Network
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.training.loop import EpochResult
    from mnist_bp.training.runs import Run

__all__ = ["TrainingReport"]

HEADINGS = ("epoch", "train\ncost", "train\naccuracy", "test\ncost", "test\naccuracy", "seconds")
WIDTH = 8
"""Of each column but the first: rows are printed one by one, so none can wait for the widest. All fit into 60."""

BESIDE_THE_BAR = 34
"""Columns of what stands beside the bar, and some to spare: the terminal's ^C must not make a new line."""

REFRESH_SECONDS = 0.1


class TrainingReport:
    """Tells of one training as it goes; its ``with`` block is the time in which the bar is shown.

    On a terminal that is wide enough, each epoch's row joins a table, with a bar below it for the time left. A row that
    has been printed stays, however many follow, and whatever ends the training.
    """

    def __init__(self, output: Output, recipe: Recipe, data: "Dataset", network: "Network") -> None:
        self._output, self._recipe, self._data, self._network = output, recipe, data, network
        self._mark = synthetic_mark(data)
        self._has_head = False
        self._is_table = output.is_live and natural_width(output.console, self._table()) <= output.console.width
        self._progress, self._task = self._bar()
        self._steps = 0
        self._refreshed = 0.0

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
            BarColumn(bar_width=max(4, min(40, self._output.console.width - BESIDE_THE_BAR))),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self._output.console,
            transient=True,
            disable=not self._output.is_live,
        )
        epochs, examples = self._recipe.epochs, len(self._data.train)
        batches = -(-examples // (self._recipe.batch_size or examples))
        return progress, progress.add_task(f"1/{epochs}", total=epochs * batches)

    def step(self) -> None:
        """Count a mini-batch; called far more often than anyone can look."""
        self._steps += 1
        if (now := time.monotonic()) - self._refreshed > REFRESH_SECONDS:
            self._refreshed = now
            self._progress.update(self._task, completed=self._steps)

    def start(self) -> None:
        """Say what is trained on what."""
        recipe, data, network = self._recipe, self._data, self._network
        say_if_synthetic(data, self._output)
        sizes, parameters = format_sizes(network.sizes), len(network.parameters)
        batches = f"batches of {recipe.batch_size}" if recipe.batch_size else "all examples in each step"
        threads = f"{recipe.threads} thread{'s' if recipe.threads > 1 else ''}"
        self._output.say(
            f"network  {sizes}, {parameters:,} parameters: {recipe.activation}, {recipe.cost}, {recipe.dtype}"
        )
        self._output.say(f"data     {data.name}: {len(data.train):,} training and {len(data.test):,} test examples")
        self._output.say(
            f"recipe   sgd, learning rate {recipe.learning_rate:g}, {batches}, {_epochs(recipe.epochs)}, "
            f"seed {recipe.seed}, {threads}"
        )
        self._output.record({
            "event": "start",
            "dataset": data.name,
            "sizes": network.sizes,
            "parameters": parameters,
            "train_examples": len(data.train),
            "test_examples": len(data.test),
            "activation": recipe.activation,
            "cost": recipe.cost,
            "optimizer": "sgd",
            "learning_rate": recipe.learning_rate,
            "batch_size": recipe.batch_size or len(data.train),
            "epochs": recipe.epochs,
            "seed": recipe.seed,
            "threads": recipe.threads,
            **self._mark,
        })  # fmt: skip

    def epoch(self, result: "EpochResult") -> dict[str, Any]:
        """Show an epoch that has ended; its record."""
        record = {"event": "epoch", **asdict(result), **self._mark}
        self._output.record(record)
        next_epoch = min(result.epoch + 1, self._recipe.epochs)
        self._progress.update(self._task, description=f"{next_epoch}/{self._recipe.epochs}")
        epoch = f"{result.epoch}/{self._recipe.epochs}"
        train_cost, train_accuracy = number(result.train_cost), percent(result.train_accuracy)
        test_cost, test_accuracy = number(result.test_cost), percent(result.test_accuracy)
        seconds = f"{result.seconds:.2f}"
        if self._is_table:
            table = self._table(with_head=not self._has_head)
            table.add_row(epoch, train_cost, train_accuracy, test_cost, test_accuracy, seconds)
            self._output.show(table)
            self._has_head = True
        else:
            self._output.say(
                f"epoch {epoch}: train cost {train_cost}, accuracy {train_accuracy}; "
                f"test cost {test_cost}, accuracy {test_accuracy}; {seconds} s"
            )
        return record

    def end(self, reason: str, last: "EpochResult | None", run: "Run", seconds: float) -> None:
        """Say what came of it, where it lies, and what to do next."""
        self._output.record({
            "event": "end",
            "reason": reason,
            "epochs": last.epoch if last else 0,
            "test_cost": last.test_cost if last else None,
            "test_accuracy": last.test_accuracy if last else None,
            "seconds": seconds,
            "run": str(run.folder),
            "model": str(run.model),
            **self._mark,
        })  # fmt: skip
        data = f"{self._data.name} digits" if self._data.is_synthetic else self._data.name
        result = (
            f"test accuracy {percent(last.test_accuracy)} on {data}" if last else "no epoch ended, nothing is learned"
        )
        ended = f"{reason} after {_epochs(last.epoch if last else 0)}, {seconds:.1f} s"
        self._output.conclude(f"{result} ({ended}); model: {run.model}", style="bold")
        if last is not None:
            self._output.say(f"next: mnist-bp evaluate {shlex.quote(str(run.folder))}", wrap=False)

    def _table(self, *, with_head: bool = True) -> Table:
        table = new_table(*HEADINGS, show_header=with_head, padding=(0, 0, 0, 1))
        first, *others = table.columns
        first.min_width = max(len("epoch"), len(f"{self._recipe.epochs}/{self._recipe.epochs}"))
        for column in others:
            column.min_width = WIDTH
        return table


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"


def number(cost: float) -> str:
    """A cost in at most eight characters."""
    return f"{cost:.4f}" if cost < 1000 else f"{cost:.2e}"
