"""Synthetic handwritten digits, a replacement for MNIST if MNIST is not available.

Every digit is drawn from the pen strokes in `FORMS`, which are deformed at random, inked, and framed like MNIST's
digits. No font, image file or MNIST pixel is used. The images resemble MNIST but are not MNIST: any output that shows
them, or a result on them, must call them *synthetic*.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_bp.data.digit_forms import FORMS

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

SPLITS = {"train": 0, "test": 1}
BLOCK = 500  # digits drawn at a time from one random stream, which bounds memory and makes prefixes reproducible
PEN_SAMPLES = 72  # discs of ink per digit: on the longest pen path, some 60 pixels, they still overlap
IMAGE, BOX = 28, 20  # pixels: the side of MNIST's images, and of the box in them that the ink fits into

# Variation of the digits, tuned by looking at MNIST training digits and by the accuracy on them of a network trained on
# synthetic digits. Lengths are in half heights of the paper; "spread" is a standard deviation. More sway or higher
# waves raise that accuracy by about 1 %, but draw more unreadable digits.
END_STRETCH = 0.45  # largest change of a stroke's end, as a fraction of its last span
ORDERS = 8  # sine waves along the pen path that make up sway and pressure
FALL = 1.5  # wave k is k**FALL times weaker than the first: a hand deviates slowly, it does not shake
SWAY = 0.1  # deviation of the longest pen path; shorter ones deviate less, in proportion
PRESSURE = 0.15  # spread of the logarithm of the pen radius along the path
WAVES = 3  # sine waves across the paper that bend the whole digit
WAVE_NUMBER = 1.5  # radians per half height: long waves change proportions rather than ripple strokes
WAVE_HEIGHT = 0.045
ASPECT = 0.15  # spread of log(width / height)
SLANT, SLANT_SPREAD = 0.1, 0.25  # horizontal per vertical; most people's writing leans to the right
ROTATION = 0.13  # spread in radians
RADIUS, RADIUS_RANGE = 1.25, 0.5  # pixels, and the largest deviation of its logarithm
EDGE = 1.3  # pixels over which ink fades to paper


class Pens(NamedTuple):
    """All forms of all digits as arrays, with F forms, C control points (padded) and S pen samples."""

    digit: Integers  # (F,)
    chance: NDArray[np.float64]  # (F,) probability of the form among the forms of its digit
    control: Floats  # (F, C, 2) in half heights from the middle of the form
    neighbour: Integers  # (F, C) at a stroke's end the point before it, elsewhere the point itself
    spline: Floats  # (F, S, C) weights that turn control points into pen samples
    length: Floats  # (F,) of the pen path, relative to the longest


def _catmull_rom(points: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Return the weights (samples, P) of a Catmull-Rom spline through points (P, 2), sampled evenly along them."""
    count = len(points)
    spans = np.hypot(*np.diff(points, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(spans)])
    at = np.linspace(0.0, length[-1], samples)
    span = np.minimum(np.searchsorted(length, at, side="right") - 1, count - 2)
    t = ((at - length[span]) / spans[span])[:, None]
    cubic = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    weights = np.zeros((samples, count + 2))
    weights[np.arange(samples)[:, None], span[:, None] + np.arange(4)] = t ** np.arange(4) @ cubic
    mirror = np.zeros((count + 2, count))  # a spline needs a point beyond each end: the mirrored next one
    mirror[1:-1] = np.eye(count)
    mirror[0, :2] = mirror[-1, :-3:-1] = 2, -1
    return weights @ mirror


def _pen(text: str, controls: int) -> tuple[Floats, Integers, Floats]:
    """Return the control points (C, 2), neighbours (C,) and spline weights (S, C) of one form."""
    strokes = [stroke.split() for stroke in text.split("|")]
    names = list(dict.fromkeys(name for stroke in strokes for name in stroke))
    points = np.array([[float(number) for number in name.split(",")] for name in names])
    control = np.zeros((controls, 2), np.float32)
    control[: len(names)] = (points - (points.min(axis=0) + points.max(axis=0)) / 2) / 50
    paths = [np.array([names.index(name) for name in stroke]) for stroke in strokes]
    lengths = [np.hypot(*np.diff(points[path], axis=0).T).sum() for path in paths]
    bounds = np.rint(np.cumsum([0.0, *lengths]) / sum(lengths) * PEN_SAMPLES).astype(int)
    neighbour = np.arange(controls)
    spline = np.zeros((PEN_SAMPLES, controls), np.float32)
    for path, start, stop in zip(paths, bounds[:-1], bounds[1:], strict=True):
        neighbour[path[0]], neighbour[path[-1]] = path[1], path[-2]
        spline[start:stop] = _catmull_rom(points[path], stop - start) @ np.eye(controls)[path]
    return control, neighbour, spline


