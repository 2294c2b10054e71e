"""The digit in a picture, without specks, frames, neighbours, lines of the paper, and what the paper lies on."""

import numpy as np
import pytest

from mnist_bp.data.ink import find_digit
from mnist_bp.data.preprocess import preprocess

SHAPE = (28, 28)


@pytest.fixture
def seven():
    """Black paper of 200 × 200 pixels with a seven in the middle, light on dark."""
    paper = np.zeros((200, 200))
    paper[60:70, 60:130] = 255
    for row in range(70, 150):
        paper[row, 130 - row // 2 : 145 - row // 2] = 255
    return paper


def assert_same(picture, expected, most=0):
    """The network gets the same image, to ``most`` grey levels on average."""
    difference = preprocess(picture, SHAPE).astype(int) - preprocess(expected, SHAPE)
    assert np.abs(difference).mean() <= most


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
    picture = seven.copy()
    picture[where] = 255
    assert_same(picture, seven)


@pytest.mark.parametrize("edge", [10, 30])
@pytest.mark.parametrize("sides", [4, 2])
def test_a_frame_around_the_digit_is_left_out(seven, edge, sides):
    """A closed box of thin lines, or the two axes of a plot."""
    picture = seven.copy()
    picture[edge : 200 - edge, [edge, edge + 1, 198 - edge, 199 - edge][:sides]] = 255
    picture[[198 - edge, 199 - edge, edge, edge + 1][:sides], edge : 200 - edge] = 255
    assert_same(picture, seven)


def test_a_digit_of_several_strokes_is_kept_whole(seven):
    """A bar of a tenth of the ink beside it widens the digit."""
    left = find_digit(seven).ink.shape[1]
    seven[100:106, 40:70] = 255
    assert find_digit(seven).ink.shape[1] == left + 16


def test_a_digit_at_the_edge_keeps_its_parts_there(seven):
    """The picture is cut so that two strokes of a broken digit reach its edge."""
    seven[:, 95:105] = 0
    assert find_digit(seven[60:, 60:130]).ink.shape == (90, 70)


def test_a_zero_with_a_stroke_inside_is_no_frame():
    """A round line lies along the edges of its box only in part."""
    y, x = np.indices((100, 100)) - 49.5
    radius = np.hypot(x, y)
    zero = (radius < 45) & (radius > 35)
    zero[45:55, 35:65] = True
    assert find_digit(np.pad(zero, 20) * 255.0).ink.shape == (90, 90)


@pytest.mark.parametrize("is_squared", [False, True])
@pytest.mark.parametrize("first", [3, 17])
def test_the_lines_of_ruled_and_squared_paper_are_left_out(seven, is_squared, first):
    """Also lines as dark as the ink, and lines that cross the digit."""
    picture = seven.copy()
    for start in range(first, 200, 25):
        picture[start : start + 2] = 255
        if is_squared:
            picture[:, start : start + 2] = 255
    assert_same(picture, seven, most=2)


@pytest.mark.parametrize("bar", [3, 12])
def test_the_bars_of_a_digit_that_fills_the_picture_are_no_lines(bar):
    """A four whose crossbar reaches from edge to edge, and a seven with its bar in the first rows."""
    four = np.zeros((100, 60))
    four[:60, :bar] = four[55 : 55 + bar] = four[:, 40 : 40 + bar] = 255
    assert_same(four, np.pad(four, 20))
    seven = np.zeros((100, 60))
    seven[:bar] = seven[:, 40 : 40 + bar] = 255
    assert_same(seven, np.pad(seven, 20))


@pytest.mark.parametrize("around", [0, 120, 160])
@pytest.mark.parametrize("width", [3, 40])
def test_paper_on_a_table_or_in_a_thick_frame_is_cut_out(seven, around, width):
    """A margin in another colour, narrow or wide, around a light or a dark picture, is not the paper."""
    for picture in (seven, 255 - seven):
        if picture[0, 0] != around:
            assert_same(np.pad(picture, ((width, 9), (width, 30)), constant_values=around), picture, most=1)


def test_a_bold_one_is_no_sheet():
    """A rectangle of ink, whose inside is not quite even, stays a digit."""
    one = np.zeros((100, 60))
    one[10:90, 20:40] = 255
    one[40:50, 25:30] = 200
    assert find_digit(one).ink.shape == (80, 20)


@pytest.mark.parametrize("shape", [(300, 300), (1, 60), (60, 1)])
def test_noise_of_many_components_is_handled_at_once(shape):
    """Isolated pixels all over the picture: the largest of them are the digit."""
    noise = (np.random.default_rng(0).random(shape) < 0.1) * 255.0
    assert find_digit(noise).ink.max() == 1
