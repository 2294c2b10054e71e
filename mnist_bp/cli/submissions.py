"""``mnist-bp gradcheck --submissions``: the same function in every file of a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_bp.errors import AnswerIsNo, InputError
from mnist_bp.reports.console import Console
from mnist_bp.reports.csv_text import require_folder, write_csv
from mnist_bp.reports.submissions import csv_text, print_submissions_total, show_submission

if TYPE_CHECKING:
    from mnist_bp.core.activations import Array
    from mnist_bp.gradcheck.checker import Checker
    from mnist_bp.gradcheck.submissions import Result
    from mnist_bp.network import Network

__all__ = ["SECONDS", "check_submissions", "refuse_other_function"]

SECONDS = 10.0
"""Default of ``--time-limit``."""

NOT_ALL = "not every submission passed"


def refuse_other_function(function: object) -> None:
    """Raise InputError unless ``--function`` is a plain name, which every file has."""
    if not isinstance(function, str) or not all(part.isidentifier() for part in function.split(".")):
        raise InputError(
            "--submissions requires the name in each file: --function NAME or CLASS.METHOD, without a file"
        )


def check_submissions(
    folder: Path,
    network: "Network",
    X: "Array",
    labels: Any,
    checker: "Checker",
    console: Console,
    *,
    csv: Path | None,
    seconds: float,
) -> None:
    """Check every file of a folder, and print a line for each. AnswerIsNo if one does not pass."""
    from mnist_bp.gradcheck.submissions import find_submissions, results

    if csv is not None:
        require_folder(csv)
    files = find_submissions(folder)
    width = max(len(file.name) for file in files)
    found: list[Result] = []
    for result in results(files, network, X, labels, checker, seconds=seconds):
        show_submission(result, console, width)
        found.append(result)
        console.require_reader(None if all(each.passed for each in found) else AnswerIsNo(NOT_ALL))
    if csv is not None:
        write_csv(csv, csv_text(found))
    print_submissions_total(found, console)
    if not all(result.passed for result in found):
        raise AnswerIsNo(NOT_ALL)
