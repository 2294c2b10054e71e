"""Synthetic handwritten digits: a stand-in for MNIST where MNIST cannot be had.

Every digit is drawn from the pen strokes in `FORMS`: deformed at random, inked, and framed as MNIST's
makers framed theirs. No font, image file or MNIST pixel is used. The images resemble MNIST but are not
MNIST: whatever shows them, or a score on them, must call them *synthetic*.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

# The ways in which people write each digit, as (relative frequency, strokes). A stroke is the list of
# points "x,y" that a smooth pen line passes through, x to the right and y down, on paper about 100 high;
# "|" lifts the pen. A point written twice in a row is a sharp corner. Points written alike within one
# form are the same point and move together, which keeps loops closed and strokes joined.
FORMS: dict[int, tuple[tuple[float, str], ...]] = {
    0: (
        (3, "41,0 15,18 2,52 10,86 31,100 55,84 68,50 63,16 41,0"),  # oval
        (2, "55,0 18,14 2,50 10,86 45,100 81,84 96,50 88,14 55,0"),  # wide
        (2, "61,4 35,0 11,22 1,60 15,96 44,92 66,55 63,18 41,2 24,14"),  # overlapping at the top
        (2, "48,6 20,12 2,50 10,86 31,100 57,84 68,50 65,18 53,0"),  # slightly open
        (2, "65,2 32,10 4,50 12,92 40,94 68,50 62,12 40,8 28,28"),  # ending inside
        (2, "36,0 14,22 4,60 12,96 26,96 42,66 48,26 36,0"),  # narrow, pointed
    ),
    1: (
        (14, "58,0 50,50 42,100"),  # bare stroke
        (1.5, "34,24 58,0 58,0 50,50 42,100"),  # flag
        (1, "32,22 58,0 58,0 50,50 42,100 | 14,100 42,100 70,98"),  # flag and base
        (0.5, "22,34 58,0 58,0 50,50 42,100"),  # long flag
    ),
    2: (
        (3, "5,20 25,2 55,5 60,28 40,62 5,98 5,98 40,97 75,98"),  # sharp corner
        (3, "4,22 25,2 52,5 58,30 42,64 16,95 3,92 10,78 36,86 78,92"),  # flat loop
        (3, "6,28 28,2 54,8 56,36 42,74 20,98 2,92 8,70 30,70 52,88 76,92"),  # large loop
        (2, "3,8 30,2 62,8 50,42 5,95 5,95 40,94 78,92"),  # like a Z
        (3, "2,34 24,4 58,8 62,36 44,76 14,98 2,84 22,68 48,86 86,84"),  # large loop, long tail
    ),
    3: (
        (3, "8,12 30,0 55,14 48,36 25,47 25,47 55,58 62,80 35,100 5,88"),  # round, notched
        (2, "8,12 30,0 55,12 48,38 35,46 48,54 62,78 35,100 5,88"),  # smooth waist
        (2, "8,6 32,3 60,3 60,3 30,42 30,42 58,58 56,84 28,100 -6,94"),  # flat top
        (2, "5,14 30,0 60,10 48,36 24,46 30,42 56,56 56,82 28,100 -4,88"),  # long lower end
        (2, "6,8 34,2 58,12 32,44 32,44 56,56 58,80 36,100"),  # flat top, cut end
    ),
    4: (
        (3, "16,5 10,30 3,56 3,56 34,55 66,50 | 60,0 52,50 43,100"),  # open, straight
        (3, "14,5 6,35 15,54 40,52 67,44 | 63,0 52,50 41,100"),  # open, rounded
        (1, "75,62 39,62 1,62 1,62 27,30 55,0 55,0 48,50 40,100"),  # closed, one stroke
        (2, "15,4 4,45 4,45 30,47 55,42 | 63,2 55,42 43,100"),  # narrow, bar ends at the stem
        (0.5, "33,0 16,28 2,54 2,54 30,54 58,48 | 57,20 48,55 37,100"),  # closed, short stem
    ),
    5: (
        (3, "66,2 42,3 20,3 20,3 12,42 12,42 40,38 58,62 44,93 5,95"),  # one stroke
        (3, "20,5 12,42 12,42 40,38 58,62 42,95 5,92 | 20,5 48,3 76,0"),  # detached top
        (2, "68,4 36,3 18,20 25,42 52,58 50,88 20,100 0,90"),  # like an S
        (2, "90,0 55,8 28,10 28,10 22,40 22,40 46,50 48,76 26,99 0,90"),  # long top, small bowl
        (1.5, "60,2 22,6 22,6 14,46 14,46 44,44 54,70 30,98 6,92 8,80"),  # curl at the end
        (2, "58,4 16,2 16,2 20,44 20,44 46,44 56,66 40,98 10,94 2,80"),  # square, large bowl
        (2, "82,0 42,4 24,24 50,50 58,74 34,98 0,92"),  # like an S, long top
    ),
    6: (
        (3, "40,0 18,28 4,65 15,95 40,97 58,75 42,58 20,66 10,84"),  # curved stem
        (3, "24,0 12,40 8,78 25,100 52,85 46,62 25,62 9,78"),  # straight stem
        (2, "46,4 20,24 4,64 14,94 40,98 54,80 38,66 16,80 12,90"),  # small curl
        (2, "28,0 10,34 2,72 24,99 64,88 66,64 36,60 8,80"),  # low wide bowl
        (1, "30,0 10,40 4,90 4,90 34,100 52,80 36,66 6,88"),  # cornered like a b
        (2, "40,0 14,34 2,74 22,100 70,84 78,60 50,54 16,84"),  # short stem, very wide bowl
    ),
    7: (
        (4, "4,8 32,5 62,3 62,3 48,48 40,100"),  # plain
        (3, "2,28 8,6 8,6 34,8 60,3 60,3 54,48 50,100"),  # serif
        (2, "2,18 34,3 62,10 60,38 46,66 42,100"),  # round shoulder
        (2, "0,20 16,8 44,12 70,2 70,2 50,45 34,100"),  # wavy bar
        (1.5, "4,12 32,6 62,3 62,3 50,48 40,100 | 20,52 46,50 72,48"),  # crossed
        (2, "0,26 20,10 48,14 72,0 72,0 48,44 22,100"),  # wide, leaning
        (2, "2,40 10,6 10,6 34,8 62,2 62,2 46,50 32,100"),  # long serif
    ),
    8: (
        (3, "55,12 30,0 8,20 30,45 55,74 32,100 5,78 28,48 52,24 55,12"),  # closed S
        (3, "66,6 36,2 12,20 28,44 52,74 28,100 4,82 28,52 54,30 66,6"),  # closed at a corner
        (2, "60,16 36,2 12,18 28,44 50,74 26,100 4,82 28,50 74,8"),  # S with a tail
        (2, "30,0 8,20 30,46 52,22 30,0 | 30,46 3,75 30,100 58,75 30,46"),  # two loops
        (2, "48,14 28,0 8,16 24,38 58,66 36,100 0,80 26,48 46,28 48,14"),  # wide below
        (2, "64,10 38,2 14,16 26,42 50,72 28,100 6,82 28,56 54,36"),  # open at the top right
        (1, "4,100 30,56 54,20 34,0 12,16 28,46 56,98"),  # ribbon, open below
        (1, "70,16 40,0 8,18 36,42 82,72 46,100 0,78 36,48 66,30 70,16"),  # wide, flat
    ),
    9: (
        (3, "54,14 32,2 6,22 12,46 35,42 54,14 54,14 52,55 46,100"),  # straight tail
        (1, "52,16 30,2 5,22 12,46 35,42 52,16 52,16 58,60 44,92 16,98"),  # curved tail
        (3, "56,20 40,2 12,14 4,38 24,46 48,28 60,6 54,50 42,100"),  # pointed loop
        (2, "34,2 8,16 8,42 34,44 54,20 34,2 | 54,20 52,60 42,100"),  # loop and stick
        (2, "62,4 26,4 4,26 22,44 48,28 62,4 62,4 54,50 44,100"),  # flat top
        (2, "54,10 34,2 8,24 8,52 30,58 50,36 54,10 54,10 50,60 44,100"),  # large loop
        (2, "50,14 32,2 10,14 12,34 32,34 50,14 50,14 48,55 42,100"),  # small loop
        (2, "64,6 40,4 12,20 6,42 24,46 46,28 66,2 66,2 48,50 30,100"),  # open, leaning
    ),
}

SPLITS = {"train": 0, "test": 1}
BLOCK = 500  # digits drawn at a time from one random stream: bounds memory, keeps a prefix a prefix
PEN_SAMPLES = 72  # discs of ink per digit: on the longest pen path, some 60 pixels, they still overlap
IMAGE, BOX = 28, 20  # pixels: the side of MNIST's images, and of the box in them that the ink fits into

# How much digits differ. Tuned by looking at MNIST training digits and by how well a network trained on
# synthetic digits reads those. Lengths are in half heights of the paper; "spread" is a standard deviation.
# More sway or higher waves raise that score by a percent or so, but draw more digits that nobody could read.
END_STRETCH = 0.45  # of its last span: how far at most a stroke's end overshoots or falls short
ORDERS = 8  # sine waves along the pen path that sway and pressure consist of
FALL = 1.5  # wave k is k**FALL times weaker than the first: a hand errs slowly, it does not shake
SWAY = 0.1  # how far the longest pen path strays; shorter ones stray less, in proportion
PRESSURE = 0.15  # spread of the logarithm of the pen radius along the path
WAVES = 3  # sine waves across the paper that bend the whole digit
WAVE_NUMBER = 1.5  # radians per half height: long waves change proportions rather than ripple strokes
WAVE_HEIGHT = 0.045
ASPECT = 0.15  # spread of log(width / height)
SLANT, SLANT_SPREAD = 0.1, 0.25  # sideways per upward; most people lean to the right
ROTATION = 0.13  # radians, spread
RADIUS, RADIUS_RANGE = 1.25, 0.5  # pixels, and at most how far its logarithm is from the middle
EDGE = 1.3  # pixels over which ink fades to paper


class Pens(NamedTuple):
    """Every form of every digit as arrays: F forms, C control points (padded), S pen samples."""

    digit: Integers  # (F,)
    chance: NDArray[np.float64]  # (F,) of the form among the forms of its digit
    control: Floats  # (F, C, 2) in half heights from the middle of the form
    neighbour: Integers  # (F, C) at a stroke's end the point before it, elsewhere the point itself
    spline: Floats  # (F, S, C) weights that turn control points into pen samples
    length: Floats  # (F,) of the pen path, relative to the longest


def _catmull_rom(points: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Weights (samples, P) of a Catmull-Rom spline through points (P, 2), sampled evenly along them."""
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
    """One form's control points (C, 2), neighbours (C,) and spline weights (S, C)."""
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
    """`FORMS` as arrays."""
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
    """Sine and cosine waves (2 * ORDERS, S) along the pen path, together of unit power at each sample."""
    order = np.arange(1, ORDERS + 1)[:, None]
    angle = order * np.linspace(0, 2 * np.pi, PEN_SAMPLES)
    waves = np.concatenate([np.sin(angle) / order**FALL, np.cos(angle) / order**FALL])
    waves /= np.sqrt((waves[:, 0] ** 2).sum())
    return waves.astype(np.float32)


