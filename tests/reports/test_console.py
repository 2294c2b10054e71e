"""Output to a terminal of any width, to a pipe, as JSON Lines, and in any encoding."""

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

from mnist_bp.cli.main import main
from mnist_bp.data import idx
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.reports.console import Console, prepare_streams, printable
from mnist_bp.reports.terminal_images import bar, sparkline
from mnist_bp.training.metrics import percent

ESCAPE = re.compile(r"[^\n]*\x1b\[2K|\x1b\[[0-9;?]*[A-Za-z]|\r")
"""Control sequences, and what stood on a line before it was erased."""


def train(idx_folder, *arguments):
    """Three epochs on the few digits, in this process."""
    arguments = ["train", "--data-dir", idx_folder, "--epochs", 3, "--output", "run", *arguments]
    with pytest.raises(SystemExit):
        main([str(argument) for argument in arguments])


def numbers():
    """A table of numbers that takes more than 40 columns."""
    table = Table()
    for heading in "abcdefgh":
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row(*(str(12345 * power) for power in range(1, 9)))
    return table


@pytest.mark.parametrize("validation", [[], ["--validation", "50"]])
def test_a_terminal_of_60_columns_shows_a_table(terminal, idx_folder, validation):
    """The heading once, a row for each epoch, all columns aligned, no line wider than the window."""
    screen = terminal(60)
    train(idx_folder, *validation)
    lines = [line.rstrip() for line in ESCAPE.sub("", screen.getvalue()).splitlines()]
    more = ["validation"] if validation else []
    head = next(i for i, line in enumerate(lines) if line.split() == ["train", "train", *more, "test", "test"])
    more = ["accuracy"] if validation else []
    assert lines[head + 1].split() == ["epoch", "cost", "accuracy", *more, "cost", "accuracy", "seconds"]
    rows = [line for line in lines if re.match(r"\s*\d/3 ", line)]
    assert [row.split()[0] for row in rows] == ["1/3", "2/3", "3/3"]
    assert {len(row) for row in rows} == {len(lines[head + 1])}
    assert sum("seconds" in line for line in lines) == 1
    assert max(map(len, lines)) <= 60
    assert any(re.fullmatch(r"cost     train █[▁-█]▁ test █[▁-█]▁ \(log scale\)", line) for line in lines)
    assert lines[-2:] == ["next: mnist-bp page run", "or:   mnist-bp evaluate run"]


def test_the_bar_is_shown_and_taken_away(terminal, idx_folder):
    """A bar with the time left while an epoch runs; its line is erased, and the cursor is there again."""
    screen = terminal(60)
    train(idx_folder)
    shown = screen.getvalue()
    assert "left" in shown
    bars = [line for line in re.split(r"\n|\x1b\[2K", shown) if "left" in line]
    assert max(len(ESCAPE.sub("", bar)) for bar in bars) <= 60 - len("^C")
    assert shown.rindex("\x1b[2K") > shown.rindex("left")
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_a_narrow_terminal_gets_lines_that_break_between_words(terminal, idx_folder):
    """At 40 columns: no table, nothing cut, no number broken, but paths and commands in one piece."""
    screen = terminal(40)
    train(idx_folder, "--output", "a folder with quite a long name")
    shown = ESCAPE.sub("", screen.getvalue())
    assert "…" not in shown
    assert re.search(r"epoch 3/3: train cost 0\.\d{4}, accuracy\n\d+\.\d\d %; test cost 0\.\d{4}, accuracy\n", shown)
    assert shown.startswith(
        "network  784-16-16-10, 13,002\n         parameters: sigmoid,\n         squared-error, float32\n"
    )
    assert shown.endswith("\nor:   mnist-bp evaluate 'a folder with quite a long name'\n")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true"}])
def test_no_colour_means_plain_lines(terminal, idx_folder, variables):
    """No control character, no bar, one line for each epoch, however narrow the window."""
    screen = terminal(40, **variables)
    train(idx_folder)
    lines = screen.getvalue().splitlines()
    assert all(line.isprintable() for line in lines)
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 3
    assert all(line.endswith(" s") for line in epochs)


