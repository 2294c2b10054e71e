"""The tables of ``evaluate``, made from results; whoever has them decides where they are shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnist_bp.training.evaluation import ClassScore

__all__ = ["confusion_table", "per_class_table"]


def confusion_table(confusion: "NDArray[np.int64]", names: Sequence[str] = ()) -> Table:
    """Rows are the true classes, columns the answers; what was answered rightly stands on the diagonal, in bold.

    Where classes have names, rows say them.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("true", justify="right", no_wrap=True)
    for label in range(len(confusion)):
        table.add_column(str(label), justify="right", no_wrap=True)
    for label, row in enumerate(confusion.tolist()):
        cells = [str(count) if count else "." for count in row]
        cells[label] = f"[bold]{cells[label]}[/bold]"
        table.add_row(f"{names[label]} {label}" if names else str(label), *cells)
    return table


def per_class_table(scores: "list[ClassScore]", names: Sequence[str] = ()) -> Table:
    """Precision, recall, F1 and number of examples of each class, with its name if it has one."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("class" if names else "digit", "precision", "recall", "f1", "support"):
        table.add_column(heading, justify="right", no_wrap=True)
    for score in scores:
        ratios = (f"{ratio:.4f}" for ratio in (score.precision, score.recall, score.f1))
        label = f"{names[score.label]} {score.label}" if names else str(score.label)
        table.add_row(label, *ratios, f"{score.support:,}")
    return table
