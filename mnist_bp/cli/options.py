"""The options that several commands share, each declared once, and what is checked of a value that Typer does not."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mnist_bp.core.names import ActivationName, CostName
from mnist_bp.data.names import DatasetName, SplitName
from mnist_bp.environment import user_path
from mnist_bp.errors import InputError
from mnist_bp.training.recipe import parse_hidden

__all__ = [
    "DATA",
    "NETWORK",
    "OUTPUT",
    "TRAINING",
    "Activation",
    "Classes",
    "Cost",
    "DataDir",
    "Dataset",
    "Hidden",
    "Json",
    "MinAccuracy",
    "Quiet",
    "Seed",
    "Split",
    "checked",
    "number",
    "positive",
]

DATA, NETWORK, TRAINING, OUTPUT = "Data", "Network", "Training", "Output"
"""The panels of ``--help``."""


def checked(parse: Callable[[str], Any]) -> Callable[[str], str]:
    """A callback that refuses, as bad usage, the text that ``parse`` refuses."""

    def check(text: str) -> str:
        try:
            parse(text)
        except InputError as error:
            raise typer.BadParameter(str(error)) from error
        return text

    return check


def number(is_right: Callable[[float], bool], expected: str) -> Callable[[float | None], float | None]:
    """A callback that refuses, as bad usage, a number that is not right, and says what was expected."""

    def check(value: float | None) -> float | None:
        if value is not None and not is_right(value):
            raise typer.BadParameter(f"expected {expected}; got {value:g}")
        return value

    return check


positive = number(lambda value: 0 < value < math.inf, "a number above 0")
_fraction = number(lambda value: 0 <= value <= 1, "a fraction from 0 to 1 (0.94, not 94)")


Hidden = Annotated[
    str,
    typer.Option(
        metavar="N,N",
        help="Neurons of each hidden layer, or none for no hidden layer.",
        callback=checked(parse_hidden),
        rich_help_panel=NETWORK,
    ),
]
Activation = Annotated[
    ActivationName, typer.Option(help="Activation function of the hidden layers.", rich_help_panel=NETWORK)
]
Cost = Annotated[
    CostName,
    typer.Option(
        help="Of one example. Squared error has sigmoid outputs, cross-entropy softmax.", rich_help_panel=NETWORK
    ),
]
Seed = Annotated[
    int,
    typer.Option(min=0, help="Of every random number: the same seed, the same network.", rich_help_panel=TRAINING),
]
Dataset = Annotated[
    DatasetName | None, typer.Option(help="Which digits. Default: as above.", rich_help_panel=DATA, show_default=False)
]
Split = Annotated[SplitName, typer.Option(help="Which set of examples.", rich_help_panel=DATA)]
DataDir = Annotated[
    Path | None,
    typer.Option(
        parser=user_path,
        metavar="DIR",
        help="Folder of the datasets, or of four IDX files. Default: MNIST_BP_DATA, or the user's cache.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
Classes = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        help="Labels of one's own IDX files lie below this. Default: 10.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
MinAccuracy = Annotated[
    float | None,
    typer.Option(
        metavar="FRACTION",
        help="Exit with 1 if the accuracy ends under this fraction, 0 to 1.",
        callback=_fraction,
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="JSON Lines on standard output; what people read goes to standard error.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say the last line only.", rich_help_panel=OUTPUT)]
