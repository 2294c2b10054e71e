"""What the tests of data share."""

import pytest


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
