"""Options of ``search`` that are no settings of a training."""

from pathlib import Path
from typing import Annotated

import typer

from mnist_bp.cli.declared import whole_number
from mnist_bp.cli.options import positive
from mnist_bp.environment import user_path
from mnist_bp.training.declaration import Range
from mnist_bp.training.panels import OUTPUT

__all__ = ["Jobs", "SearchFolder", "SearchPlot", "Storage", "Study", "Timeout", "Trials"]

SEARCH = "Search"
"""Panel of ``--help``."""

Trials = Annotated[
    int,
    typer.Option(
        metavar="N",
        parser=whole_number(Range.whole(1, 1_000_000)),
        help="Trials of the study, of all processes together.",
        rich_help_panel=SEARCH,
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        metavar="N",
        parser=whole_number(Range.whole(1, 1_024)),
        help="Processes. With one, equal seeds give equal trials.",
        rich_help_panel=SEARCH,
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="S",
        parser=positive,
        help="Start no more trials after S seconds. Default: no limit.",
        rich_help_panel=SEARCH,
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Database, for several machines. Default: SQLite in the study's folder.",
        rich_help_panel=SEARCH,
    ),
]
Study = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        parser=user_path,
        metavar="STUDY",
        help="Folder of a search to continue, or to join while it runs.",
        rich_help_panel=OUTPUT,
    ),
]
SearchFolder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        parser=user_path,
        metavar="DIR",
        help="Folder for the study. Default: searches/<time>.",
        rich_help_panel=OUTPUT,
    ),
]
SearchPlot = Annotated[
    bool,
    typer.Option(
        "--plot",
        help="Draw figures: best so far, importance, accuracy by each setting.",
        rich_help_panel=OUTPUT,
    ),
]
