"""Recipes: what options mean, and that a recipe written down is the same recipe."""

from pathlib import Path

import pytest

from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.errors import InputError
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.notation import format_batch_size, format_hidden, parse_batch_size, parse_hidden
from mnist_bp.training.settings import Settings
from mnist_bp.training.threads import MANY_NEURONS, default_threads


@pytest.mark.parametrize(
    ("text", "neurons"),
    [("16,16", (16, 16)), ("30", (30,)), (" 300 , 100 ", (300, 100)), ("none", ()), ("None", ()), ("007", (7,))],
)
def test_hidden_layers_are_counts_between_commas(text, neurons):
    """Text becomes neurons; what is written down is read back the same."""
    assert parse_hidden(text) == neurons
    assert parse_hidden(format_hidden(neurons)) == neurons


@pytest.mark.parametrize(
    "text", ["", ",", "16,,16", "16,", "0", "-3", "1.5", "x", "16;16", "1e3", "\u0661\u0666", "1000000000", "none,16"]
)
def test_other_hidden_layers_are_refused(text):
    """Anything but counts of 1 or more is bad input, and the message shows it."""
    with pytest.raises(InputError, match=r"like 16,16, or none") as raised:
        parse_hidden(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize(("text", "size"), [("100", 100), (" 1 ", 1), ("all", None), ("ALL", None)])
def test_a_batch_size_is_a_count_or_all(text, size):
    """Text becomes a number, or None for all; what is written down is read back the same."""
    assert parse_batch_size(text) == size
    assert parse_batch_size(format_batch_size(size)) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "every", "100,100"])
def test_other_batch_sizes_are_refused(text):
    """Anything else is bad input."""
    with pytest.raises(InputError, match="of 1 or more, or all"):
        parse_batch_size(text)


@pytest.mark.parametrize("activation", [*ACTIVATIONS])
@pytest.mark.parametrize("cost", [*COSTS])
def test_every_combination_has_a_learning_rate(activation, cost):
    """No activation and cost lack a default."""
    assert default_learning_rate(activation, cost) > 0


def test_one_thread_unless_a_layer_is_wide(monkeypatch):
    """Small layers take one thread, wide ones every core."""
    monkeypatch.setattr("mnist_bp.training.threads.usable_cores", lambda: 6)
    assert default_threads(()) == 1
    assert default_threads((MANY_NEURONS - 1, 16)) == 1
    assert default_threads((16, MANY_NEURONS)) == 6


def test_options_leave_out_what_is_not_set():
    """The config of a recipe has an option for each setting, under its long name, and none that is None."""
    recipe = Settings(
        hidden=(16, 16),
        activation="sigmoid",
        cost="squared-error",
        learning_rate=2.0,
        batch_size=None,
        epochs=3,
        seed=0,
        dtype="float32",
        threads=1,
        dataset=None,
        data_dir=Path("data"),
        limit=None,
    )
    assert recipe.options() == {
        "hidden": "16,16",
        "activation": "sigmoid",
        "cost": "squared-error",
        "learning-rate": 2.0,
        "batch-size": "all",
        "epochs": 3,
        "seed": 0,
        "dtype": "float32",
        "threads": 1,
        "weight-init": "scaled",
        "optimizer": "sgd",
        "schedule": "constant",
        "l2": 0.0,
        "dropout": 0.0,
        "input-dropout": 0.0,
        "label-smoothing": 0.0,
        "average": 0.99,
        "augment": "none",
        "augment-strength": 1.0,
        "keep": "last",
        "data-dir": str(Path("data").resolve()),
    }


# --- settings that contradict each other ---------------------------------------------------------------------------


