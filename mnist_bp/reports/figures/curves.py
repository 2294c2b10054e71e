"""Figures over the epochs: learning curves, and the gradient's norm."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from mnist_bp.reports.figures.picture import Head, Picture, own_style

__all__ = ["Curve", "compared_costs", "gradient_norms", "learning_curves"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours that colour-blind people can distinguish (Okabe and Ito 2002, Color Universal Design), without yellow."""
DASHES = ("-", "--", "-.", ":")
MARKERS = "osD^vP*X"

MARKS = 12
"""Approximate number of markers on a curve."""

WIDE = 4
"""Smallest ratio of the largest to the smallest value for a logarithmic scale."""

TOP, LEFT, WIDTH, HEIGHT, BELOW = 14, 80, 360, 250, 50
"""Position and size of a panel, and height of its labels, in pixels."""


class Curve(NamedTuple):
    """Values of a metric, its name, and the epochs of the values if they are not those of the whole figure."""

    name: str
    figures: Sequence[float]
    epochs: Sequence[int] | None = None


@own_style()
def learning_curves(epochs: Sequence[Mapping[str, Any]], head: Head, best: int | None = None) -> Picture:
    """Draw cost and accuracy of the training, test and validation sets in each epoch.

    Parameters
    ----------
    epochs
        One or more records of the run's history.
    best
        Number of the best epoch to mark, if its model is saved instead of the last one.
    """
    names = {
        "train": "train, while it learned",
        "test": "test, after the epoch",
        "validation": "validation, after the epoch",
    }
    sets = {key: name for key, name in names.items() if f"{key}_cost" in epochs[0]}
    picture = Picture("Learning curves", head, 2 * (LEFT + WIDTH) + 16, TOP + HEIGHT + BELOW)
    numbers = [record["epoch"] for record in epochs]

    axes = picture.axes(LEFT, TOP, WIDTH, HEIGHT)
    costs = [Curve(name, [record[f"{key}_cost"] for record in epochs]) for key, name in sets.items()]
    _draw(axes, numbers, costs, "{:.4g}".format, best)
    axes.set_ylabel("cost C" + _scale(axes, costs))

    axes = picture.axes(2 * LEFT + WIDTH, TOP, WIDTH, HEIGHT)
    accuracies = [Curve(name, [record[f"{key}_accuracy"] for record in epochs]) for key, name in sets.items()]
    _draw(axes, numbers, accuracies, lambda share: f"{100 * share:.2f} %", best)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
    axes.set_ylabel("accuracy")
    return picture


@own_style()
def gradient_norms(epochs: Sequence[Mapping[str, Any]], head: Head, best: int | None = None) -> Picture:
    """Draw the norm of the gradient of each layer after each epoch, see ``learning_curves``."""
    norms = np.array([record["health"]["gradient_norm"] for record in epochs], dtype=float)
    layers = norms.shape[1]
    curves = [
        Curve(f"layer {layer}" + (" (output)" if layer == layers else ""), norms[:, layer - 1].tolist())
        for layer in range(1, layers + 1)
    ]
    title = "Norm of the gradient of each layer: √( Σ (∂C/∂w)² + Σ (∂C/∂b)² )"
    picture = Picture(title, head, LEFT + 1.4 * WIDTH + 220, TOP + HEIGHT + BELOW)
    axes = picture.axes(LEFT, TOP, 1.4 * WIDTH, HEIGHT)
    _draw(axes, [record["epoch"] for record in epochs], curves, "{:.2g}".format, best)
    axes.set_ylabel("norm of the gradient" + _scale(axes, curves))
    values = "last value" if best is None else f"value in epoch {best:,}"
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), title=values, alignment="left", frameon=False)
    return picture


@own_style()
def compared_costs(curves: Sequence[Curve], head: Head) -> Picture:
    """Draw the test cost of several runs, each with epochs of its own."""
    picture = Picture("Test cost of the runs", head, LEFT + 1.4 * WIDTH + 400, TOP + 1.4 * HEIGHT + BELOW)
    axes = picture.axes(LEFT, TOP, 1.4 * WIDTH, 1.4 * HEIGHT)
    epochs = sorted({epoch for curve in curves for epoch in curve.epochs or ()})
    _draw(axes, epochs, curves, "{:.4g}".format)
    axes.set_ylabel("test cost C" + _scale(axes, curves))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), title="last value", alignment="left", frameon=False)
    return picture


def _draw(
    axes: Axes, epochs: Sequence[int], curves: Sequence[Curve], text: Callable[[float], str], best: int | None = None
) -> None:
    """Draw curves with different colours, dashes and markers. The legend has the last value of each.

    A best epoch is marked by a vertical line, and the legend has its values.
    """
    step = max(1, len(epochs) // MARKS)
    shown = epochs.index(best) if best in epochs else -1
    if best is not None:
        axes.axvline(best, color="0.45", linewidth=1, zorder=0, label=f"saved model: epoch {best:,}")
    for place, curve in enumerate(curves):
        axes.plot(
            *_with_gaps(epochs if curve.epochs is None else curve.epochs, curve.figures),
            color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[place % len(DASHES)],
            marker=MARKERS[place % len(MARKERS)],
            markersize=4.5,
            markevery=(
                place * step // len(curves) % step,
                step,
            ),  # so that markers of overlapping curves do not hide each other
            label=f"{curve.name}: {text(curve.figures[shown])}",
        )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda epoch, _: f"{epoch:,.0f}"))
    if len(epochs) == 1:
        axes.set_xticks(epochs)
    axes.legend(framealpha=0.85, edgecolor="none")


def _with_gaps(epochs: Sequence[int], figures: Sequence[float]) -> tuple[list[int], list[float]]:
    """Return the points of a curve, with a NaN, at which a line breaks, where epochs are missing."""
    points = [*zip(epochs, figures, strict=True)]
    holes = [(one + 1, math.nan) for one, other in pairwise(epochs) if other > one + 1]
    points = sorted(points + holes, key=lambda point: point[0])
    return [epoch for epoch, _ in points], [figure for _, figure in points]


def _scale(axes: Axes, curves: Sequence[Curve]) -> str:
    """Make the vertical scale logarithmic if the values span a wide range. Return the suffix of its label.

    Values of 0 are left out then.
    """
    plain = FuncFormatter(lambda figure, _: f"{figure:g}")
    axes.yaxis.set_major_formatter(plain)
    positive = [figure for curve in curves for figure in curve.figures if figure > 0]
    if not positive or max(positive) < WIDE * min(positive):
        return ""
    axes.set_yscale("log", nonpositive="mask")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(positive) < 1000 * min(positive) else (1,)))
    axes.yaxis.set_major_formatter(plain)  # set_yscale has replaced it
    axes.yaxis.set_minor_formatter(NullFormatter())
    return " (log scale)"
