"""Each setting is declared once: nothing that is derived from the declarations leaves one out."""

import re
from dataclasses import replace

import pytest

from mnist_bp.shell import option_words
from mnist_bp.training import declaration
from mnist_bp.training.learning_rates import default_learning_rate
from mnist_bp.training.settings import SETTINGS, Settings
from mnist_bp.training.threads import MANY_NEURONS, default_threads

OTHER_VALUES = {
    "validation": 50, "limit": 200, "hidden": "9,8", "activation": "tanh", "cost": "cross-entropy", "dtype": "float64",
    "optimizer": "adam", "learning_rate": 0.125, "schedule": "cosine", "batch_size": 25, "epochs": 2, "l2": 0.00390625,
    "dropout": 0.25, "input_dropout": 0.125, "label_smoothing": 0.0625, "average": 0.5, "augment": "shift",
    "augment_strength": 0.75, "early_stop": 3, "keep": "best", "seed": 7, "threads": 2, "classes": 12,
    "invert": True, "transpose": True, "weight_init": "he", "momentum": 0.5, "max_norm": 2.5, "adversarial": 0.125,
}  # fmt: skip
"""Another value than the default for each setting that is not the place of the data."""

REQUIRED = {
    "augment_strength": {"augment": "shift"},
    "early_stop": {"validation": 50},
    "keep": {"validation": 50},
    "schedule": {"epochs": 1},
    "momentum": {"optimizer": "momentum"},
}
"""Settings that another one requires."""

PLACES = {"dataset", "data_dir", "class_names", "test_split"}


@pytest.fixture
def started(cli, idx_folder):
    """Train briefly with some settings; return the record of the start, and the lines printed before the epochs."""

    def run(**settings):
        given = {"epochs": 1, "limit": 100, **settings}
        words = option_words({name.replace("_", "-"): value for name, value in given.items()})
        done = cli("train", "--data-dir", idx_folder, "--json", *words)
        assert done.code == 0, done.err
        return done.records[0], [
            line for line in done.err.splitlines() if line.startswith(("network", "data", "recipe"))
        ]

    return run


def test_every_setting_has_another_value_here():
    """A new setting has to be added to this test, too."""
    assert set(OTHER_VALUES) | PLACES == set(SETTINGS)


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_a_setting_is_in_the_start_record_and_in_the_printed_lines(started, name):
    """The record has the value, and what people see differs from what they see without the setting."""
    usual, usual_lines = started(**REQUIRED.get(name, {}))
    record, lines = started(**REQUIRED.get(name, {}), **{name: OTHER_VALUES[name]})

    assert record[name] == OTHER_VALUES[name]
    assert record[name] != usual[name]
    assert lines != usual_lines


def test_a_setting_without_words_of_its_own_is_printed_by_name():
    """Whoever adds a setting need not say how it is printed."""
    new = declaration.Setting(default=0.5, help="New.", panel="Training", name="new_rate", type=float)

    assert new.described(type("Some", (), {"new_rate": 0.25})) == "new rate 0.25"
    assert new.described(type("Some", (), {"new_rate": 0.5})) == ""


@pytest.mark.parametrize(
    ("option", "numbers"),
    [
        ("learning-rate", [f"{default_learning_rate('sigmoid', 'squared-error'):g}"]),
        ("threads", ["1", str(MANY_NEURONS)]),
        ("augment-strength", ["10"]),
        ("optimizer", ["0.9"]),
    ],
)
def test_numbers_in_help_are_those_that_the_code_uses(option, numbers):
    """A number that changes in the code changes in the help."""
    text = SETTINGS[option.replace("-", "_")].full_help

    assert set(numbers) <= set(re.findall(r"(?<![\w/])\d+(?:\.\d+)?", text))


def test_default_threads_leave_a_core_to_the_augmentation(monkeypatch):
    """A wide network takes all cores; with augmentation, one fewer."""
    monkeypatch.setattr("mnist_bp.training.threads.usable_cores", lambda: 4)

    wide = (MANY_NEURONS,)
    assert (default_threads(wide), default_threads(wide, "affine")) == (4, 3)
    assert (Settings(hidden=wide).threads, Settings(hidden=wide, augment="elastic").threads) == (4, 3)


@pytest.mark.parametrize(
    ("combination", "rate"),
    [
        (("sigmoid", "squared-error", "sgd"), 2.0),
        (("sigmoid", "squared-error", "momentum"), 0.2),
        (("relu", "cross-entropy", "nesterov"), 0.02),
        (("tanh", "cross-entropy", "adam"), 0.001),
    ],
)
def test_default_learning_rates(combination, rate):
    """Momentum's is a tenth of plain descent's, because its steps add up to ten times as much."""
    assert default_learning_rate(*combination) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_another_momentum_keeps_the_effective_step(optimizer):
    """The default learning rate divided by 1 − μ is constant; at 0.9, it is the table's to the bit."""
    usual = default_learning_rate("tanh", "squared-error", optimizer)

    for μ in (0.0, 0.5, 0.9, 0.99):
        rate = Settings(activation="tanh", optimizer=optimizer, momentum=μ).learning_rate
        assert rate / (1 - μ) == pytest.approx(usual / (1 - 0.9), rel=1e-12)
    assert Settings(activation="tanh", optimizer=optimizer, momentum=0.9).learning_rate == usual
    assert Settings(activation="tanh", optimizer=optimizer).momentum == 0.9


def test_what_is_filled_in_follows_the_other_settings():
    """The learning rate belongs to the optimizer; a replaced setting keeps what was filled in before."""
    assert Settings(optimizer="adam").learning_rate == 0.001
    assert replace(Settings(), seed=5).learning_rate == Settings().learning_rate
