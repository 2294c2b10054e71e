"""The command itself: help, errors, exit codes, and how little it takes to start."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_bp
from mnist_bp.cli.suggest import USUAL_NAMES
from mnist_bp.errors import AnswerIsNo, DataUnavailable, InputError, StorageError
from mnist_bp.reports.console import Console
from mnist_bp.training.settings import SETTINGS

PATIENCE = 120
"""Seconds until a process that should end, and does not, fails a test."""

COMMANDS = ["train", "search", "evaluate", "predict", "page", "gradcheck", "explain", "download", "info"]


def python(*arguments, **env):
    """Run Python with this package on its path."""
    env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1]), **env}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, encoding="utf-8", check=False, timeout=PATIENCE
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(cli, option):
    """Exit 0, on standard output."""
    done = cli(option)
    assert (done.code, done.err) == (0, "")
    assert all(f" {command} " in done.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_an_example(cli, command):
    """Each shows a line that works when pasted, and no control character in a pipe."""
    done = cli(command, "--help")
    assert done.code == 0
    assert f"Example: mnist-bp {command}" in done.out
    assert "\x1b" not in done.out
    assert cli(command, "-h") == done


def test_help_is_complete_and_input_checked_without_docstrings_and_asserts(cli, idx_folder):
    """``python -OO`` drops them; the same text is shown, and bad input is refused all the same."""
    commands = [[command, "--help"] for command in COMMANDS]
    bad = [["train", "--data-dir", str(idx_folder), "--hidden", "16,,16"], ["evaluate", "model.npz"]]
    program = f"""
from mnist_bp.cli.main import main
for command in {[*commands, *bad]!r}:
    try:
        main(command)
    except SystemExit as end:
        print("exit", end.code)
