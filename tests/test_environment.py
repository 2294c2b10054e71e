"""Switches and paths as users write them; ``tests/cli/test_paths.py`` has those of the command line."""

from pathlib import Path

import pytest

from mnist_bp.environment import is_on, user_path


@pytest.mark.parametrize("value", ["", "0", "false", "False", "NO", "off", " 0 "])
def test_a_switch_is_off(monkeypatch, value):
    """Set to a word that means no, or to nothing."""
    monkeypatch.setenv("SWITCH", value)
    assert not is_on("SWITCH")


@pytest.mark.parametrize("value", ["1", "true", "yes", "on", "github"])
def test_a_switch_is_on(monkeypatch, value):
    """Set to anything else."""
    monkeypatch.setenv("SWITCH", value)
    assert is_on("SWITCH")


def test_a_switch_that_is_not_set_is_off(monkeypatch):
    """The default of a switch is off."""
    monkeypatch.delenv("SWITCH", raising=False)
    assert not is_on("SWITCH")


@pytest.mark.parametrize("text", ["a", "a/~", "./~", "./~a/b", "a b", "./-"])
def test_a_path_without_a_tilde_in_front_stays_as_it_is(text):
    """Also one that Path shortens to a tilde."""
    assert user_path(text) == Path(text)
