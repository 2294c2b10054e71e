"""Style of all tables, and the tables of ``evaluate``."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.color import Color
from rich.style import Style
from rich.table import Table
from rich.text import Text

from mnist_bp.reports.class_names import ClassNames

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.live import Live

    from mnist_bp.training.evaluation import ClassScore

__all__ = ["confusion_table", "live_table", "new_table", "per_class_table"]

SHADES = tuple(
    Style(color=Color.from_rgb(0, 0, 0), bgcolor=Color.from_rgb(*background))
    for background in ((175, 175, 175), (215, 175, 135), (255, 175, 95), (255, 135, 0))
)
"""Styles of errors, rare to frequent: black on grey, then on increasingly saturated orange of equal brightness.

They are readable on dark and light terminals, also for colour-blind readers. All are among the 256 colours of
terminals; others would be rounded to olive and pink.
"""

LEAST_SHADED = 0.1
"""Errors up to this fraction of the most frequent error are not shaded."""


def live_table(console: "Console", table: Table | None = None) -> "Live":
    """Return a display of a table, which ``update(table, refresh=True)`` draws again, and which is removed at the end.

    It is empty at first without a table. Nothing is redirected: records on standard output would be printed above the
    table as text.
    """
    from rich.live import Live

    return Live(
        table, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )


def new_table(*headings: str, left: Collection[str] = (), **look: Any) -> Table:
    """Return an empty table. Columns are right-aligned, except those whose heading is in ``left``.

    No cell is wrapped. ``look`` is passed to Rich's ``Table``.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, **look)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right", no_wrap=True)
    return table


def confusion_table(confusion: "NDArray[np.int64]", classes: ClassNames) -> Table:
    """Return a table: rows are true classes, columns predicted ones, correct predictions are bold on the diagonal.

    Where there are colours, errors have a background, the stronger the more frequent they are.
    """
    table = new_table("true", *map(str, range(len(confusion))), padding=(0, 0, 0, 1))
    rows = confusion.tolist()
    most = max(
        (count for label, row in enumerate(rows) for answer, count in enumerate(row) if answer != label), default=0
    )
    for label, row in enumerate(rows):
        cells = [
            Text(str(count) if count else ".", "bold" if answer == label else _shade(count, most))
            for answer, count in enumerate(row)
        ]
        table.add_row(classes.label(label), *cells)
    return table


def _shade(count: int, most: int) -> Style:
    """Return the style of an error with this count, if the most frequent error has count ``most``."""
    if count <= LEAST_SHADED * most:
        return Style()
    return SHADES[(count * len(SHADES) - 1) // most]


def per_class_table(scores: "list[ClassScore]", classes: ClassNames) -> Table:
    """Return the table of precision, recall, F1 and number of examples of each class."""
    table = new_table(classes.kind, "precision", "recall", "f1", "support")
    for score in scores:
        ratios = ("-" if ratio is None else f"{ratio:.4f}" for ratio in (score.precision, score.recall, score.f1))
        table.add_row(classes.label(score.label), *ratios, f"{score.support:,}")
    return table
