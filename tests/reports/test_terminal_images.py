"""Images, bars and curves, on terminals of every kind."""

import io
import re
import sys
from collections.abc import Callable

import numpy as np
import pytest

from mnist_bp.reports.console import Console
from mnist_bp.reports.terminal_images import bar, draw, draw_side_by_side, draw_signed, sparkline

GREYS = np.array([[0, 255], [255, 0], [128, 64]], np.uint8)
"""Three rows: the last has none below it."""

PLAIN = "++\n+:\n"
"""The means of two rows: 127.5 and 127.5, then the last row as it is."""


def pixels(shown: str) -> list[list[tuple[int | None, int | None]]]:
    """Return the colours (of 256, or None) of the upper and lower half of each character in each line."""
    lines = []
    for line in shown.splitlines():
        halves = re.findall(r"\x1b\[(?:38;5;(\d+))?;?(?:48;5;(\d+))?m(▀+)\x1b\[0m", line)
        lines.append([(int(a or 0), int(b) if b else None) for a, b, blocks in halves for _ in blocks])
    return lines


def test_a_terminal_gets_two_pixels_in_a_character(terminal: Callable[..., io.StringIO]) -> None:
    """The upper is the text's colour, from 16, black, to 231, white, the lower the background's; the last has none."""
    screen = terminal()
    draw(GREYS, Console())
    assert pixels(screen.getvalue()) == [[(16, 231), (231, 16)], [(244, None), (237, None)]]


def test_true_colours_are_the_grey_levels(terminal: Callable[..., io.StringIO]) -> None:
    """As they are in the image; ones that no other test shows, since Rich remembers how a style came out."""
    screen = terminal(COLORTERM="truecolor")
    draw(np.array([[201, 99]], np.uint8), Console())
    assert screen.getvalue() == "\x1b[38;2;201;201;201m▀\x1b[0m\x1b[38;2;99;99;99m▀\x1b[0m\n"


@pytest.mark.parametrize(
    "variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true"}, {"TERM": "xterm"}, {"TERM": "linux"}]
)
def test_a_terminal_without_greys_gets_characters(
    terminal: Callable[..., io.StringIO], variables: dict[str, str]
) -> None:
    """No colours, or sixteen, whose greys are those of whoever chose the theme."""
    screen = terminal(**variables)
    draw(GREYS, Console())
    assert screen.getvalue() == PLAIN


