"""Markdown tables and formatted numbers."""

import math
from collections.abc import Sequence


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that is also aligned in plain text. The first column is left-aligned, the others right-aligned."""
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
    """Return a number with three significant digits."""
    if not math.isfinite(value):
        return "never" if value > 0 else "–"
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(value))}f}"


def percent(fraction: float) -> str:
    """Return a small fraction as a percentage with two significant digits."""
    return f"{100 * fraction:.2g} %"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: 1 thread, 2 threads."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
