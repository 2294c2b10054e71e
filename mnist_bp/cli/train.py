"""``mnist-bp train``."""

import time
from pathlib import Path

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
from mnist_bp.cli.request import Request
from mnist_bp.cli.training import train_one
from mnist_bp.cli.training_options import (
    DryRun,
    MaxSeconds,
    OutputFolder,
    Resume,
    RunName,
    Seeds,
)
from mnist_bp.errors import InputError
from mnist_bp.reports.console import Console
from mnist_bp.reports.plot_formats import DEFAULT_FORMAT
from mnist_bp.reports.plots import check_plot
from mnist_bp.shell import program
from mnist_bp.training.schedules import CONSTANT
from mnist_bp.training.settings import SETTINGS, Settings

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
    request = Request(settings, data, ranks, output, resume, name, max_seconds, min_accuracy, started)
    if seeds is None:
        train_one(request, console, plot_format=plot_format if plot else None)
        return
    from mnist_bp.cli.seeds import train_seeds

    train_seeds(request, seeds, console, debug=context.find_root().params["debug"])


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