def _pens() -> Pens:
    """Return `FORMS` as arrays."""
    forms = [(digit, weight, text) for digit, ways in FORMS.items() for weight, text in ways]
    digit = np.array([form[0] for form in forms])
    weight = np.array([form[1] for form in forms], np.float64)
    controls = max(len(set(text.replace("|", "").split())) for _, _, text in forms)
    pens = [_pen(text, controls) for _, _, text in forms]
    control, neighbour, spline = (np.stack(part) for part in zip(*pens, strict=True))
    length = np.hypot(*np.diff(spline @ control, axis=1).T).sum(axis=0)
    chance = weight / np.bincount(digit, weight)[digit]
    return Pens(digit, chance, control, neighbour, spline, length / length.max())


def _harmonics() -> Floats:
    """Return sine and cosine waves (2 * ORDERS, S) along the pen path, with a total power of 1 at each sample."""
    order = np.arange(1, ORDERS + 1)[:, None]
    angle = order * np.linspace(0, 2 * np.pi, PEN_SAMPLES)
    waves = np.concatenate([np.sin(angle) / order**FALL, np.cos(angle) / order**FALL])
    waves /= np.sqrt((waves[:, 0] ** 2).sum())
    return waves.astype(np.float32)


PENS = _pens()
HARMONICS = _harmonics()


def _normal(rng: np.random.Generator, *shape: int) -> Floats:
    """Draw random numbers with mean 0 and standard deviation 1."""
    return rng.standard_normal(shape, np.float32)


def _uniform(rng: np.random.Generator, *shape: int) -> Floats:
    """Draw random numbers between -1 and 1, for bounded deviations."""
    return 2 * rng.random(shape, np.float32) - 1


def _choose_forms(labels: Bytes, rng: np.random.Generator) -> Integers:
    """Draw a form for each label (N,) by the forms' frequencies, and return its row in `PENS`."""
    ladder = np.cumsum(PENS.chance)  # rises by one from each digit's first form to its last
    return np.minimum(np.searchsorted(ladder, labels + rng.random(len(labels))), len(ladder) - 1)


def _write(form: Integers, rng: np.random.Generator) -> Floats:
    """Return pen samples (N, S, 2) of the forms (N,), each deformed differently."""
    control = PENS.control[form]
    last_span = control - np.take_along_axis(control, PENS.neighbour[form][:, :, None], axis=1)
    control += END_STRETCH * _uniform(rng, *control.shape[:2], 1) * last_span
    sway = (_normal(rng, len(form), 2, len(HARMONICS)) @ HARMONICS).swapaxes(1, 2)
    return PENS.spline[form] @ control + SWAY * PENS.length[form][:, None, None] * sway


def _bend(path: Floats, rng: np.random.Generator) -> Floats:
    """Bend the paper under the paths (N, S, 2) by long waves in random directions."""
    wave = WAVE_NUMBER * _normal(rng, len(path), 2, WAVES)
    phase = np.pi * _uniform(rng, len(path), 1, WAVES)
    height = WAVE_HEIGHT * _normal(rng, len(path), WAVES, 2)
    bent: Floats = path + np.sin(path @ wave + phase) @ height
    return bent


def _tilt(path: Floats, rng: np.random.Generator) -> Floats:
    """Widen, slant and rotate the paths (N, S, 2)."""
    width = np.exp(ASPECT * _normal(rng, len(path), 1))
    slant = SLANT + SLANT_SPREAD * _normal(rng, len(path), 1)
    angle = ROTATION * _normal(rng, len(path), 1)
    y = path[:, :, 1]
    x = width * path[:, :, 0] - slant * y
    return np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y], axis=2)


def _radii(count: int, rng: np.random.Generator) -> Floats:
    """Return the pen radius in pixels at each sample (count, S): one pen per digit, with varying pressure."""
    pen = RADIUS_RANGE * _uniform(rng, count, 1)
    pressure = _normal(rng, count, len(HARMONICS)) @ HARMONICS
    factor: Floats = np.exp(pen + PRESSURE * pressure)
    return RADIUS * factor


