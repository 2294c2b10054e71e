"""Synthetic digits on the command line: only as many are drawn as needed, with a progress bar."""

import sys

import pytest

from mnist_bp import Network
from mnist_bp.cli.main import main
from mnist_bp.data.choices import generated

FILE = "model.npz"
FIRST_USE = ("train", "--dataset", "synthetic", "--epochs", 1, "--hidden", "none", "--output", "run")


@pytest.fixture(autouse=True)
def _fewer_digits(few_synthetic_digits):
    """The whole dataset is 1,000 digits to train on and 500 to test on."""
    few_synthetic_digits(1000, 500)


@pytest.fixture
def drawn(few_synthetic_digits):
    """Return the numbers of drawn digits of each set, which are updated while they are drawn."""
    counts, draw = {}, generated()["synthetic"].draw

    def count_and_draw(examples, split, progress):
        counts[split] = examples
        return draw(examples, split, progress)

    few_synthetic_digits(1000, 500, draw=count_and_draw)
    return counts


@pytest.mark.parametrize(
    ("command", "train", "test"),
    [
        (["gradcheck", "--hidden", 2], 23, 0),
        (["gradcheck", FILE, "--examples", 7], 7, 0),
        (["explain", "--fresh"], 0, 100),
        (["explain", FILE, "--example", 207], 0, 300),
        (["explain", FILE, "--split", "train"], 100, 0),
        (["page", FILE, "--no-training"], 0, 300),
        (["page", FILE], 1000, 0),
        (["evaluate", FILE], 0, 500),
        (["evaluate", FILE, "--split", "train"], 1000, 0),
        (["train", "--limit", 50, "--epochs", 1, "--output", "run"], 50, 500),
        (["train", "--epochs", 1, "--output", "run"], 1000, 500),
    ],
)
def test_no_more_digits_are_drawn_than_a_command_needs(cli, drawn, rng, command, train, test):
    """The whole dataset takes seconds."""
    Network([784, 2, 10], rng=rng).save(FILE)
    done = cli(*command, "--dataset", "synthetic")
    assert (done.code, done.err) == (0, "")
    assert drawn == {"train": train, "test": test}


def test_what_the_first_digits_show_is_what_all_of_them_show(cli, rng):
    """explain draws a hundred and more of them, or reads all from disk: the same numbers."""
    Network([784, 2, 10], rng=rng).save(FILE)
    explain = ("explain", FILE, "--dataset", "synthetic", "--example", 123, "--json")
    drawn = cli(*explain)
    cli(*FIRST_USE)
    assert cli(*explain) == drawn


def test_an_example_that_is_not_there_is_distinguished_from_one_that_was_not_drawn(cli):
    """The error has the size of the whole set."""
    done = cli("explain", "--fresh", "--dataset", "synthetic", "--example", 500)
    assert done.code == 2
    assert "--example 500 is not in synthetic's test set; expected 0 to 499" in done.err


def test_a_pipe_gets_a_line_before_they_are_drawn(cli):
    """Once: after that they are read from disk. With --json it goes to standard error."""
    done = cli(*FIRST_USE, "--json")
    assert done.err.splitlines()[0] == "drawing 1,500 synthetic digits"
    assert [record["event"] for record in done.records] == ["start", "epoch", "end"]
    assert "drawing" not in cli(*FIRST_USE[:-1], "again").out


def test_a_terminal_gets_a_bar(terminal):
    """Up to all of them."""
    screen = terminal(80)
    with pytest.raises(SystemExit):
        main(list(map(str, FIRST_USE)))
    assert "drawing synthetic digits" in screen.getvalue()
    assert "1500/1500" in screen.getvalue()
    assert sys.stdout is screen


def test_quiet_is_quiet(cli):
    """The result is one line."""
    assert len(cli(*FIRST_USE, "--quiet").out.splitlines()) == 1


def test_drawing_is_no_part_of_an_epoch(cli, few_synthetic_digits, monkeypatch):
    """It counts in the seconds of the whole command alone."""
    clock, draw = [0.0], generated()["synthetic"].draw

    def draw_slowly(*arguments):
        clock[0] += 1000
        return draw(*arguments)

    few_synthetic_digits(1000, 500, draw=draw_slowly)
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    _, epoch, end = cli(*FIRST_USE, "--json").records
    assert (epoch["seconds"], end["seconds"]) == (0, 2000)
    again = cli(*FIRST_USE[:-1], "again", "--limit", 9)
    assert "(finished after 1 epoch, 0.0 s of training, 0.0 s in total)" in again.out
