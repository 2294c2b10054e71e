"""Synthetic digits: reproducible, framed like MNIST, neither trivial nor impossible to read."""

import numpy as np
import pytest

from mnist_bp.data.digit_forms import FORMS
from mnist_bp.data.synthetic import BLOCK, PENS, digits


@pytest.fixture(scope="module")
def drawn():
    """Images and labels of 2,000 training digits, drawn once for all tests."""
    return digits(2000, seed=7, split="train")


def nearest_mean_accuracy(train, test):
    """Return the fraction of test digits nearest to the mean training image of their label."""
    means = np.stack([train[0][train[1] == digit].mean(axis=0).ravel() for digit in range(10)])
    pixels = test[0].reshape(len(test[0]), -1).astype(np.float64)
    squared_distance = (means**2).sum(axis=1) - 2 * pixels @ means.T
    return np.mean(squared_distance.argmin(axis=1) == test[1])


def test_every_digit_gets_one_image_and_one_label(drawn):
    """Images are 28 by 28 bytes that use the whole range of greys; labels are bytes."""
    images, labels = drawn
    assert images.shape == (2000, 28, 28)
    assert labels.shape == (2000,)
    assert images.dtype == labels.dtype == np.uint8
    assert images.min() == 0
    assert images.max() == 255
    assert len(np.unique(images)) > 200


def test_same_arguments_draw_the_same_bytes(drawn):
    """Two calls with the same arguments give identical images and labels."""
    images, labels = digits(2000, seed=7, split="train")
    np.testing.assert_array_equal(images, drawn[0])
    np.testing.assert_array_equal(labels, drawn[1])


@pytest.mark.parametrize("examples", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_fewer_digits_are_a_prefix_of_more(drawn, examples):
    """A shorter drawing equals the beginning of a longer one, within a block and across blocks."""
    images, labels = digits(examples, seed=7, split="train")
    np.testing.assert_array_equal(images, drawn[0][:examples])
    np.testing.assert_array_equal(labels, drawn[1][:examples])


@pytest.mark.parametrize(("seed", "split"), [(8, "train"), (7, "test")])
def test_another_seed_or_split_draws_other_digits(drawn, seed, split):
    """No image of another seed or split occurs among the training digits."""
    others, _ = digits(2000, seed=seed, split=split)
    known = {image.tobytes() for image in drawn[0]}
    assert not any(image.tobytes() in known for image in others)


def test_no_digit_is_drawn_twice(drawn):
    """All images differ, also between blocks."""
    assert len({image.tobytes() for image in drawn[0]}) == len(drawn[0])


def test_ink_fits_the_box_of_mnist(drawn):
    """Ink spans at most 20 pixels either way, and nearly 20 in the longer direction."""
    ink = drawn[0] > 0
    extents = []
    for axis in (1, 2):
        lines = ink.any(axis=axis)
        extents.append(28 - lines.argmax(axis=1) - lines[:, ::-1].argmax(axis=1))
    longest = np.max(extents, axis=0)
    assert longest.max() <= 20
    assert longest.min() >= 18


def test_centre_of_mass_is_in_the_middle(drawn):
    """Ink balances within about half a pixel of the image's middle, as whole-pixel moves allow."""
    ink = drawn[0].astype(np.float64)
    place = np.arange(28) - 13.5
    for axis in (1, 2):
        off = ink.sum(axis=axis) @ place / ink.sum(axis=(1, 2))
        assert np.abs(off).max() < 0.6


def test_labels_are_equally_frequent_and_shuffled(drawn):
    """Every digit occurs equally often, in an order that does not repeat from block to block."""
    labels = drawn[1]
    np.testing.assert_array_equal(np.bincount(labels), np.full(10, 200))
    assert np.mean(labels[:-1] == labels[1:]) == pytest.approx(0.1, abs=0.05)
    assert not np.array_equal(labels[:BLOCK], labels[BLOCK : 2 * BLOCK])


def test_every_form_becomes_a_pen_path():
    """Every form in the table has its own row of pen arrays, and a digit's chances add up to one."""
    assert len(PENS.digit) == sum(len(ways) for ways in FORMS.values())
    assert sorted(FORMS) == list(range(10))
    np.testing.assert_allclose(np.bincount(PENS.digit, PENS.chance), 1)
    np.testing.assert_allclose(PENS.spline.sum(axis=2), 1, atol=1e-5)


def test_digits_can_be_learned_but_not_by_the_nearest_mean(drawn):
    """Nearest-mean reading of unseen digits is far above chance and far below perfect."""
    assert 0.5 < nearest_mean_accuracy(drawn, digits(500, seed=7, split="test")) < 0.95


def test_no_digits_are_drawn_for_a_set_that_is_not_needed():
    """Zero images keep their shape."""
    images, labels = digits(0, seed=0, split="train")
    assert (images.shape, labels.shape) == ((0, 28, 28), (0,))


def test_examples_must_not_be_negative():
    """Fewer than none is an error that names the number."""
    with pytest.raises(ValueError, match="examples must be at least 0, not -1"):
        digits(-1, seed=0, split="train")


def test_progress_counts_the_digits_drawn():
    """After each block, up to all of them."""
    counts = []
    digits(2 * BLOCK + 7, seed=7, split="train", progress=counts.append)
    assert counts == [BLOCK, 2 * BLOCK, 2 * BLOCK + 7]


@pytest.mark.parametrize("split", ["validation", "", "Train"])
def test_split_must_be_known(split):
    """Any split but train and test is an error that names the two."""
    with pytest.raises(ValueError, match="split must be one of train, test"):
        digits(1, seed=0, split=split)