def _fit_box(path: Floats, radius: Floats) -> Floats:
    """Scale the paths (N, S, 2) so that ink of this radius (N, S) fills the box, without changing aspect ratios."""
    low, high = path.min(axis=1), path.max(axis=1)
    scale = ((BOX - 2 * radius.mean(axis=1))[:, None] / (high - low)).min(axis=1)
    fitted: Floats = (path - ((low + high) / 2)[:, None]) * scale[:, None, None] + np.float32(BOX / 2)
    return fitted


def _ink(path: Floats, radius: Floats) -> Floats:
    """Return the ink, from 0 to 1, in the box (N, BOX, BOX) of discs along the path (N, S, 2) of radius (N, S).

    |pixel - sample|² - radius² is smallest for the disc that inks a pixel most. Without |pixel|², which is equal for
    all discs, it is linear in the pixel, so that one small matrix product per sample computes it.
    """
    centres = np.arange(BOX, dtype=np.float32) + np.float32(0.5)
    y, x = (axis.ravel() for axis in np.meshgrid(centres, centres, indexing="ij"))
    pixel = np.stack([x, y, np.ones_like(x)])
    disc = np.concatenate([-2 * path, ((path**2).sum(axis=2) - radius**2)[:, :, None]], axis=2)
    power = np.full((len(path), BOX * BOX), np.inf, np.float32)
    for sample in range(path.shape[1]):
        np.minimum(power, disc[:, sample] @ pixel, out=power)
    pen = radius.mean(axis=1)[:, None]
    outside = np.sqrt(np.maximum(power + x**2 + y**2 + pen**2, 0)) - pen  # pixels beyond the ink's edge
    ink: Floats = np.clip(0.5 - outside / EDGE, 0, 1)
    return ink.reshape(-1, BOX, BOX)


def _centre(ink: Floats) -> Bytes:
    """Return images (N, IMAGE, IMAGE) of the boxes (N, BOX, BOX), moved by whole pixels to centre their mass."""
    place = np.arange(BOX, dtype=np.float32)
    mass = ink.sum(axis=(1, 2))
    corner = [(IMAGE - 1) / 2 - ink.sum(axis=axis) @ place / mass for axis in (2, 1)]
    top, left = np.clip(np.rint(corner), 0, IMAGE - BOX).astype(int)
    rows = (top[:, None] + np.arange(BOX))[:, :, None]
    columns = (left[:, None] + np.arange(BOX))[:, None, :]
    images = np.zeros((len(ink), IMAGE, IMAGE), np.uint8)
    images[np.arange(len(ink))[:, None, None], rows, columns] = np.rint(255 * ink)
    return images


def _block(rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Draw one block of images (BLOCK, IMAGE, IMAGE) and labels (BLOCK,)."""
    labels = rng.permutation(np.arange(BLOCK) % 10).astype(np.uint8)
    path = _tilt(_bend(_write(_choose_forms(labels, rng), rng), rng), rng)
    radius = _radii(BLOCK, rng)
    return _centre(_ink(_fit_box(path, radius), radius)), labels


def digits(
    examples: int, *, seed: int, split: str, progress: Callable[[int], object] | None = None
) -> tuple[Bytes, Bytes]:
    """Draw synthetic digits. Equal arguments give equal bytes.

    Parameters
    ----------
    examples : int
        Number of examples, at least 0. A smaller number gives a prefix of a larger one.
    seed : int
        Seed of the random streams, at least 0.
    split : str
        "train" or "test", which use separate random streams.
    progress : callable
        Callback(number of digits drawn so far) after each block.

    Returns
    -------
    images : uint8 array, (examples, 28, 28)
        Ink from 0 (paper) to 255, framed like MNIST.
    labels : uint8 array, (examples,)
        Digits 0 to 9, equally frequent in each block of `BLOCK`.
    """
    if examples < 0:
        raise ValueError(f"examples must be at least 0, not {examples}")
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
    images, labels = np.empty((examples, IMAGE, IMAGE), np.uint8), np.empty(examples, np.uint8)
    for start in range(0, examples, BLOCK):
        drawn, digit = _block(np.random.default_rng([seed, SPLITS[split], start // BLOCK]))
        images[start : start + BLOCK] = drawn[: examples - start]
        labels[start : start + BLOCK] = digit[: examples - start]
        if progress is not None:
            progress(min(start + BLOCK, examples))
    return images, labels
