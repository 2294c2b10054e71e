"""What the tests of data share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for ``mirrors``; pytest's importlib mode leaves the path alone


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Nobody pulls the plug in a test."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    """Servers are asked directly, and only those that a test names, whatever the environment says."""
    monkeypatch.setenv("NO_PROXY", "*")
    for variable in ("MNIST_BP_MIRROR", "MNIST_BP_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
