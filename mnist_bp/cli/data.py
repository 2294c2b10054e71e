"""Data for a command, and what is said while it arrives."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypedDict, Unpack

from mnist_bp.cli.output import Output
from mnist_bp.data import names
from mnist_bp.errors import DataUnavailable

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, TaskID

    from mnist_bp.data.datasets import Dataset

__all__ = [
    "Limits",
    "describe_data",
    "download_progress",
    "load_dataset",
    "named",
    "only",
    "refuse_fallback",
    "say_if_synthetic",
]


class Limits(TypedDict, total=False):
    """Numbers of training and of test examples that a command needs, see ``datasets.load``. Default: all."""

    limit: int | None
    test_limit: int | None


def load_dataset(
    name: names.DatasetName | None,
    data_dir: Path | None,
    output: Output,
    *,
    classes: int | None = None,
    fetch: bool = True,
    named_in: str = "--data-dir",
    **limits: Unpack[Limits],
) -> "Dataset":
    """Get a dataset, downloading it if need be, and show that: see ``datasets.load``."""
    from mnist_bp.data import datasets

    with drawing_progress(output) if name == names.SYNTHETIC else download_progress(output) as progress:
        return datasets.load(
            name,
            data_dir,
            classes=classes,
            fetch=fetch,
            progress=progress,
            notice=lambda text: output.say(text, style="yellow"),
            named_in=named_in,
            **limits,
        )


def only(split: names.SplitName, examples: int | None = None) -> Limits:
    """Return limits that leave the first examples of one set, or all, and none of the other."""
    return {"limit": examples, "test_limit": 0} if split == "train" else {"limit": 0, "test_limit": examples}


def refuse_fallback(reason: str) -> NoReturn:
    """DataUnavailable: an accuracy on synthetic digits that nobody asked for says nothing about MNIST."""
    raise DataUnavailable(f"{reason}; --min-accuracy requires MNIST, or --dataset synthetic")


def say_if_synthetic(data: "Dataset", output: Output) -> None:
    """Say on top of figures that they come from synthetic digits, if they do."""
    if data.is_synthetic:
        output.say(
            "These are SYNTHETIC digits, drawn by a program: the figures below say nothing about MNIST.", style="yellow"
        )


def named(data: "Dataset") -> str:
    """What figures are of: the name of the data, and of digits that nobody wrote also that."""
    return f"{data.name} digits" if data.is_synthetic else data.name


def describe_data(data: "Dataset", training: int, held_out: int | None) -> str:
    """How many examples there are, and what for."""
    kept_back = f", {held_out:,} held out" if held_out else ""
    return f"{data.name}: {training:,} training and {len(data.test):,} test examples{kept_back}"


@contextmanager
def download_progress(output: Output) -> Iterator[names.Progress]:
    """Show a bar for each file on a terminal; elsewhere, a line for each that has arrived."""
    if not output.is_live:
        yield _line_for_each_file(output)
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _bars(columns, output) as progress:
        yield progress


@contextmanager
def drawing_progress(output: Output) -> Iterator[names.Progress]:
    """Show a bar while synthetic digits are drawn on a terminal; elsewhere, a line before."""
    if not output.is_live:
        yield _line_before_drawing(output)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("drawing synthetic digits"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _bars(columns, output) as progress:
        yield progress


@contextmanager
def _bars(columns: "Iterable[ProgressColumn]", output: Output) -> Iterator[names.Progress]:
    from rich.progress import Progress

    with Progress(*columns, console=output.console, redirect_stdout=False, redirect_stderr=False) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(file: str, done: int, size: int) -> None:
            output.require_reader()
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=size)
            bars.update(tasks[file], completed=done)

        yield advance


def _line_for_each_file(output: Output) -> names.Progress:
    def say_when_done(file: str, done: int, size: int) -> None:
        output.require_reader()
        if done == size:
            output.say(f"downloaded {file} ({size:,} bytes)")

    return say_when_done


def _line_before_drawing(output: Output) -> names.Progress:
    def say_before(_name: str, drawn: int, total: int) -> None:
        if drawn == 0:
            output.say(f"drawing {total:,} synthetic digits")

    return say_before