def test_json_on_a_terminal_is_plain(terminal, idx_folder):
    """Records are not styled or wrapped, whoever looks."""
    screen = terminal(40)
    train(idx_folder, "--json")
    assert [json.loads(line)["event"] for line in screen.getvalue().splitlines()] == ["start", *["epoch"] * 3, "end"]


def test_quiet_on_a_terminal_is_one_line(terminal, idx_folder):
    """No table, no bar, no control character."""
    screen = terminal(60)
    train(idx_folder, "--quiet")
    (line,) = screen.getvalue().splitlines()
    assert line.isprintable()


@pytest.mark.parametrize("columns", [10, 40, 200])
def test_a_table_is_never_cut(terminal, columns):
    """A window that is too narrow gets the same characters as a wide one."""
    screen = terminal(columns)
    Console().print_table(numbers())
    shown = ESCAPE.sub("", screen.getvalue())
    assert all(str(12345 * power) in shown for power in range(1, 9))
    assert len(shown.splitlines()) == 5
    assert "…" not in shown


def test_a_table_in_a_pipe_has_no_control_characters(capsys):
    """As wide as it needs to be, whatever COLUMNS says."""
    Console().print_table(numbers())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)


def test_a_word_is_not_broken_nor_a_number_parted_from_its_percent_sign(terminal):
    """Text that is wider than the window is not broken, so that the terminal wraps it and the user can copy it."""
    screen = terminal(18)
    Console().print("accuracy is 12.34 % in runs/20260101-000000-784-16-16-10")
    Console().print("next: mnist-bp evaluate a b c", wrap=False)
    assert screen.getvalue().splitlines() == [
        "accuracy is",
        "12.34 % in",
        "runs/20260101-000000-784-16-16-10",
        "next: mnist-bp evaluate a b c",
    ]


def test_an_empty_line_is_an_empty_line(terminal):
    """``say()`` sets things apart, on a terminal too."""
    screen = terminal(20)
    Console().print()
    assert screen.getvalue() == "\n"


