"""Augmentation: each image transformed at random, anew in every epoch: the network never sees one twice.

A pixel of a transformed image is looked up in the original, not at its own place but near it, by bilinear
interpolation; beyond the edges it is black. By kind, the places come from

shift
    a move of the whole image;
affine
    a change of height and one of width, a slant (shear), a rotation and a shift;
elastic
    an affine map, and on top a smooth field of small displacements, as if the hand trembled: P. Simard, D. Steinkraus
    and J. Platt, "Best practices for convolutional neural networks applied to visual document analysis", 2003.

Simard et al. draw a number from −1 to 1 for each pixel and axis, smooth these with a Gaussian of σ pixels, and multiply
by α. Sums of so many numbers are normal, very nearly: all there is to know of an axis's field Δ is its covariance,

    cov(Δ_p, Δ_q) = s² exp(−|p − q|² / 4σ²)        s = α / (√3 · 2√π · σ)

It is a product of a matrix for the rows and one for the columns, and so are its eigenvectors; and since the field is
smooth, few of them matter. On 28 × 28 pixels, 26 hold 99.9 % of the variance: 26 normal numbers times these patterns
make the field that would have taken 784 numbers and a convolution (the Karhunen-Loève expansion: M. Loève, "Probability
theory", 1955), and there is no edge outside which noise would have to be made up.

All places are then linear in a few numbers for each image, the affine map's and the field's: one matrix product.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.batches import normalize
from mnist_bp.data.names import MOST_STRENGTH, NO_AUGMENTATION
from mnist_bp.errors import InputError

__all__ = ["ENTRIES", "Augmentation", "BilinearSampler", "augmented", "elastic_patterns"]

SIDE = 28
"""Lengths below are in pixels of an image whose shorter side has so many; they grow with the image."""

SHIFT = 1.5
"""Pixels at most, in each direction, of "affine" and "elastic"."""

SHIFT_ALONE = 2.0
"""The same where nothing else distorts the image."""

ROTATION = np.deg2rad(12)
SCALE = 1.13
"""Height and width are multiplied, each on its own, by a factor from 1 / 1.13 to 1.13."""

SHEAR = 0.15
"""Columns by which the slant moves a row relative to the one above it, at most."""

ELASTIC_SIGMA = 5.5
ELASTIC_ALPHA = 34.0
"""σ and α as Simard et al. define them, in pixels: displacements of each axis with a standard deviation of 1.0. (Theirs
were 4 and 34, without an affine map besides.)"""

KEPT_VARIANCE = 0.999
"""Share of the elastic field's variance that its patterns hold at least."""

PIECE_PIXELS = 100 * SIDE**2
"""Pixels that are distorted at once: enough to be fast, and big batches need hardly more memory than small ones."""


Augmentation = Callable[[tuple[int, int], np.random.Generator, float, DTypeLike], Callable[[Array], Array]]
"""(image shape, rng, strength, dtype) ↦ a function that augments images, (n, rows · columns), into a new array.

The images that go in are grey levels from 0 to 255; those that come out are what the network sees, see ``normalize``.
"""


def augmented(
    batches: Iterator[tuple[Array, NDArray[np.uint8]]],
    augmentation: Augmentation,
    shape: tuple[int, int],
    *,
    rng: np.random.Generator,
    strength: float = 1.0,
    dtype: DTypeLike = np.float32,
) -> Iterator[tuple[Array, NDArray[np.uint8]]]:
    """Yield mini-batches with every image augmented in a way of its own.

    Parameters
    ----------
    batches
        Images (n, rows · columns), grey levels, and labels (n,), as ``mini_batches`` yields them.
    augmentation
        Entry of ``choices.AUGMENTATIONS``.
    shape
        Rows and columns of an image.
    rng
        All that is drawn comes from here, in the order of the batches.
    strength
        Strength, from 0 (no change at all) to 10: multiplies shifts, slants, angles and displacements, and is the
        power that the factors of height and width are raised to.
    dtype
        Of the images that come out.

    Yields
    ------
    images, labels
        Network inputs (see ``normalize``), (n, rows · columns), a new array each time; and the labels as they came.

    Raises
    ------
    InputError
        If the strength is not from 0 to 10.
    """
    if not 0 <= strength <= MOST_STRENGTH:
        raise InputError(f"the strength of an augmentation is from 0 to {MOST_STRENGTH:g}, not {strength:g}")
    augment = augmentation(shape, rng, strength, dtype)
    for images, labels in batches:
        yield augment(images), labels


