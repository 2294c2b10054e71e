"""Progress of downloads and of drawing synthetic digits: bars on a terminal, plain lines elsewhere."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mnist_bp.data import names
from mnist_bp.reports.console import Console

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, TaskID

__all__ = ["download_progress", "drawing_progress"]


@contextmanager
def download_progress(console: Console) -> Iterator[names.Progress]:
    """Show a bar for each file on a terminal; print a line for each complete file elsewhere."""
    if not console.is_live:
        yield _line_for_each_file(console)
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _bars(columns, console) as progress:
        yield progress


@contextmanager
def drawing_progress(console: Console) -> Iterator[names.Progress]:
    """Show a bar while synthetic digits are drawn on a terminal; print a line before elsewhere."""
    if not console.is_live:
        yield _line_before_drawing(console)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("drawing synthetic digits"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _bars(columns, console) as progress:
        yield progress


@contextmanager
def _bars(columns: "Iterable[ProgressColumn]", console: Console) -> Iterator[names.Progress]:
    from rich.progress import Progress

    with Progress(*columns, console=console.rich, redirect_stdout=False, redirect_stderr=False) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(file: str, done: int, size: int) -> None:
            console.require_reader()
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=size)
            bars.update(tasks[file], completed=done)

        yield advance


def _line_for_each_file(console: Console) -> names.Progress:
    def print_when_done(file: str, done: int, size: int) -> None:
        console.require_reader()
        if done == size:
            console.print(f"downloaded {file} ({size:,} bytes)")

    return print_when_done


def _line_before_drawing(console: Console) -> names.Progress:
    def print_before(_name: str, drawn: int, total: int) -> None:
        if drawn == 0:
            console.print(f"drawing {total:,} synthetic digits")

    return print_before
