"""``scripts/test --all-versions``: which Pythons it finds, and what it prints of what is missing."""

import importlib
import sys
import tomllib
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
versions = importlib.import_module("_versions")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins for Python are shell scripts")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A machine whose PATH is the folder ``bin``, and pyenv's folder ``pyenv``; nothing is set up there."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(versions, "PYTHON", stand_in(tmp_path / "venv/bin/python", "echo 11"))
    monkeypatch.setattr(versions, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(versions, "prepare", lambda *_: None)
    return tmp_path


def stand_in(path: Path, does: str) -> Path:
    """Write a program in place of a Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_one_python_is_found_for_each_version(place):
    """The first on the PATH that runs, else pyenv's: a shim of pyenv's may lead nowhere, and PyPy prints 0."""
    stand_in(place / "bin/python3.12", "exit 127")
    twelve = stand_in(place / "pyenv/versions/3.12.1/bin/python3.12", "echo 12")
    thirteen = stand_in(place / "bin/python3.13", "echo 13")
    stand_in(place / "pyenv/versions/3.13.0/bin/python3.13", "echo 13")
    stand_in(place / "pyenv/versions/pypy3.11-7.3.19/bin/python3.11", "echo 0")
    stand_in(place / "bin/python3.10", "echo 10")
    stand_in(place / "bin/python3.13-config", "echo 13")
    assert versions._interpreters() == {12: twelve, 13: thirteen}


def test_each_other_python_is_tested_and_each_that_is_missing_is_a_line(place, monkeypatch, capsys):
    """The one of .venv runs the whole suite already."""
    monkeypatch.setattr(versions, "_declared", lambda: {11, 12, 13})
    for minor in (11, 13, 14):
        stand_in(place / f"bin/python3.{minor}", f"echo {minor}")
    assert versions._other_pythons() == [place / "3.13/bin/python", place / "3.14/bin/python"]
    assert capsys.readouterr().out == "skipped: Python 3.12 was not found on the PATH or in pyenv\n"


def test_without_uv_the_lowest_versions_are_a_line(place, capsys):
    """And no error."""
    stand_in(place / "lowest/bin/python", 'test "$2" != pip')
    assert versions._lowest_versions() == []
    (line,) = capsys.readouterr().out.splitlines()
    assert line == "skipped: the lowest versions of the dependencies, because pip could not install uv"


def test_lowest_versions_that_contradict_each_other_are_an_error(place):
    """They are what pyproject.toml declares."""
    stand_in(place / "lowest/bin/python", 'test "$2" != uv')
    with pytest.raises(SystemExit, match="cannot be installed"):
        versions._lowest_versions()


def test_the_declared_versions_begin_with_the_oldest_that_is_required():
    """In the classifiers and in requires-python."""
    project = tomllib.loads((versions.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">=3.{min(versions._declared())}"
