"""Options that several commands share: the declared settings by name, and others."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from mnist_bp.cli.declared import DECLARED, OneOf, number
from mnist_bp.data.names import SplitName
from mnist_bp.environment import user_path
from mnist_bp.errors import AnswerIsNo
from mnist_bp.reports.plot_formats import PLOT_FORMATS
from mnist_bp.training.declaration import Range
from mnist_bp.training.panels import ADVANCED, DATA, OUTPUT
from mnist_bp.training.settings import EPSILON, POSITIVE

__all__ = [
    "L2", "MODEL_METAVAR", "ActivationOption", "Adversarial", "CostOption", "DataDir", "Dropout", "Epsilon",
    "Hidden", "InputDropout", "Json", "LabelSmoothing", "MinAccuracy", "Model", "Models", "Plot", "PlotFolder",
    "PlotFormat", "Quiet", "Seed", "Split", "WeightInit",
    "help_text", "positive", "require_accuracy",
]  # fmt: skip

MODEL_METAVAR = "RUN|MODEL"
"""Argument of the commands about one network."""

Command = TypeVar("Command", bound=Callable[..., None])

DataDir = Annotated[Path | None, DECLARED]
Hidden = Annotated[tuple[int, ...], DECLARED]
ActivationOption = Annotated[str, DECLARED]
CostOption = Annotated[str, DECLARED]
WeightInit = Annotated[str, DECLARED]
L2 = Annotated[float, DECLARED]
Dropout = Annotated[float, DECLARED]
InputDropout = Annotated[float, DECLARED]
LabelSmoothing = Annotated[float, DECLARED]
Adversarial = Annotated[float | None, DECLARED]
Seed = Annotated[int, DECLARED]

positive = number(POSITIVE)
fraction = number(Range(0, 1, "a fraction from 0 to 1 (0.94, not 94)"))

Split = Annotated[SplitName, typer.Option(metavar="NAME", help="Set of examples: test; train.", rich_help_panel=DATA)]
MinAccuracy = Annotated[
    float | None,
    typer.Option(
        metavar="FRACTION",
        help="Exit with status 1 if the accuracy is below this value (0 to 1).",
        parser=fraction,
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Write JSON Lines to standard output, other text to standard error.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only the final result.", rich_help_panel=OUTPUT)]
Epsilon = Annotated[
    float | None,
    typer.Option(
        "--adversarial",
        metavar="ε",
        help="Also evaluate on adversarial examples, x + ε sign(∂C/∂x), with inputs from 0 to 1.",
        parser=number(EPSILON),
        rich_help_panel=DATA,
    ),
]
Plot = Annotated[
    bool,
    typer.Option(
        "--plot",
        help="Draw figures: weights, errors, confusion matrix, learning curves.",
        rich_help_panel=OUTPUT,
    ),
]
PlotFormat = Annotated[
    str,
    OneOf(lambda: PLOT_FORMATS),
    typer.Option(metavar="NAME", help="File format of the figures: {values}.", rich_help_panel=ADVANCED),
]
PlotFolder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        parser=user_path,
        metavar="DIR",
        help="Folder for the figures of --plot, created if missing. Default: beside the model.",
        rich_help_panel=OUTPUT,
    ),
]
Model = Annotated[
    Path | None,
    typer.Argument(
        parser=user_path,
        metavar=MODEL_METAVAR,
        help="Folder, file or name of a run, runs/latest, or a model.npz.",
    ),
]
Models = Annotated[
    list[Path] | None,
    typer.Argument(
        parser=user_path,
        metavar="RUN|MODEL…",
        help="Folders, files or names of runs, runs/latest, folders of train --seeds, or model.npz files. Outputs of "
        "several are averaged.",
    ),
]


def help_text(text: str) -> Callable[[Command], Command]:
    """Return a decorator that sets the help below the summary; ``python -OO`` drops docstrings."""

    def describe(command: Command) -> Command:
        command.__doc__ = text
        return command

    return describe


def require_accuracy(accuracy: float, least: float | None, name: str) -> None:
    """Raise AnswerIsNo if an accuracy, 0 to 1, is below the value of ``--min-accuracy``, None: no requirement."""
    if least is not None and accuracy < least:
        raise AnswerIsNo(f"{name} {accuracy:.4f} is below --min-accuracy {least:g}")
