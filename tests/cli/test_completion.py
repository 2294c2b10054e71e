"""Completion of command lines in the user's shell."""

import sys
from pathlib import Path

import pytest
import shellingham

from mnist_bp.cli.completion import SHELLS


@pytest.fixture
def in_shell(monkeypatch, tmp_path):
    """Have the program find that a shell runs it, and an empty home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    def arrange(name):
        monkeypatch.setattr(shellingham, "detect_shell", lambda: (name, f"/bin/{name}"))

    return arrange


@pytest.mark.parametrize("shell", sorted(SHELLS))
@pytest.mark.parametrize("started_as", ["mnist-bp", "scripts/mnist-bp"])
def test_the_script_of_each_shell_is_about_the_name_of_the_command(cli, in_shell, monkeypatch, shell, started_as):
    """However the program was started: shells look at the last part of a path."""
    in_shell(shell)
    monkeypatch.setattr(sys, "argv", [started_as])
    done = cli("--show-completion")
    assert (done.code, done.err) == (0, "")
    assert "_MNIST_BP_COMPLETE" in done.out
    assert "scripts/" not in done.out


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        (["tr"], ["train"]),
        (["train", "--activ"], ["--activation"]),
        (["train", "--activation", "r"], ["relu"]),
        (["evaluate", "run"], []),
    ],
)
def test_commands_options_and_named_values_are_completed(cli, monkeypatch, typed, completed):
    """Completion is requested as by bash's script. If the result is empty, bash completes file names."""
    monkeypatch.setattr(sys, "argv", ["scripts/mnist-bp"])
    monkeypatch.setenv("_MNIST_BP_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "\n".join(["scripts/mnist-bp", *typed]))
    monkeypatch.setenv("COMP_CWORD", str(len(typed)))
    done = cli()
    assert (done.code, done.out.split(), done.err) == (0, completed, "")


def test_completion_is_installed_in_the_home_folder(cli, in_shell, tmp_path):
    """The shell's start file leads to the script."""
    in_shell("bash")
    done = cli("--install-completion")
    script = tmp_path / ".bash_completions/mnist-bp.sh"
    assert done == (0, f"completion for bash installed in {script}: restart the shell to use it\n", "")
    assert script.read_text(encoding="utf-8").strip() == cli("--show-completion").out.strip()
    assert str(script) in (tmp_path / ".bashrc").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_another_shell_is_refused(cli, in_shell, option):
    """With the shells that were expected."""
    in_shell("dash")
    said = "no completion for dash; expected bash, zsh, fish or PowerShell"
    assert cli(option) == (2, "", f"mnist-bp: {said}\n")


def test_the_execution_policy_of_powershell_stays_as_it_is(cli, in_shell):
    """Typer would change it; the user adds the script to the profile."""
    in_shell("pwsh")
    said = "add the output of mnist-bp --show-completion to $PROFILE by hand"
    assert cli("--install-completion") == (2, "", f"mnist-bp: {said}\n")


def test_a_start_file_that_cannot_be_written_is_3(cli, in_shell, tmp_path):
    """Exit 3 and the file's name."""
    in_shell("bash")
    Path(tmp_path, ".bashrc").mkdir()
    done = cli("--install-completion")
    assert (done.code, done.out) == (3, "")
    assert f"cannot read or write {tmp_path / '.bashrc'}" in done.err


def test_where_no_shell_is_found_completion_is_refused(cli, monkeypatch):
    """As in a service, whose parent is no shell."""

    def fail():
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", fail)
    done = cli("--show-completion")
    assert (done.code, done.out) == (2, "")
    assert "no completion for an unknown shell; expected " in done.err
