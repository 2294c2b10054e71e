"""Augmentation: random transformations of the training images, drawn again in every epoch.

Each pixel of a transformed image is interpolated (bilinearly) from the original image at a displaced position.
Positions beyond the edges are black. The kinds of augmentation differ in their displacements:

shift
    a translation of the whole image;
affine
    scaling of height and width, shear, rotation and translation;
elastic
    an affine map plus a smooth field of small displacements: P. Simard, D. Steinkraus and J. Platt, "Best practices for
    convolutional neural networks applied to visual document analysis", 2003.

Simard et al. draw a number from −1 to 1 for each pixel and axis, smooth these with a Gaussian of σ pixels, and multiply
by α. The smoothed numbers are very nearly normally distributed, so that the field Δ of an axis is described by its
covariance:

    cov(Δ_p, Δ_q) = s² exp(−|p − q|² / 4σ²)        s = α / (√3 · 2√π · σ)

The covariance is a product of a matrix for the rows and one for the columns, and so are its eigenvectors. Since the
field is smooth, only a few eigenvectors matter: on 28 × 28 pixels, 26 of them cover 99.9 % of the variance. A field is
therefore a sum of 26 patterns, each times a normal number (the Karhunen-Loève expansion: M. Loève, "Probability
theory", 1955). This replaces 784 random numbers and a convolution, and needs no noise beyond the edges.

The positions are linear in a few numbers for each image, those of the affine map and of the field. They are computed by
one matrix product.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.batches import normalize
from mnist_bp.data.names import MOST_STRENGTH, NO_AUGMENTATION
from mnist_bp.errors import InputError

__all__ = ["ENTRIES", "Augmentation", "AugmentationEntry", "BilinearSampler", "elastic_patterns"]

SIDE = 28
"""Shorter side in pixels of the image that the lengths below refer to. They scale with the size of the image."""

SHIFT = 1.5
"""Largest shift in pixels, in each direction, for "affine" and "elastic"."""

SHIFT_ALONE = 2.0
"""Largest shift in pixels, in each direction, for "shift"."""

ROTATION = np.deg2rad(12)
SCALE = 1.13
"""Largest scaling factor. Height and width are multiplied by independent factors from 1 / 1.13 to 1.13."""

SHEAR = 0.15
"""Largest shear: columns by which a row is moved relative to the row above it."""

ELASTIC_SIGMA = 5.5
ELASTIC_ALPHA = 34.0
"""Parameters σ and α of Simard et al., in pixels. Displacements of each axis have a standard deviation of 1.0. (Simard
et al. used 4 and 34, without an affine map.)"""

KEPT_VARIANCE = 0.999
"""Smallest fraction of the elastic field's variance that its patterns cover."""

PIECE_PIXELS = 100 * SIDE**2
"""Number of pixels that are transformed at a time. It is large enough to be fast, and bounds the memory of large
batches."""


class Augmentation(Protocol):
    """Augmentation of images of one shape. Drawing random numbers is separate from applying them.

    The numbers of a whole mini-batch are drawn first, so that any of its images can then be augmented alone.
    """

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draw the random numbers of n images, (n, …): a row for each image."""
        ...

    def apply(self, images: Array, drawn: Array) -> Array:
        """Return augmented copies of images, (n, rows · columns), by the rows of ``drawn`` that belong to them.

        The images are grey levels from 0 to 255. The result is a new array of network inputs, see ``normalize``.
        """
        ...


AugmentationEntry = Callable[[tuple[int, int], float, DTypeLike], Augmentation]
"""(image shape, strength, dtype of the network inputs) ↦ augmentation.

