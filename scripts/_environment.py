"""The project's private environments, made on first use; what the scripts beside this file have in common."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"


def program(name: str, environment: Path = ENVIRONMENT) -> Path:
    """Where an environment has a program."""
    return environment / "Scripts" / f"{name}.exe" if os.name == "nt" else environment / "bin" / name


PYTHON = program("python")


def has(*modules: str) -> bool:
    """Whether the Python that runs this can import them."""
    return all(importlib.util.find_spec(module) for module in modules)


def restart(extra: str = "") -> None:
    """Begin the script anew with the Python of .venv."""
    prepare(extra)
    become(PYTHON, *sys.argv)


def prepare(extra: str = "", environment: Path = ENVIRONMENT) -> None:
    """Make sure that an environment has the project and the dependencies of ``extra``, as pyproject.toml says now."""
    if sys.version_info < (3, 11):
        sys.exit(f"mnist-bp needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable})")
    stamp = environment / f"installed-{extra or 'plain'}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"Setting up {environment} (on first use, and when pyproject.toml changes) …", file=sys.stderr, flush=True)
    python = program("python", environment)
    if not python.is_file():
        venv.create(environment, with_pip=True)
    project = f"{ROOT}[{extra}]" if extra else str(ROOT)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", project]
    if subprocess.run(install, stdout=sys.stderr).returncode:
        sys.exit("The set-up failed: pip says above why.")
    stamp.write_text(wanted)


def become(*command: object) -> None:
    """Run ``command`` in place of this process, so that signals and the exit code are its own."""
    words = [str(word) for word in command]
    if os.name == "nt":  # Windows cannot replace a process
        try:
            sys.exit(subprocess.run(words).returncode)
        except KeyboardInterrupt:
            sys.exit(130)
    os.execv(words[0], words)