IMPOSSIBLE = [
    ("--dropout 1.0", "'--dropout': expected a number from 0 to below 1; got 1"),
    ("--dropout -0.1", "'--dropout': expected a number from 0 to below 1; got -0.1"),
    ("--dropout nan", "'--dropout': expected a number from 0 to below 1; got nan"),
    ("--input-dropout 1", "'--input-dropout': expected a number from 0 to below 1; got 1"),
    ("--label-smoothing 1", "'--label-smoothing': expected a number from 0 to below 1; got 1"),
    ("--l2 -1", "'--l2': expected a number from 0 to below 1; got -1"),
    ("--average 1", "'--average': expected a number from 0 to below 1; got 1"),
    ("--average nan", "'--average': expected a number from 0 to below 1; got nan"),
    ("--early-stop 0 --validation 9", "'--early-stop'"),
    ("--validation 0", "'--validation'"),
    ("--optimizer adagrad", "'--optimizer'"),
    ("--schedule linear", "'--schedule'"),
    ("--augment rotate", "'--augment'"),
    ("--augment shift --augment-strength 0", "'--augment-strength': expected a factor above 0, up to 10; got 0"),
    ("--augment shift --augment-strength 11", "'--augment-strength': expected a factor above 0, up to 10; got 11"),
    ("--schedule one-cycle", "--schedule one-cycle requires --epochs"),
    ("--schedule cosine", "--schedule cosine requires --epochs"),
    ("--early-stop 3", "--early-stop requires --validation"),
    ("--keep best", "--keep best requires --validation"),
    ("--keep worst --validation 9", "'--keep'"),
    ("--dropout 0.5 --hidden none", "--dropout requires hidden neurons"),
    ("--max-norm 0", "'--max-norm': expected a number above 0; got 0"),
    ("--max-norm inf", "'--max-norm': expected a number above 0; got inf"),
    ("--optimizer momentum --momentum 1", "'--momentum': expected a number from 0 to below 1; got 1"),
    ("--weight-init xavier", "'--weight-init'"),
    ("--adversarial -0.1", "'--adversarial': expected a number from 0 to 1; got -0.1"),
    ("--adversarial 1.5", "'--adversarial': expected a number from 0 to 1; got 1.5"),
    ("--momentum 0.9", "--momentum requires --optimizer momentum or nesterov; sgd has no such coefficient"),
    ("--momentum 0.5 --optimizer adam", "--momentum requires --optimizer momentum or nesterov; adam has no"),
    ("--augment-strength 2", "--augment-strength requires --augment"),
    ("--validation 500", "cannot hold out 500 of 500 training examples as a validation set: none would be left"),
    (
        "--validation 100 --limit 100",
        "cannot hold out 100 of 100 training examples as a validation set: none would be left",
    ),
]


@pytest.mark.parametrize(
    ("options", "said", "way"),
    [*((*case, "command line") for case in IMPOSSIBLE), *((*case, "config") for case in IMPOSSIBLE[::3])],
)
def test_settings_that_cannot_be_are_one_line_and_2(cli, idx_folder, options, said, way):
    """By the command line or by a config: said clearly, before anything is made or trained."""
    words = options.split()
    if way == "config":
        settings = dict(zip([word.removeprefix("--") for word in words[::2]], map(_toml, words[1::2]), strict=True))
        Path("c.toml").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()), encoding="utf-8")
        words = ["--config", "c.toml"]
        said = said.removeprefix(f"'{options.split()[0]}'")  # what a config may hold is said in other words
    done = cli("train", "--data-dir", idx_folder, "--output", "run", *words)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("mnist-bp: ")
    assert said in line
    assert not Path("run").exists()


def _toml(word):
    return word if word[0] in "-0123456789" or word == "nan" else f'"{word}"'


def test_settings_that_look_alike_but_can_be(cli, idx_folder):
    """These settings are close to a contradiction, but valid."""
    for number, options in enumerate([
        "--dropout 0 --hidden none", "--input-dropout 0.2 --hidden none", "--schedule constant",
        "--schedule one-cycle", "--early-stop 1 --validation 1", "--validation 499",
        "--augment-strength 1", "--dropout 0.999999",
    ]):  # fmt: skip
        done = cli(
            "train", "--data-dir", idx_folder, "--output", f"run{number}", "--quiet", "--epochs", 1, *options.split()
        )
        assert (done.code, done.err) == (0, ""), options