def test_an_encoding_without_blocks_gets_characters(
    terminal: Callable[..., io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no question marks."""
    terminal()
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", stream)
    draw(GREYS, Console())
    assert raw.getvalue().decode("latin-1") == PLAIN


def test_a_pipe_gets_characters_and_a_quiet_command_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Also on standard error, beside JSON Lines."""
    draw(GREYS, Console())
    draw(GREYS, Console(json=True))
    draw(GREYS, Console(quiet=True))
    assert capsys.readouterr() == (PLAIN, PLAIN)


def test_beside_json_lines_a_terminal_gets_characters(
    terminal: Callable[..., io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard error may be a terminal and a log at once."""
    screen = terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    draw(GREYS, Console(json=True))
    assert screen.getvalue() == PLAIN


def test_ten_levels_of_ink(capsys: pytest.CaptureFixture[str]) -> None:
    """Dark to light; what is dark at the end of a line is left out."""
    levels = np.tile(np.append(np.linspace(0, 255, 10), [0, 0]).astype(np.uint8), (4, 1))
    levels[:2, 5:] = 0
    draw(levels, Console())
    assert capsys.readouterr().out == " .:-=\n .:-=+*#%@\n"


@pytest.mark.parametrize(("columns", "width", "height"), [(40, 40, 30), (99, 99, 74), (100, 100, 75), (200, 100, 75)])
def test_an_image_wider_than_the_terminal_is_shrunk(
    terminal: Callable[..., io.StringIO], columns: int, width: int, height: int
) -> None:
    """It keeps its aspect; one that fits stays as it is."""
    screen = terminal(columns)
    draw(np.zeros((75, 100), np.uint8), Console())
    shown = pixels(screen.getvalue())
    assert [len(line) for line in shown] == [width] * ((height + 1) // 2)
    assert (shown[-1][0][1] is None) == (height % 2 == 1)


def test_shrinking_averages(capsys: pytest.CaptureFixture[str]) -> None:
    """To the 80 columns of a log: every pixel counts, also one that falls into two of what is shown."""
    draw(np.tile(np.array([0, 255], np.uint8), (4, 80)), Console())
    draw(np.tile(np.array([0, 255, 255], np.uint8), (3, 40)), Console())
    assert capsys.readouterr().out == "+" * 80 + "\n" + "-@" * 40 + "\n"


@pytest.mark.parametrize(("columns", "rows"), [(58, [2, 1]), (57, [1, 1, 1]), (90, [3]), (10, [1, 1, 1])])
def test_as_many_images_stand_beside_each_other_as_fit(
    terminal: Callable[..., io.StringIO], columns: int, rows: list[int]
) -> None:
    """With their captions below, and nothing wider than the window."""
    screen = terminal(columns, TERM="xterm")
    draw_side_by_side([np.full((2, 28), 255, np.uint8)] * 3, ["one", "two", "three"], Console())
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in screen.getvalue().splitlines()]
    assert max(map(len, lines)) <= columns
    assert [len(line.split()) for line in lines if "@" in line] == rows
    assert [word for line in lines for word in line.split() if "@" not in word] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, ""), (1, "████"), (0.5, "██"), (0.53125, "██▏"), (0.46875, "█▉"), (0.01, ""), (0.02, "▏"), (1.1, "████")],
)
def test_a_bar_is_as_long_as_its_share(share: float, expected: str) -> None:
    """A bar in four columns is rounded to an eighth of a column, and never longer than four columns."""
    assert bar(share, 4) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([-1e300, 1e-300], "▁█"),
        ([5, 3, 1], "█▅▁"),
        ([0.1] * 3, "▅▅▅"),
        ([0.1] * 1000, "▅" * 10),
        ([2], "▅"),
        ([], ""),
        ([0, 0, 8, 8] * 5, "▁█" * 5),
        ([0, 1] * 15, "▃▆" * 5),
        ([1, 0, 0] * 10, "▃" * 10),
    ],
)
def test_a_curve_goes_from_the_least_to_the_greatest(values: list[float], expected: str) -> None:
    """A curve has at most ten columns. Each is the mean of an equal part of the values."""
    assert sparkline(values, 10) == expected


SIGNED = np.array([[2.0, -2.0, 0.1, -0.6], [2.0, -2.0, 0.1, -0.6]])
"""Two equal rows: the largest values of both signs, one that is nearly 0, and one of medium size."""


def test_values_of_both_signs_are_characters_with_a_legend(capsys: pytest.CaptureFixture[str]) -> None:
    """Sign and size can be told without colours; the legend names the characters of each sign."""
    draw_signed(SIGNED, Console(), positive="up", negative="down")
    assert capsys.readouterr().out == "#= -\n+ and #: up\n- and =: down\n"


def test_values_of_both_signs_are_two_colours_on_a_terminal(terminal: Callable[..., io.StringIO]) -> None:
    """Orange, blue, and black near 0."""
    screen = terminal(COLORTERM="truecolor")
    draw_signed(SIGNED, Console(), positive="up", negative="down")
    image, *legend = screen.getvalue().splitlines()
    colours = re.findall(r"38;2;(\d+);(\d+);(\d+)", image)
    (r, _, no_blue), (no_red, _, b), nearly_black, (_, _, weaker) = [tuple(map(int, each)) for each in colours]
    assert (r, no_blue, no_red, b) == (255, 0, 0, 255)
    assert max(nearly_black) < 20
    assert 60 < weaker < 100
    assert legend == ["orange: up", "blue: down"]


def test_values_that_are_all_zero_can_be_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is divided by 0."""
    draw_signed(np.zeros((2, 3)), Console(), positive="up", negative="down")
    assert capsys.readouterr().out.splitlines()[-2:] == ["+ and #: up", "- and =: down"]
