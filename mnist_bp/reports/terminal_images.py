"""Images, bars and curves in characters: half blocks with 256 grey levels if supported, otherwise plain text."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style
from rich.table import Table
from rich.text import Text

from mnist_bp.reports.console import Console

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["bar", "draw", "draw_side_by_side", "draw_signed", "sparkline"]

INK = " .:-=+*#%@"
"""Characters for ten grey levels, dark to bright."""

POSITIVE_INK, NEGATIVE_INK = " +#", " -="
"""Characters for values near 0, from ⅛ of the largest on, and from ½ on, by sign."""

UPPER_HALF = "▀"
"""Character for two pixels: the upper one has the text colour, the lower one the background colour."""

EIGHTHS = " ▏▎▍▌▋▊▉█"
"""Characters that fill 0 to 8 eighths of a column, from the left."""

HEIGHTS = "▁▂▃▄▅▆▇█"
"""Characters that fill 1 to 8 eighths of a line, from below."""

GAP = 2
"""Columns between images."""

CAPTION = 24
"""Smallest width of a caption in columns."""


def _grey(level: int) -> Color:
    return Color.from_rgb(level, level, level)


def _signed_colour(level: int) -> Color:
    """Return orange for a positive level, blue for a negative one, the brighter the larger; 255 is the brightest."""
    size = abs(level)
    return Color.from_rgb(size, size * 0.6, 0) if level > 0 else Color.from_rgb(0, size * 0.5, size)


def _grey_ink(level: float) -> str:
    return INK[int(level * (len(INK) - 1) / 255 + 0.5)]


def _signed_ink(level: float) -> str:
    ink = POSITIVE_INK if level > 0 else NEGATIVE_INK
    return ink[int(abs(level) >= 255 / 8) + int(abs(level) >= 255 / 2)]


def draw(image: "NDArray[np.uint8]", console: Console) -> None:
    """Print an image, (rows, columns), 0 dark to 255 light, with two rows in a line, shrunk if it is too wide.

    If the output is no terminal, or one with fewer than 256 colours, ten characters show the grey levels.
    """
    console.print_table(_picture(image, console, console.columns))


def draw_side_by_side(images: "Sequence[NDArray[np.uint8]]", captions: Sequence[str], console: Console) -> None:
    """Print images of one size side by side, with captions below; the number in a row depends on the width."""
    if not images:
        return
    width = min(max(images[0].shape[1], CAPTION), console.columns)
    beside = max(1, (console.columns + GAP) // (width + GAP))
    for start in range(0, len(images), beside):
        if start:
            console.print()
        row = slice(start, start + beside)
        table = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
        for _ in images[row]:
            table.add_column(width=width)
        table.add_row(*(_picture(image, console, width) for image in images[row]))
        table.add_row(*captions[row])
        console.print_table(table)


def draw_signed(values: "NDArray[np.float64]", console: Console, *, positive: str, negative: str) -> None:
    """Print values of both signs as an image, relative to the largest, and a legend with the meaning of each sign.

    Positive values are orange, negative ones blue, 0 is black. Without 256 colours, they are characters.
    """
    import numpy as np

    levels = np.rint(values * (255 / (np.abs(values).max() or 1))).astype(np.int16)
    console.print_table(_picture(levels, console, console.columns, colour=_signed_colour, ink=_signed_ink))
    characters = " and ".join(POSITIVE_INK[1:]), " and ".join(NEGATIVE_INK[1:])
    plus, minus = ("orange", "blue") if _has_greys(console) else characters
    console.print(f"{plus}: {positive}")
    console.print(f"{minus}: {negative}")


def bar(share: float, width: int) -> str:
    """Return a bar whose length is the fraction ``share``, 0 to 1, of ``width`` columns, to an eighth of a column."""
    full, eighths = divmod(round(min(max(share, 0.0), 1.0) * width * 8), 8)
    return EIGHTHS[-1] * full + (EIGHTHS[eighths] if eighths else "")


def sparkline(values: Sequence[float], width: int) -> str:
    """Return a curve of finite numbers in one line, from the smallest at the bottom to the largest at the top.

    Each column shows one number, or the mean of several if there are more than ``width``. Equal numbers give a curve at
    medium height.
    """
    import numpy as np

    curve = np.asarray(values, np.float64)
    if not curve.size:
        return ""
    least, greatest = curve.min(), curve.max()
    if len(curve) > width:
        curve = _averaged(curve, max(width, 1))
    shares = (curve - least) / (greatest - least) if greatest > least else np.full(len(curve), 0.5)
    return "".join(HEIGHTS[min(int(share * len(HEIGHTS)), len(HEIGHTS) - 1)] for share in shares)


def _picture(
    image: "NDArray[np.integer]",
    console: Console,
    width: int,
    *,
    colour: Callable[[int], Color] = _grey,
    ink: Callable[[float], str] = _grey_ink,
) -> Text:
    image = _fitted(image, width)
    return _half_blocks(image, colour) if _has_greys(console) else _characters(image, ink)


def _has_greys(console: Console) -> bool:
    """Return True if the terminal supports half blocks and enough grey levels. Text beside JSON Lines stays plain."""
    if console.json or not console.is_live or console.rich.color_system not in {"256", "truecolor"}:
        return False
    try:
        UPPER_HALF.encode(console.rich.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _fitted(image: "NDArray[np.integer]", width: int) -> "NDArray[np.integer]":
    """Return the image, shrunk to ``width`` columns if it has more, with the same aspect ratio."""
    import numpy as np

    rows, columns = image.shape
    if columns <= width:
        return image
    narrow = _averaged(image.T, width).T
    return np.rint(_averaged(narrow, max(1, round(rows * width / columns)))).astype(image.dtype)


def _averaged(values: "NDArray[np.generic]", parts: int) -> "NDArray[np.float64]":
    """Return the means of ``parts`` equal intervals along the first axis; a value on a border counts in proportion."""
    import numpy as np

    at = np.arange(len(values))
    borders = np.linspace(0, len(values), parts + 1)[:, None]
    overlap = np.minimum(borders[1:], at + 1) - np.maximum(borders[:-1], at)
    weights: NDArray[np.float64] = overlap.clip(0) * (parts / len(values))
    return weights @ values.astype(np.float64)


def _half_blocks(image: "NDArray[np.integer]", colour: Callable[[int], Color]) -> Text:
    """Return an image with two pixels in a character. Below an odd last row, the background is unchanged."""
    lines = []
    for upper in range(0, len(image), 2):
        line = Text(no_wrap=True)
        below = image[upper + 1].tolist() if upper + 1 < len(image) else [None] * image.shape[1]
        for above, under in zip(image[upper].tolist(), below, strict=True):
            line.append(UPPER_HALF, Style(color=colour(above), bgcolor=None if under is None else colour(under)))
        lines.append(line)
    return Text("\n", no_wrap=True).join(lines)


def _characters(image: "NDArray[np.integer]", ink: Callable[[float], str]) -> Text:
    """Return an image with the mean of two pixels in a character, because characters are twice as high as wide."""
    import numpy as np

    even = np.pad(image, ((0, len(image) % 2), (0, 0)), mode="edge")
    halves = even.reshape(len(even) // 2, 2, -1).mean(axis=1)
    lines = ["".join(map(ink, row)).rstrip() for row in halves]
    return Text("\n".join(lines), no_wrap=True)
