"""The ink of the digit in a picture, separated from the paper and from everything else.

The paper must be detected first: it is the area along the border, which may be light or dark, lit from one side, or
noisy. What differs from it is ink, in connected components. The largest one is the digit, or its largest stroke.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.components import Components, connected_components
from mnist_bp.data.threshold import near_strokes
from mnist_bp.errors import InputError

__all__ = ["LEAST_CONTRAST", "Digit", "cropped", "find_digit", "is_dark_on_light", "sides"]

LEAST_CONTRAST = 8.0
"""Smallest difference in grey levels (of 255) between paper and ink. With less, an image counts as empty."""

FAINTEST = 0.3
"""Fraction of the strongest ink below which ink counts as paper. This removes shadows and the artifacts of JPEG around
lines. (Measured on rendered training digits: accuracy is best from 0.2 to 0.3.)"""

NOISE = 4.0
"""Multiple of the median difference between neighbouring border pixels below which a deviation counts as paper. It is
about four standard deviations of the noise. Slow changes of the light do not affect it."""

LINE = 0.9
"""Fraction of a row or column of pixels that is ink where a line of ruled or squared paper lies."""

LINE_WIDTH = 0.05
"""Largest width of a line, as a fraction of the picture's side."""

SPECK = 0.08
"""Size of a component, as a fraction of the largest, below which it is dirt and no part of the digit."""

FRAME_WIDTH = 1 / 12
"""Width of the strips along the sides of a box in which a frame lies, as a fraction of the box's sides."""

FRAME_PIXELS = 0.9
"""Fraction of a frame's pixels that lie in these strips, and of a sheet's sides along which it has ink."""

SHEET = 0.25
"""Smallest area of a sheet's box, as a fraction of the picture's."""

SHEET_INK = 0.75
"""Smallest fraction of a sheet's box that differs from what the sheet lies on."""

SHEET_EDGE = 0.02
"""Width of a sheet's edge, as a fraction of the sheet's side. A digit lies inside of it."""

MOST_FRAMES = 20
"""Number of components, the largest first, that may be frames."""

TALL = 0.5
"""Height of each of several digits, as a fraction of the highest."""

GAP = 1 / 20
"""Smallest gap between digits, as a fraction of their height. Narrower ones are those of a digit that a line cuts."""

LIMITS = (
    "LEAST_CONTRAST", "FAINTEST", "NOISE", "LINE", "LINE_WIDTH", "SPECK", "FRAME_WIDTH", "FRAME_PIXELS", "SHEET",
    "SHEET_INK", "SHEET_EDGE", "MOST_FRAMES",
)  # fmt: skip
"""Names of the limits above that the page needs to find digits in the same way."""

ALL_PAPER = "shows no digit: it is all paper"


class Digit(NamedTuple):
    """A digit that was found.

    Attributes
    ----------
    ink
        Amount of ink from 0 to 1 in the smallest box that contains the digit, (rows, columns).
    contrast
        Largest difference in grey levels between paper and ink.
    is_several
        True if its strokes look like more than one digit.
    """

    ink: Array
    contrast: float
    is_several: bool


def find_digit(grey: Array) -> Digit:
    """Find the digit in grey levels from 0 to 255, (rows, columns), dark on light or light on dark.

    Raises
    ------
    InputError
        If the image has no pixels or shows no digit.
    """
    if not grey.size:
        raise InputError("has no pixels")
    if np.ptp(grey) < LEAST_CONTRAST:
        raise InputError(ALL_PAPER)
    contrast = _contrast(grey.astype(np.float64))
    ink = _without_lines(_without_lines(_ink(-contrast if _is_dark(contrast) else contrast)).T).T
    components = connected_components(ink)
    digit = _on_sheet(grey, components)
    strongest = float(np.abs(contrast).max())
    if digit is not None and digit.contrast >= FAINTEST * strongest:
        return digit
    is_kept = _selected(components)
    kept = np.where(np.append(is_kept, False)[components.labels], ink, 0.0)
    return Digit(cropped(kept), strongest, _is_several(components.boxes[is_kept]))


def is_dark_on_light(grey: Array) -> bool:
    """Return True if the ink of an image is darker than its paper."""
    return _is_dark(_contrast(grey.astype(np.float64)))


def _is_dark(contrast: Array) -> bool:
    # Cubes keep the sign, and give ink more weight than the small deviations of paper.
    return bool(np.sum(contrast * contrast * contrast) < 0)


