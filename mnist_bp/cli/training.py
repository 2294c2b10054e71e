"""A training with its run folder and its report, up to the verdict."""

import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_bp.cli.request import Request
from mnist_bp.cli.signals import first_interrupt
from mnist_bp.errors import Diverged, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console
from mnist_bp.reports.plots import plot_training, print_plots
from mnist_bp.reports.training import TrainingReport
from mnist_bp.training.saved_model import initial_network

if TYPE_CHECKING:
    from mnist_bp.training.run import TrainingRun

__all__ = ["train_one"]


def train_one(request: Request, console: Console, *, plot_format: str | None = None) -> None:
    """Train a network, report it, and raise the reason why the command fails, if there is one.

    ``plot_format`` is the format of the figures to draw, None: no figures.
    """
    session = _session(request)
    report = TrainingReport(console, session)
    report.start(request.max_seconds)
    failure: KeyboardInterrupt | MnistBpError | None = _run_epochs(session, report, console, request.max_seconds)
    if failure is not None and not session.is_saved:  # interrupted a second time, while saving
        raise failure
    plots, failure = _plot(session, plot_format, console, failure) if plot_format else (None, failure)
    report.end(session.reason, request.seconds, plots)
    if failure is not None:
        raise failure
    if session.saved is not None:
        request.require_accuracy(session.saved.test_accuracy)


def _session(request: Request) -> "TrainingRun":
    from mnist_bp.training.run import TrainingRun

    settings, data = request.settings, request.data
    network = initial_network(data, settings)
    return TrainingRun(settings, data, network, request.output, request.resume, name=request.name, ranks=request.ranks)


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
