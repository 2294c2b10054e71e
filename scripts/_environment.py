"""Private environments of the project, set up on first use and shared by the scripts in this folder.

An environment is built in a temporary folder and renamed into place by one process at a time, so it is complete or
absent. Its stamp records how it was built. An environment that does not match its stamp, or does not work, is built
again. This module imports only the standard library and can be parsed by Python 3.8, so that an old Python gets a
message.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import _checkout_wheel

if os.name == "nt":
    import msvcrt
else:
    import fcntl

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
STAMP = "mnist-bp.json"
PACKAGE = ROOT / "mnist_bp" / "__init__.py"

BAD_USAGE, NOT_AVAILABLE, INTERRUPTED = 2, 3, 130
"""Exit codes, equal to those of the command."""

REASONS = {
    "environment": "the checkout was moved or copied",
    "checkout": "the checkout was moved or copied",
    "pyproject": "pyproject.toml has changed",
    "python": "another Python is required",
}
"""Reasons for building an environment again, by the key of the stamp whose value differs."""

FIND_PIP = """if True:
    import pathlib, sysconfig, ensurepip
    folder = sysconfig.get_config_var("WHEEL_PKG_DIR") or pathlib.Path(ensurepip.__file__).parent / "_bundled"
    print(max(pathlib.Path(folder).glob("pip-*.whl")))
"""
"""Program that prints the path of the pip wheel that comes with Python. Debian stores it in another folder."""

FIND_PACKAGE = """if True:
    import importlib.util, sys
    spec = importlib.util.find_spec("mnist_bp")
    print(sys.version.split()[0], spec.origin if spec else "", sep="\\n")
"""


def program(name: str, environment: Path = ENVIRONMENT) -> Path:
    """Return the path of a program in an environment."""
    return environment / "Scripts" / f"{name}.exe" if os.name == "nt" else environment / "bin" / name


PYTHON = program("python")


def has(*modules: str) -> bool:
    """Return True if the running Python imports mnist_bp from this checkout and can import ``modules``."""
    found = importlib.util.find_spec("mnist_bp")
    ours = found is not None and found.origin is not None and _same(found.origin, PACKAGE)
    return ours and all(importlib.util.find_spec(module) for module in modules)


def restart(extra: str = "") -> None:
    """Restart the script with the Python of .venv."""
    prepare(extra)
    become(PYTHON, *sys.argv)


def become(*command: object) -> NoReturn:
    """Replace this process by ``command``, which then receives its signals and sets the exit code."""
    words = [str(word) for word in command]
    if os.name == "nt":  # Windows cannot replace a process
        try:
            sys.exit(subprocess.run(words).returncode)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
    os.execv(words[0], words)


def prepare(extra: str = "", environment: Path = ENVIRONMENT, python: str | None = None) -> None:
    """Make sure that an environment works, and has this checkout and the current dependencies of pyproject.toml.

    Parameters
    ----------
    extra
        Extra whose dependencies are required as well. An environment keeps its extras.
    environment
        Folder of the environment.
    python
        Interpreter for the environment, which is built again if it has another one. Default: keep any interpreter, and
        build a new environment with the running one.
    """
    if sys.version_info < (3, 11):
        _fail(BAD_USAGE, f"mnist-bp needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable})")
    wanted = {
        "environment": str(environment),
        "checkout": str(ROOT),
        "pyproject": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
    }
    if python:
        wanted["python"] = os.path.realpath(python)
    if not _defect(environment, wanted, extra):
        return
    try:
        with _locked(environment) as lock, _terminated_like_ctrl_c():
            if why := _defect(
                environment, wanted, extra
            ):  # another process may have built it before this one got the lock
                extras = {*_stamp(environment).get("extras", ()), extra} - {""}
                _build(environment, {"python": os.path.realpath(sys.executable), **wanted}, sorted(extras), why, lock)
                if why := _defect(environment, wanted, extra):
                    _fail(NOT_AVAILABLE, f"The set-up failed: {why}")
    except KeyboardInterrupt:
        _fail(INTERRUPTED, "The set-up was interrupted; the next call starts it again.")
    except OSError as error:
        _fail(NOT_AVAILABLE, f"The set-up failed: {error}")


def _defect(environment: Path, wanted: dict[str, str], extra: str) -> str:
    """Return the reason for building an environment, or "" if it can be used."""
    stamp = _stamp(environment)
    if not stamp:
        return "first use"
    for key, value in wanted.items():
        if stamp.get(key) != value:
            return REASONS[key]
    if extra and extra not in stamp["extras"]:
        return f"it lacks the extra {extra}"
    version, package = _look(environment)
    if version != stamp["version"]:
        return "its Python has changed" if version else "its Python is gone"
    if _same(package, PACKAGE):
        return ""
    if package and os.environ.get("PYTHONPATH"):
        _fail(BAD_USAGE, f"PYTHONPATH has another mnist_bp, {package}: unset it, or run the scripts of that checkout")
    return "it does not find mnist_bp in this checkout"


def _look(environment: Path) -> tuple[str, str]:
    """Return the version of an environment's Python and the path of its mnist_bp, or "" for what is missing."""
    command = [program("python", environment), "-P", "-c", FIND_PACKAGE]
    try:
        version, package = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:2]
    except (OSError, subprocess.CalledProcessError):
        return "", ""
    return version, package


