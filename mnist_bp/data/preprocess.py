"""Preprocessing of an image of a digit, as the authors of MNIST did it.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition", 1998: the
digits were "size normalized to fit in a 20×20 pixel box while preserving their aspect ratio", which left grey levels
"as a result of the anti-aliasing", and "centered in a 28×28 image by computing the center of mass of the pixels, and
translating the image so as to position this point at the center".

Their scans were clean and black on white. Here, the paper must be detected first: it is the area along the border,
which may be light or dark, lit from one side, or noisy. Then specks, frames and neighbours are left out.

Every step is a sum, a median or a product with a small matrix, so that an implementation in another language gives the
same result.
"""

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.components import digit_components, only
from mnist_bp.errors import InputError

__all__ = ["preprocess"]

BOX = 20 / 28
"""Longer side of a digit, as a fraction of the image's shorter side."""

LEAST_CONTRAST = 8.0
"""Smallest difference in grey levels (of 255) between paper and ink. With less, an image counts as empty."""

FAINTEST = 0.3
"""Fraction of the strongest ink below which ink counts as paper. This removes shadows and the artifacts of JPEG around
lines. (Measured on rendered training digits: accuracy is best from 0.2 to 0.3.)"""

NOISE = 4.0
"""Multiple of the median difference between neighbouring border pixels below which a deviation counts as paper. It is
about four standard deviations of the noise. Slow changes of the light do not affect it."""


ALL_PAPER = "shows no digit: it is all paper"


def preprocess(grey: Array, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Prepare an image of one digit for a network.

    Parameters
    ----------
    grey
        Grey levels from 0, black, to 255, white, (rows, columns) of any size; dark on light or light on dark.
    shape
        Rows and columns of the network's inputs.

    Returns
    -------
    image
        Image of that shape, light on black; the strongest ink is 255. An image that already has this shape and looks
        like those of MNIST is returned unchanged.

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
    # Cubes keep the sign, and give ink more weight than the small deviations of paper.
    is_light_on_dark = np.sum(contrast * contrast * contrast) >= 0
    side = max(1, int(min(shape) * BOX + 0.5))
    if grey.shape == shape and is_light_on_dark and _is_prepared(grey, side):
        return _levels(grey)
    ink = _ink(contrast if is_light_on_dark else -contrast)
    digit = only(ink, digit_components(ink > 0))
    image = _centred(_resized(_cropped(digit), side), shape)
    return _levels(image * (255 / image.max()))


def _is_prepared(grey: Array, side: int) -> bool:
    """Return True if an image looks like those of MNIST.

    Its border is black but for a tenth, the longer side of its digit has ``side`` pixels or one less, and the digit's
    centre of mass is at most one pixel from the middle (pixel 14 of 28, counted from 0).
    """
    border = np.concatenate(_sides(grey))
    if np.count_nonzero(border) > len(border) / 10 or not grey.any():
        return False
    longer = max(_cropped(grey).shape)
    centres = (grey.sum(axis=1 - axis) @ np.arange(grey.shape[axis]) / grey.sum() for axis in (0, 1))
    is_centred = all(abs(at - length // 2) <= 1 for at, length in zip(centres, grey.shape, strict=True))
    return side - 1 <= longer <= side and is_centred


def _contrast(grey: Array) -> Array:
    """Return the signed difference of each pixel from the paper.

    The level of the paper is the median of the border, or, with light from one side, a plane through the medians of the
    four sides. If opposite sides give different levels for the centre, a digit touches a side, and there is no plane.
    """
    rows, columns = grey.shape
    top, bottom, left, right = (float(np.median(side)) for side in _sides(grey))
    down, across = bottom - top, right - left
    if abs(top + bottom - left - right) > (abs(down) + abs(across)) / 2:
        return grey - np.median(np.concatenate(_sides(grey)))
    y, x = _places(rows)[:, np.newaxis], _places(columns)
    return grey - ((top + bottom + left + right) / 4 + down * y + across * x)


def _places(count: int) -> Array:
    """Return the positions of ``count`` pixels, from −½ for the first to ½ for the last."""
    return (np.arange(count) - (count - 1) / 2) / max(count - 1, 1)


def _sides(picture: Array) -> tuple[Array, Array, Array, Array]:
    """Return the top, bottom, left and right sides."""
    return picture[0], picture[-1], picture[:, 0], picture[:, -1]


def _ink(contrast: Array) -> Array:
    """Return the amount of ink, from 0 to 1. Ink that is faint compared with the strongest or with the noise is 0."""
    strongest = contrast.max()
    differences = [np.abs(np.diff(side)) for side in _sides(contrast) if len(side) > 1]
    noise = NOISE * float(np.median(np.concatenate(differences or [np.zeros(1)])))
    if strongest < max(LEAST_CONTRAST, 2 * noise):
        raise InputError(ALL_PAPER)
    return np.where(contrast > max(noise, FAINTEST * strongest), contrast / strongest, 0.0)


def _cropped(ink: Array) -> Array:
    """Return the smallest box that contains all the ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(ink: Array, side: int) -> Array:
    """Return the ink scaled so that its longer side has ``side`` pixels, by a matrix for rows and one for columns."""
    rows, columns = (max(1, int(length * side / max(ink.shape) + 0.5)) for length in ink.shape)
    return _weights(ink.shape[0], rows) @ ink @ _weights(ink.shape[1], columns).T


def _weights(before: int, after: int) -> Array:
    """Return the weights of each of ``before`` pixels in each of ``after`` pixels, (after, before): a triangle filter.

    The triangle reaches from the centre of a pixel to the centre of the next, of the new or the old pixels, whichever
    are larger. This averages an image that shrinks, and interpolates one that grows.
    """
    step = before / after
    middles = (np.arange(after)[:, np.newaxis] + 0.5) * step
    weights = np.maximum(0, 1 - np.abs(np.arange(before) + 0.5 - middles) / max(step, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def _centred(ink: Array, shape: tuple[int, int]) -> Array:
    """Return the ink on black of this shape, moved by whole pixels to put the centre of mass in the middle.

    It is then at most half a pixel from the middle, which is pixel 14 of 28, counted from 0, as in MNIST.
    """
    image = np.zeros(shape)
    top, left = (_start(ink.sum(axis=1 - axis), shape[axis]) for axis in (0, 1))
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return image


def _start(mass: Array, length: int) -> int:
    """Return the position along an axis where ink with this mass begins. No ink is cut off."""
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return min(max(length // 2 - int(centre + 0.5), 0), length - len(mass))


def _levels(image: Array) -> NDArray[np.uint8]:
    return np.floor(np.clip(image, 0, 255) + 0.5).astype(np.uint8)
