"""Problems of a dataset that keep a network from learning it: found in the data, with what to do."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_bp.data.examples import Dataset, Examples
from mnist_bp.data.quality import find_problems


@pytest.fixture
def data(few_digits):
    """Return the few digits as a dataset."""
    return Dataset("few", *few_digits)


def changed(data, images=None, labels=None, sets=("train", "test"), **changes):
    """Return a dataset with other images and labels, functions of those in these sets."""
    images, labels = (each or (lambda array: array) for each in (images, labels))
    new = {name: Examples(images(old.images), labels(old.labels)) for name in sets for old in [data.split(name)]}
    return replace(data, **new, **changes)


def texts(data, **options):
    """Return the texts of the problems."""
    return [problem.text for problem in find_problems(data, **options)]


def shuffled(labels):
    """Return labels in another order."""
    return np.random.default_rng(3).permutation(labels)


PROBLEMS = {
    "light": ({"images": lambda x: 255 - x}, "images are light: mean 2"),
    "dim": ({"images": lambda x: x // 128}, "the largest grey level is 1 of 255: multiply the grey levels by 255"),
    "constant": ({"images": lambda x: np.full_like(x, 9)}, "100 % of the training images have one grey level"),
    "one light set": ({"images": lambda x: 255 - x, "sets": ["test"]}, "training and test images differ: mean grey"),
    "other order": ({"labels": shuffled, "sets": ["train"]}, "labels of the training set do not follow the images"),
    "shifted": ({"labels": lambda y: np.roll(y, 1)}, "labels of the training set do not follow the images"),
    "other order of the test set": ({"labels": shuffled, "sets": ["test"]}, "labels of the test set do not follow"),
    "from 1": ({"labels": lambda y: y + 1, "classes": 11}, "class 0: no examples: if labels begin at 1, subtract 1"),
    "more classes": ({"classes": 17}, "classes 10, 11, 12, 13, 14 and 2 more: no examples"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_of_the_data_is_found_with_what_to_do(data, problem):
    """One line, and nothing else is reported."""
    changes, expected = PROBLEMS[problem]
    (text,) = texts(changed(data, **changes))
    assert expected in text
    assert len(text) < 200


def test_digits_have_no_problem(data):
    """In any order of the classes, with few examples or with one, and with large images."""
    by_class = np.argsort(data.train.labels, kind="stable")
    cycle = by_class.reshape(10, -1).T.ravel()  # 0, 1, …, 9, 0, 1, …
    for order in (slice(None), by_class, cycle):
        assert texts(replace(data, train=data.train.take(np.arange(500)[order]))) == []
    assert texts(replace(data, train=data.train.first(60), test=data.test.first(30))) == []
    assert texts(changed(data, lambda x: x.repeat(3, axis=1).repeat(2, axis=2)[:, :-1])) == []
    one = Examples(np.arange(12, dtype=np.uint8).reshape(1, 3, 4) * 20, np.zeros(1, np.uint8))
    assert texts(Dataset("one", one, one, classes=1)) == []


def test_a_class_that_is_only_tested_is_named(data):
    """By its name, with the number of its test examples."""
    kept = np.flatnonzero(data.train.labels != 4)
    names = tuple("abcdefghij")
    tested = int((data.test.labels == 4).sum())
    (text,) = texts(replace(data, train=data.train.take(kept), names=names))
    assert f"class e: no training examples, but {tested} test examples" in text


def test_the_advice_about_light_images_depends_on_whether_they_are_inverted(data):
    """Images that are light because of ``--invert`` should not be inverted."""
    light = changed(data, lambda x: 255 - x)
    assert texts(light)[0].endswith("use --invert")
    assert texts(light, is_inverted=True)[0].endswith("omit --invert")