class _Geometric:
    """Draws a map for each image, and looks the image up where it leads; piece by piece.

    ``shift`` is in pixels at most; ``is_affine`` and ``is_elastic`` add an affine map and an elastic field.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        rng: np.random.Generator,
        strength: float,
        dtype: DTypeLike,
        *,
        shift: float,
        is_affine: bool = False,
        is_elastic: bool = False,
    ) -> None:
        self.rng, self.strength, self.dtype = rng, strength, np.dtype(dtype)
        self.is_affine = is_affine
        self.unit = min(shape) / SIDE
        self.centre = (np.array(shape)[:, np.newaxis] - 1) / 2
        patterns = [_plane(shape)]
        self.shift = shift * strength * self.unit
        if is_elastic:
            patterns.append(strength * elastic_patterns(shape))
        self.patterns = np.concatenate(patterns).astype(dtype)
        self.piece = max(1, PIECE_PIXELS // self.patterns.shape[1])
        self.sample = BilinearSampler(shape, self.piece, dtype)
        self.inputs = np.empty((self.piece, self.patterns.shape[1]), dtype)
        self.places = np.empty((2 * self.piece, self.patterns.shape[1]), dtype)

    def __call__(self, images: Array) -> Array:
        """Return augmented copies of images, (n, pixels)."""
        out = np.empty(images.shape, self.dtype)
        for start in range(0, len(images), self.piece):
            piece = images[start : start + self.piece]
            n = len(piece)
            places = np.dot(self._coefficients(n), self.patterns, out=self.places[: 2 * n])
            self.sample(normalize(piece, self.dtype, out=self.inputs), places.reshape(2, n, -1), out[start : start + n])
        return out

    def _coefficients(self, n: int) -> Array:
        """What each pattern counts for in the rows (first n) and columns (last n) where n images are looked up."""
        coefficients = np.zeros((2, n, len(self.patterns)), self.dtype)
        coefficients[..., 2] = self.centre + self.rng.uniform(-self.shift, self.shift, (2, n))
        coefficients[..., :2] = self._linear_maps(n) if self.is_affine else np.eye(2)[:, np.newaxis]
        coefficients[..., 3:] = self.rng.standard_normal(coefficients[..., 3:].shape, np.float32)
        return coefficients.reshape(2 * n, -1)

    def _linear_maps(self, n: int) -> Array:
        """n matrices, (2, n, 2), from a row and column of the distorted image to those of the original.

        Stretch, then slant, then turn, about the centre.
        """
        drawn = self.strength * self.rng.uniform(-1, 1, (4, n))
        height, width = SCALE ** drawn[:2]
        slant = SHEAR * drawn[2]
        cos, sin = np.cos(ROTATION * drawn[3]), np.sin(ROTATION * drawn[3])
        to_row = (cos - sin * slant) * height, -sin * width
        to_column = (sin + cos * slant) * height, cos * width
        return np.stack([np.stack(to_row, axis=-1), np.stack(to_column, axis=-1)])


ENTRIES: Mapping[str, Augmentation | None] = {
    NO_AUGMENTATION: None,
    "shift": partial(_Geometric, shift=SHIFT_ALONE),
    "affine": partial(_Geometric, shift=SHIFT, is_affine=True),
    "elastic": partial(_Geometric, shift=SHIFT, is_affine=True, is_elastic=True),
}
"""The built-in entries of the registry in ``choices``."""


def _plane(shape: tuple[int, int]) -> Array:
    """What an affine map is made of, (3, pixels): each pixel's row and column, from the centre, and 1."""
    row, column = np.indices(shape).reshape(2, -1)
    return np.stack([row - (shape[0] - 1) / 2, column - (shape[1] - 1) / 2, np.ones(row.shape)])


