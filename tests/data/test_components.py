"""Connected components of ink: the digit without specks, frames and neighbours."""

import numpy as np
import pytest

from mnist_bp.data.components import components, digit_components, only
from mnist_bp.data.preprocess import preprocess

SHAPE = (28, 28)


@pytest.fixture
def seven():
    """Paper of 200 × 200 pixels with a seven in the middle, light on black."""
    paper = np.zeros((200, 200))
    paper[60:70, 60:130] = 255
    for row in range(70, 150):
        paper[row, 130 - row // 2 : 145 - row // 2] = 255
    return paper


def test_components_touch_at_edges_or_corners():
    """Each pixel belongs to one component; the largest comes first."""
    mask = np.array([[1, 0, 0, 1, 1], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0], [1, 1, 0, 1, 1]], bool)
    assert [part.area for part in components(mask)] == [3, 2, 2, 2]
    assert components(mask)[0].box == (2, 4, 3, 5)


@pytest.mark.parametrize("seed", range(20))
def test_components_are_those_of_a_flood_fill(seed):
    """Compared with spreading the lowest number of each neighbourhood until nothing changes."""
    mask = np.random.default_rng(seed).random((12, 17)) < 0.35
    numbers = np.where(mask, np.arange(mask.size).reshape(mask.shape), mask.size)
    while True:
        padded = np.pad(numbers, 1, constant_values=mask.size)
        around = [padded[1 + r : 13 + r, 1 + c : 18 + c] for r in (-1, 0, 1) for c in (-1, 0, 1)]
        spread = np.where(mask, np.min(around, axis=0), mask.size)
        if (spread == numbers).all():
            break
        numbers = spread
    areas = sorted(np.unique(numbers[mask], return_counts=True)[1], reverse=True)

    parts = components(mask)

    assert [part.area for part in parts] == areas
    assert (only(mask.astype(float), parts) == mask).all()


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("a speck", (slice(20, 24), slice(20, 24))),
        ("a neighbour's stroke at the edge", (slice(0, 90), slice(180, 200))),
        ("ticks of a plot", (slice(185, 190), slice(10, 190, 20))),
    ],
)
def test_what_is_not_the_digit_is_left_out(seven, what, where):
    """The network gets the same image as without it."""
    expected = preprocess(seven, SHAPE)
    seven[where] = 255
    assert np.array_equal(preprocess(seven, SHAPE), expected), what


@pytest.mark.parametrize("edge", [10, 30])
def test_a_frame_around_the_digit_is_left_out(seven, edge):
    """A closed box of thin lines."""
    expected = preprocess(seven, SHAPE)
    seven[edge : 200 - edge, [edge, edge + 1, 198 - edge, 199 - edge]] = 255
    seven[[edge, edge + 1, 198 - edge, 199 - edge], edge : 200 - edge] = 255
    assert np.array_equal(preprocess(seven, SHAPE), expected)


def test_a_digit_of_several_strokes_is_kept_whole(seven):
    """A bar of a tenth of the ink beside it."""
    seven[100:106, 40:70] = 255
    assert len(digit_components(seven > 0)) == 2


def test_a_digit_at_the_edge_keeps_its_parts_there(seven):
    """The picture is cut so that two strokes of a broken digit reach its edge."""
    seven[:, 95:105] = 0
    assert len(digit_components(seven[60:70, 60:] > 0)) == 2


def test_a_zero_with_a_stroke_inside_is_no_frame():
    """A round line lies along the edges of its box only in part."""
    y, x = np.indices((100, 100)) - 49.5
    radius = np.hypot(x, y)
    zero = (radius < 45) & (radius > 35)
    zero[45:55, 35:65] = True
    assert len(digit_components(np.pad(zero, 20))) == 2
