"""The confusion matrix."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnist_bp.reports.figures.picture import Head, Picture, own_style

__all__ = ["confusion_matrix"]

COLOURS = "Blues"
"""Colour map of the errors, light to dark (ColorBrewer: Brewer, Hatchard and Harrower 2003), readable in grey."""

READABLE = 16
"""Largest number of classes with counts in the cells."""

SIDE, CELL = 560, 44
"""Pixels of a side of a matrix without counts, and of a cell with a count."""

LETTER, LEFT, RIGHT = 6, 40, 110
"""Pixels of a letter of a class name, and of the space on either side."""


@own_style()
def confusion_matrix(confusion: NDArray[np.int64], head: Head, names: Sequence[str] = ()) -> Picture:
    """Draw a confusion matrix of 2 to 256 classes: rows are true classes, columns predicted classes.

    Only errors are shaded, the more frequent the darker. Correct predictions have frames on the diagonal; shaded by the
    same scale, they would leave all errors pale.

    Parameters
    ----------
    names
        Names of the classes, if they are not digits.
    """
    classes = len(confusion)
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    labels = [f"{name} {place}" for place, name in enumerate(names)] or [str(place) for place in range(classes)]
    is_readable = classes <= READABLE
    side = max(CELL * classes, 220) if is_readable else max(SIDE // classes, 2) * classes
    longest = max(map(len, labels)) * LETTER
    below = (longest if names else 10) + 46
    width = max(LEFT + longest + side + RIGHT, 560)
    picture = Picture("Confusion matrix", head, width, side + below + 12)
    axes = picture.axes(LEFT + longest, 12, side, side)
    most = max(int(wrong.max()), 1)
    shades = axes.imshow(wrong, cmap=COLOURS, vmin=0, vmax=most, interpolation="none", aspect="auto")
    if is_readable:
        _write_counts(axes, confusion, most)
        axes.set_xticks(range(classes), labels, rotation=90 if names else 0)
        axes.set_yticks(range(classes), labels)
    else:
        axes.plot([-0.5, classes - 0.5], [-0.5, classes - 0.5], color="0.4", linewidth=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(True)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    bar = picture.axes(LEFT + longest + side + 24, 12, 14, min(side, 260))
    picture.figure.colorbar(shades, cax=bar, label="errors", ticks=MaxNLocator(integer=True, nbins=6))
    bar.grid(visible=False)
    return picture


def _write_counts(axes: Axes, confusion: NDArray[np.int64], most: int) -> None:
    """Write the counts above 0, and frame the correct predictions."""
    for true, row in enumerate(confusion.tolist()):
        for answer, count in enumerate(row):
            is_right = true == answer
            if is_right:
                axes.add_patch(_frame(true))
            if count or is_right:
                is_dark = not is_right and count > 0.55 * most
                axes.text(
                    answer,
                    true,
                    f"{count:,}",
                    ha="center",
                    va="center",
                    color="white" if is_dark else "black",
                    fontsize=8,
                    fontweight="bold" if is_right else "normal",
                )


def _frame(place: int) -> Rectangle:
    return Rectangle((place - 0.46, place - 0.46), 0.92, 0.92, fill=False, edgecolor="0.35", linewidth=0.8)
