"""Preprocessing of an image of a digit, as the authors of MNIST did it.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition", 1998: the
digits were "size normalized to fit in a 20×20 pixel box while preserving their aspect ratio", which left grey levels
"as a result of the anti-aliasing", and "centered in a 28×28 image by computing the center of mass of the pixels, and
translating the image so as to position this point at the center".

Their scans were clean and black on white. Here, the digit is separated from the paper, and from everything else, first
(see ``ink``).

Every step is a sum, a median, a count or a product with a small matrix, so that an implementation in another language
gives the same result.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.ink import FAINTEST, LEAST_CONTRAST, cropped, find_digit, is_dark_on_light, sides

__all__ = ["Look", "Preprocessed", "prepare", "preprocess"]

BOX = 20 / 28
"""Longer side of a digit, as a fraction of the image's shorter side."""


TOUCHING_SIDE = 40
"""Longer side in pixels of the ink in which strokes are counted. At this size, the texture of paper has no effect."""

STROKES = 2
"""Mean number of strokes in a row of two digits that touch."""


class Look(NamedTuple):
    """Appearance of a dataset's images.

    Attributes
    ----------
    is_mnist
        True for digits that were preprocessed as those of MNIST.
    is_dark_on_light
        Polarity of the network's inputs: True for dark ink on light paper.
    is_inverted
        True if grey levels of the dataset's files are inverted (255 − grey level) to get the inputs.
    """

    is_mnist: bool = True
    is_dark_on_light: bool = False
    is_inverted: bool = False


class Preprocessed(NamedTuple):
    """An image for a network, and whether it seems to show several digits."""

    image: NDArray[np.uint8]
    is_several: bool


def preprocess(grey: Array, shape: tuple[int, int], look: Look = Look()) -> NDArray[np.uint8]:  # noqa: B008 - immutable
    """Return the image of ``prepare`` alone."""
    return prepare(grey, shape, look).image


def prepare(grey: Array, shape: tuple[int, int], look: Look) -> Preprocessed:
    """Prepare an image of one digit for a network.

    Parameters
    ----------
    grey
        Grey levels from 0, black, to 255, white, (rows, columns) of any size; dark on light or light on dark.
    shape
        Rows and columns of the network's inputs.
    look
        Appearance of the images that the network was trained on.

    Returns
    -------
    preprocessed
        Image of that shape, light on black; the strongest ink is 255. An image that already has this shape and looks
        like those of the network's dataset is returned unchanged. For a network of dark images, the image is inverted.

    Raises
    ------
    InputError
        If the image has no pixels or shows no digit.
    """
    side = max(1, int(min(shape) * BOX + 0.5))
    if grey.shape == shape and look.is_mnist and _is_prepared(grey, side):
        return Preprocessed(_levels(grey), is_several=False)
    if grey.shape == shape and not look.is_mnist:
        is_inverse = is_dark_on_light(grey) != look.is_dark_on_light
        if not is_inverse or look.is_inverted:
            return Preprocessed(_levels(255 - grey if is_inverse else grey), is_several=False)
    digit = find_digit(grey)
    image = _centred(_resized(digit.ink, side), shape)
    image *= 255 / image.max()
    is_several = digit.is_several or _is_touching(_resized(digit.ink, TOUCHING_SIDE))
    return Preprocessed(_levels(255 - image if look.is_dark_on_light else image), is_several)


def _is_prepared(grey: Array, side: int) -> bool:
    """Return True for an image like those of MNIST: black border, longer side of ``side``, mass in the middle."""
    ink = np.where(grey > LEAST_CONTRAST, grey, 0)
    if any(np.median(edge) > 0 for edge in sides(ink)) or not ink.any():
        return False
    middle = [float(mass @ np.arange(len(mass)) / mass.sum()) for mass in (ink.sum(axis=1), ink.sum(axis=0))]
    is_centred = all(abs(at - length // 2) <= 1 for at, length in zip(middle, grey.shape, strict=True))
    return is_centred and max(cropped(ink).shape) in {side - 1, side}


def _is_touching(ink: Array) -> bool:
    """Return True for ink like that of two digits that touch: wider than high, with two strokes or more in a row.

    Rows of one digit have fewer strokes on average, because its loops are closed at top and bottom. (Of MNIST's test
    digits, 0.1 % are like this, and 88 % of pairs of them that touch.)
    """
    is_ink = np.pad(ink > FAINTEST * ink.max(), ((0, 0), (1, 0)))
    strokes = np.count_nonzero(np.diff(is_ink.astype(np.int8), axis=1) == 1, axis=1)
    return ink.shape[1] > ink.shape[0] and bool(strokes.mean() >= STROKES)


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