"""
    Path("model.npz").write_text("text", encoding="utf-8")
    done = python("-OO", "-c", program)
    assert done.returncode == 0
    assert done.stdout == "".join(f"{cli(*command).out}exit 0\n" for command in commands) + "exit 2\n" * 2
    assert done.stderr.count("mnist-bp: ") == done.stderr.count("\n") == 2


def test_help_begins_its_commands_as_the_user_did(cli, monkeypatch):
    """The usage, the example, and where an error points to."""
    monkeypatch.setattr(sys, "argv", ["scripts/mnist-bp"])
    out = cli("train", "--help").out
    assert "Usage: scripts/mnist-bp train [OPTIONS]" in out
    assert "Example: scripts/mnist-bp train" in out
    assert "See scripts/mnist-bp train --help" in cli("train", "--epochs", "none").err


def test_python_files_of_the_working_folder_are_not_run():
    """Also with ``python -m``, where Python itself looks into it first: a numpy.py may be anything."""
    for name in ("numpy", "random", "typer"):
        Path(f"{name}.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    done = python("-m", "mnist_bp", "evaluate", "nowhere.npz")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.npz is not a model" in done.stderr


def test_help_of_train_groups_its_options(cli):
    """The options that few users need stand at the end."""
    titles = re.findall(r"─ ([A-Z]\w+) ─", cli("train", "--help").out)
    assert titles == ["Data", "Network", "Training", "Output", "Advanced"]


@pytest.fixture
def options_of(cli, monkeypatch):
    """Return the lines of each option in the help of a command on 100 columns, by name of the option."""

    def read(command):
        monkeypatch.setenv("COLUMNS", "100")
        lines = cli(command, "--help").out.splitlines()
        assert max(map(len, lines)) <= 100
        found, name = {}, None
        for line in lines:
            if start := re.match(r"│ (--[\w-]+|[A-Z|…]+)", line):
                found[name := start[1]] = []
            if line.startswith("│"):
                found[name].append(line.strip("│ "))
        return lines, found

    return read


@pytest.mark.parametrize("command", ["train", "search"])
def test_help_of_many_options_fits_100_lines(options_of, command):
    """At 100 columns."""
    lines, _ = options_of(command)
    assert len(lines) <= 100


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_an_option_takes_at_most_three_lines(options_of, command):
    """At 100 columns; the list of datasets takes two more."""
    _, options = options_of(command)
    assert {name: text for name, text in options.items() if len(text) > 3 + 2 * (name == "--dataset")} == {}


def test_help_names_every_value_of_a_choice_unbroken(options_of):
    """As a word of its own; flags take no value."""
    _, options = options_of("train")
    words = {name: re.split(r"[\s;:().]+", " ".join(text)) for name, text in options.items()}
    for setting in SETTINGS.values():
        assert set(setting.choices or ()) <= {*words[f"--{setting.key}"]}
    assert options["--quiet"] == ["--quiet                     Print only the final result."]


def test_help_has_the_defaults_of_the_declarations(options_of):
    """Each default that is a value."""
    _, options = options_of("train")
    for setting in SETTINGS.values():
        if setting.default is not None and setting.default is not False:  # flags are off
            default = setting.format(setting.default)
            text = f"{default:g}" if isinstance(default, float) else f"{default}"
            assert " ".join(options[f"--{setting.key}"]).endswith(f"Default: {text}.")


def test_examples_of_the_help_work_when_pasted(cli, few_synthetic_digits):
    """One after the other, without MNIST."""
    few_synthetic_digits(100, 50)
    for command in COMMANDS:
        example = re.search(r"^Example: mnist-bp (.+)$", cli(command, "--help").out, re.MULTILINE)[1]
        is_installed = command != "search" or importlib.util.find_spec("optuna") is not None
        if command != "download" and is_installed:  # which needs the network
            assert cli(*shlex.split(example)).code == 0, example


def test_help_is_plain_on_ci():
    """Also where Typer would colour it: GITHUB_ACTIONS, FORCE_COLOR."""
    done = python("-m", "mnist_bp", "train", "--help", GITHUB_ACTIONS="true", CI="true", FORCE_COLOR="1")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_version(cli):
    """The name and the version, nothing else."""
    assert cli("--version") == (0, f"mnist-bp {mnist_bp.__version__}\n", "")


def test_without_a_command_help_is_shown(cli):
    """And the exit code says that something was missing."""
    done = cli()
    assert (done.code, done.err) == (2, "")
    assert "Usage: mnist-bp" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tran"], "No such command 'tran'. Did you mean 'train'? See mnist-bp --help"),
        (["--bogus"], "No such option: --bogus. See mnist-bp --help"),
        (["train", "--epocs", "3"], "No such option: --epocs. Did you mean --epochs? See mnist-bp train --help"),
        (["train", "--batch_size", "3"], "Did you mean --batch-size?"),
        (["train", "--lr", "3"], "Did you mean --learning-rate?"),
        (["train", "--weight-decay", "3"], "Did you mean --l2?"),
        (["train", "--device", "cuda"], "No such option: --device. The only device is the CPU. See"),
        (["evaluate", "--lr", "3"], "No such option: --lr. See mnist-bp evaluate --help"),
        (["train", "--epochs", "x"], "'--epochs': expected a whole number, 1 to 1,000,000; got 'x'. See"),
        (["train", "--learning-rate", "x"], "'--learning-rate': expected a number above 0; got 'x'. See"),
        (["gradcheck", "--examples", "0"], "'--examples': expected a whole number, 1 to 10,000; got 0. See"),
        (["train", "--epochs"], "Option '--epochs' requires an argument."),
        (["explain", "a", "b"], "explain takes one RUN or MODEL, and several were given; for a committee: mnist-bp"),
        (["download", "mnist", "b"], "Got unexpected extra argument(s) (b). See mnist-bp download --help"),
        (["download", "cifar"], "'fashion-mnist'"),
        (["train", "\x1b[31m"], r"(\x1b[31m)"),
    ],
)
def test_bad_usage_is_one_line_and_2(cli, arguments, said):
    """The line says what is wrong and how to get help."""
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("mnist-bp: ")
    assert said in line


@pytest.mark.parametrize(("name", "meant"), USUAL_NAMES.items())
def test_usual_names_stand_for_options_of_train(options_of, name, meant):
    """No entry of the table names an option that is gone, or one that needs no entry."""
    _, options = options_of("train")
    assert f"--{meant.split()[0]}" in options
    assert f"--{name}" not in options


@pytest.mark.parametrize("name", ["workers", "num-workers", "n-jobs"])
@pytest.mark.parametrize(("command", "option"), [("train", "threads"), ("search", "jobs")])
def test_workers_are_processes_where_a_command_has_them(cli, command, option, name):
    """``train`` has threads only."""
    assert f"No such option: --{name}. Did you mean --{option}?" in cli(command, f"--{name}", 2).err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (AnswerIsNo("too low"), 1, "too low"),
        (InputError("bad file"), 2, "bad file"),
        (InputError("two\nlines"), 2, r"two\nlines"),
        (DataUnavailable("no network"), 3, "no network"),
        (StorageError("disk full"), 3, "disk full"),
        (
            OSError(28, "No space left on device"),
            3,
            "cannot read or write its input or output: No space left on device",
        ),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_error_is_one_line_and_its_exit_code(cli, monkeypatch, error, code, said):
    """Whatever a command raises."""

    def fail(*_):
        raise error

    monkeypatch.setattr("mnist_bp.training.run_paths.find_model", fail)
    assert cli("evaluate") == (code, "", f"mnist-bp: {said}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell's way to close a stream")
def test_closed_streams_are_no_error(idx_folder):
    """A command that has nowhere to write to does its work all the same."""
    options = "--data-dir few --hidden 4 --epochs 1 --output run"
    env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])}
    Path("few").symlink_to(idx_folder)
    command = f'"{sys.executable}" -m mnist_bp train {options} >&- 2>&-'
    assert subprocess.run(command, shell=True, env=env, check=False, timeout=PATIENCE).returncode == 0
    assert Path("run/model.npz").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's disk that is always full")
def test_a_full_disk_is_3():
    """Standard output that takes nothing: one line, no traceback."""
    with Path("/dev/full").open("w") as full:
        env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])}
        command = [sys.executable, "-m", "mnist_bp", "--version"]
        done = subprocess.run(
            command, env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE
        )
    assert done.returncode == 3
    assert done.stderr == "mnist-bp: cannot read or write its input or output: No space left on device\n"


def test_help_and_bad_options_need_no_numpy():
    """Nothing heavy is imported until there is something to convert, to compute or to fetch."""
    heavy = {"numpy", "requests", "tomli_w", "rich.progress", "mnist_bp.cli.gradcheck", "optuna"}
    program = """
import sys
from mnist_bp.cli.main import main
for command in sys.argv[2:]:
    try:
        main(command.split())
    except SystemExit:
        print("loaded", command, *sorted({*sys.argv[1].split()} & {*sys.modules}), sep=",", file=sys.stderr)
"""
    good = ["--help", "train -h", "search -h", "--version", "--show-completion"]
    bad = ["tran", "train --epochs 0", "train --hidden x", "search --l2 2:1"]
    for commands, unneeded in ((good, heavy | {"pydantic", "secrets"}), (bad, heavy)):
        done = python("-c", program, " ".join(unneeded), *commands)
        loaded = [line for line in done.stderr.splitlines() if line.startswith("loaded")]
        assert loaded == [f"loaded,{command}" for command in commands]


def test_records_hold_no_nan(capsys):
    """A number that JSON does not have is a bug to be found, not a line that other programs choke on."""
    with pytest.raises(ValueError, match="JSON compliant"):
        Console(json=True).emit_json({"cost": float("nan")})
