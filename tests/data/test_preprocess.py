"""A picture of a digit, preprocessed as MNIST's makers did."""

import numpy as np
import pytest

from mnist_bp.data.preprocess import preprocess
from mnist_bp.errors import InputError

SHAPE = (28, 28)


@pytest.fixture
def page():
    """A wedge of 100 × 50 pixels, black on white, off the middle of a page of 300 × 200."""
    paper = np.full((300, 200), 255.0)
    for row in range(100):
        paper[20 + row, 130 : 131 + row // 2] = 0
    return paper


def extent(image):
    """First and last row and column that hold ink."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_a_digit_fills_the_box_and_its_mass_lies_in_the_middle(page):
    """20 pixels high, 10 wide, the centre of mass within half a pixel of pixel 14; the strongest ink is 255."""
    image = preprocess(page, SHAPE)
    top, bottom, left, right = extent(image)
    assert (image.dtype, image.shape, image.max()) == (np.uint8, SHAPE, 255)
    assert (bottom - top + 1, right - left + 1) == (20, 10)
    for axis in (0, 1):
        centre = image.sum(axis=1 - axis) @ np.arange(28) / image.sum()
        assert 13.5 <= centre < 14.5


def test_paper_may_be_any(page):
    """Light on dark, grey, lit from one side, noisy or of whole numbers: the same picture."""
    expected = preprocess(page, SHAPE)
    rng = np.random.default_rng(0)
    lit = np.linspace(-40, 40, 300)[:, np.newaxis] + np.linspace(-20, 20, 200)
    for other in (255 - page, 100 + page / 5, page * 0.5 + 60 + lit, page.astype(np.uint8)):
        assert np.abs(preprocess(other, SHAPE).astype(int) - expected).max() <= 1
    noisy = preprocess(page * 0.5 + 60 + lit + rng.normal(0, 5, page.shape), SHAPE)
    assert np.abs(noisy.astype(int) - expected).mean() < 5


def test_place_and_size_on_the_paper_do_not_matter(page):
    """Cut close, moved, or twice as large."""
    expected = preprocess(page, SHAPE)
    ink = page[20:120, 130:180]
    assert np.array_equal(preprocess(np.pad(ink, 1, constant_values=255), SHAPE), expected)
    assert np.array_equal(preprocess(np.roll(page, (150, -100), axis=(0, 1)), SHAPE), expected)
    assert np.abs(preprocess(np.kron(page, np.ones((2, 2))), SHAPE).astype(int) - expected).max() <= 12


def test_a_tiny_picture_grows_smoothly():
    """Between two old pixels, the grey levels go from the one to the other."""
    tiny = np.zeros((4, 6))
    tiny[1:3, 2:4] = [[255, 153], [255, 153]]
    row = preprocess(tiny, SHAPE)[14]
    grown = row[row > 0].astype(int)
    assert (len(grown), grown[0], grown[-1]) == (20, 255, 153)
    assert -12 < np.diff(grown).min() <= np.diff(grown).max() <= 0


def test_a_digit_that_touches_the_edge_is_not_taken_for_light():
    """A seven whose bar fills the picture's first row: the same as with paper around it."""
    seven = np.full((50, 40), 255.0)
    seven[:8], seven[8:, 24:32] = 0, 0
    assert np.array_equal(preprocess(seven, SHAPE), preprocess(np.pad(seven, 20, constant_values=255), SHAPE))


def test_no_ink_is_cut_off():
    """An L, whose mass lies far from the middle of its box."""
    letter = np.zeros((200, 200))
    letter[20:180, 20:24] = letter[140:180, 20:180] = 255
    top, bottom, left, right = extent(preprocess(letter, SHAPE))
    assert (bottom - top, right - left) == (19, 19)


def test_the_data_sets_own_images_are_taken_as_they_stand(few_digits):
    """Images of the network's size, light on dark, are unchanged. Inverted ones are preprocessed."""
    for image in few_digits[1].images[:20]:
        assert np.array_equal(preprocess(image, SHAPE), image)
        assert preprocess(255 - image, SHAPE).max() == 255
        assert not preprocess(255 - image, SHAPE)[0].any()


def test_another_shape(page):
    """The box is 20 / 28 of the shorter side."""
    image = preprocess(page, (14, 21))
    assert image.shape == (14, 21)
    assert extent(image)[1] - extent(image)[0] == 9


@pytest.mark.parametrize(
    "grey",
    [
        np.full((90, 90), 255.0), np.zeros((5, 5)), np.full(SHAPE, 255.0), np.zeros(SHAPE),
        np.full((1, 1), 9.0), np.full((1, 40), 9.0),
        np.random.default_rng(0).uniform(0, 255, (300, 300)), np.random.default_rng(0).normal(200, 8, (300, 300)),
        np.linspace(0, 255, 100)[:, np.newaxis] * np.ones(80),
    ],
)  # fmt: skip
def test_paper_alone_is_no_digit(grey):
    """White, black, one pixel, one row, noise, light from one side."""
    with pytest.raises(InputError, match="shows no digit: it is all paper"):
        preprocess(grey, SHAPE)


def test_without_pixels_there_is_nothing():
    """An array of no rows."""
    with pytest.raises(InputError, match="no pixels"):
        preprocess(np.zeros((0, 5)), SHAPE)
