"""Tables with many rows, in any width: a line for each row, or a block of lines in a window that is too narrow.

Rich takes about three milliseconds for a row of a table; these take a hundredth of that.
"""

from collections.abc import Collection, Mapping, Sequence
from textwrap import wrap

from rich.cells import cell_len

from mnist_bp.reports.console import Console, printable

__all__ = ["print_rows"]

GAP = "  "
"""Space between two columns, and before the lines of a block."""

SHOWN_ALONE = 2
"""Number of cells at the beginning of a block that have no heading."""


def print_rows(
    rows: Sequence[Mapping[str, str]], console: Console, *, left: Collection[str] = (), styles: Sequence[str] = ()
) -> None:
    """Print one or more rows with equal keys, the headings, as a table.

    If a window is narrower than the table, each row becomes a block of lines: its first cells, then heading and text of
    the others.

    Parameters
    ----------
    left
        Headings of the columns that are left-aligned.
    styles
        Style of each row.
    """
    cells = [[printable(text) for text in row.values()] for row in rows]
    headings = [heading.split("\n") for heading in rows[0]]
    widths = [
        max(map(cell_len, [*heading, *column]))
        for heading, column in zip(headings, zip(*cells, strict=True), strict=True)
    ]
    if console.is_live and sum(widths) + len(GAP) * (len(widths) - 1) > console.rich.width:
        for row, style in zip(cells, styles, strict=True):
            _print_block([*rows[0]], row, style, console)
        return
    is_left = [heading in left for heading in rows[0]]
    height = max(map(len, headings))
    heads = [[*[""] * (height - len(heading)), *heading] for heading in headings]
    lines = [(_line(head, widths, is_left), "bold") for head in zip(*heads, strict=True)]
    lines.append((GAP.join("─" * width for width in widths), ""))
    lines += [(_line(row, widths, is_left), style) for row, style in zip(cells, styles, strict=True)]
    console.print_lines(lines)


def _line(cells: Sequence[str], widths: Sequence[int], is_left: Sequence[bool]) -> str:
    padded = []
    for cell, width, begins in zip(cells, widths, is_left, strict=True):
        space = " " * (width - cell_len(cell))
        padded.append(f"{cell}{space}" if begins else f"{space}{cell}")
    return GAP.join(padded).rstrip()


def _print_block(headings: Sequence[str], row: Sequence[str], style: str, console: Console) -> None:
    console.print(GAP.join(filter(None, row[:SHOWN_ALONE])), style=style, wrap=False)
    named = [f"{heading} {text}".replace("\n", " ") for heading, text in zip(headings, row, strict=True) if text]
    alone = sum(1 for text in row[:SHOWN_ALONE] if text)
    text = "; ".join(named[alone:])
    for line in wrap(text, console.rich.width - len(GAP), break_long_words=False, break_on_hyphens=False):
        console.print(f"{GAP}{line}", wrap=False)
