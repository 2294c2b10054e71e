"""Fixtures for the tests of data."""

import pytest


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    """Servers are asked directly, and only those that a test names, whatever the environment says."""
    monkeypatch.setenv("NO_PROXY", "*")
    for variable in ("MNIST_BP_MIRROR", "MNIST_BP_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