PENS = _pens()
HARMONICS = _harmonics()


def _normal(rng: np.random.Generator, *shape: int) -> Floats:
    """Random numbers of mean 0 and spread 1."""
    return rng.standard_normal(shape, np.float32)


def _uniform(rng: np.random.Generator, *shape: int) -> Floats:
    """Random numbers between -1 and 1, for what must not stray beyond a limit."""
    return 2 * rng.random(shape, np.float32) - 1


def _choose_forms(labels: Bytes, rng: np.random.Generator) -> Integers:
    """For each label (N,) the row in `PENS` of one of its forms, drawn as often as the form is written."""
    ladder = np.cumsum(PENS.chance)  # rises by one from each digit's first form to its last
    return np.minimum(np.searchsorted(ladder, labels + rng.random(len(labels))), len(ladder) - 1)


def _write(form: Integers, rng: np.random.Generator) -> Floats:
    """Pen samples (N, S, 2) of the forms (N,), each written by another hand."""
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
    """Pen radius in pixels at each sample (count, S): one pen per digit, pressed more and less hard."""
    pen = RADIUS_RANGE * _uniform(rng, count, 1)
    pressure = _normal(rng, count, len(HARMONICS)) @ HARMONICS
    factor: Floats = np.exp(pen + PRESSURE * pressure)
    return RADIUS * factor


