"""Markdown, and how numbers are written."""

import math
from collections.abc import Sequence


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns are aligned in plain text too; the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join([first, *others])} |"

    rule = ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join(map(line, [head, rule, *rows]))


def number(value: float) -> str:
    """Three figures that count."""
    if not math.isfinite(value):
        return "never" if value > 0 else "–"
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(value))}f}"


def percent(share: float) -> str:
    """A small share."""
    return f"{100 * share:.2g} %"


def counted(count: int, noun: str) -> str:
    """1 thread, 2 threads."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