@pytest.mark.parametrize("text", ["[red]x[/red]", "[/nonsense]", ":smile:", "1e5 'x' 0xff"])
def test_text_is_not_markup(capsys, text):
    """Text that looks like Rich's markup or an emoji's name is printed unchanged."""
    Console().print(text)
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain ü σ", "plain ü σ"), ("\x1b[31m", r"\x1b[31m"), ("a\nb\r", r"a\nb\r"), ("\udcff", r"\udcff")],
)
def test_printable_spells_out_what_could_steer_a_terminal(text, shown):
    """Letters of any language stay; control characters and broken ones are written as escapes."""
    assert printable(text) == shown


@pytest.mark.parametrize(("fraction", "text"), [(0.9431, "94.31 %"), (1.0, "100.00 %"), (0.0, "0.00 %")])
def test_percent(fraction, text):
    """Two decimals."""
    assert percent(fraction) == text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_nothing_that_is_printed_can_raise(monkeypatch, encoding):
    """Characters that the encoding lacks become similar ASCII characters, or a question mark."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    prepare_streams()
    Console().print("784 × 16 − ∂C/∂w → 日本")
    text = raw.getvalue().decode(encoding)
    assert text.replace("×", "x") == "784 x 16 - dC/dw -> ??\n"


@pytest.mark.parametrize(("epochs", "curves"), [(2, []), (3, [3, 3]), (50, [23, 23])])
def test_a_log_shows_how_the_cost_fell_in_one_line(cli, idx_folder, epochs, curves):
    """From the third epoch on, in at most 80 columns; the scale leaves something to see of all epochs."""
    out = cli("train", "--data-dir", idx_folder, "--epochs", epochs, "--hidden", "none", "--output", "run").out
    lines = [line for line in out.splitlines() if line.startswith("cost ")]
    found = [curve for line in lines for curve in re.findall("[▁-█]+", line)]
    assert [len(curve) for curve in found] == curves
    assert len(lines) <= 1
    assert max(map(len, lines), default=0) <= 80
    if epochs == 50:
        assert found[0][0] > "▆"
        assert found[0][11] > "▁"  # what a linear scale would have here
        assert found[0][-1] == "▁"


def test_a_cost_of_nothing_has_a_place_on_the_scale(cli):
    """All images are the same, and of one class: its probability is 1 after the first epoch."""
    for name in FILE_NAMES:
        with Path(name).open("wb") as file:
            idx.write(file, np.zeros((3, 2, 2) if "images" in name else 3, np.uint8))
    options = ["--hidden", "none", "--cost", "cross-entropy", "--learning-rate", 1000, "--epochs", 3]
    out = cli("train", "--data-dir", ".", *options, "--output", "run").out
    assert "epoch 3/3: train cost 0.0000, accuracy 100.00 %; test cost 0.0000" in out
    assert "test ▅▅▅ (log scale)" in out


def test_a_resumed_run_shows_the_epochs_that_it_has_seen(cli, idx_folder):
    """And of which; not with --quiet."""
    cli("train", "--data-dir", idx_folder, "--epochs", 2, "--output", "run")
    out = cli("train", "--resume", "run", "--epochs", 5).out
    assert re.search(r"^cost     train [▁-█]{3} test [▁-█]{3} \(log scale, from epoch 3\)$", out, re.MULTILINE)
    assert "cost " not in cli("train", "--resume", "run", "--epochs", 8, "--quiet").out


def test_bars_and_curves_have_a_form_in_ascii(monkeypatch):
    """Eight heights that differ, and a bar that still has its length."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    prepare_streams()
    Console().print(sparkline(range(8), 8))
    Console().print(bar(0.45, 10))
    assert raw.getvalue().decode().split() == ["_.-~=+*#", "####-"]


def test_a_closed_stream_goes_nowhere(monkeypatch):
    """With ``>&-`` Python has no standard output at all; what is said then is lost, and no error."""
    monkeypatch.setattr(sys, "stdout", None)
    prepare_streams()
    with sys.stdout:
        Console().print("lost")


@pytest.mark.parametrize("columns", ["0", "-5", "many", "²", "9" * 12, ""])
def test_a_terminal_whose_size_is_nonsense_has_its_own(terminal, idx_folder, columns):
    """COLUMNS of an Emacs shell or of a script; Rich would take 0 at its word, and write a letter on a line."""
    screen = terminal(columns)
    train(idx_folder)
    lines = ESCAPE.sub("", screen.getvalue()).splitlines()
    assert any(re.match(r" *3/3 ", line) for line in lines)
    assert 40 < max(map(len, lines)) <= 200


@pytest.mark.parametrize("variable", ["COLUMNS", "TERMINAL_WIDTH"])
def test_help_does_not_mind_a_size_that_is_nonsense(cli, monkeypatch, variable):
    """Typer reads both."""
    monkeypatch.delitem(sys.modules, "typer.rich_utils", raising=False)
    monkeypatch.delattr("typer.rich_utils", raising=False)
    monkeypatch.setenv(variable, "0x")
    done = cli("train", "--help")
    assert (done.code, done.err) == (0, "")
    assert "--hidden" in done.out


@pytest.mark.parametrize(
    ("value", "is_live"), [("", True), ("0", True), ("False", True), ("true", False), ("1", False)]
)
def test_a_terminal_of_a_ci_service_is_plain(terminal, value, is_live):
    """CI is a switch: false and 0 leave it off."""
    terminal(60, CI=value)
    assert Console().is_live == is_live


@pytest.mark.parametrize(("value", "is_live"), [("", True), ("0", False), ("false", False), ("1", False)])
def test_no_color_counts_whatever_its_value(terminal, value, is_live):
    """See https://no-color.org: when it is present, and not empty."""
    terminal(60, NO_COLOR=value)
    assert Console().is_live == is_live