def elastic_patterns(shape: tuple[int, int]) -> Array:
    """The m patterns, (m, pixels), whose sum, each times a normal number, is an elastic field: pixels along one axis.

    They are the leading eigenvectors of the field's covariance, times the roots of their eigenvalues.
    """
    unit = min(shape) / SIDE
    sigma = ELASTIC_SIGMA * unit
    deviation = ELASTIC_ALPHA / (np.sqrt(3) * 2 * np.sqrt(np.pi) * ELASTIC_SIGMA) * unit
    (row_values, row_vectors), (column_values, column_vectors) = (_modes(size, sigma) for size in shape)
    values = np.outer(row_values, column_values).ravel()
    order = np.argsort(-values, kind="stable")
    kept = np.searchsorted(values[order].cumsum(), KEPT_VARIANCE * values.sum()) + 1
    row_mode, column_mode = np.divmod(order[:kept], len(column_values))
    patterns = row_vectors[row_mode, :, np.newaxis] * column_vectors[column_mode, np.newaxis]
    patterns *= deviation * np.sqrt(values[order[:kept], np.newaxis, np.newaxis])
    return patterns.reshape(kept, -1)


def _modes(size: int, sigma: float) -> tuple[Array, Array]:
    """Eigenvalues, (size,), and eigenvectors, rows of (size, size), of exp(−d² / 4σ²) between places in a line."""
    place = np.arange(size)
    values, vectors = np.linalg.eigh(np.exp(-((place[:, np.newaxis] - place) ** 2) / (4 * sigma**2)))
    return values.clip(0), vectors.T  # rounding leaves some eigenvalues a little below 0


class BilinearSampler:
    """Looks images up between their pixels: bilinear interpolation, black beyond the edges.

    It holds the room that this takes, since fresh memory is slow memory, and works in place on all the images at once.

    Parameters
    ----------
    shape
        Rows and columns of the images.
    size
        The most images at once.
    dtype
        In which to compute, float32 or float64.
    """

    def __init__(self, shape: tuple[int, int], size: int, dtype: DTypeLike) -> None:
        rows, columns = shape
        self.shape, pixels = shape, rows * columns
        self.framed = np.zeros((size, rows + 2, columns + 2), dtype)
        self.start = np.arange(size, dtype=dtype)[:, np.newaxis] * self.framed[0].size + columns + 3
        self.whole = np.empty((2 * size, pixels), dtype)
        self.index32 = np.empty((size, pixels), np.int32)
        self.index = np.empty((size, pixels), np.intp)
        self.corners = np.empty((4, size, pixels), dtype)

    def __call__(self, images: Array, places: Array, out: Array) -> None:
        """Write into ``out``, (n, pixels), what the images, (n, pixels), are at ``places``, (2, n, pixels).

        Places are rows and columns, counted from 0, of any size, and are overwritten.
        """
        n, (rows, columns) = len(images), self.shape
        self.framed[:n, 1:-1, 1:-1] = images.reshape(n, rows, columns)
        for place, size in zip(places, self.shape, strict=True):
            np.clip(place, -1, size, out=place)  # on the frame, where it is black
        whole = np.floor(places, out=self.whole[: 2 * n].reshape(places.shape))
        part = np.subtract(places, whole, out=places)
        index = self._index(whole)

        # The frame's right edge and the next row's left one are neighbours in memory, so index + 1 is black there too.
        flat, below = self.framed.reshape(-1), columns + 2
        here, right, under, across = self.corners[:, :n]
        for corner, offset in zip((here, right, under, across), (0, 1, below, below + 1), strict=True):
            flat[offset:].take(index, out=corner, mode="clip")
        _mix(here, right, part[1])
        _mix(under, across, part[1])
        _mix(here, under, part[0], out)

    def _index(self, whole: Array) -> NDArray[np.intp]:
        """Where in the memory of ``framed`` the pixel at a whole row and column is; overwrites the rows.

        In floating point, which is exact up to 2²⁴, some hundred times the pixels of a piece.
        """
        row, column = whole
        row *= self.framed.shape[2]
        row += column
        row += self.start[: len(row)]
        # In two steps: from floating point, processors convert to 32 bits several times as fast as to 64.
        index32, index = self.index32[: len(row)], self.index[: len(row)]
        np.copyto(index32, row, casting="unsafe")
        np.copyto(index, index32)
        return index


def _mix(a: Array, b: Array, part: Array, out: Array | None = None) -> None:
    """a + (b − a) · part, in place of a or into ``out``; overwrites b."""
    b -= a
    b *= part
    np.add(a, b, out=a if out is None else out)