def _fit_box(path: Floats, radius: Floats) -> Floats:
    """Scale the paths (N, S, 2), aspect ratio kept, so that ink of that radius (N, S) fills the box."""
    low, high = path.min(axis=1), path.max(axis=1)
    scale = ((BOX - 2 * radius.mean(axis=1))[:, None] / (high - low)).min(axis=1)
    fitted: Floats = (path - ((low + high) / 2)[:, None]) * scale[:, None, None] + np.float32(BOX / 2)
    return fitted


def _ink(path: Floats, radius: Floats) -> Floats:
    """Ink from 0 to 1 in the box (N, BOX, BOX) left by discs at the path (N, S, 2), of radius (N, S).

    |pixel - sample|² - radius² is least for the disc that inks a pixel most. Without |pixel|², the same
    for all discs, it is linear in the pixel: one small matrix product per sample.
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
    """Images (N, IMAGE, IMAGE) of the boxes (N, BOX, BOX), moved by whole pixels to centre their mass."""
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
    """One block of images (BLOCK, IMAGE, IMAGE) and labels (BLOCK,)."""
    labels = rng.permutation(np.arange(BLOCK) % 10).astype(np.uint8)
    path = _tilt(_bend(_write(_choose_forms(labels, rng), rng), rng), rng)
    radius = _radii(BLOCK, rng)
    return _centre(_ink(_fit_box(path, radius), radius)), labels


def digits(
    examples: int, *, seed: int, split: str, progress: Callable[[int], object] | None = None
) -> tuple[Bytes, Bytes]:
    """Draw synthetic digits; the same arguments give the same bytes.

    Parameters
    ----------
    examples : int
        How many, at least 0. Fewer examples are a prefix of more.
    seed : int
        Not negative; picks the random stream.
    split : str
        "train" or "test": two streams of the same kind that never meet.
    progress : callable
        Called with the number of digits drawn so far, after each block.

    Returns
    -------
    images : uint8 array, (examples, 28, 28)
        Ink from 0 (paper) to 255, framed like MNIST.
    labels : uint8 array, (examples,)
        The digits 0 to 9, equally frequent in each block of `BLOCK`.
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
