"""Properties of a dataset that keep a network with the defaults from learning it, found in the data before training."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mnist_bp.core.activations import Array
from mnist_bp.data.batches import WHITE
from mnist_bp.data.examples import Dataset, Examples, Problem

__all__ = ["find_problems"]


SAMPLE = 500
"""Number of examples of a set that are compared, which takes about 20 ms."""

SEED = 0
"""Seed that selects the examples."""

LEAST_SAMPLE = 100
"""Smallest number of examples from which it is decided whether labels follow images."""

LIGHT = WHITE / 2
"""Mean grey level above which images are light. Measured with 20,000 images of MNIST, the defaults, 5 epochs and seed
0: 92 % accuracy with a mean of 33, and, with lighter backgrounds, 90 % with 117, 63 % with 144, and 11 % with 172."""

DIM = 32
"""Largest grey level below which images are dim. Measured likewise: 86 % with 31, 67 % with 15, and 21 % with 7."""

MANY = 0.5
"""Fraction of images of a single grey level above which they are reported."""

SIDE = 28
"""Largest side in pixels of the images that are compared. Larger images are averaged."""

CHANCE_DEVIATIONS = 2
"""Number of standard deviations above chance up to which a number of equal labels is explained by chance."""

FEW = 5
"""Largest number of classes that a message names. It counts the others."""


def find_problems(dataset: Dataset, *, is_inverted: bool = False) -> tuple[Problem, ...]:
    """Return the problems of a dataset. ``is_inverted`` is True if black and white have been exchanged in it."""
    train, test = _sample(dataset.train), _sample(dataset.test)
    if not len(train) or not len(test):
        return ()
    texts = [*_grey_levels(train, test, is_inverted=is_inverted)]
    if _is_constant(train.images).mean() <= MANY and _is_light(train) == _is_light(test):
        texts += _unrelated_labels(train, test)
    return (*(Problem(text) for text in texts), *_missing_classes(dataset))


def _sample(examples: Examples) -> Examples:
    """Return examples in random order, which no order of the classes in the files can bias."""
    return examples.take(np.random.default_rng(SEED).permutation(len(examples))[: 2 * SAMPLE])


def _grey_levels(train: Examples, test: Examples, *, is_inverted: bool) -> Iterator[str]:
    constant, largest = _is_constant(train.images).mean(), int(train.images.max())
    if constant > MANY:
        yield f"{100 * constant:.0f} % of the training images have one grey level and show nothing: check the files"
    elif largest < DIM:
        yield (
            f"images are dim: the largest grey level is {largest} of {WHITE}: multiply the grey levels by "
            f"{WHITE // max(1, largest)}"
        )
    means = train.images.mean(), test.images.mean()
    if _is_light(train) != _is_light(test):
        yield (
            f"training and test images differ: mean grey levels are {means[0]:.0f} and {means[1]:.0f} of {WHITE}: "
            "exchange black and white in one set"
        )
    elif _is_light(train):
        remedy = "omit --invert" if is_inverted else "use --invert"
        yield f"images are light: mean {means[0]:.0f} of {WHITE}; those of MNIST are dark (mean 33): {remedy}"


def _is_light(examples: Examples) -> bool:
    return bool(examples.images.mean() > LIGHT)


def _is_constant(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    rows = images.reshape(len(images), -1)
    return rows.min(axis=1) == rows.max(axis=1)


def _missing_classes(dataset: Dataset) -> Iterator[Problem]:
    trained, tested = (np.bincount(each.labels, minlength=dataset.classes) for each in (dataset.train, dataset.test))
    untrained, unused = ([*np.flatnonzero((trained == 0) & is_in)] for is_in in (tested > 0, tested == 0))
    if untrained:
        count = int(tested[untrained].sum())
        yield Problem(
            f"{_named(untrained, dataset)}: no training examples, but {count:,} test example{'s' * (count > 1)}, "
            "which cannot be classified correctly: add training examples",
            is_cause=False,
        )
    if unused == [0]:
        yield Problem(f"{_named(unused, dataset)}: no examples: if labels begin at 1, subtract 1", is_cause=False)
    elif unused:
        yield Problem(f"{_named(unused, dataset)}: no examples, so nothing can be learned about them", is_cause=False)


def _named(labels: Sequence[int], dataset: Dataset) -> str:
    names = [dataset.class_names[label] if dataset.class_names else str(label) for label in labels[:FEW]]
    more = f" and {len(labels) - FEW} more" if len(labels) > FEW else ""
    return f"{'classes' if len(labels) > 1 else 'class'} {', '.join(names)}{more}"


def _unrelated_labels(train: Examples, test: Examples) -> Iterator[str]:
    """Yield a line for each set whose labels are related to the images no more than by chance.

    A set is compared with one half of the training set: if neither the nearest image nor the nearest mean of a class
    has the label of an image more often than by chance, labels do not follow images.
    """
    known, other = train.first(len(train) // 2), train.take(np.arange(len(train) // 2, len(train)))
    for name, asked in (("training", other), ("test", test.first(SAMPLE))):
        if len(asked) < LEAST_SAMPLE or len(np.unique(asked.labels)) < 2:
            continue
        guesses = _nearest(known, asked)
        if not any(_is_above_chance(guess, asked.labels) for guess in guesses):
            equal = np.mean(guesses[0] == asked.labels)
            yield (
                f"labels of the {name} set do not follow the images: of {len(asked):,} images, {100 * equal:.0f} % "
                "have the label of the most similar one, as by chance: check that images and labels have one order"
            )
            return


def _nearest(known: Examples, asked: Examples) -> Sequence[NDArray[np.integer]]:
    """Return two guesses for each label: that of the nearest known image, and the class with the nearest mean."""
    A, B = _features(known.images), _features(asked.images)
    labels = np.unique(known.labels)
    means = np.stack([A[known.labels == label].mean(axis=0) for label in labels])
    return known.labels[_closest(B, A)], labels[_closest(B, means)]


def _closest(points: Array, candidates: Array) -> NDArray[np.intp]:
    """Return the index of the candidate at the least Euclidean distance from each point."""
    return (np.square(candidates).sum(axis=1) - 2 * points @ candidates.T).argmin(axis=1)


def _features(images: NDArray[np.uint8]) -> Array:
    """Return images as rows, (n, features), with squares of pixels averaged if the images are large."""
    n, *sides = images.shape
    height, width = (math.ceil(side / SIDE) for side in sides)
    rows, columns = sides[0] // height, sides[1] // width
    blocks = images[:, : rows * height, : columns * width].reshape(n, rows, height, columns, width)
    return blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(images), -1)


def _is_above_chance(guesses: NDArray[np.integer], labels: NDArray[np.integer]) -> bool:
    """Return True if guesses are equal to labels more often than chance explains, with the frequencies of both."""
    n = len(labels)
    classes = int(max(guesses.max(), labels.max())) + 1
    chance = float(np.bincount(guesses, minlength=classes) @ np.bincount(labels, minlength=classes)) / n**2
    return bool(np.sum(guesses == labels) > n * chance + CHANCE_DEVIATIONS * math.sqrt(n * chance * (1 - chance)))
