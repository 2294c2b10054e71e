"""Options about the user's own code, which ``gradcheck`` checks."""

from pathlib import Path
from typing import Annotated

import typer

from mnist_bp.cli.options import positive
from mnist_bp.environment import user_path

__all__ = [
    "CostFunction",
    "CsvFile",
    "Function",
    "LayoutOption",
    "Signature",
    "Submissions",
    "TimeLimit",
]

USER_CODE = "Your own code"
"""Panel of ``--help``."""

Function = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:NAME",
        help="Check your own function, or the method backprop of your class: my_backprop:backpropagate, "
        "folder/file.py:Network.",
        rich_help_panel=USER_CODE,
    ),
]
CostFunction = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:NAME",
        help="Cost of your own network, to check --function against: (weights, biases, x, y) ↦ a number. It replaces "
        "--activation and --cost.",
        rich_help_panel=USER_CODE,
    ),
]
Signature = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Order of its arguments: weights, biases, x, y; or parameters, W1, b1, …. Default: detected.",
        rich_help_panel=USER_CODE,
    ),
]
LayoutOption = Annotated[
    str | None,
    typer.Option(
        "--layout",
        metavar="WORDS",
        help="Layout of its arrays: examples in rows or columns, or one example a call as a column, vector or row; "
        "weights jk or kj. Default: detected.",
        rich_help_panel=USER_CODE,
    ),
]
Submissions = Annotated[
    Path | None,
    typer.Option(
        parser=user_path,
        metavar="DIR",
        help="Check --function NAME of every file *.py in a folder, each in a process of its own. They run with your "
        "rights, without a sandbox.",
        rich_help_panel=USER_CODE,
    ),
]
CsvFile = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        parser=user_path,
        metavar="FILE",
        help="Also write the results of --submissions to a CSV file.",
        rich_help_panel=USER_CODE,
    ),
]
TimeLimit = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="Time limit of each submission.", parser=positive, rich_help_panel=USER_CODE),
]