The strength is from 0 (no change) to 10. It multiplies shifts, shear, angles and displacements, and is the exponent of
the scaling factors. Another strength raises InputError.
"""


class _Geometric:
    """Augmentation that draws a displacement field for each image and samples the image there, piece by piece.

    ``shift`` is the largest shift in pixels. ``is_affine`` and ``is_elastic`` add an affine map and an elastic field.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        strength: float,
        dtype: DTypeLike,
        *,
        shift: float,
        is_affine: bool = False,
        is_elastic: bool = False,
    ) -> None:
        if not 0 <= strength <= MOST_STRENGTH:
            raise InputError(f"expected an augmentation strength from 0 to {MOST_STRENGTH:g}; got {strength:g}")
        self.strength, self.dtype = strength, np.dtype(dtype)
        self.is_affine = is_affine
        unit = min(shape) / SIDE
        self.centre = (np.array(shape) - 1) / 2
        patterns = [_plane(shape)]
        self.shift = shift * strength * unit
        if is_elastic:
            patterns.append(strength * elastic_patterns(shape))
        self.patterns = np.concatenate(patterns).astype(dtype)
        self.piece = max(1, PIECE_PIXELS // self.patterns.shape[1])
        self.sample = BilinearSampler(shape, self.piece, dtype)
        self.inputs = np.empty((self.piece, self.patterns.shape[1]), dtype)
        self.places = np.empty((2 * self.piece, self.patterns.shape[1]), dtype)

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draw the coefficients of m patterns, (n, 2, m), for the row (0) and column (1) positions of n images."""
        coefficients = np.zeros((n, 2, len(self.patterns)), self.dtype)
        coefficients[..., 2] = self.centre + rng.uniform(-self.shift, self.shift, (n, 2))
        coefficients[..., :2] = self._linear_maps(n, rng) if self.is_affine else np.eye(2)
        coefficients[..., 3:] = rng.standard_normal(coefficients[..., 3:].shape, np.float32)
        return coefficients

    def apply(self, images: Array, drawn: Array) -> Array:
        """Return augmented copies of images, (n, pixels), by their coefficients, (n, 2, m).

        An image gets the same bits whatever the other images are, except that the product with 29 patterns (elastic)
        may round differently for another n: with OpenBLAS's kernels for Haswell by up to 1e-5 in float32, with those
        for Sandy Bridge and SkylakeX not at all.
        """
        out = np.empty(images.shape, self.dtype)
        for start in range(0, len(images), self.piece):
            now = slice(start, start + self.piece)
            n = len(images[now])
            coefficients = drawn[now].swapaxes(0, 1).reshape(2 * n, -1)
            places = np.dot(coefficients, self.patterns, out=self.places[: 2 * n]).reshape(2, n, -1)
            self.sample(normalize(images[now], self.dtype, out=self.inputs), places, out[now])
        return out

    def _linear_maps(self, n: int, rng: np.random.Generator) -> Array:
        """Return n matrices, (n, 2, 2), that map a row and column of the new image to those of the original.

        They scale, then shear, then rotate about the centre.
        """
        drawn = self.strength * rng.uniform(-1, 1, (4, n))
        height, width = SCALE ** drawn[:2]
        slant = SHEAR * drawn[2]
        cos, sin = np.cos(ROTATION * drawn[3]), np.sin(ROTATION * drawn[3])
        to_row = (cos - sin * slant) * height, -sin * width
        to_column = (sin + cos * slant) * height, cos * width
        return np.stack([np.stack(to_row, axis=-1), np.stack(to_column, axis=-1)], axis=1)


ENTRIES: Mapping[str, AugmentationEntry | None] = {
    NO_AUGMENTATION: None,
    "shift": partial(_Geometric, shift=SHIFT_ALONE),
    "affine": partial(_Geometric, shift=SHIFT, is_affine=True),
    "elastic": partial(_Geometric, shift=SHIFT, is_affine=True, is_elastic=True),
}
"""Built-in entries of the registry in ``choices``."""


def _plane(shape: tuple[int, int]) -> Array:
    """Return the basis of affine maps, (3, pixels): each pixel's row and column from the centre, and 1."""
    row, column = np.indices(shape).reshape(2, -1)
    return np.stack([row - (shape[0] - 1) / 2, column - (shape[1] - 1) / 2, np.ones(row.shape)])


def elastic_patterns(shape: tuple[int, int]) -> Array:
    """Return m patterns, (m, pixels), whose sum, each times a normal number, is the elastic field of one axis.

    They are the leading eigenvectors of the field's covariance, times the square roots of their eigenvalues.
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
    """Return the eigenvalues, (size,), and eigenvectors, as rows, of exp(−d² / 4σ²) between positions along a line."""
    place = np.arange(size)
    values, vectors = np.linalg.eigh(np.exp(-((place[:, np.newaxis] - place) ** 2) / (4 * sigma**2)))
    return values.clip(0), vectors.T  # rounding may make eigenvalues slightly negative


class BilinearSampler:
    """Sampler of images at fractional positions: bilinear interpolation, black beyond the edges.

    It reuses its buffers, because allocating memory is slow, and processes all images at once.

    Parameters
    ----------
    shape
        Rows and columns of the images.
    size
        Largest number of images at once.
    dtype
        Floating-point type of the computation, float32 or float64.
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
        """Write the values of the images, (n, pixels), at ``places``, (2, n, pixels), to ``out``, (n, pixels).

        ``places`` are rows and columns, counted from 0. They may lie outside the image, and are overwritten.
        """
        n, (rows, columns) = len(images), self.shape
        self.framed[:n, 1:-1, 1:-1] = images.reshape(n, rows, columns)
        for place, size in zip(places, self.shape, strict=True):
            np.clip(place, -1, size, out=place)  # onto the black frame
        whole = np.floor(places, out=self.whole[: 2 * n].reshape(places.shape))
        part = np.subtract(places, whole, out=places)
        index = self._index(whole)

        # The right edge of the frame and the left edge of the next row are adjacent in memory, so index + 1 is black.
        flat, below = self.framed.reshape(-1), columns + 2
        here, right, under, across = self.corners[:, :n]
        # Every index is valid. Of take's modes, "raise" makes another copy, and "clip" is slower than "wrap".
        for corner, offset in zip((here, right, under, across), (0, 1, below, below + 1), strict=True):
            flat[offset:].take(index, out=corner, mode="wrap")
        _mix(here, right, part[1])
        _mix(under, across, part[1])
        _mix(here, under, part[0], out)

    def _index(self, whole: Array) -> NDArray[np.intp]:
        """Return the indices of pixels at whole rows and columns in the memory of ``framed``. The rows are overwritten.

        Floating-point arithmetic is exact here: it is exact up to 2²⁴, about 100 times the number of pixels of a piece.
        """
        row, column = whole
        row *= self.framed.shape[2]
        row += column
        row += self.start[: len(row)]
        # Processors convert floating-point numbers to 32-bit integers several times as fast as to 64-bit integers.
        index32, index = self.index32[: len(row)], self.index[: len(row)]
        np.copyto(index32, row, casting="unsafe")
        np.copyto(index, index32)
        return index


def _mix(a: Array, b: Array, part: Array, out: Array | None = None) -> None:
    """Compute a + (b − a) · part, in place of a or in ``out``, and overwrite b."""
    b -= a
    b *= part
    np.add(a, b, out=a if out is None else out)
