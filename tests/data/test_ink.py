"""The digit in a picture, without specks, frames, neighbours, lines of the paper, and what the paper lies on."""

import numpy as np
import pytest

from mnist_bp.data import ink
from mnist_bp.data.ink import find_digit
from mnist_bp.data.preprocess import Look, prepare, preprocess
from mnist_bp.data.threshold import near_strokes

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


@pytest.mark.parametrize("slope", [0.05, -0.3])
def test_faint_lines_that_are_not_parallel_to_the_edges_are_left_out(seven, slope):
    """Ruled paper that was photographed at an angle: its lines are fainter than the digit, and have less ink."""
    bold = np.max([np.roll(seven, shift, axis=0) for shift in range(12)], axis=0)
    y, x = np.indices(seven.shape)
    lines = ((y + slope * x) % 40 < 2) * 90.0
    assert_same(np.maximum(bold, lines), bold, most=10)  # beside the strokes, a grey edge remains


def test_faint_ink_away_from_strokes_is_left_out_and_grey_edges_stay():
    """An edge reaches half a pixel of MNIST's box of 20 × 20 beyond a stroke, a shadow farther."""
    bar = np.zeros((120, 120))
    bar[20:100, 50:60] = 1
    shadow = bar.copy()
    shadow[20:100, 60:68] = 0.4
    near = near_strokes(shadow)
    assert near[60, 48:62].all()
    assert not near[60, :48].any()
    assert not near[60, 62:].any()


def test_the_page_knows_every_limit():
    """Constants of the modules that its JavaScript mirrors are passed to it by name."""
    constants = {name for name in vars(ink) if name.isupper()} - {"ALL_PAPER", "LIMITS", "TALL", "GAP"}
    assert {*ink.LIMITS} == constants


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


# --- several digits --------------------------------------------------------------------------------------------------


def is_several(picture):
    """Return True if a picture, light on dark, seems to show more than one digit."""
    return prepare(picture, SHAPE, Look()).is_several


@pytest.fixture
def zero():
    """A round line of 60 × 60 pixels, light on dark, without a margin."""
    y, x = np.indices((60, 60)) - 29.5
    radius = np.hypot(x, y)
    return 255.0 * ((radius < 29) & (radius > 22))


@pytest.mark.parametrize("axis", [0, 1])
def test_digits_side_by_side_and_above_each_other_are_several(seven, axis):
    """Both are high, and a gap is between them."""
    assert is_several(np.concatenate([seven, seven], axis))
    assert not is_several(seven)


def test_digits_that_touch_are_several(zero):
    """Their rows have more strokes than those of one digit, even of a wide zero."""
    assert is_several(np.pad(np.concatenate([zero[:, :-3], zero], axis=1), 20))
    assert not is_several(np.pad(zero, 20))
    assert not is_several(np.pad(np.repeat(zero, 2, axis=1), 20))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_digit_that_thin_lines_cut_is_one(seven, axis):
    """Grid lines in the colour of the paper, as plots have them, leave narrow gaps."""
    for start in (95, 110):
        seven.swapaxes(0, axis)[start : start + 2] = 0
    assert not is_several(seven)