def _stamp(environment: Path) -> dict:
    """Return the stamp of an environment, or an empty dictionary if there is no complete environment."""
    try:
        return json.loads((environment / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _build(environment: Path, stamp: dict, extras: list[str], why: str, lock: int) -> None:
    """Build an environment in a temporary folder beside its place, then rename it."""
    started = time.monotonic()
    _say(f"Setting up {environment} ({why}); this may take a minute:")
    _remove_what_dead_processes_left(environment)
    building = _beside(environment, "building")
    try:
        _say(f"  1/3 new environment with {stamp['python']}")
        _run(lock, stamp["python"], "-I", "-m", "venv", "--without-pip", building)
        _say("  2/3 installing " + " and the extra ".join(["the dependencies of mnist-bp", *extras]))
        _install(building, extras, lock)
        _have_scripts_name(environment, building)
        record = {**stamp, "version": _look(building)[0], "extras": extras}
        (building / STAMP).write_text(json.dumps(record, indent=1), encoding="utf-8")
        _say("  3/3 moving it into place")
        _put(building, environment)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    _say(f"Ready after {time.monotonic() - started:.0f} seconds.")


def _install(building: Path, extras: list[str], lock: int) -> None:
    """Install pip, this checkout and its dependencies.

    pip runs from its own wheel, because ensurepip would take seven seconds to install it first. Bytecode is compiled
    when a module is first used, because most modules never are. With PYTHONDONTWRITEBYTECODE, which would compile it at
    every start, it is compiled now.
    """
    python = program("python", building)
    found = subprocess.run([python, "-I", "-c", FIND_PIP], capture_output=True, text=True)
    if found.returncode:
        _fail(NOT_AVAILABLE, f"The set-up failed: {python} has no pip to install (on Debian: apt install python3-venv)")
    pip = found.stdout.strip()
    wheel = _checkout_wheel.write(building, ROOT)
    checkout = f"{wheel}[{','.join(extras)}]" if extras else wheel
    compiling = "--compile" if sys.dont_write_bytecode else "--no-compile"
    options = ("--quiet", compiling, "--no-input", "--disable-pip-version-check")
    _run(lock, python, "-P", "-m", "pip", "install", *options, pip, checkout, PYTHONPATH=pip)
    wheel.unlink()


def _have_scripts_name(environment: Path, building: Path) -> None:
    """Replace the temporary folder by the final one in the programs of an environment."""
    for path in program("python", building).parent.iterdir():
        content = b"" if path.is_symlink() or path.is_dir() else path.read_bytes()
        if (old := os.fsencode(building)) in content:
            path.write_bytes(content.replace(old, os.fsencode(environment)))


def _put(building: Path, environment: Path) -> None:
    """Rename an environment to its place. Remove an old one if a script created it, else rename it."""
    if os.path.lexists(environment):
        ours = _stamp(environment) or list(environment.glob("installed-*"))  # the stamp of earlier versions
        old = _beside(environment, "old" if ours else "kept")
        environment.rename(old)
        if not ours:
            _say(f"      {environment} was not created by this script: it is now {old}")
    building.rename(environment)
    _remove_what_dead_processes_left(environment)


def _beside(environment: Path, state: str) -> Path:
    """Return a new name in the folder of an environment."""
    return environment.with_name(f"{environment.name}.{state}-{secrets.token_hex(4)}")


def _remove_what_dead_processes_left(environment: Path) -> None:
    """Remove environments that were incomplete or replaced. The caller must hold the lock."""
    for state in ("building", "old"):
        for folder in environment.parent.glob(f"{environment.name}.{state}-*"):
            shutil.rmtree(folder, ignore_errors=True)  # on Windows, a running program prevents it


@contextmanager
def _locked(environment: Path) -> Iterator[int]:
    """Wait until no other process is setting up this environment, and yield the descriptor of the lock.

    The system releases the lock at the end of the last process with the descriptor, even if it is killed.
    """
    environment.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(environment.with_name(environment.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _lock(descriptor):
            _say(f"Waiting for another process that is setting up {environment} …")
            while not _lock(descriptor):
                time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock an open file. Return False if another process has it locked.

    This is a copy of ``mnist_bp.storage.atomic.lock``, which cannot be imported before the environment exists.
    """
    try:
        if os.name == "nt":
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, so that no incomplete environment and no running pip is left."""
    usual = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the end of the block, because Popen would lose a process that it has started."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    usual = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    for number in came[:1]:
        signal.raise_signal(number)


def _run(lock: int, *command: object, **variables: str) -> None:
    """Run a step of the set-up. Its process shares the lock, which is held until the process has ended.

    It runs in a separate process group, so that a terminal's Ctrl-C does not reach it: pip would print a traceback.
    """
    shared = {} if os.name == "nt" else {"pass_fds": [lock], "process_group": 0}
    words = [str(word) for word in command]
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    process = None
    try:
        with _signals_wait():
            process = subprocess.Popen(words, env=own, stdin=subprocess.DEVNULL, stdout=sys.stderr, **shared)
        code = process.wait()
    except BaseException:
        if process:
            process.kill()
            process.wait()  # otherwise the process could write while its folder is removed
        raise
    if code:
        _fail(NOT_AVAILABLE, "The set-up failed: the reason is above. The next call starts it again.")


def _same(first: str, second: Path) -> bool:
    """Return True if a path, which may be empty, refers to a file."""
    with suppress(OSError):
        return second.samefile(first)
    return False


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _fail(code: int, message: str) -> NoReturn:
    _say(message)
    sys.exit(code)
