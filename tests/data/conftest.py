"""What the tests of data share."""

import pytest


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """Servers are asked directly, whatever the environment says."""
    monkeypatch.setenv("NO_PROXY", "*")
