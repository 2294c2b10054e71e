"""``--config``: what a file may say, what it may not, and who wins."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import typer

from mnist_bp.cli.config import Config
from mnist_bp.cli.declared import with_options
from mnist_bp.search.space import Space
from mnist_bp.training.settings import SETTINGS, Settings


@pytest.fixture
def start(cli, idx_folder):
    """Train an epoch on the few digits with a config of that content, and give the start record."""

    def run(content, *arguments):
        Path("c.toml").write_text(content, encoding="utf-8")
        done = cli("train", "--data-dir", idx_folder, "--json", "--config", "c.toml", *arguments)
        assert done.code == 0, done.err
        return done.records[0]

    return run


@pytest.mark.parametrize(
    ("content", "key", "value"),
    [
        ("hidden = '12,8'", "sizes", [784, 12, 8, 10]),
        ("hidden = [12, 8]", "sizes", [784, 12, 8, 10]),
        ("hidden = 30", "sizes", [784, 30, 10]),
        ("hidden = 'none'", "sizes", [784, 10]),
        ("batch-size = 50", "batch_size", 50),
        ("batch-size = '50'", "batch_size", 50),
        ("batch-size = 'all'", "batch_size", 500),
        ("learning-rate = 1", "learning_rate", 1.0),
        ("learning-rate = 0.25", "learning_rate", 0.25),
        ("epochs = 3", "epochs", 3),
        ("seed = 5", "seed", 5),
        ("limit = 50", "train_examples", 50),
        ("activation = 'relu'", "activation", "relu"),
        ("cost = 'cross-entropy'", "cost", "cross-entropy"),
        ("dataset = 'mnist'", "dataset", "mnist"),
        ("min-accuracy = 0", "event", "start"),
        ("", "epochs", 10),
    ],
)
def test_keys_are_the_long_names_of_options(start, content, key, value):
    """A value from the file is the option's, in each of the ways that TOML can write it."""
    assert start(content)[key] == value


def test_the_command_line_stands_above_the_file_and_the_file_above_the_defaults(start):
    """Option > config > default."""
    record = start("epochs = 3\nseed = 5", "--epochs", "1")
    assert (record["epochs"], record["seed"], record["batch_size"]) == (1, 5, 100)


def test_the_command_line_stands_above_a_value_that_is_out_of_range(start):
    """A value that is overridden is not checked."""
    assert start("epochs = 0", "--epochs", "1")["epochs"] == 1


def test_flags_and_paths_come_from_the_file_too(cli, idx_folder):
    """``json``, ``quiet``, ``output`` and ``data-dir`` are options like any other."""
    lines = (f"data-dir = '{idx_folder}'", "output = 'mine'", "json = true", "quiet = true", "epochs = 1")
    Path("c.toml").write_text("\n".join(lines), encoding="utf-8")
    done = cli("train", "--config", "c.toml")
    assert done.records[-1]["run"] == "mine"
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"epoch = 3", "there is no option 'epoch'; the nearest is 'epochs'"),
        (b"batch_size = 3", "there is no option 'batch_size'; the nearest is 'batch-size'"),
        (b"lr = 3", "there is no option 'lr'; the nearest is 'learning-rate'"),
        (b"config = 'c.toml'", "there is no option 'config'"),
        (b"return = 1", "there is no option 'return'"),
        (b"[train]\nepochs = 3", "there is no option 'train'"),
        (b"epochs = 2.5", "epochs = 2.5; expected a whole number"),
        (b"epochs = true", "epochs = true; expected a whole number"),
        (b"epochs = '3'", "epochs = '3'; expected a whole number"),
        (b"[epochs]\nx = 3", "epochs = {'x': 3}; expected a whole number"),
        (b"hidden = [16, 'x']", "hidden = [16, 'x']; expected a string, a whole number or a list of whole numbers"),
        (b"hidden = []", "'--hidden': expected neurons of each hidden layer, like 16,16, or none; got '[]'"),
        (b"batch-size = []", "'--batch-size': expected a whole number of examples of 1 or more, or all; got '[]'"),
        (b"hidden = [16.0]", "expected a string, a whole number or a list of whole numbers"),
        (b"batch-size = true", "batch-size = true; expected"),
        (b"learning-rate = '1'", "learning-rate = '1'; expected a number"),
        (b"learning-rate = 1" + 400 * b"0", "expected a number"),
        (b"json = 'yes'", "json = 'yes'; expected true or false"),
        (b"json = 1", "json = 1; expected true or false"),
        (b"output = 3", "output = 3; expected a path (a string)"),
        (b"dataset = 'nope'", "dataset = 'nope'; expected one of mnist, fashion-mnist, kmnist, emnist-digits"),
        (b"dataset = 1", "dataset = 1; expected one of"),
        (b"activation = ['relu']", "expected one of sigmoid, tanh, relu, leaky-relu"),
        (b"epochs = 0", "'--epochs'"),
        (b"seed = -1", "'--seed'"),
        (b"limit = 0", "'--limit'"),
        (b"hidden = '16,,16'", "'--hidden': expected neurons of each hidden layer"),
        (b"batch-size = 0", "'--batch-size': expected a whole number"),
        (b"learning-rate = nan", "'--learning-rate': expected a number above 0; got nan"),
        (b"min-accuracy = 94", "0.94, not 94"),
        (b"no TOML", "is not a TOML file"),
        (b"epochs = 1\nepochs = 2", "is not a TOML file"),
        (b"\xff\xfe\x00", "is not a TOML file"),
    ],
)
def test_a_bad_config_is_one_line_that_names_it_and_2(cli, content, said):
    """The file, what it says, and what was expected; nothing on standard output."""
    Path("c.toml").write_bytes(content)
    done = cli("train", "--config", "c.toml")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("mnist-bp: c.toml")
    assert said in line


