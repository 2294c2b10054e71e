"""Report of ``gradcheck --submissions``: a line, a record and a row of a CSV file for each submission."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mnist_bp.reports.console import Console
from mnist_bp.reports.csv_text import csv_text as table_text
from mnist_bp.training.notation import count

if TYPE_CHECKING:
    from mnist_bp.gradcheck.submissions import Result

__all__ = ["csv_text", "print_submissions_total", "show_submission"]

COLUMNS = ("file", "passed", "verdict", "reason", "warnings", "signature", "layout", "max_relative_error")


def show_submission(result: "Result", console: Console, width: int) -> None:
    """Print the line of a submission. ``width`` is the length of the longest file name."""
    record = asdict(result) | {"convention": result.convention and result.convention._asdict()}
    console.emit_json({"event": "submission", "passed": result.passed, **record})
    parts = [result.reason] * bool(result.reason) + [f"warning: {each}" for each in result.warnings]
    verdict = result.verdict if result.passed else result.verdict.upper()
    line = f"{verdict:9} {result.file:{width}}  {'; '.join(parts)}".rstrip()
    console.print(line, style="" if result.passed and not parts else "yellow" if result.passed else "red")


def print_submissions_total(results: "list[Result]", console: Console) -> None:
    """Print the number of submissions that passed."""
    passed = sum(result.passed for result in results)
    console.emit_json({"event": "end", "submissions": len(results), "passed": passed})
    console.print_result(f"{passed} of {count(len(results), 'submission')} passed", style="bold")


def csv_text(results: "Iterable[Result]") -> str:
    """Return the results as the text of a CSV file with a heading."""
    return table_text(COLUMNS, map(_row, results))


def _row(result: "Result") -> tuple[Any, ...]:
    called = (result.convention.signature, result.convention.layout) if result.convention else ("", "")
    warnings = "; ".join(result.warnings)
    return (
        result.file, result.passed, result.verdict, result.reason, warnings, *called, result.max_relative_error
    )  # fmt: skip
