"""Preprocessing of a picture of a digit as MNIST's makers did it.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition", 1998: the
digits were "size normalized to fit in a 20×20 pixel box while preserving their aspect ratio", which left grey levels
"as a result of the anti-aliasing", and "centered in a 28×28 image by computing the center of mass of the pixels, and
translating the image so as to position this point at the center".

Their scans were black on white and clean. Here, what is paper has to be found out first: it is what lies along the
border, light or dark, perhaps lit from one side, perhaps noisy.

Everything is a sum, a median or a product with a small matrix, so that the same steps in another language give the same
picture.
"""

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.errors import InputError

__all__ = ["preprocess"]

BOX = 20 / 28
"""The longer side of a digit, as a share of the image's shorter side."""

LEAST_CONTRAST = 8.0
"""Grey levels (of 255) between paper and the strongest ink: with less, a picture is empty."""

FAINTEST = 0.3
"""Share of the strongest ink: what is fainter is taken for paper, like shadows, and the rings that JPEG draws around
lines. (Measured on rendered training digits: the network's answers are best from 0.2 to 0.3.)"""

NOISE = 4.0
"""Median differences between neighbours on the border: what deviates less from the paper is paper. About four standard
deviations of noise; light that changes slowly adds nothing to it."""


ALL_PAPER = "shows no digit: it is all paper"


def preprocess(grey: Array, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Prepare a picture of one digit for a network.

    Parameters
    ----------
    grey
        Grey levels from 0, black, to 255, white, of any number of (rows, columns); dark on light or light on dark.
    shape
        Rows and columns that the network takes.

    Returns
    -------
    image
        Light on black, of that shape; the strongest ink is 255. A picture that has the shape already, and is light on
        dark, is taken as it stands: it may well be one of the dataset's own.

    Raises
    ------
    InputError
        If there is nothing on the paper, or no paper.
    """
    if not grey.size:
        raise InputError("has no pixels")
    if np.ptp(grey) < LEAST_CONTRAST:
        raise InputError(ALL_PAPER)
    contrast = _contrast(grey.astype(np.float64))
    # Ink differs more from the paper than paper does, either way.
    is_light_on_dark = np.sum(contrast * contrast * contrast) >= 0
    if grey.shape == shape and is_light_on_dark:
        return _levels(grey)
    ink = _ink(contrast if is_light_on_dark else -contrast)
    side = max(1, int(min(shape) * BOX + 0.5))
    image = _centred(_resized(_cropped(ink), side), shape)
    return _levels(image * (255 / image.max()))


def _contrast(grey: Array) -> Array:
    """What differs from the paper, by sign.

    The paper's level is the border's median; or, where light falls in from one side, a plane: it has the medians of the
    four sides. It is no plane if these do not agree on the middle: then a digit touches a side.
    """
    rows, columns = grey.shape
    top, bottom, left, right = (float(np.median(side)) for side in _sides(grey))
    down, across = bottom - top, right - left
    if abs(top + bottom - left - right) > (abs(down) + abs(across)) / 2:
        return grey - np.median(np.concatenate(_sides(grey)))
    y, x = _places(rows)[:, np.newaxis], _places(columns)
    return grey - ((top + bottom + left + right) / 4 + down * y + across * x)


def _places(count: int) -> Array:
    """Where so many pixels lie, the first at −½ and the last at ½."""
    return (np.arange(count) - (count - 1) / 2) / max(count - 1, 1)


def _sides(picture: Array) -> tuple[Array, Array, Array, Array]:
    """Top, bottom, left, right."""
    return picture[0], picture[-1], picture[:, 0], picture[:, -1]


def _ink(contrast: Array) -> Array:
    """How much ink there is, from 0 to 1; what is faint beside the strongest, or beside the border's noise, is none."""
    strongest = contrast.max()
    differences = [np.abs(np.diff(side)) for side in _sides(contrast) if len(side) > 1]
    noise = NOISE * float(np.median(np.concatenate(differences or [np.zeros(1)])))
    if strongest < max(LEAST_CONTRAST, 2 * noise):
        raise InputError(ALL_PAPER)
    return np.where(contrast > max(noise, FAINTEST * strongest), contrast / strongest, 0.0)


def _cropped(ink: Array) -> Array:
    """The smallest box that holds all the ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(ink: Array, side: int) -> Array:
    """Scaled until the longer side has ``side`` pixels: a product with a matrix of the rows and one of the columns."""
    rows, columns = (max(1, int(length * side / max(ink.shape) + 0.5)) for length in ink.shape)
    return _weights(ink.shape[0], rows) @ ink @ _weights(ink.shape[1], columns).T


def _weights(before: int, after: int) -> Array:
    """What each of ``after`` pixels takes of each of ``before``, (after, before): a triangle filter.

    The triangle reaches from the middle of one new pixel to that of the next, or of one old pixel to that of the next,
    whichever is wider: a picture that shrinks is averaged, one that grows is interpolated.
    """
    step = before / after
    middles = (np.arange(after)[:, np.newaxis] + 0.5) * step
    weights = np.maximum(0, 1 - np.abs(np.arange(before) + 0.5 - middles) / max(step, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def _centred(ink: Array, shape: tuple[int, int]) -> Array:
    """On black of this shape, moved by whole pixels until the centre of mass is at most half a pixel from the middle.

    The middle is pixel 14 of 28, counted from 0: so it is in MNIST.
    """
    image = np.zeros(shape)
    top, left = (_start(ink.sum(axis=1 - axis), shape[axis]) for axis in (0, 1))
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return image


def _start(mass: Array, length: int) -> int:
    """Where along an axis ink of this mass begins; none of it is cut off."""
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return min(max(length // 2 - int(centre + 0.5), 0), length - len(mass))


def _levels(image: Array) -> NDArray[np.uint8]:
    return np.floor(np.clip(image, 0, 255) + 0.5).astype(np.uint8)