def test_a_byte_order_mark_is_no_mistake(start):
    """Windows' Notepad may write one at the start of the file."""
    assert start("\ufeffepochs = 3")["epochs"] == 3


def test_an_option_that_is_out_of_range_is_not_blamed_on_the_config(cli):
    """The message names the config only for the values that come from it."""
    Path("c.toml").write_text("seed = 1", encoding="utf-8")
    done = cli("train", "--config", "c.toml", "--learning-rate", "0")
    assert done.code == 2
    assert "c.toml" not in done.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.toml", "cannot read the config missing.toml: "),
        (".", ". is not a run folder: it has no config.toml"),
    ],
)
def test_a_config_that_cannot_be_read_is_one_line_and_2(cli, name, said):
    """A missing file, a folder that holds no run."""
    done = cli("train", "--config", name)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"mnist-bp: {said}")


def parsed(group, *arguments):
    """Return the settings of a command with the options of ``train``, or of ``search``."""
    found = []

    def command(context, *, settings, config=None):
        found.append(settings)

    command.__annotations__ = {"context": typer.Context, "settings": group, "config": Config, "return": None}
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(with_options(command))
    app([*map(str, arguments)], standalone_mode=False)
    return found[0] if group is Settings else found[0].settings


CHANGES = [
    *((each.name, pair) for each in SETTINGS.values() if each.choices for pair in permutations(each.choices, 2)),
    ("hidden", ("16,16", "none")),
]


@pytest.mark.parametrize("group", [Settings, Space])
@pytest.mark.parametrize(("name", "pair"), CHANGES, ids=str)
def test_an_option_may_change_what_a_complete_config_says(name, pair, group):
    """An option is not refused because of a recorded value that was only the default of another one."""
    before, after = pair
    setting = SETTINGS[name]
    given: dict[str, Any] = {name: setting.parse(before) if setting.parse else before}
    Path("config.toml").write_text(tomli_w.dumps(Settings(**given).options()), encoding="utf-8")
    changed = parsed(group, "--config", "config.toml", f"--{setting.key}", after)
    assert str(setting.format(getattr(changed, name))) == after
    if name in {"optimizer", "activation", "cost"}:
        assert changed.learning_rate == Settings(**{name: after}).learning_rate
    for each in SETTINGS.values():
        if each.only_if and not each.only_if.holds(getattr(changed, each.only_if.setting)):
            assert getattr(changed, each.name) == each.default


@pytest.mark.parametrize(
    ("recorded", "option", "expected"),
    [
        ({"learning_rate": 0.5}, ("--optimizer", "adam"), {"learning_rate": 0.5}),
        ({"optimizer": "momentum", "momentum": 0.5}, ("--optimizer", "nesterov"), {"momentum": 0.5}),
        ({"optimizer": "momentum", "momentum": 0.5}, ("--cost", "cross-entropy"), {"momentum": 0.5}),
        ({"early_stop": 3, "validation": 9, "keep": "last"}, ("--early-stop", "5"), {"keep": "last"}),
        ({"threads": 7}, ("--hidden", "800"), {"threads": 7}),
    ],
)
def test_a_value_that_was_chosen_in_a_run_stays(recorded, option, expected):
    """Another option does not replace it by a default."""
    Path("config.toml").write_text(tomli_w.dumps(Settings(**recorded).options()), encoding="utf-8")
    changed = parsed(Settings, "--config", "config.toml", *option)
    assert {name: getattr(changed, name) for name in expected} == expected


@pytest.mark.parametrize(
    "arguments",
    [("--optimizer", "sgd", "--momentum", "0.9"), ("--optimizer", "adam"), ()],
    ids=["given", "other", "file"],
)
def test_a_momentum_that_was_chosen_is_refused_without_its_optimizer(cli, arguments):
    """On the command line, in a config with another value than the default, and in one that contradicts itself."""
    momentum = 0.9 if "--momentum" in arguments or not arguments else 0.8
    optimizer = "momentum" if arguments else "sgd"
    Path("c.toml").write_text(f"optimizer = '{optimizer}'\nmomentum = {momentum}", encoding="utf-8")
    done = cli("train", "--dataset", "synthetic", "--config", "c.toml", *arguments)
    assert (done.code, "--momentum requires --optimizer" in done.err) == (2, True)
