"""Commands that are to be pasted."""

import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnist_bp import shell
from mnist_bp.shell import command_line


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
