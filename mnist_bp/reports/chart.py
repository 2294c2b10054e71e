"""Chart of several curves in plain characters."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

__all__ = ["Points", "chart"]

Points = Sequence[tuple[int, float]]
"""Epochs and values of a curve."""

WIDE = 4
"""Smallest ratio of the largest to the smallest value for a logarithmic scale."""

HALF = 0.5
"""Distance in epochs up to which the end of a curve is drawn beyond its last point."""

LEAST_WIDTH = 40
"""Columns between the first and the last of a few epochs."""

LABEL = 9
"""Columns of the labels of the vertical axis."""


def chart(curves: Sequence[tuple[str, Points]], columns: int, rows: int) -> list[str]:
    """Return the lines of a chart of values over epochs.

    Parameters
    ----------
    curves
        Symbol and points of each curve, in the order of its epochs. Where curves meet, the last one is seen.
    columns, rows
        Width of the chart, and height of its drawing area, in characters.
    """
    points = [point for _, curve in curves for point in curve]
    if not points:
        return []
    first, last = min(epoch for epoch, _ in points), max(epoch for epoch, _ in points)
    least, greatest = min(value for _, value in points), max(value for _, value in points)
    is_log = least > 0 and greatest >= WIDE * least
    scale: Callable[[float], float] = math.log if is_log else float
    low, high = scale(least), scale(greatest)
    between = last - first
    width = min(columns - LABEL - 2, max(2, LEAST_WIDTH // max(1, between)) * between + 1)
    epochs = [first + between * x / max(1, width - 1) for x in range(width)]
    area = [[" "] * width for _ in range(rows)]
    for symbol, curve in curves:
        for x, value in enumerate(_sampled(curve, epochs, scale)):
            if value is not None:
                height = (value - low) / (high - low) if high > low else 0.5
                area[rows - 1 - round(height * (rows - 1))][x] = symbol
    labels = {rows - 1: least, 0: greatest} if high > low else {rows - 1 - round(0.5 * (rows - 1)): least}
    lines = [f"{_label(labels.get(row)):>{LABEL}} |{''.join(line).rstrip()}" for row, line in enumerate(area)]
    ends = f"{first}{last:>{max(width - len(str(first)), len(str(last)) + 1)}}" if last > first else f"{first}"
    axis = f"{'log scale' if is_log else '':>{LABEL}} +{'-' * width}"
    return [*lines, axis, f"{'epoch':>{LABEL}}  {ends}"]


def _label(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _sampled(curve: Points, epochs: Sequence[float], scale: Callable[[float], float]) -> Iterator[float | None]:
    """Yield the scaled value of a curve at each epoch, linear between its points; None where epochs are missing."""
    numbers = [number for number, _ in curve]
    for epoch in epochs:
        after = bisect_left(numbers, epoch)
        near = [point for point in curve[max(0, after - 1) : after + 1] if abs(point[0] - epoch) < HALF]
        if 0 < after < len(curve) and curve[after][0] - curve[after - 1][0] <= 1:
            (x_0, y_0), (x_1, y_1) = curve[after - 1], curve[after]
            yield scale(y_0) + (epoch - x_0) / (x_1 - x_0) * (scale(y_1) - scale(y_0))
        else:
            yield scale(near[-1][1]) if near else None
