"""Paths in options, variables and configs: ``~`` is expanded in all of them, and an empty one is an error."""

import inspect
import typing
from pathlib import Path

import pytest
import typer

from mnist_bp.cli.config import NOT_IN_A_FILE
from mnist_bp.cli.declared import with_options
from mnist_bp.cli.main import COMMANDS, _app, load_command
from mnist_bp.data.datasets import data_root
from mnist_bp.storage.metadata import Metadata
from mnist_bp.training.saved_model import TrainedModel

APP = typer.main.get_command(_app())


def takes_paths(annotation):
    """Return True if a parameter with this annotation is a path or a list of paths."""
    return annotation is Path or any(map(takes_paths, typing.get_args(annotation)))


PATHS = [
    (command, name)
    for command in COMMANDS
    for name, parameter in inspect.signature(with_options(load_command(command))).parameters.items()
    if takes_paths(parameter.annotation)
]
KEYS = [(command, name) for command, name in PATHS if command == "train" and name not in NOT_IN_A_FILE]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's home folder; in it ``x``, which is a run of which nothing but an empty config is left."""
    folder = tmp_path / "home"
    (folder / "x").mkdir(parents=True)
    (folder / "x" / "config.toml").touch()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(folder))
    return folder


def parsed(command, name, text):
    """Return the value that the command's function gets for this text of a parameter."""
    subcommand = APP.get_command(None, command)
    parameter = next(each for each in subcommand.params if each.name == name)
    words = [text] if parameter.param_type_name == "argument" else [f"{parameter.opts[0]}={text}"]
    value = subcommand.make_context(command, words, resilient_parsing=True).params[name]
    return value[0] if isinstance(value, list | tuple) else value


def test_the_parameters_that_are_paths_are_found():
    """Options, arguments and lists of them."""
    assert {("train", "config"), ("predict", "images"), ("download", "given"), ("page", "model")} <= set(PATHS)
    assert {("train", "data_dir"), ("train", "class_names"), ("train", "output")} == set(KEYS)


@pytest.mark.parametrize(("command", "name"), PATHS)
def test_a_tilde_is_expanded_in_every_path_of_every_command(home, command, name):
    """As the shell does, which does not see it in --output=~/run, in quotes, or on Windows."""
    inside = "x/config.toml" if name == "config" else "x"
    assert parsed(command, name, f"~/{inside}") == home / inside


@pytest.mark.parametrize(("command", "name"), PATHS)
def test_a_path_that_is_none_is_exit_2_in_every_command(cli, command, name):
    """Empty, as in --output "$UNSET", it would be the current folder."""
    subcommand = APP.get_command(None, command)
    parameter = next(each for each in subcommand.params if each.name == name)
    is_argument = parameter.param_type_name == "argument"
    arguments = {"model": "MODEL", "models": "RUN|MODEL", "targets": "RUN|FOLDER"}
    whose = arguments.get(name, "IMAGE") if is_argument else parameter.opts[0]
    for text, reason in (("", "expected a path; got an empty string"), ("~nobody-of-that-name/x", "cannot expand ~")):
        done = cli(command, *([text] if is_argument else [f"{parameter.opts[0]}={text}"]))
        assert (done.code, done.out) == (2, "")
        (line,) = done.err.splitlines()
        assert reason in line
        assert whose in line
        assert list(Path().iterdir()) == []


@pytest.mark.parametrize(("command", "name"), KEYS)
def test_a_tilde_is_expanded_in_every_path_of_a_config(home, command, name):
    """A key is an option."""
    Path("c.toml").write_text(f"{name.replace('_', '-')} = '~/x'", encoding="utf-8")
    subcommand = APP.get_command(None, command)
    assert subcommand.make_context(command, ["--config=c.toml"]).params[name] == home / "x"


@pytest.mark.parametrize(("command", "name"), KEYS)
@pytest.mark.parametrize("text", ["", "-", "a\\u0000b"])
def test_a_path_of_a_config_that_is_none_is_exit_2(cli, command, name, text):
    """One line names the file and the key; nothing is written into the current folder."""
    key = name.replace("_", "-")
    Path("c.toml").write_text(f'{key} = "{text}"', encoding="utf-8")
    done = cli(command, "--config", "c.toml")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"mnist-bp: c.toml: Invalid value for '--{key}': ")
    assert list(map(str, Path().iterdir())) == ["c.toml"]


def test_a_tilde_is_expanded_in_the_folder_of_the_environment(home, monkeypatch):
    """MNIST_BP_DATA in quotes, or in a file that no shell reads."""
    monkeypatch.setenv("MNIST_BP_DATA", "~/x")
    assert data_root(None) == home / "x"


def test_a_folder_of_the_environment_that_is_no_path_is_exit_2(cli, monkeypatch):
    """The line names the variable."""
    monkeypatch.setenv("MNIST_BP_DATA", "~nobody-of-that-name/x")
    done = cli("download", "--list")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mnist-bp: MNIST_BP_DATA: cannot expand ~ in ~nobody-of-that-name/x: ")


@pytest.mark.parametrize("folder", ["", "a\0b", "\ud800", 3, ["x"]])
def test_a_model_whose_data_folder_is_no_path_is_refused(folder):
    """Its metadata may hold anything."""
    with pytest.raises(ValueError, match="does not record its dataset"):
        _ = TrainedModel(None, Path("model.npz"), Metadata(config={"data-dir": folder})).origin


def test_a_tilde_is_expanded_in_the_data_folder_of_a_model(home):
    """Its metadata hold a config."""
    assert TrainedModel(None, Path("model.npz"), Metadata(config={"data-dir": "~/x"})).origin.data_dir == home / "x"


@pytest.mark.parametrize("value", ["", None])
def test_without_a_home_a_tilde_is_exit_2(cli, monkeypatch, value):
    """HOME is empty, or not set for a user whom the system does not know."""
    if value is None:
        monkeypatch.setattr("os.path.expanduser", lambda path: path)
    else:
        monkeypatch.setenv("HOME", value)
    done = cli("train", "--output=~/run")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert "'--output': cannot expand ~ in ~/run: the home folder is unknown" in line


def test_a_file_whose_name_begins_with_a_tilde_is_written_with_its_folder(cli, idx_folder):
    """./~run is no home folder, neither for the program nor in the command that it prints."""
    done = cli("train", "--data-dir", idx_folder, "--limit", 50, "--epochs", 1, "--output", "./~run")
    assert done.out.splitlines()[-1] == "or:   mnist-bp evaluate './~run'"
    assert Path("./~run", "model.npz").is_file()


@pytest.mark.parametrize(
    "words", [["page", "--output", "-"], ["train", "--output", "-"], ["evaluate", "-"], ["train", "--config", "-"]]
)
def test_standard_input_and_output_are_refused_where_they_are_not_supported(cli, words):
    """A page is a file: no file or folder called - appears."""
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert "standard input and output (-) are not supported here; a file named - is ./-" in line
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("url", ["", "mirror.example", "ftp://mirror.example/", "~/mirror"])
def test_a_mirror_that_is_no_url_is_exit_2(cli, url):
    """An empty one would be as good as none, and the others would be tried in vain."""
    done = cli("download", f"--mirror={url}")
    assert (done.code, done.out) == (2, "")
    assert f"--mirror: expected a URL that begins with https:// or http://; got {url!r}" in done.err
