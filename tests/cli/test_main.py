"""The command itself: help, errors, exit codes, and how little it takes to start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_bp
from mnist_bp.errors import AnswerIsNo, DataUnavailable, InputError, StorageError
from mnist_bp.reports.console import Console

COMMANDS = ["train", "evaluate", "predict", "page", "gradcheck", "explain", "download"]


def python(*arguments, **env):
    """Run Python with this package on its path."""
    env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1]), **env}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=False, timeout=20)


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


def test_help_is_complete_without_docstrings(cli):
    """``python -OO`` drops them; the same text is shown."""
    program = """
import contextlib
from mnist_bp.cli.main import main
for command in %s:
    with contextlib.suppress(SystemExit):
        main([command, "--help"])
"""
    done = python("-OO", "-c", program % COMMANDS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(cli(command, "--help").out for command in COMMANDS)


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
    """Data, network, training, output."""
    out = cli("train", "--help").out
    assert all(f" {panel} " in out for panel in ("Data", "Network", "Training", "Output"))


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
        (["train", "--epochs"], "Option '--epochs' requires an argument."),
        (["evaluate", "a", "b"], "Got unexpected extra argument(s) (b). See mnist-bp evaluate --help"),
        (["download", "cifar"], "'fashion-mnist'"),
        (["train", "\x1b[31m"], r"(\x1b[31m)"),
    ],
)
def test_bad_usage_is_one_line_and_2(cli, arguments, said):
    """What is wrong, and where help is."""
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("mnist-bp: ")
    assert said in line


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
@pytest.mark.parametrize(("closed", "code"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)])
def test_a_closed_stream_is_no_error(idx_folder, closed, code):
    """A command that has nowhere to write to does its work all the same."""
    command = f'"{sys.executable}" -m mnist_bp train --data-dir few --epochs 1 --output run {closed}'
    env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])}
    Path("few").symlink_to(idx_folder)
    done = subprocess.run(command, shell=True, env=env, capture_output=True, check=False, timeout=20)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert Path("run/model.npz").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's disk that is always full")
def test_a_full_disk_is_3():
    """Standard output that takes nothing: one line, no traceback."""
    with Path("/dev/full").open("w") as full:
        env = {**os.environ, "PYTHONPATH": str(Path(mnist_bp.__file__).parents[1])}
        command = [sys.executable, "-m", "mnist_bp", "--version"]
        done = subprocess.run(command, env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=20)
    assert done.returncode == 3
    assert done.stderr == "mnist-bp: cannot read or write its input or output: No space left on device\n"


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        *[(command, {"pydantic", "secrets"}) for command in ("--help", "train -h", "--version", "--show-completion")],
        *[(command, set()) for command in ("tran", "train --epochs 0", "train --hidden x")],
    ],
)
def test_help_and_bad_options_need_no_numpy(command, unneeded):
    """Nothing heavy is imported until there is something to convert, to compute or to fetch."""
    heavy = {"numpy", "requests", "tomli_w", "rich.progress", "mnist_bp.cli.gradcheck", *unneeded}
    code = (
        "import sys; from mnist_bp.cli.main import main\n"
        f"try: main({command.split()!r})\n"
        f"finally: sys.stderr.write(repr(sorted({heavy!r} & set(sys.modules))))"
    )
    assert python("-c", code).stderr.splitlines()[-1] == "[]"


def test_commands_work_without_asserts(idx_folder):
    """``python -O`` checks input all the same."""
    done = python("-O", "-m", "mnist_bp", "train", "--data-dir", str(idx_folder), "--hidden", "16,,16")
    assert done.returncode == 2
    Path("model.npz").write_text("text", encoding="utf-8")
    assert python("-O", "-m", "mnist_bp", "evaluate", "model.npz").returncode == 2


def test_records_hold_no_nan(capsys):
    """A number that JSON does not have is a bug to be found, not a line that other programs choke on."""
    with pytest.raises(ValueError, match="JSON compliant"):
        Console(json=True).emit_json({"cost": float("nan")})
