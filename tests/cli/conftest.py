"""A terminal for tests of what people see."""

import io
import sys
from collections.abc import Callable

import pytest


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Standard output as a terminal of 256 colours, 60 columns wide, unless told otherwise."""

    def make(columns: int = 60, **variables: str) -> Terminal:
        monkeypatch.delenv("COLORTERM", raising=False)
        for name, value in {"TERM": "xterm-256color", "COLUMNS": columns, **variables}.items():
            monkeypatch.setenv(name, str(value))
        stream = Terminal()
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return make


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` for three epochs of five mini-batches, into ``run`` unless told otherwise."""

    def run(output="run"):
        return cli("train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 3, "--output", output, "--json")

    return run
