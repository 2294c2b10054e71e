"""The search space: texts of values, what is sampled from them, and what cannot be a value."""

import pytest

from mnist_bp.errors import InputError
from mnist_bp.search.space import SEARCHED, Space, default_validation, parse_values, varies
from mnist_bp.training.settings import SETTINGS


class Draw:
    """A trial that records what is asked for, and answers with the largest value or the last choice."""

    def __init__(self):
        self.asked = {}

    def suggest_float(self, name, low, high, *, log):
        """Record a range of numbers."""
        self.asked[name] = (low, high, log)
        return high

    suggest_int = suggest_float

    def suggest_categorical(self, name, choices):
        """Record choices."""
        self.asked[name] = choices
        return choices[-1]


def values(**texts):
    """Return the values of settings by name."""
    return {name: parse_values(SETTINGS[name])(text) for name, text in texts.items()}


def sampled(**texts):
    """Return the settings of a trial, and what was asked for."""
    draw = Draw()
    return Space(**values(**texts)).sample(draw), draw.asked


@pytest.mark.parametrize(
    ("texts", "asked"),
    [
        ({"learning_rate": "0.1:5"}, {"learning-rate": (0.1, 5.0, True)}),
        ({"l2": "1e-6:0.01"}, {"l2": (1e-6, 0.01, True)}),
        ({"dropout": "0:0.5"}, {"dropout": (0.0, 0.5, False)}),
        ({"epochs": "2:4"}, {"epochs": (2, 4, False)}),
        ({"hidden": "10:300"}, {"hidden": (10, 300, True)}),
        ({"batch_size": "10:1000"}, {"batch-size": (10, 1000, True)}),
        ({"hidden": "16,16|30|none"}, {"hidden": ("16,16", "30", "none")}),
        ({"optimizer": "sgd|adam"}, {"optimizer": ("sgd", "adam")}),
        ({"learning_rate": "0.5", "hidden": "8", "epochs": 3}, {}),
    ],
)
def test_values_are_sampled_as_the_declaration_says(texts, asked):
    """Numbers that differ by factors on a log scale, whole numbers as whole numbers, choices by their texts."""
    assert sampled(**texts)[1] == asked


def test_sampled_values_have_the_types_of_the_settings():
    """As if they were options of train."""
    settings, _ = sampled(hidden="10:300", batch_size="50|all", epochs="2:4", optimizer="sgd|adam", l2=0.001)
    assert (settings.hidden, settings.batch_size, settings.epochs) == ((300,), None, 4)
    assert (settings.optimizer, settings.l2) == ("adam", 0.001)


def test_every_setting_can_vary_except_those_that_define_the_comparison():
    """Data, validation set, seed and threads are the same in all trials."""
    fixed = {name for name, each in SETTINGS.items() if not varies(each)}
    assert fixed == {
        "data_dir", "dataset", "test_split", "invert", "transpose", "classes", "class_names", "limit", "validation",
        "seed", "threads",
    }  # fmt: skip
    assert {*SEARCHED} == {*SETTINGS}


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("learning_rate", "5:0.1", "LOW below HIGH"),
        ("learning_rate", "1:inf", "expected a number above 0"),
        ("learning_rate", "0.1:x", "expected a number above 0 (or LOW:HIGH, or A|B|C); got 'x'"),
        ("learning_rate", "0.1:1:2", "expected one value"),
        ("learning_rate", "0.1||1", "got ''"),
        ("learning_rate", "0.5|0.50", "different values"),
        ("l2", "0:0.1", "scale is logarithmic"),
        ("epochs", "1.5:3", "expected a whole number"),
        ("epochs", 2.5, "expected a whole number"),
        ("optimizer", "sgd|sdg", "expected one of sgd, momentum"),
        ("optimizer", "sgd:adam", "requires numbers"),
        ("hidden", "16,16|x", "got 'x' (several values: LOW:HIGH, or A|B|C)"),
        ("hidden", "16,16:32,32", "expected a whole number"),
    ],
)
def test_a_text_that_is_no_value_is_refused_with_the_form(name, text, error):
    """In one line."""
    with pytest.raises(InputError) as raised:
        parse_values(SETTINGS[name])(text)
    assert error in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_setting_without_effect_in_a_trial_is_not_sampled():
    """Momentum with sgd, dropout without hidden neurons, the strength of no augmentation."""
    for name, text, decisive, with_effect, without in (
        ("momentum", "0.5:0.95", "optimizer", "sgd|momentum", "momentum|sgd"),
        ("dropout", "0:0.5", "hidden", "none|8", "8|none"),
        ("augment_strength", "1:2", "augment", "none|shift", "shift|none"),
    ):
        assert SETTINGS[name].key in sampled(**{decisive: with_effect, name: text})[1]
        settings, asked = sampled(**{decisive: without, name: text})
        assert SETTINGS[name].key not in asked
        assert getattr(settings, name) == SETTINGS[name].default


@pytest.mark.parametrize(
    "texts",
    [
        {"momentum": "0.5:0.9"},
        {"momentum": "0.9", "optimizer": "sgd|adam", "l2": "1e-5:1e-2"},
        {"dropout": "0:0.5", "hidden": "none"},
        {"augment_strength": "1:2"},
    ],
)
def test_settings_without_effect_in_every_trial_are_refused(texts):
    """With the error of train."""
    with pytest.raises(InputError, match="requires"):
        Space(**values(**texts))


def test_a_fixed_value_that_contradicts_a_trial_is_an_error_of_that_trial():
    """The space itself is possible."""
    space = Space(**values(momentum="0.9", optimizer="momentum|sgd"))
    with pytest.raises(InputError, match="momentum"):
        space.sample(Draw())


def test_a_space_is_restored_from_its_record():
    """All values and shared settings."""
    space = Space(**values(learning_rate="0.1:5", hidden="16,16|none", epochs="3"), seed=4, limit=100, dataset="mnist")
    again = Space.from_record(space.record())
    assert (again.values, again.settings, again.record()) == (space.values, space.settings, space.record())
    assert again.settings.seed == 4


def test_a_record_of_a_later_version_is_refused():
    """With the unknown setting."""
    with pytest.raises(InputError, match="'warp'"):
        Space.from_record({"warp": "9"})


@pytest.mark.parametrize(("examples", "held_out"), [(60_000, 10_000), (112_800, 10_000), (600, 100), (3, 1)])
def test_the_validation_set_is_a_sixth_or_10000(examples, held_out):
    """As for MNIST."""
    assert default_validation(examples) == held_out
