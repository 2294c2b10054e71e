"""Completion of command lines in the user's shell, with Typer's scripts for the command ``mnist-bp``.

The scripts complete that name, however this program was started: shells look up completions by the last part of a
command's path. To complete, zsh, fish and PowerShell run the ``mnist-bp`` on the PATH, and bash the one that was typed.
"""

import sys
from typing import Annotated

import shellingham  # type: ignore[import-untyped]
import typer
from typer.completion import completion_init, get_completion_script, install  # type: ignore[attr-defined]

from mnist_bp.errors import InputError
from mnist_bp.shell import program_command

__all__ = ["VARIABLE", "InstallCompletion", "ShowCompletion", "completion_init"]

NAME = "mnist-bp"

VARIABLE = "_MNIST_BP_COMPLETE"
"""Environment variable with which a script requests completions."""

POWERSHELL = {"powershell", "pwsh"}

SHELLS = {"bash", "zsh", "fish", *POWERSHELL}


def _shell() -> str:
    """Return the name of the shell that runs this program."""
    try:
        name, _ = shellingham.detect_shell()
    except shellingham.ShellDetectionFailure:
        name = "an unknown shell"
    if name not in SHELLS:
        raise InputError(f"no completion for {name}; expected bash, zsh, fish or PowerShell")
    return str(name)


def _show(wanted: bool) -> None:  # noqa: FBT001 - Typer's signature of a callback
    if wanted:
        script = get_completion_script(prog_name=NAME, complete_var=VARIABLE, shell=_shell())
        sys.stdout.write(f"{script}\n")
        raise typer.Exit


def _install(wanted: bool) -> None:  # noqa: FBT001 - Typer's signature of a callback
    if wanted:
        shell = _shell()
        if shell in POWERSHELL:  # Typer would also permit unsigned scripts
            raise InputError(f"add the output of {program_command('--show-completion')} to $PROFILE by hand")
        _, path = install(shell, NAME, VARIABLE)
        sys.stdout.write(f"completion for {shell} installed in {path}: restart the shell to use it\n")
        raise typer.Exit


InstallCompletion = Annotated[
    bool,
    typer.Option("--install-completion", callback=_install, is_eager=True, help="Install completion for this shell."),
]
ShowCompletion = Annotated[
    bool,
    typer.Option("--show-completion", callback=_show, is_eager=True, help="Print the completion script and exit."),
]