def _without_lines(ink: Array) -> Array:
    """Return the ink without the horizontal lines of ruled paper; without two such lines, all of it.

    A line is a few rows of ink that reach from edge to edge. In its place remains what is ink both above and below it.
    """
    is_ink = ink > 0
    is_line = (is_ink.mean(axis=1) >= LINE) & is_ink[:, 0] & is_ink[:, -1]
    steps = np.diff(is_line.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    is_thin = ends - starts <= LINE_WIDTH * len(ink)
    is_inside = (starts > 0) & (ends < len(ink))
    if np.count_nonzero(is_thin & is_inside) < 2:
        return ink
    result, around = ink.copy(), np.pad(ink, ((1, 1), (0, 0)), constant_values=1)
    for start, end in zip(starts[is_thin], ends[is_thin], strict=True):
        result[start:end] = np.minimum(around[start], around[end + 1])
    return result if result.any() else ink


def _on_sheet(grey: Array, components: Components) -> Digit | None:
    """Return the digit on a sheet of paper that lies on something else; None if there is no sheet.

    A sheet is a large component that fills its box but for the digit, and has ink along all sides of it.
    """
    largest = components.sizes.argmax()
    top, bottom, left, right = components.boxes[largest]
    sheet = components.labels[top : bottom + 1, left : right + 1] == largest
    high, wide = (max(1, int(length * SHEET_EDGE)) for length in sheet.shape)
    along = sheet[:high].any(0), sheet[-high:].any(0), sheet[:, :wide].any(1), sheet[:, -wide:].any(1)
    ink = np.mean(components.labels[top : bottom + 1, left : right + 1] >= 0)
    is_large = sheet.size >= SHEET * grey.size and ink >= SHEET_INK
    if not is_large or min(side.mean() for side in along) < FRAME_PIXELS:
        return None
    try:
        return find_digit(grey[top + high : bottom + 1 - high, left + wide : right + 1 - wide])
    except InputError:
        return None


def _strips(piece: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the height of the strips at top and bottom of a component's box, and the width of those at its sides."""
    high, wide = (max(1, int(length * FRAME_WIDTH)) for length in piece.shape)
    return high, wide


def _selected(components: Components) -> NDArray[np.bool_]:
    """Return which components belong to the digit.

    Frames are left out, then specks, then components at the edge of the picture, unless the largest one touches it.
    """
    sizes = components.sizes.copy()
    sizes[_frames(components)] = 0
    largest, touch_edge = sizes.argmax(), components.touch_edge
    return (sizes >= SPECK * sizes[largest]) & (touch_edge[largest] | ~touch_edge)


def _frames(components: Components) -> list[int]:
    """Return the components that are frames around another one that is large enough for a digit."""
    sizes, boxes = components.sizes, components.boxes
    large = np.flatnonzero(sizes >= SPECK * sizes.max())
    frames = []
    for number in large[np.argsort(-sizes[large], kind="stable")][:MOST_FRAMES]:
        top, bottom, left, right = boxes[number]
        inner = boxes[large[large != number]]
        is_around = (top <= inner[:, 0]) & (inner[:, 1] <= bottom) & (left <= inner[:, 2]) & (inner[:, 3] <= right)
        if is_around.any():
            piece = components.labels[top : bottom + 1, left : right + 1] == number
            high, wide = _strips(piece)
            if piece[high:-high, wide:-wide].sum() <= (1 - FRAME_PIXELS) * sizes[number]:
                frames.append(number)
    return frames


def _is_several(boxes: NDArray[np.intp]) -> bool:
    """Return True if two of these boxes, (n, 4), are tall, and stand side by side or one above the other."""
    top, bottom, left, right = boxes.T
    height = bottom - top + 1
    is_tall = height >= TALL * height.max()
    gap = GAP * (bottom.max() - top.min() + 1)
    return any(len({*_groups(*ends, gap)[is_tall]}) > 1 for ends in ((left, right), (top, bottom)))


def _groups(first: NDArray[np.intp], last: NDArray[np.intp], gap: float) -> NDArray[np.intp]:
    """Return the number of the group of each interval. A gap of more than this length divides two groups."""
    order = np.argsort(first, kind="stable")
    reached = np.maximum.accumulate(last[order])
    group = np.zeros(len(order), np.intp)
    group[order[1:]] = np.cumsum(first[order[1:]] - reached[:-1] - 1 > gap)
    return group


def cropped(ink: Array) -> Array:
    """Return the smallest box that contains all the ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _contrast(grey: Array) -> Array:
    """Return the signed difference of each pixel from the paper.

    The level of the paper is the median of the border, or, with light from one side, a plane through the medians of the
    four sides. If opposite sides give different levels for the centre, a digit touches a side, and there is no plane.
    """
    rows, columns = grey.shape
    top, bottom, left, right = (float(np.median(side)) for side in sides(grey))
    down, across = bottom - top, right - left
    if abs(top + bottom - left - right) > (abs(down) + abs(across)) / 2:
        return grey - np.median(np.concatenate(sides(grey)))
    y, x = _places(rows)[:, np.newaxis], _places(columns)
    return grey - ((top + bottom + left + right) / 4 + down * y + across * x)


def _places(count: int) -> Array:
    """Return the positions of ``count`` pixels, from −½ for the first to ½ for the last."""
    return (np.arange(count) - (count - 1) / 2) / max(count - 1, 1)


def sides(picture: Array) -> tuple[Array, Array, Array, Array]:
    """Return the top, bottom, left and right sides."""
    return picture[0], picture[-1], picture[:, 0], picture[:, -1]


def _ink(contrast: Array) -> Array:
    """Return the amount of ink, from 0 to 1.

    It is 0 for what is faint compared with the strongest ink or the noise, and for what is fainter than strokes and not
    at their edges.
    """
    strongest = contrast.max()
    differences = [np.abs(np.diff(side)) for side in sides(contrast) if len(side) > 1]
    noise = NOISE * float(np.median(np.concatenate(differences or [np.zeros(1)])))
    if strongest < max(LEAST_CONTRAST, 2 * noise):
        raise InputError(ALL_PAPER)
    ink = contrast / strongest
    return np.where((contrast > max(noise, FAINTEST * strongest)) & near_strokes(ink), ink, 0.0)
