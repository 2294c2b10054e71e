"""Layout of ``--help``: a panel for each group of options, with a column of names and one of explanations."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mnist_bp.reports.console import Console

__all__ = ["Row", "lay_out"]

MOST_COLUMNS = 100
"""Width of the help, also in a wider terminal."""


COMMAND = ("Usage:", "Example:")
"""Beginnings of paragraphs with a command, which are not wrapped, so that they can be pasted."""


class Row(NamedTuple):
    """A row of a panel: an option or a command, the word for its value, its explanation."""

    name: str
    value: str
    text: str


def lay_out(usage: str, paragraphs: Sequence[str], panels: Mapping[str, Iterable[Row]]) -> str:
    """Return a help text for standard output: coloured on a terminal, plain elsewhere.

    Parameters
    ----------
    usage, paragraphs
        Text above the panels; paragraphs are wrapped.
    panels
        Rows by title of the panel.
    """
    console = Console().rich
    console.width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    rows = {title: [*rows] for title, rows in panels.items()}
    widest = max(len(f"{row.name} {row.value}".rstrip()) for panel in rows.values() for row in panel)
    with console.capture() as captured:
        for paragraph in (usage, *paragraphs):
            is_command = paragraph.startswith(COMMAND)
            console.print(paragraph, soft_wrap=is_command, style="bold" if is_command else "", highlight=False)
            console.print()
        for title, panel in rows.items():
            console.print(Panel(_table(panel, widest), title=title, title_align="left", border_style="dim"))
    return captured.get()


def _table(rows: Iterable[Row], widest: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=widest, no_wrap=True)
    table.add_column()
    for name, value, text in rows:
        table.add_row(Text.assemble((name, "bold cyan"), (f" {value}" if value else "", "yellow")), text)
    return table
