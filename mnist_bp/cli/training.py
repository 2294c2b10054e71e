"""A training with its run folder and its report, up to the verdict."""

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_bp.cli.signals import first_interrupt
from mnist_bp.errors import AnswerIsNo, Diverged, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console
from mnist_bp.reports.plots import plot_training, print_plots
from mnist_bp.reports.training import TrainingReport
from mnist_bp.training.saved_model import initial_network
from mnist_bp.training.settings import Settings

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.training.ranks import Ranks
    from mnist_bp.training.run import TrainingRun

__all__ = ["train_one"]


def train_one(
    settings: Settings,
    data: "Dataset",
    output: Path | None,
    resume: Path | None,
    console: Console,
    *,
    name: str | None,
    ranks: "Ranks",
    max_seconds: float | None,
    min_accuracy: float | None,
    plot_format: str | None,
    started: float,
) -> None:
    """Train a network, report it, and raise the reason why the command fails, if there is one.

    Parameters
    ----------
    output, resume, name
        Folder and name of a new run, or folder of a run to resume: see ``TrainingRun``.
    plot_format
        Format of the figures to draw; None: no figures.
    started
        Start of the command, by ``time.perf_counter``.
    """
    session = _session(settings, data, output, resume, name, ranks)
    report = TrainingReport(console, session)
    report.start(max_seconds)
    failure: KeyboardInterrupt | MnistBpError | None = _run_epochs(session, report, console, max_seconds)
    if failure is not None and not session.is_saved:  # interrupted a second time, while saving
        raise failure
    saved = session.saved
    plots, failure = _plot(session, plot_format, console, failure) if plot_format else (None, failure)
    report.end(session.reason, time.perf_counter() - started, plots)
    if failure is not None:
        raise failure
    if min_accuracy is not None and saved is not None and saved.test_accuracy < min_accuracy:
        raise AnswerIsNo(f"test accuracy {saved.test_accuracy:.4f} is below --min-accuracy {min_accuracy:g}")


def _session(
    settings: Settings, data: "Dataset", output: Path | None, resume: Path | None, name: str | None, ranks: "Ranks"
) -> "TrainingRun":
    from mnist_bp.training.run import TrainingRun

    network = initial_network(data, settings)
    return TrainingRun(settings, data, network, output, resume, name=name, ranks=ranks)


def _run_epochs(
    session: "TrainingRun", report: TrainingReport, console: Console, max_seconds: float | None
) -> "KeyboardInterrupt | OutputClosed | Diverged | None":
    """Train and report each epoch. Return the exception that ended the training early, or None.

    The first interrupt ends the training after the next mini-batch, so never while an epoch is being saved; after the
    last mini-batch it has no effect. A second interrupt ends the program at once. A closed standard output has the
    effect of the first interrupt.
    """
    from threadpoolctl import threadpool_limits

    interrupt = threading.Event()

    def on_batch() -> None:
        if interrupt.is_set():
            raise KeyboardInterrupt
        console.require_reader()
        report.step()

    try:
        with (
            threadpool_limits(session.settings.threads),
            first_interrupt(interrupt.set),
            report,
            closing(session.epochs(on_batch, max_seconds=max_seconds)) as epochs,
        ):
            for result in epochs:
                report.epoch(result)
    except (KeyboardInterrupt, OutputClosed, Diverged) as error:
        return error
    return None


def _plot(
    session: "TrainingRun", plot_format: str, console: Console, failure: KeyboardInterrupt | MnistBpError | None
) -> tuple[list[Path], KeyboardInterrupt | MnistBpError | None]:
    """Draw the figures if an epoch has finished. Return their files and the failure of the command.

    A failure of the training itself has precedence: then an error here is only a warning.
    """
    if session.last is None:
        return [], failure
    try:
        plots = plot_training(session, plot_format)
    except MnistBpError as error:
        if failure is not None:
            console.warn(str(error))
        return [], failure or error
    print_plots(plots, console)
    return plots, failure
