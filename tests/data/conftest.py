"""Fixtures for the tests of data."""

import pytest


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Skip fsync: no test needs it for a power failure."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    """Servers are asked directly, and only those that a test names, whatever the environment says."""
    monkeypatch.setenv("NO_PROXY", "*")
    for variable in ("MNIST_BP_MIRROR", "MNIST_BP_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
