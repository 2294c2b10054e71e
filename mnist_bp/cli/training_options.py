"""Options of ``train`` that are no settings of a training."""

from pathlib import Path
from typing import Annotated

import typer

from mnist_bp.cli.config import use_run
from mnist_bp.cli.declared import whole_number
from mnist_bp.cli.options import positive
from mnist_bp.environment import user_path
from mnist_bp.training.declaration import Range
from mnist_bp.training.panels import OUTPUT, TRAINING
from mnist_bp.training.run_names import check_name
from mnist_bp.training.run_paths import MOST_SEEDS

__all__ = ["DryRun", "MaxSeconds", "OutputFolder", "Resume", "RunName", "Seeds"]

Seeds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=whole_number(Range.whole(2, MOST_SEEDS)),
        help="Train N networks with seeds --seed, --seed + 1, … in parallel. --min-accuracy applies to their mean. "
        "Default: one network.",
        rich_help_panel=TRAINING,
    ),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="S",
        parser=positive,
        help="Stop after the epoch in which S seconds of training are over; with --seeds, of all networks. "
        "Default: no limit.",
        rich_help_panel=TRAINING,
    ),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        parser=user_path,
        metavar="DIR",
        help="Folder for the run. Default: runs/<time>-<sizes>[-NAME].",
        rich_help_panel=OUTPUT,
    ),
]
RunName = Annotated[
    str | None,
    typer.Option(
        "--name",
        parser=check_name,
        metavar="NAME",
        help="Name of the run, which other commands accept as RUN.",
        rich_help_panel=OUTPUT,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Only print all settings, and estimates of memory and time.",
        rich_help_panel=OUTPUT,
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        parser=user_path,
        metavar="RUN",
        help="Resume this run after its last finished epoch, bit for bit.",
        callback=use_run,
        is_eager=True,
        rich_help_panel=OUTPUT,
    ),
]
