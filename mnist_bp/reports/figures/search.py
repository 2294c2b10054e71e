"""Figures of a search: the best accuracy so far, the importance of settings, and the accuracy by each setting."""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from mnist_bp.reports.figures.picture import Head, Picture, own_style

__all__ = ["accuracy_by_setting", "best_so_far", "importance"]

BLUE, ORANGE = "#0072B2", "#D55E00"
TOP, LEFT, WIDTH, HEIGHT, BELOW = 14, 80, 420, 250, 50
"""Position and size of a panel, and height of its labels, in pixels."""

PANEL, GAP, ACROSS = 220, 30, 3
"""Width of a panel of a setting and space beside it in pixels, and largest number of panels side by side."""

BAR, NAMES = 26, 130
"""Height of a bar, and width of the names beside the bars, in pixels."""

MOST_DECADES = 2
"""Largest range of a log scale, in powers of ten, with ticks at 1, 2 and 5."""

Records = Sequence[Mapping[str, Any]]


@own_style()
def best_so_far(complete: Records, head: Head) -> Picture:
    """Draw the accuracy of each complete trial, and the best accuracy up to it."""
    picture = Picture("Best accuracy so far", head, LEFT + WIDTH + 20, TOP + HEIGHT + BELOW)
    axes = picture.axes(LEFT, TOP, WIDTH, HEIGHT)
    numbers = [each["trial"] for each in complete]
    accuracies = [each["validation_accuracy"] for each in complete]
    axes.plot(numbers, accuracies, "o", color=BLUE, markersize=4.5, label="trial")
    axes.step(numbers, [*accumulate(accuracies, max)], color=ORANGE, where="post", label="best so far")
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    _label_accuracies(axes)
    axes.legend(framealpha=0.85, edgecolor="none", loc="lower right")
    return picture


@own_style()
def importance(importances: Mapping[str, float], head: Head) -> Picture:
    """Draw the importance of each setting as a bar, the most important one at the top."""
    height = BAR * len(importances)
    picture = Picture("Importance of the settings (PED-ANOVA)", head, NAMES + WIDTH + 20, TOP + height + BELOW)
    axes = picture.axes(NAMES, TOP, WIDTH, height)
    names, shares = [*importances][::-1], [*importances.values()][::-1]
    axes.bar_label(axes.barh(names, shares, color=BLUE), [f"{100 * share:.0f} %" for share in shares], padding=3)
    axes.set_xlim(0, 1.1 * max(shares))
    axes.set_xlabel("share of the importance")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    return picture


@own_style()
def accuracy_by_setting(complete: Records, scales: Mapping[str, str], head: Head) -> Picture:
    """Draw the accuracy of each complete trial over its value of each setting.

    Parameters
    ----------
    scales
        Scale of each setting: log, linear or choices.
    """
    columns, rows = min(ACROSS, len(scales)), -(-len(scales) // ACROSS)
    width, height = PANEL + GAP, HEIGHT + BELOW + GAP
    picture = Picture("Accuracy by each setting", head, LEFT + columns * width, TOP + rows * height)
    lowest = min(each["validation_accuracy"] for each in complete)
    highest = max(each["validation_accuracy"] for each in complete)
    margin = 0.05 * (highest - lowest) or 0.01
    for place, (key, scale) in enumerate(scales.items()):
        row, column = divmod(place, ACROSS)
        axes = picture.axes(LEFT + column * width, TOP + row * height, PANEL, HEIGHT)
        _draw_setting(axes, [each for each in complete if key in each["settings"]], key, scale)
        axes.set_ylim(lowest - margin, highest + margin)
        _label_accuracies(axes)
        if column:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
    return picture


def _draw_setting(axes: Axes, trials: Records, key: str, scale: str) -> None:
    values = [each["settings"][key] for each in trials]
    if scale == "choices":
        values = [str(value) for value in values]
        axes.margins(x=0.2)
    elif scale == "log":
        axes.set_xscale("log")
        decades = math.log10(max(values) / min(values))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < MOST_DECADES else (1,), numticks=8))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.plot(values, [each["validation_accuracy"] for each in trials], "o", color=BLUE, markersize=4.5)
    axes.set_xlabel(f"{key} (log scale)" if scale == "log" else key)


def _label_accuracies(axes: Axes) -> None:
    axes.set_ylabel("validation accuracy")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
