"""``mnist-bp train``."""

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mnist_bp.cli.config import Config, first_explicit_option, is_default
from mnist_bp.cli.load import load_training_data
from mnist_bp.cli.options import (
    Json,
    MinAccuracy,
    Plot,
    PlotFormat,
    Quiet,
    help_text,
)
from mnist_bp.cli.ranks import all_ranks
from mnist_bp.cli.signals import first_interrupt
from mnist_bp.cli.training_options import (
    DryRun,
    MaxSeconds,
    OutputFolder,
    Resume,
    RunName,
    Seeds,
)
from mnist_bp.errors import AnswerIsNo, Diverged, InputError, MnistBpError, OutputClosed
from mnist_bp.reports.console import Console
from mnist_bp.reports.plot_formats import DEFAULT_FORMAT
from mnist_bp.reports.plots import check_plot, plot_training, print_plots
from mnist_bp.reports.training import TrainingReport
from mnist_bp.shell import program
from mnist_bp.training.saved_model import fresh_network
from mnist_bp.training.schedules import CONSTANT
from mnist_bp.training.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.training.ranks import Ranks
    from mnist_bp.training.run import TrainingRun

__all__ = ["train"]

NO_SETTING = {"resume", "max_seconds", "min_accuracy", "dry_run", "plot", "plot_format", "json", "quiet"}
"""Options that can be combined with ``--resume``, because they are no part of a run's config."""


@help_text("""Without --dataset and --data-dir, MNIST is used, and downloaded if needed. If MNIST is not available,
synthetic digits are used instead, unless --min-accuracy or the config of a run is given.

Example: mnist-bp train --hidden 16,16 --epochs 2
""")
def train(
    context: typer.Context,
    *,
    settings: Settings,
    seeds: Seeds = None,
    max_seconds: MaxSeconds = None,
    output: OutputFolder = None,
    name: RunName = None,
    resume: Resume = None,
    config: Config = None,  # noqa: ARG001 - its callback has set the defaults of the other options
    min_accuracy: MinAccuracy = None,
    dry_run: DryRun = False,
    plot: Plot = False,
    plot_format: PlotFormat = DEFAULT_FORMAT,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from mnist_bp.training.follower import load_on_all_ranks

    started = time.perf_counter()
    check_plot(plot, plot_format)
    if plot and seeds is not None:
        raise InputError(f"--plot does not work with --seeds. Plot each run with {program()} evaluate RUN --plot")
    if resume is not None:
        _refuse_what_makes_another_run(context)
    _refuse_what_lacks_its_other_half(context, settings)
    if output is not None:
        _refuse_a_taken_folder(output)
    console = Console(json=json, quiet=quiet)
    _print_if_resumed_with_other_threads(context, settings.threads, console)
    if dry_run:
        from mnist_bp.cli.dry_run import dry_run as print_plan

        print_plan(context, settings, seeds, resume, console)
        return
    data, settings = load_training_data(context, settings, console)
    ranks = all_ranks()
    load_on_all_ranks(ranks, settings, data)
    if seeds is not None:
        from mnist_bp.cli.seeds import train_seeds

        train_seeds(
            settings,
            seeds,
            data,
            output,
            resume,
            console,
            name=name,
            max_seconds=max_seconds,
            min_accuracy=min_accuracy,
            started=started,
            debug=context.find_root().params["debug"],
        )
        return
    session = _session(settings, data, output, resume, name, ranks)
    report = TrainingReport(console, session)
    report.start(max_seconds)
    failure: KeyboardInterrupt | MnistBpError | None = _run_epochs(session, report, console, max_seconds)
    if failure is not None and not session.is_saved:  # interrupted a second time, while saving
        raise failure
    saved = session.saved
    plots, failure = _plot(session, plot_format, console, failure) if plot else (None, failure)
    report.end(session.reason, time.perf_counter() - started, plots)
    if failure is not None:
        raise failure
    if min_accuracy is not None and saved is not None and saved.test_accuracy < min_accuracy:
        raise AnswerIsNo(f"test accuracy {saved.test_accuracy:.4f} is below --min-accuracy {min_accuracy:g}")


def _refuse_what_makes_another_run(context: typer.Context) -> None:
    """Raise InputError for an option that cannot change when a run resumes."""
    resumable = {name for name, each in SETTINGS.items() if each.may_resume}
    fixed = [name for name in context.params if name not in NO_SETTING | resumable]
    if option := first_explicit_option(context, fixed):
        raise InputError(f"{option} cannot be combined with --resume: the run continues by its config.toml")


def _print_if_resumed_with_other_threads(context: typer.Context, threads: int, console: Console) -> None:
    """Warn that a resumed run may differ from an uninterrupted one in the last bits."""
    recorded = context.lookup_default("threads")
    if context.params["resume"] is not None and threads != recorded:
        console.warn(
            f"--threads {threads}: the run was trained with {recorded}. Results may differ from those of an "
            "uninterrupted run in the last bits."
        )


def _refuse_what_lacks_its_other_half(context: typer.Context, settings: Settings) -> None:
    """Raise InputError for a setting without another one that it requires."""
    if settings.schedule != CONSTANT and is_default(context, "epochs"):
        raise InputError(f"--schedule {settings.schedule} requires --epochs")
    if settings.early_stop is not None and settings.validation is None:
        raise InputError("--early-stop requires --validation")
    if settings.keep == "best" and settings.validation is None:
        raise InputError("--keep best requires --validation")


def _refuse_a_taken_folder(output: Path) -> None:
    """Raise InputError if the folder holds a run, before data are downloaded."""
    from mnist_bp.training.run_folder import refuse_a_run

    refuse_a_run(output)


def _session(
    settings: Settings, data: "Dataset", output: Path | None, resume: Path | None, name: str | None, ranks: "Ranks"
) -> "TrainingRun":
    from mnist_bp.training.run import TrainingRun

    network = fresh_network(
        data,
        settings.hidden,
        settings.activation,
        settings.cost,
        seed=settings.seed,
        dtype=settings.dtype,
        weight_init=settings.weight_init,
    )
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
