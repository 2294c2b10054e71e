"""Environments of ``scripts/test --all-versions``: other Pythons, and the lowest versions of the dependencies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from _environment import PYTHON, ROOT, prepare, program

ENVIRONMENTS = ROOT / ".venvs"
CLASSIFIER = "Programming Language :: Python :: 3."
"""Beginning of a line in pyproject.toml that declares a version."""

MINOR = "import sys; print(sys.version_info[1] * (sys.implementation.name == 'cpython'))"
PIP = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
UV = (
    *("-m", "uv", "pip", "install", "--quiet", "--upgrade", "--resolution", "lowest-direct", "--extra", "test"),
    *("--only-binary", ":all:"),  # without it, a version that has no wheel for this Python would be built for minutes
)


def environments() -> list[Path]:
    """Set up the environments, and return their Pythons. Print a line for each that is not available."""
    return [*_other_pythons(), *_lowest_versions()]


def _other_pythons() -> list[Path]:
    """Set up an environment for each other version of Python."""
    found = _interpreters()
    tested = _minor(PYTHON)
    for minor in sorted(_declared() - {*found, tested}):
        print(f"skipped: Python 3.{minor} was not found on the PATH or in pyenv", flush=True)
    return [_set_up(f"3.{minor}", str(found[minor])) for minor in sorted({*found} - {tested})]


def _lowest_versions() -> list[Path]:
    """Set up an environment with the lowest versions that pyproject.toml allows, including those of the tests."""
    python = _set_up("lowest")
    if subprocess.run([python, *PIP, "uv"]).returncode:
        print("skipped: the lowest versions of the dependencies, because pip could not install uv", flush=True)
        return []
    if subprocess.run([python, *UV, "--python", python, "--requirements", ROOT / "pyproject.toml"]).returncode:
        sys.exit("The lowest versions of the dependencies cannot be installed: the reason is above.")
    return [python]


def _set_up(name: str, python: str | None = None) -> Path:
    prepare("test", ENVIRONMENTS / name, python)
    return program("python", ENVIRONMENTS / name)


def _declared() -> set[int]:
    """Return the minor versions that pyproject.toml declares."""
    import tomllib  # an older Python never gets here

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {int(line.removeprefix(CLASSIFIER)) for line in project["classifiers"] if line.startswith(CLASSIFIER)}


def _interpreters() -> dict[int, Path]:
    """Return an interpreter for each minor version: the first one on the PATH, else one of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    oldest, found = min(_declared()), {}
    for folder in [*map(Path, os.get_exec_path()), *sorted(pyenv.glob("versions/*/bin"))]:
        for path in folder.glob("python3.*"):
            named = re.fullmatch(r"python3\.(\d+)", path.name)
            if named and int(named[1]) >= oldest and (minor := _minor(path)):  # a shim of pyenv may have no target
                found.setdefault(minor, path)
    return found


def _minor(python: Path) -> int | None:
    """Return the minor version of a CPython 3 interpreter, or None if it does not run or is another Python."""
    try:
        done = subprocess.run([python, "-I", "-c", MINOR], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(done.stdout) or None
