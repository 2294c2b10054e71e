"""Charts of several curves in plain characters."""

from mnist_bp.reports.chart import chart

FALLING = [(1, 0.8), (2, 0.2), (3, 0.05)]


def columns(lines, symbol):
    """Return the columns in which a symbol is drawn, row by row."""
    return [[x for x, character in enumerate(line.partition("|")[2]) if character == symbol] for line in lines]


def test_a_curve_falls_from_the_left_top_to_the_right_bottom():
    """The scale is logarithmic over a wide range, so that equal ratios have equal heights."""
    lines = chart([("A", FALLING)], 52, 5)
    assert [line[:10].strip() for line in lines] == ["0.8", "", "", "", "0.05", "log scale", "epoch"]
    rows = columns(lines[:5], "A")
    assert (rows[0][0], rows[-1][-1]) == (0, 40)
    assert 20 in rows[2]
    assert all(row == sorted(row) and row for row in rows)
    assert lines[-1].split() == ["epoch", "1", "3"]


def test_curves_of_other_lengths_share_the_axes():
    """A shorter one ends early; no line is wider than allowed."""
    lines = chart([("A", FALLING), ("B", [(epoch, 0.5) for epoch in range(1, 101)])], 60, 7)
    assert max(map(len, lines)) <= 60
    assert max(max(row, default=0) for row in columns(lines, "A")) < 5
    assert max(max(row, default=0) for row in columns(lines, "B")) == 48


def test_one_epoch_and_equal_values_are_a_flat_curve():
    """There is one label, and no division by zero."""
    for curve in ([(3, 0.5)], [(3, 0.5), (4, 0.5)], [(1, 0.0), (2, 0.0)]):
        lines = chart([("A", curve)], 60, 5)
        assert sum(bool(row) for row in columns(lines[:5], "A")) == 1
        assert sum(bool(line[:9].strip()) for line in lines[:5]) == 1


def test_no_curve_is_no_chart():
    """Neither axes nor labels."""
    assert chart([("A", [])], 60, 5) == []
