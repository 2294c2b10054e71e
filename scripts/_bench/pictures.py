"""Plots of the results. They require the extra "plot"."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from _bench.results import Comparison
from _bench.scaling import Series

COLUMNS = 2
WIDTH, HEIGHT, BAR = 9.0, 5.0, 0.13
"""Smallest width and height of a panel, and height of a bar, in inches."""

Panel = Callable[[Any], None]
"""Function that draws on a matplotlib Axes."""


def draw(path: Path, groups: Sequence[Sequence[Comparison]], series: Sequence[Series]) -> None:
    """Draw a panel for each group of comparisons that is not empty, and one for each series."""
    from matplotlib.figure import Figure

    panels: list[Panel] = [lambda axes, group=group: draw_group(axes, group) for group in groups if group]
    panels += [lambda axes, one=one: draw_series(axes, one) for one in series]
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    bars = max((sum(len(comparison.seconds) for comparison in group) for group in groups), default=0)
    figure = Figure(figsize=(WIDTH * columns, max(HEIGHT, BAR * bars) * rows), layout="constrained")
    for panel, axes in zip(panels, figure.subplots(rows, columns, squeeze=False).flat, strict=False):
        panel(axes)
    for axes in figure.axes[len(panels) :]:
        axes.set_axis_off()
    figure.savefig(path, dpi=120)


def draw_group(axes: Any, comparisons: Sequence[Comparison]) -> None:
    """Draw medians as bars, with lines from the fastest to the slowest round."""
    names = list(dict.fromkeys(name for comparison in comparisons for name in comparison.seconds))
    height = 0.85 / len(names)
    for place, name in enumerate(names):
        rows = [(i, one.median(name), one.seconds[name]) for i, one in enumerate(comparisons) if name in one.seconds]
        where = [i + (place - (len(names) - 1) / 2) * height for i, _, _ in rows]
        medians = [median for _, median, _ in rows]
        spread = [[m - min(s) for _, m, s in rows], [max(s) - m for _, m, s in rows]]
        axes.barh(where, medians, height, xerr=spread, label=name, error_kw={"linewidth": 0.8})
    axes.set_yticks(range(len(comparisons)), [comparison.title for comparison in comparisons], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("seconds")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, fontsize=7)


def draw_series(axes: Any, series: Series) -> None:
    """Plot time and multiply-adds, each relative to the first point."""
    points, arithmetic, time = zip(*series.growth(), strict=True)
    places = range(len(points))
    axes.plot(places, time, "o-", label="seconds of an epoch")
    axes.plot(places, arithmetic, "--", label="multiply-adds")
    axes.set_xticks(places, [point.label for point in points])
    axes.set_xlabel(series.name)
    axes.set_ylabel("× the first")
    axes.set_yscale("log")
    axes.legend(fontsize=7)
