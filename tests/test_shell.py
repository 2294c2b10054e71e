"""Commands that are to be pasted."""

import ast
import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import mnist_bp
from mnist_bp import shell
from mnist_bp.cli.main import COMMANDS
from mnist_bp.shell import command_line, install_command, program, program_command


def test_words_come_out_of_a_posix_shell_as_they_went_in(monkeypatch):
    """Blanks, quotes and what else a shell would look at."""
    monkeypatch.setattr(shell, "os", SimpleNamespace(name="posix"))
    words = ["mnist-bp", "evaluate", "it's $HOME & more"]
    assert shlex.split(command_line(*words)) == words


def test_a_path_is_not_taken_for_an_option():
    """Wherever it begins with a hyphen; an option stays one."""
    assert command_line("evaluate", "--json", Path("-run"), Path("run-2")) == "evaluate --json ./-run run-2"


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("C:\\runs\\a-1.2", "C:\\runs\\a-1.2"), ("C:\\R&D", '"C:\\R&D"'), ("16,16", '"16,16"'), ("my run", '"my run"')],
)
def test_on_windows_what_a_shell_would_look_at_is_quoted(monkeypatch, word, quoted):
    """& in cmd, commas in PowerShell, blanks in both."""
    monkeypatch.setattr(shell, "os", SimpleNamespace(name="nt"))
    assert command_line("mnist-bp", word) == f"mnist-bp {quoted}"


@pytest.mark.parametrize(
    ("typed", "argv", "printed"),
    [
        (["python3", "scripts/mnist-bp"], "scripts/mnist-bp", "scripts/mnist-bp"),
        (["python3", "./mnist-bp"], "./mnist-bp", "./mnist-bp"),
        (["python3", "mnist-bp"], "mnist-bp", "./mnist-bp"),
        (["python3", "my clone/scripts/mnist-bp"], "my clone/scripts/mnist-bp", "'my clone/scripts/mnist-bp'"),
        (["python3", "-m", "mnist_bp"], "/site/mnist_bp/__main__.py", "python3 -m mnist_bp"),
        (["/opt/python", "-P", "-m", "mnist_bp"], "/site/mnist_bp/__main__.py", "/opt/python -P -m mnist_bp"),
        (["python3", "-m", "pytest"], "/site/pytest/__main__.py", "mnist-bp"),
    ],
)
def test_a_command_is_printed_as_the_program_was_started(monkeypatch, typed, argv, printed):
    """Pasted, it works; ``mnist-bp`` alone would be "command not found"."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [argv, "train", "--quiet"])
    monkeypatch.setattr(sys, "orig_argv", [*typed, "train", "--quiet"])
    assert program() == printed
    assert program_command("evaluate", Path("-run")) == f"{printed} evaluate ./-run"


@pytest.mark.skipif(sys.platform == "win32", reason="there, what is on the PATH ends in .exe")
def test_a_program_on_the_path_is_printed_by_its_name(monkeypatch, tmp_path):
    """The shell hands over its whole path; another one of that name is printed by its path."""
    installed, other = tmp_path / "bin/mnist-bp", tmp_path / "other/mnist-bp"
    for path in (installed, other):
        path.parent.mkdir()
        path.touch(0o755)
    monkeypatch.setenv("PATH", str(installed.parent))
    monkeypatch.setattr(sys, "argv", [str(installed)])
    assert program() == "mnist-bp"
    monkeypatch.setattr(sys, "argv", [str(other)])
    assert program() == str(other)


def test_on_windows_a_script_is_started_with_py(monkeypatch, tmp_path):
    """Windows has no #! lines; the name that pip's .exe files go by needs nothing before it."""
    script = tmp_path / "mnist-bp"
    script.touch()
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(shell, "os", SimpleNamespace(name="nt", path=shell.os.path))
    assert program() == f"py {script}"
    script.unlink()
    assert program() == str(script)


def test_an_extra_is_installed_by_the_script_beside_the_one_that_runs(monkeypatch, tmp_path):
    """So that the environment keeps it when it is built again; elsewhere, pip installs it."""
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "mnist-bp")])
    assert install_command("plot") == command_line(sys.executable, "-m", "pip", "install", "mnist-bp[plot]")
    (tmp_path / "set-up").touch()
    assert install_command("plot") == command_line(tmp_path / "set-up", "plot")


def commands_in_messages(path):
    """Strings of a file that spell out a command of this program; docstrings and help begin with ``Example:``."""
    commands = re.compile(rf"(?<!Example: )\bmnist-bp ({'|'.join(COMMANDS)})\b")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text for text in texts if text not in docstrings and commands.search(text)]


def test_no_message_spells_out_a_command_of_this_program():
    """Only ``program_command`` knows how the user started it.

    The page's default is for callers from Python, and the rows of the formats are for the manual.
    """
    package = Path(mnist_bp.__file__).parent
    found = {path.relative_to(package).as_posix(): commands_in_messages(path) for path in package.rglob("*.py")}
    assert {file: texts for file, texts in found.items() if texts} == {
        "page/content.py": ["mnist-bp explain"], "data/layouts.py": [" | `mnist-bp train "],
    }  # fmt: skip
